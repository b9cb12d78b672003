"""The audit trail as it is read: who sees what of it, in sentences, filtered, by pages, as a file."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.accounts.accounts import change_role, rename_myself
from core.audit.kinds import Kind
from core.audit.sentences import SENTENCES
from core.audit.trail import COLUMNS, AuditFilter, audit_events, audited_sheets, export_audit
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Level, Role, RowScope
from core.column_types.base import Option
from core.comments.comments import add_comment
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.sharing.shares import share_sheet, share_with_workspace
from core.sheets.columns import NewColumn, add_column, limit_column
from core.sheets.sheets import choose_owner_column, create_sheet


def told(session: Session, who: Actor, wanted: AuditFilter | None = None) -> list[str]:
    return [line.sentence for line in audit_events(session, who, wanted)]


def test_what_happened_is_told_in_sentences(
    session: Session, ada: Actor, ann: Actor, ben: Actor, deals: Access
) -> None:
    sheet_id = deals.sheet.sheet_id
    share_with_workspace(session, ann, sheet_id, level=Level.VIEWER)
    share_with_workspace(session, ann, sheet_id, level=None)
    owner = next(column.column_id for column in deals.columns if column.type == "person")
    choose_owner_column(session, ann, sheet_id, owner)
    share_sheet(session, ann, sheet_id, ben.user_id, level=Level.COMMENTER, row_scope=RowScope.OWN)
    change_role(session, ada, ben.user_id, role=Role.MANAGER)
    assert told(session, ada)[:7] == [
        "Ada changed the role of Ben from member to manager",
        "Ann shared “Deals” with Ben as commenter, their own rows",
        "Ann changed the pipeline and owner columns of “Deals”",
        "Ann stopped sharing “Deals” with everybody",
        "Ann shared “Deals” with everybody as viewer",
        "Ann shared “Deals” with Cleo as viewer",
        "Ann shared “Deals” with Ben as editor",
    ]


def test_administrators_read_names_in_the_trail_and_never_a_value(
    session: Session, ada: Actor, ann: Actor, deals: Access
) -> None:
    sheet_id, choices = deals.sheet.sheet_id, [Option("o1", "Falcon")]
    secret = add_column(session, ann, sheet_id, NewColumn("Secret code", "choice", options=choices))
    limit_column(session, ann, sheet_id, secret.column_id, {"editor": "hidden", "viewer": "hidden"})
    batch = Batch(adds=(NewRow("a", {1: CellInput("Falcon"), secret.column_id: CellInput(value="o1")}),))
    write(session, ann, sheet_id, batch, operation_id=uuid4(), source=ChangeSource.API)
    add_comment(session, ann, sheet_id, 1, "Falcon it is")
    with pytest.raises(NotFound):
        get_access(session, ada, sheet_id)
    assert any("column “Secret code” of “Deals”" in sentence for sentence in told(session, ada))
    assert "Falcon" not in str(audit_events(session, ada))


def test_names_are_text_and_nothing_in_them_is_read_as_a_sentence(session: Session, ada: Actor, ann: Actor) -> None:
    rename_myself(session, ann, "{by} {0} %s")
    assert told(session, ada) == ["{by} {0} %s changed their name from “Ann” to “{by} {0} %s”"]


@pytest.mark.parametrize(
    "facts", [{}, {"user": 3, "before": "x", "rule": {"who": "domains"}, "limits": {"link": "hidden"}}]
)
def test_no_event_is_without_a_sentence_whatever_facts_it_has(
    session: Session, ada: Actor, facts: dict[str, object]
) -> None:
    actions = [*SENTENCES, "some:thing:new{x}"]
    for action in actions:
        audit.record(session, ada, action, **facts)
        audit.record(session, None, action, **facts)
    lines = audit_events(session, ada, limit=1000)
    assert {line.action for line in lines} >= {*actions}
    assert [line for line in lines if not line.sentence] == []


def test_every_action_that_has_a_sentence_has_a_kind() -> None:
    assert [action for action in SENTENCES if Kind.of(action) is None] == []
    subjects = [subject for kind in Kind for subject in kind.subjects]
    assert len(subjects) == len(set(subjects)), "and not two of them"


def test_owners_see_what_happened_to_their_sheets_and_nothing_else(
    session: Session, ada: Actor, ann: Actor, ben: Actor, deals: Access
) -> None:
    create_sheet(session, ben, "Other")
    change_role(session, ada, ben.user_id, role=Role.MANAGER)
    seen = audit_events(session, ann)
    assert {line.sheet_id for line in seen} == {deals.sheet.sheet_id}
    assert seen, "the owner sees their sheet"
    assert {line.sheet for line in audit_events(session, ben)} == {"Other"}
    assert {line.sheet for line in audit_events(session, ben, AuditFilter(search="e"))} == {"Other"}
    assert (
        told(session, ann, AuditFilter(search="Manager")) == told(session, ann, AuditFilter(kinds=(Kind.TEAMS,))) == []
    )
    assert audited_sheets(session, ann) == {deals.sheet.sheet_id: "Deals"}
    assert len(audited_sheets(session, ada)) == 2


def test_only_administrators_see_network_addresses(session: Session, ada: Actor, ann: Actor, deals: Access) -> None:
    audit.record(session, None, "sheet:link:fail", sheet_id=deals.sheet.sheet_id, address="192.0.2.7", link=1)
    assert audit_events(session, ada)[0].address == "192.0.2.7"
    assert audit_events(session, ann)[0].address is None
    assert told(session, ada, AuditFilter(search="192.0.2."))
    assert not told(session, ann, AuditFilter(search="192.0.2.")), "nor can they be guessed by searching"


def test_a_sheet_of_others_is_refused(session: Session, ben: Actor, dan: Actor, deals: Access) -> None:
    wanted = AuditFilter(sheet_id=deals.sheet.sheet_id)
    with pytest.raises(NotAllowed):
        audit_events(session, ben, wanted)
    with pytest.raises(NotFound):
        audit_events(session, dan, wanted)
    assert audit_events(session, dan) == []


def test_filters_narrow_together(session: Session, ada: Actor, ann: Actor, ben: Actor, deals: Access) -> None:
    change_role(session, ada, ben.user_id, role=Role.MANAGER)
    share = "Ann shared “Deals” with Ben as editor"
    role = "Ada changed the role of Ben from member to manager"
    assert told(session, ada, AuditFilter(person=ben.user_id)) == [role, share]
    assert told(session, ada, AuditFilter(person=ada.user_id)) == [role]
    assert told(session, ada, AuditFilter(person=ben.user_id, kinds=(Kind.SHARES,))) == [share]
    assert told(session, ada, AuditFilter(kinds=(Kind.ACCOUNTS, Kind.TEAMS))) == [role]
    assert share in told(session, ada, AuditFilter(sheet_id=deals.sheet.sheet_id))
    assert role not in told(session, ada, AuditFilter(sheet_id=deals.sheet.sheet_id))


def test_a_period_has_its_beginning_and_not_its_end(session: Session, ada: Actor) -> None:
    audit.record(session, ada, "account:second-factor:on")
    at = audit_events(session, ada)[0].recorded_at
    assert told(session, ada, AuditFilter(since=at, until=at + timedelta(microseconds=1)))
    assert not told(session, ada, AuditFilter(until=at))
    assert not told(session, ada, AuditFilter(since=at + timedelta(microseconds=1)))


@pytest.mark.parametrize(
    ("search", "finds"),
    [
        *((text, True) for text in ("northern", "ORTHER", "100%", "a_b", "cleo", "deals", "deep")),
        *((text, False) for text in ("100_", "a%b", "name", "7", "\\")),
    ],
)
def test_search_finds_texts_of_the_facts_and_names_literally(
    session: Session, ada: Actor, ann: Actor, cleo: Actor, search: str, finds: bool
) -> None:
    sheet_id = create_sheet(session, ann, "Deals").sheet.sheet_id
    facts = {"name": "Northern a_b", "list": [{"x": "100% deep"}], "rows": 7, "user": cleo.user_id}
    audit.record(session, ann, "test:event:happen", sheet_id=sheet_id, **facts)
    found = audit_events(session, ada, AuditFilter(search=search))
    assert ("test:event:happen" in {line.action for line in found}) is finds


def test_a_search_that_cannot_be_is_refused(session: Session, ada: Actor) -> None:
    for search in ("a\x00b", "x" * 201):
        with pytest.raises(Invalid):
            audit_events(session, ada, AuditFilter(search=search))


def test_pages_follow_each_other_whatever_is_recorded_meanwhile(session: Session, ada: Actor) -> None:
    for number in range(7):
        audit.record(session, ada, "test:event:happen", number=number)
    first = audit_events(session, ada, limit=3)
    audit.record(session, ada, "test:event:happen", number=99)
    rest = audit_events(session, ada, before=first[-1].event_id)
    assert [line.facts["number"] for line in first + rest] == [6, 5, 4, 3, 2, 1, 0]


def exported(session: Session, who: Actor, wanted: AuditFilter | None = None) -> list[dict[str, str]]:
    file = io.BytesIO()
    rows = export_audit(session, who, wanted or AuditFilter(), file)
    found = list(csv.DictReader(io.StringIO(file.getvalue().decode(), newline="")))
    assert len(found) == rows
    return found


def test_a_file_has_every_event_and_its_export_is_one(session: Session, ada: Actor, ann: Actor) -> None:
    with_many = text(
        "INSERT INTO audit_events (action, actor_id) SELECT 'team:team:create', 2 FROM generate_series(1, 2100)"
    )
    session.execute(with_many)
    found = exported(session, ada, AuditFilter(person=ann.user_id))
    assert [*found[0]] == [*COLUMNS]
    assert len({line["event"] for line in found}) == 2100
    event = audit_events(session, ada, limit=1)[0]
    assert event.sentence == "Ada exported 2100 events of the audit trail"
    assert event.facts == {"rows": 2100, "filters": ["person"]}


def test_a_file_has_nothing_that_a_spreadsheet_would_run(session: Session, ada: Actor, ann: Actor) -> None:
    rename_myself(session, ann, "=1+1")
    line = exported(session, ada)[0]
    assert (line["what"], line["by"]) == ("'=1+1 changed their name from “Ann” to “=1+1”", "'=1+1")
    assert json.loads(line["facts"]) == {"before": "Ann", "name": "=1+1"}
    assert datetime.fromisoformat(line["recorded_at"]).tzinfo == UTC


def test_the_file_of_an_owner_has_what_they_see(session: Session, ada: Actor, ann: Actor, deals: Access) -> None:
    change_role(session, ada, 3, role=Role.MANAGER)
    assert {line["sheet"] for line in exported(session, ann)} == {"Deals"}

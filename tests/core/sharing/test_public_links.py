"""Public links: made by the owner, opened by whoever has one, and over at once when somebody says so."""

import io
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import NO_LINK, NO_SHEET, Access
from core.access.load import get_access
from core.accounts.accounts import deactivate, reactivate
from core.admin.cleanup import delete_expired
from core.base.actor import Actor, Visitor
from core.base.errors import Invalid, NotAllowed, NotFound, Refused, Throttled
from core.base.permissions import Level, Permission
from core.edits import trash
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.exports import export_rows
from core.history import diff, history
from core.history.changes_since import changes_since
from core.rows.as_of import get_access_as_of
from core.rows.filter_tree import Condition
from core.rows.query import Sort, View
from core.rows.read import first_rows, row_count
from core.rows.row_order import row_order
from core.sharing import shares
from core.sharing.public_link_visits import WRONG_PASSWORD, PasswordRequired, open_link
from core.sharing.public_links import change_link, create_link, public_links, revoke_link, visitor_of, visits_of_tokens
from core.sheets import columns
from core.sheets.serialize import sheet_json
from core.sheets.sheets import archive_sheet, configure_pipeline, create_sheet, restore_sheet
from db.engine import transaction
from tests.conftest import actor
from tests.support.core.signing_in import HOME, actions

DEAL, ACCOUNT, OWNER = 1, 2, 5
PASSWORD = "partners only 2026"
SECRET = "Project Falcon"


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor) -> int:
    """Three deals, of which Ben has one; the account is nothing that links may show."""
    sheet_id = deals.sheet.sheet_id
    cells = [{DEAL: "Acme", ACCOUNT: SECRET, OWNER: "Ben"}, {DEAL: "Bolt", ACCOUNT: "Other"}, {DEAL: "Crane"}]
    adds = tuple(NewRow(str(n), {key: CellInput(said) for key, said in row.items()}) for n, row in enumerate(cells))
    write(session, ann, sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    columns.limit_column(session, ann, sheet_id, ACCOUNT, {"link": "hidden"})
    return sheet_id


def visit(session: Session, token: str, password: str = "") -> Visitor:
    opened = open_link(transaction, token, password=password, address=HOME)
    assert opened.token
    visits = ",".join(map(str, visits_of_tokens(session, [opened.token])))
    visitor = visitor_of(session, visits, opened.link_id, address=HOME)
    assert visitor
    return visitor


@pytest.fixture
def link(session: Session, ann: Actor, sheet: int) -> tuple[int, str]:
    return create_link(session, ann, sheet, name="Partner")


@pytest.fixture
def visitor(session: Session, link: tuple[int, str]) -> Visitor:
    return visit(session, link[1])


def again(session: Session, visitor: Visitor) -> Visitor | None:
    return visitor_of(session, str(visitor.visit_id), visitor.link_id)


def test_whoever_has_a_link_reads_the_sheet_as_nobody(session: Session, visitor: Visitor, sheet: int) -> None:
    access = get_access(session, visitor, sheet, Permission.ROWS_SEE)
    assert access.level is Level.LINK
    assert access.permissions == {Permission.SHEET_SEE, Permission.ROWS_SEE}
    assert [row["values"][str(DEAL)] for row in first_rows(session, access, View(), limit=10).rows] == [
        *("Acme", "Bolt", "Crane")
    ]


def test_what_a_visitor_is_told_names_nobody_but_who_stands_in_visible_cells(
    session: Session, visitor: Visitor, sheet: int, ann: Actor
) -> None:
    def told() -> dict[str, Any]:
        return sheet_json(get_access(session, visitor, sheet))

    assert set(told()) == {*("id", "name", "version", "columns_version", "level", "permissions", "columns", "people")}
    assert told()["people"] == {str(actor("Ben").user_id): "Ben"}
    assert "@" not in str(told())
    columns.limit_column(session, ann, sheet, OWNER, {"link": "hidden"})
    assert told()["people"] == {}


def test_changes_reach_a_visitor_without_who_made_them(
    session: Session, visitor: Visitor, sheet: int, ben: Actor
) -> None:
    edits = (Edit(1, DEAL, CellInput("Acme & Co")), Edit(1, ACCOUNT, CellInput(SECRET + " 2")))
    write(session, ben, sheet, Batch(edits), operation_id=uuid4(), source=ChangeSource.GRID)
    access = get_access(session, visitor, sheet)
    (row,) = changes_since(session, access, access.sheet.version - 1).rows
    assert row["values"] == {str(DEAL): "Acme & Co"}
    assert row["by"] is None


def test_a_visitor_is_told_that_a_row_went_and_nothing_of_what_stood_in_it(
    session: Session, visitor: Visitor, sheet: int, ben: Actor
) -> None:
    for batch in (Batch((Edit(2, DEAL, CellInput("Bolt & Nut")),)), Batch(deletes=(2,))):
        write(session, ben, sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID)
    found = changes_since(session, get_access(session, visitor, sheet), 0)
    gone = next(row for row in found.rows if row["id"] == 2)
    assert (gone["removed"], gone["values"], gone["versions"]) == (True, {}, {})
    assert "Bolt" not in str(found.as_json())


HIDDEN_BY: dict[str, Callable[[Session, Access], object]] = {
    "filter": lambda session, access: first_rows(
        session, access, View(filter=(Condition(ACCOUNT, "contains", "F"),)), limit=1
    ),
    "sort": lambda session, access: first_rows(session, access, View(sort=(Sort(ACCOUNT),)), limit=1),
    "order": lambda session, access: row_order(session, access, View(sort=(Sort(ACCOUNT),))),
    "column": lambda _, access: access.column(ACCOUNT),
}


@pytest.mark.parametrize("way", HIDDEN_BY)
def test_a_hidden_column_is_to_a_visitor_as_one_that_does_not_exist(
    session: Session, visitor: Visitor, sheet: int, way: str
) -> None:
    access = get_access(session, visitor, sheet)
    with pytest.raises(Refused) as hidden:
        HIDDEN_BY[way](session, access)
    configure_pipeline(session, actor("Ann"), sheet, {"account": None})
    columns.retire_column(session, actor("Ann"), sheet, ACCOUNT)
    with pytest.raises(type(hidden.value)) as missing:
        HIDDEN_BY[way](session, get_access(session, visitor, sheet))
    assert missing.value.message == hidden.value.message
    assert missing.value.facts == hidden.value.facts


def test_a_formula_that_reads_history_is_not_for_visitors(
    session: Session, visitor: Visitor, sheet: int, ann: Actor
) -> None:
    for name, formula in [("Moved", "changecount ({Deal})"), ("Twice", "{Moved} * 2"), ("Half", "{Deal} & 2")]:
        columns.add_column(session, ann, sheet, columns.NewColumn(name, "formula", {"formula": formula}))
    assert {"Moved", "Twice", "Half"} <= {column.name for column in get_access(session, ann, sheet).columns}
    shown = {column.name for column in get_access(session, visitor, sheet).columns}
    assert shown & {"Moved", "Twice", "Half"} == {"Half"}


def test_a_search_finds_nothing_in_a_hidden_column(session: Session, visitor: Visitor, sheet: int) -> None:
    access = get_access(session, visitor, sheet)
    assert row_count(session, access, View(search="Falcon")) == 0
    assert row_count(session, access, View(search="acme")) == 1
    assert SECRET not in str(first_rows(session, access, View(), limit=10))


def exported(session: Session, visitor: Visitor, sheet: int, **more: Any) -> str:
    file = io.BytesIO()
    export_rows(session, visitor, sheet, View(), file, file_format="csv", **more)
    return file.getvalue().decode()


def test_an_export_is_only_for_links_that_allow_it_and_without_hidden_columns(
    session: Session, visitor: Visitor, sheet: int, ann: Actor
) -> None:
    with pytest.raises(NotAllowed):
        exported(session, visitor, sheet)
    change_link(session, ann, sheet, visitor.link_id, may_export=True)
    text_of = exported(session, visitor, sheet)
    assert "Acme" in text_of
    assert "Account" not in text_of
    assert SECRET not in text_of
    with pytest.raises(NotFound, match="does not exist in the sheet"):
        exported(session, visitor, sheet, columns=[ACCOUNT])
    event = session.execute(text("SELECT * FROM audit_events ORDER BY event_id DESC LIMIT 1")).mappings().one()
    assert (event["action"], event["actor_id"], event["facts"]["link"]) == ("sheet:rows:export", None, visitor.link_id)


@pytest.mark.parametrize(
    "ask",
    [
        lambda session, who, sheet: shares.collaborators(session, get_access(session, who, sheet)),
        lambda session, who, sheet: shares.people_to_share_with(session, get_access(session, who, sheet)),
        lambda session, who, sheet: history.recent_changes(session, get_access(session, who, sheet)),
        lambda session, who, sheet: history.row_history(session, get_access(session, who, sheet), 1),
        trash.trash,
        lambda session, who, sheet: diff.difference(session, who, sheet, "version:0"),
        lambda session, who, sheet: get_access_as_of(session, who, sheet, "version:0"),
        public_links,
        lambda session, who, sheet: create_link(session, who, sheet, name="Mine"),
    ],
)
def test_even_a_forged_call_gives_a_visitor_nothing_of_people_or_the_past(
    session: Session, visitor: Visitor, sheet: int, ask: Callable[[Session, Any, int], object]
) -> None:
    with pytest.raises(NotAllowed):
        ask(session, visitor, sheet)


@pytest.mark.parametrize("number", [0, 999_999])
def test_another_sheet_is_to_a_visitor_as_one_that_does_not_exist(
    session: Session, visitor: Visitor, ann: Actor, number: int
) -> None:
    other = number or create_sheet(session, ann, "Secret", template="blank").sheet.sheet_id
    with pytest.raises(NotFound) as refusal:
        get_access(session, visitor, other)
    assert refusal.value.message == NO_SHEET


def expire(session: Session, link_id: int) -> None:
    past = "UPDATE public_links SET expires_at = now() - interval '1 second' WHERE link_id = :link"
    session.execute(text(past), {"link": link_id})


ENDS: dict[str, Callable[[Session, int, int], None]] = {
    "revoked": lambda session, sheet, link: revoke_link(session, actor("Ann"), sheet, link),
    "expired": lambda session, _, link: expire(session, link),
    "archived": lambda session, sheet, _: archive_sheet(session, actor("Ann"), sheet),
    "its maker left": lambda session, *_: deactivate(session, actor("Ada"), actor("Ann").user_id),
}


@pytest.mark.parametrize("end", ENDS)
def test_when_a_link_ends_everybody_who_has_it_open_is_out_at_once(
    session: Session, visitor: Visitor, link: tuple[int, str], sheet: int, end: str
) -> None:
    ENDS[end](session, sheet, link[0])
    assert again(session, visitor) is None
    with pytest.raises(NotFound) as refused:
        get_access(session, visitor, sheet)
    with pytest.raises(NotFound) as closed:
        open_link(transaction, link[1], address=HOME)
    with pytest.raises(NotFound) as unknown:
        open_link(transaction, "never was one", address=HOME)
    assert refused.value.message == closed.value.message == unknown.value.message == NO_LINK


def test_what_was_put_away_and_brought_back_is_open_again(
    session: Session, visitor: Visitor, sheet: int, ann: Actor, ada: Actor
) -> None:
    archive_sheet(session, ann, sheet)
    with pytest.raises(NotAllowed, match="archived"):
        create_link(session, ann, sheet)
    restore_sheet(session, ann, sheet)
    deactivate(session, ada, ann.user_id)
    reactivate(session, ada, ann.user_id)
    assert again(session, visitor)


def test_a_password_is_asked_for_and_a_new_one_ends_every_visit(session: Session, sheet: int, ann: Actor) -> None:
    link_id, token = create_link(session, ann, sheet, name="Partner", password=PASSWORD)
    with pytest.raises(PasswordRequired):
        open_link(transaction, token, address=HOME)
    with pytest.raises(PasswordRequired, match=WRONG_PASSWORD):
        open_link(transaction, token, password="something else", address=HOME)
    visitor = visit(session, token, PASSWORD)
    change_link(session, ann, sheet, link_id, password="another password 1")
    assert again(session, visitor) is None
    with pytest.raises(PasswordRequired):
        open_link(transaction, token, password=PASSWORD, address=HOME)
    change_link(session, ann, sheet, link_id, password=None)
    assert visit(session, token)


def test_a_password_obeys_the_policy_and_stands_in_no_log(session: Session, sheet: int, ann: Actor) -> None:
    with pytest.raises(Invalid):
        create_link(session, ann, sheet, password="short")
    _, token = create_link(session, ann, sheet, password=PASSWORD)
    kept = str(session.execute(text("SELECT facts FROM audit_events")).all())
    kept += str(session.execute(text("SELECT * FROM public_links")).all())
    assert PASSWORD not in kept
    assert token not in kept


def test_a_browser_that_has_the_link_open_needs_no_second_visit(session: Session, link: tuple[int, str]) -> None:
    first = open_link(transaction, link[1], address=HOME)
    assert first.token
    second = open_link(transaction, link[1], address=HOME, visit_tokens={first.link_id: first.token})
    assert (second.link_id, second.token) == (first.link_id, None)
    other = open_link(transaction, link[1], address=HOME, visit_tokens={first.link_id: "forged"})
    assert other.token not in (None, first.token)


def test_a_visit_ends_with_its_link_at_the_latest(session: Session, sheet: int, ann: Actor) -> None:
    _, token = create_link(session, ann, sheet, days=1)
    assert open_link(transaction, token, address=HOME).seconds == 24 * 3600
    _, token = create_link(session, ann, sheet)
    assert open_link(transaction, token, address=HOME).seconds == 7 * 24 * 3600


def test_a_visit_of_one_link_is_none_of_another(session: Session, visitor: Visitor, sheet: int, ann: Actor) -> None:
    other, _ = create_link(session, ann, sheet)
    assert visitor_of(session, str(visitor.visit_id), other) is None
    assert visitor_of(session, f"{uuid4()},{visitor.visit_id}", visitor.link_id)
    for forged in ("", str(uuid4()), "x", "' OR 1=1 --"):
        assert visitor_of(session, forged, visitor.link_id) is None


def test_ten_thousand_guesses_are_twenty(session: Session, link: tuple[int, str]) -> None:
    def guess(number: int) -> type[Refused]:
        try:
            open_link(lambda: nullcontext(session), f"guess {number}", address=HOME)
        except Refused as refusal:
            return type(refusal)
        raise AssertionError

    assert {guess(number) for number in range(20)} == {NotFound}
    assert {guess(number) for number in range(20, 10_000)} == {Throttled}
    assert open_link(transaction, link[1], address=HOME).token  # Who has a right link is no guesser.


def test_a_flood_of_openings_ends_and_who_is_in_stays_in(session: Session, link: tuple[int, str]) -> None:
    first = open_link(transaction, link[1], address=HOME)
    assert first.token
    for _ in range(99):
        open_link(transaction, link[1], address=HOME)
    with pytest.raises(Throttled):
        open_link(transaction, link[1], address=HOME)
    assert open_link(transaction, link[1], address=HOME, visit_tokens={first.link_id: first.token}).token is None
    assert open_link(transaction, link[1], address="192.0.2.99").token


def guess(token: str, times: int, *addresses: str) -> None:
    for address in addresses:
        for number in range(times):
            with pytest.raises(PasswordRequired):
                open_link(transaction, token, password=f"wrong {number}", address=address)


def test_five_wrong_passwords_of_a_link_end_the_guessing_of_that_address_and_of_no_other(
    session: Session, sheet: int, ann: Actor
) -> None:
    _, token = create_link(session, ann, sheet, password=PASSWORD)
    guess(token, 5, "192.0.2.66")
    for password in ("wrong again", PASSWORD):
        with pytest.raises(Throttled):
            open_link(transaction, token, password=password, address="192.0.2.66")
    assert actions(session).count("sheet:link:fail") == 5
    assert open_link(transaction, token, password=PASSWORD, address="192.0.2.77").token


def test_guessers_at_many_addresses_have_fifty_passwords_of_a_link_and_who_was_there_before_comes_in(
    session: Session, sheet: int, ann: Actor
) -> None:
    _, token = create_link(session, ann, sheet, password=PASSWORD)
    assert open_link(transaction, token, password=PASSWORD, address=HOME).token
    guess(token, 5, *(f"198.51.100.{number}" for number in range(10)))
    for address in ("192.0.2.77", "192.0.2.78"):
        with pytest.raises(Throttled):
            open_link(transaction, token, password=PASSWORD, address=address)
    assert open_link(transaction, token, password=PASSWORD, address=HOME).token
    guess(token, 5, HOME)
    with pytest.raises(Throttled):
        open_link(transaction, token, password=PASSWORD, address=HOME)


def test_the_owner_sees_the_links_and_their_last_use_and_the_audit_trail_tells(
    session: Session, sheet: int, ann: Actor
) -> None:
    link_id, token = create_link(session, ann, sheet, name="Partner", days=7, may_export=True)
    (listed,) = public_links(session, ann, sheet)
    assert (listed.link_id, listed.name, listed.by, listed.has_password) == (link_id, "Partner", "Ann", False)
    assert (listed.hint, listed.may_export, listed.last_used_at, listed.lives) == (token[:6], True, None, True)
    visit(session, token)
    assert public_links(session, ann, sheet)[0].last_used_at
    change_link(session, ann, sheet, link_id, name="Agency", days=None)
    assert public_links(session, ann, sheet)[0].expires_at is None
    expire(session, link_id)
    assert public_links(session, ann, sheet)[0].lives is False
    revoke_link(session, ann, sheet, link_id)
    assert public_links(session, ann, sheet) == []
    with pytest.raises(NotFound):
        revoke_link(session, ann, sheet, link_id)
    assert [action.rpartition(":")[2] for action in actions(session) if ":link:" in action] == [
        *("create", "open", "change", "revoke")
    ]


def test_a_link_of_another_sheet_cannot_be_changed_from_mine(session: Session, link: tuple[int, str]) -> None:
    ben = actor("Ben")
    mine = create_sheet(session, ben, "Mine", template="blank").sheet.sheet_id
    for change in (revoke_link, lambda *given: change_link(*given, name="x")):
        with pytest.raises(NotFound):
            change(session, ben, mine, link[0])


@pytest.mark.parametrize("wishes", [{"days": 0}, {"days": 367}, {"name": ""}, {"name": "a\x00b"}])
def test_a_link_that_makes_no_sense_is_refused(session: Session, sheet: int, ann: Actor, wishes: Any) -> None:
    with pytest.raises(Invalid):
        create_link(session, ann, sheet, **wishes)


def test_a_visit_that_is_over_is_tidied_away(session: Session, visitor: Visitor) -> None:
    session.execute(text("UPDATE link_visits SET expires_at = now() - interval '1 second'"))
    assert again(session, visitor) is None
    assert delete_expired(session)["link_visits"] == 1

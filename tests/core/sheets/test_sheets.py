"""Sheets: listed for those who may see them, made from templates, named, put away and brought back."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Level, Permission
from core.column_types import column_type
from core.sheets.sheets import (
    PIPELINE_FIELDS,
    archive_sheet,
    configure_pipeline,
    create_sheet,
    describe_sheet,
    rename_sheet,
    restore_sheet,
    sheets,
)
from core.sheets.templates import TEMPLATES
from tests.conftest import actor

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)


def listed(session: Session, actor: Actor, *, archived: bool = False) -> list[tuple[str, Level]]:
    return [(sheet.name, sheet.level) for sheet in sheets(session, actor, archived=archived)]


@pytest.mark.parametrize("chosen", TEMPLATES)
def test_every_template_makes_a_sheet_whose_pipeline_fits_its_columns(
    session: Session, ann: Actor, chosen: str
) -> None:
    access = create_sheet(session, ann, "New", template=chosen)
    assert [column.name for column in access.columns] == [column.name for column in TEMPLATES[chosen].columns]
    for part, column_id in access.sheet.pipeline.items():
        assert access.column(column_id).type in PIPELINE_FIELDS[part]


def test_every_part_of_a_pipeline_names_types_that_exist() -> None:
    for types in PIPELINE_FIELDS.values():
        assert [column_type(name).name for name in types] == list(types)


def test_a_template_that_is_none_is_refused_naming_those_there_are(session: Session, ann: Actor) -> None:
    with pytest.raises(Invalid, match="pipeline, accounts, contacts, blank"):
        create_sheet(session, ann, "New", template="forecast")


def test_an_analyst_makes_no_sheets(session: Session, cleo: Actor) -> None:
    with pytest.raises(NotAllowed, match="You can't create sheets as analyst"):
        create_sheet(session, cleo, "Mine")


def test_each_person_sees_their_sheets_at_their_level_and_no_others(session: Session, deals: Access) -> None:
    levels = {name: dict(listed(session, actor(name))).get("Deals") for name in ("Ann", "Ben", "Cleo", "Dan", "Ada")}
    assert levels == {"Ann": Level.OWNER, "Ben": Level.EDITOR, "Cleo": Level.VIEWER, "Dan": None, "Ada": None}


def test_pipelines_stand_first_and_names_sort_without_case(session: Session, ann: Actor) -> None:
    for name, template in (("b", "blank"), ("A", "blank"), ("z", "pipeline")):
        create_sheet(session, ann, name, template=template)
    assert [name for name, _ in listed(session, ann)] == ["z", "A", "b"]


@pytest.mark.parametrize("name", ["", " \t ", "x" * 121, "a\0b"])
def test_a_name_that_cannot_be_is_refused(session: Session, ann: Actor, deals: Access, name: str) -> None:
    with pytest.raises(Invalid):
        create_sheet(session, ann, name)
    with pytest.raises(Invalid):
        rename_sheet(session, ann, deals.sheet.sheet_id, name)


@pytest.mark.parametrize("name", ["<script>1</script>", "**Deals** :red[x] $x$", "=1+1", "'; DROP TABLE sheets;--"])
def test_any_other_name_is_kept_letter_by_letter(session: Session, ann: Actor, deals: Access, name: str) -> None:
    rename_sheet(session, ann, deals.sheet.sheet_id, f"  {name} ")
    assert get_access(session, ann, deals.sheet.sheet_id).sheet.name == name


def test_a_description_keeps_its_lines_and_has_its_limit(session: Session, ann: Actor, deals: Access) -> None:
    describe_sheet(session, ann, deals.sheet.sheet_id, " What we sell\nand to whom ")
    assert get_access(session, ann, deals.sheet.sheet_id).sheet.description == "What we sell\nand to whom"
    with pytest.raises(Invalid, match="at most 2000"):
        describe_sheet(session, ann, deals.sheet.sheet_id, "x" * 2001)


def test_an_archived_sheet_is_put_away_whole_and_cannot_be_changed(session: Session, ann: Actor, deals: Access) -> None:
    archive_sheet(session, ann, deals.sheet.sheet_id)
    assert listed(session, ann) == []
    assert listed(session, ann, archived=True) == [("Deals", Level.OWNER)]
    access = get_access(session, ann, deals.sheet.sheet_id)
    with pytest.raises(NotAllowed, match=r"is archived\. Restore it first"):
        access.require(Permission.ROWS_EDIT)
    restore_sheet(session, ann, deals.sheet.sheet_id)
    assert listed(session, ann) == [("Deals", Level.OWNER)]


def test_a_plain_table_becomes_a_pipeline_and_back(session: Session, ann: Actor, deals: Access) -> None:
    sheet = deals.sheet.sheet_id
    configure_pipeline(session, ann, sheet, {})
    assert not sheets(session, ann)[0].is_pipeline
    configure_pipeline(session, ann, sheet, {"stage": STAGE, "amount": AMOUNT, "owner": None})
    assert get_access(session, ann, sheet).sheet.pipeline == {"stage": STAGE, "amount": AMOUNT}
    assert sheets(session, ann)[0].is_pipeline


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"amount": AMOUNT}, "needs a stage"),
        ({"stage": AMOUNT}, "“Amount” can't be the stage. Choose a column of type Choice"),
        ({"stage": STAGE, "close_date": DEAL}, "can't be the close date"),
        ({"stage": STAGE, "colour": DEAL}, "“colour” isn't a field"),
    ],
)
def test_a_part_that_a_column_cannot_play_is_refused(
    session: Session, ann: Actor, deals: Access, parts: dict[str, int], reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        configure_pipeline(session, ann, deals.sheet.sheet_id, parts)


def test_a_column_of_another_sheet_is_no_part(session: Session, ann: Actor, deals: Access) -> None:
    with pytest.raises(NotFound):
        configure_pipeline(session, ann, deals.sheet.sheet_id, {"stage": 99})


def test_what_is_done_to_a_sheet_is_audited_with_its_facts(session: Session, ann: Actor, deals: Access) -> None:
    rename_sheet(session, ann, deals.sheet.sheet_id, "Won and lost")
    action, facts = session.execute(text("SELECT action, facts FROM audit_events ORDER BY event_id DESC LIMIT 1")).one()
    assert (action, facts["name"]) == ("sheet:sheet:rename", "Won and lost")

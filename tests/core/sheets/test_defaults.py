"""Defaults of columns: new rows get them on every path where nothing is given."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.accounts.locale import set_locale
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import Level, RowScope
from core.column_types.base import Option
from core.edits.batch import Batch, CellInput, NewRow, Outcome
from core.edits.change_type import change_type
from core.edits.conversion import NewType
from core.edits.operation import ChangeSource
from core.edits.undo import undo
from core.edits.write import write
from core.imports.inspection import inspect
from core.imports.load import import_rows
from core.imports.plan import propose
from core.rows.read import rows_by_id
from core.sharing.shares import share_sheet
from core.sheets.columns import NewColumn, add_column, change_column, limit_column
from tests.conftest import actor

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED = range(1, 7)


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor) -> int:
    """Deals of which a new one starts as a lead of who adds it, today."""
    sheet_id = deals.sheet.sheet_id
    change_column(session, ann, sheet_id, STAGE, default_value={"text": "lead"})
    change_column(session, ann, sheet_id, OWNER, default_value={"relative": "me"})
    change_column(session, ann, sheet_id, CREATED, default_value={"relative": "today"})
    change_column(session, ann, sheet_id, AMOUNT, default_value={"value": "1000"})
    return sheet_id


def add(session: Session, sheet: int, who: str, cells: dict[int, CellInput]) -> Outcome:
    batch = Batch(adds=(NewRow("a", cells),))
    return write(session, actor(who), sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID)


def last_row(session: Session, sheet: int) -> dict[str, Any]:
    access = get_access(session, actor("Ann"), sheet)
    ids = [row for row in range(1, 50) if "values" in rows_by_id(session, access, [row])[0]]
    values: dict[str, Any] = rows_by_id(session, access, [ids[-1]])[0]["values"]
    return values


def test_a_new_row_gets_what_was_not_given(session: Session, sheet: int) -> None:
    set_locale(session, actor("Ben"), time_zone="Pacific/Kiritimati")
    outcome = add(session, sheet, "Ben", {DEAL: CellInput("Acme")})
    today = datetime.now(UTC).astimezone(ZoneInfo("Pacific/Kiritimati")).date()
    expected = {"1": "Acme", "3": "o1", "4": "1000", "5": "3", "6": today.isoformat()}
    assert last_row(session, sheet) == expected
    assert outcome.added[0]["values"] == expected


def test_what_is_given_wins_also_an_empty_cell(session: Session, sheet: int) -> None:
    add(session, sheet, "Ben", {DEAL: CellInput("Acme"), AMOUNT: CellInput("5"), STAGE: CellInput(value=None)})
    values = last_row(session, sheet)
    assert values["4"] == "5"
    assert "3" not in values


def test_a_default_satisfies_a_required_column(session: Session, ann: Actor, sheet: int) -> None:
    change_column(session, ann, sheet, AMOUNT, rules={"required": True, "currency": "EUR"})
    assert add(session, sheet, "Ben", {DEAL: CellInput("Acme")}).refused == []


def test_a_hidden_column_has_its_default_and_does_not_show_it(session: Session, ann: Actor, sheet: int) -> None:
    limit_column(session, ann, sheet, AMOUNT, {"editor": "hidden"})
    outcome = add(session, sheet, "Ben", {DEAL: CellInput("Acme")})
    assert "4" not in outcome.added[0]["values"]
    assert last_row(session, sheet)["4"] == "1000"


def test_people_with_rows_of_their_own_own_what_they_add(session: Session, ann: Actor, sheet: int) -> None:
    change_column(session, ann, sheet, OWNER, default_value={"value": "2"})
    share_sheet(session, ann, sheet, actor("Dan").user_id, level=Level.EDITOR, row_scope=RowScope.OWN)
    add(session, sheet, "Dan", {DEAL: CellInput("Acme")})
    assert last_row(session, sheet)["5"] == "5"


@pytest.mark.parametrize("fills", [True, False])
def test_an_import_fills_defaults_if_it_is_asked_to(session: Session, ann: Actor, sheet: int, fills: bool) -> None:
    file = io.BytesIO(b"Deal;Amount\nAcme;5\nBolt;\n")
    plan = replace(propose(inspect(file), get_access(session, ann, sheet)), fills_defaults=fills)
    import_rows(session, ann, sheet, file, plan, operation_id=uuid4())
    values = last_row(session, sheet)
    assert (values.get("4"), values.get("3")) == (("1000", "o1") if fills else (None, None))


@pytest.mark.parametrize(
    ("column", "default", "message"),
    [
        (AMOUNT, {"relative": "today"}, "is not a default for a column of the type Money"),
        (DEAL, {"relative": "me"}, "is not a default for a column of the type Text"),
        (AMOUNT, {"text": "many"}, "The default of “Amount” doesn't fit: “many” is not a number"),
        (STAGE, {"value": "o99"}, "doesn't fit"),
        (DEAL, {"other": 1}, "A default is"),
    ],
)
def test_a_default_that_does_not_fit_is_refused(
    session: Session, ann: Actor, sheet: int, column: int, default: dict[str, Any], message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        change_column(session, ann, sheet, column, default_value=default)


def test_unique_and_computed_columns_have_no_default(session: Session, ann: Actor, sheet: int) -> None:
    with pytest.raises(Invalid, match="whose values are unique"):
        add_column(session, ann, sheet, NewColumn("Code", "text", {"unique": True}, default_value={"value": "x"}))
    with pytest.raises(Invalid, match="is computed"):
        add_column(session, ann, sheet, NewColumn("No", "autonumber", default_value={"value": "1"}))


def test_an_option_that_is_the_default_is_not_retired(session: Session, ann: Actor, sheet: int) -> None:
    column = get_access(session, ann, sheet).column(STAGE)
    with pytest.raises(Invalid, match="The default of “Stage” doesn't fit"):
        change_column(session, ann, sheet, STAGE, options=column.options[1:])


def test_a_default_changes_its_type_with_its_column_and_undo_brings_it_back(
    session: Session, ann: Actor, sheet: int
) -> None:
    size = add_column(session, ann, sheet, NewColumn("Size", "text", default_value={"text": "12"})).column_id
    change_type(session, ann, sheet, size, NewType("number"), operation_id=uuid4())
    assert get_access(session, ann, sheet).column(size).default_value == {"value": "12"}
    change_type(session, ann, sheet, size, NewType("date"), operation_id=uuid4())
    assert get_access(session, ann, sheet).column(size).default_value is None
    undo(session, ann, sheet, operation_id=uuid4())
    assert get_access(session, ann, sheet).column(size).default_value == {"value": "12"}


def test_a_choice_needs_an_option(session: Session, ann: Actor, sheet: int) -> None:
    with pytest.raises(Invalid, match="needs at least one option"):
        add_column(session, ann, sheet, NewColumn("Mood", "choice"))
    added = add_column(session, ann, sheet, NewColumn("Mood", "choices", options=[Option("", "Good")]))
    with pytest.raises(Invalid, match="needs at least one option"):
        change_column(session, ann, sheet, added.column_id, options=())

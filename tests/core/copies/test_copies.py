"""Copies of sheets and saved templates: what they contain, and what their maker may not see is in none."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Level, RowScope
from core.copies.duplicate import SheetCopy, duplicate_sheet
from core.copies.saved_templates import create_from_template, delete_template, save_template, saved_templates
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.undo import undo
from core.edits.write import write
from core.rows.query import Condition, Sort, View
from core.rows.read import first_rows
from core.sharing.shares import share_sheet
from core.sheets.columns import NewColumn, add_column, change_column, limit_column, retire_column
from core.views.edit_views import create_view
from core.views.views import views
from tests.conftest import actor

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, NOTES = 1, 2, 3, 4, 5, 11


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor) -> int:
    """Three deals; the second is Dan's, the third is in the trash, and Notes is retired with what it holds."""
    sheet_id = deals.sheet.sheet_id
    cells = ({DEAL: "Acme", AMOUNT: "5", NOTES: "Secret"}, {DEAL: "Bölt", OWNER: "Dan"}, {DEAL: "Gone"})
    adds = tuple(
        NewRow(str(n), {column: CellInput(value) for column, value in row.items()}) for n, row in enumerate(cells)
    )
    write(session, ann, sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    write(session, ann, sheet_id, Batch(deletes=(3,)), operation_id=uuid4(), source=ChangeSource.API)
    retire_column(session, ann, sheet_id, NOTES)
    change_column(session, ann, sheet_id, AMOUNT, default_value={"value": "7"}, description="Without tax")
    sort, condition = {"column": AMOUNT, "descending": True}, {"column": STAGE, "op": "is_any_of", "value": ["o1"]}
    create_view(session, ann, sheet_id, "Leads", settings={"filter": [condition], "sort": [sort]}, is_shared=True)
    create_view(session, ann, sheet_id, "Mine")
    return sheet_id


def duplicate(session: Session, who: str, sheet: int, *, with_rows: bool = True) -> SheetCopy:
    return duplicate_sheet(session, actor(who), sheet, "A copy", with_rows=with_rows, operation_id=uuid4())


def rows(session: Session, who: str, sheet: int, view: View | None = None) -> list[dict[str, Any]]:
    found = first_rows(session, get_access(session, actor(who), sheet), view or View(), limit=100).rows
    return [row["values"] for row in found]


def test_a_copy_has_columns_settings_views_and_rows(session: Session, ann: Actor, sheet: int) -> None:
    copy = duplicate(session, "Ann", sheet)
    source, target = get_access(session, ann, sheet), get_access(session, ann, copy.sheet)
    assert [(c.name, c.type, c.rules, c.options, c.default_value) for c in target.columns] == [
        (c.name, c.type, c.rules, c.options, c.default_value) for c in source.columns
    ]
    assert target.sheet.pipeline == source.sheet.pipeline
    assert target.level is Level.OWNER
    assert [(view.name, view.is_shared) for view in views(session, target)] == [
        ("All rows", True), ("Leads", True), ("Mine", False),
    ]  # fmt: skip
    assert copy.rows == 2
    assert rows(session, "Ann", copy.sheet) == [{"1": "Acme", "4": "5"}, {"1": "Bölt", "5": "5"}]


def test_a_copy_is_filtered_sorted_and_searched_like_any_sheet(session: Session, sheet: int) -> None:
    copy = duplicate(session, "Ann", sheet).sheet
    view = View(filter=(Condition(DEAL, "contains", "bolt"),), sort=(Sort(AMOUNT),))
    assert [row["1"] for row in rows(session, "Ann", copy, view)] == ["Bölt"]
    assert [row["1"] for row in rows(session, "Ann", copy, View(search="acme"))] == ["Acme"]


def test_retired_and_deleted_things_are_in_no_copy(session: Session, sheet: int) -> None:
    copy = duplicate(session, "Ann", sheet).sheet
    stored = session.scalars(text("SELECT values::text || folded::text FROM rows WHERE sheet_id = :s"), {"s": copy})
    assert "Secret" not in " ".join(stored)


def test_a_copy_without_rows_is_empty_and_takes_new_columns_and_rows(session: Session, ann: Actor, sheet: int) -> None:
    copy = duplicate(session, "Ann", sheet, with_rows=False)
    assert (copy.rows, rows(session, "Ann", copy.sheet)) == (0, [])
    added = add_column(session, ann, copy.sheet, NewColumn("New", "text"))
    assert added.column_id not in {column.column_id for column in get_access(session, ann, sheet).columns}
    batch = Batch(adds=(NewRow("a", {added.column_id: CellInput("x"), DEAL: CellInput("Y")}),))
    write(session, ann, copy.sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID)
    assert rows(session, "Ann", copy.sheet)[0]["4"] == "7"


def test_a_copy_has_only_what_its_maker_sees(session: Session, ann: Actor, sheet: int) -> None:
    limit_column(session, ann, sheet, AMOUNT, {"own": "hidden"})
    share_sheet(session, ann, sheet, actor("Dan").user_id, level=Level.EDITOR, row_scope=RowScope.OWN)
    copy = duplicate(session, "Dan", sheet)
    access = get_access(session, actor("Dan"), copy.sheet)
    assert AMOUNT not in access.by_id
    assert "amount" not in access.sheet.pipeline
    assert rows(session, "Dan", copy.sheet) == [{"1": "Bölt", "5": "5"}]
    assert [view.name for view in views(session, access)] == ["All rows", "Leads"]
    assert views(session, access)[1].settings.get("sort") == []
    stored = session.scalar(text("SELECT count(*) FROM rows WHERE sheet_id = :s"), {"s": copy.sheet})
    assert stored == 1


def test_computed_columns_are_copied_and_those_from_hidden_columns_are_left_out(
    session: Session, ann: Actor, sheet: int
) -> None:
    add_column(session, ann, sheet, NewColumn("Number", "autonumber"))
    copy = duplicate(session, "Ann", sheet)
    assert copy.left_out == []
    assert [row.get("12") for row in rows(session, "Ann", copy.sheet)] == ["1", "2"]


def test_people_who_may_not_export_or_create_make_no_copy(session: Session, sheet: int) -> None:
    with pytest.raises(NotFound):
        duplicate(session, "Dan", sheet)
    with pytest.raises(NotAllowed, match="can't create sheets"):
        duplicate(session, "Cleo", sheet)


def test_the_rows_of_a_copy_are_one_action(session: Session, ann: Actor, sheet: int) -> None:
    copy = duplicate(session, "Ann", sheet).sheet
    assert undo(session, ann, copy, operation_id=uuid4()).deleted == 2


# --- templates


def test_a_saved_template_is_offered_to_everybody_and_makes_sheets(
    session: Session, ann: Actor, ben: Actor, sheet: int
) -> None:
    template_id = save_template(session, ann, sheet, "Our deals")
    (offered,) = saved_templates(session, ben)
    assert (offered.name, offered.by, offered.may_delete) == ("Our deals", "Ann", False)
    made = create_from_template(session, ben, "North", template_id)
    assert [column.name for column in made.columns] == [c.name for c in get_access(session, ann, sheet).columns]
    assert [view.name for view in views(session, made)] == ["All rows", "Leads"]
    assert rows(session, "Ben", made.sheet.sheet_id) == []


def test_only_an_owner_saves_a_template_and_only_its_maker_or_an_administrator_deletes_it(
    session: Session, ada: Actor, ann: Actor, ben: Actor, sheet: int
) -> None:
    with pytest.raises(NotAllowed):
        save_template(session, ben, sheet, "Theirs")
    template_id = save_template(session, ann, sheet, "Ours")
    with pytest.raises(Invalid, match="already a template"):
        save_template(session, ann, sheet, "OURS")
    with pytest.raises(NotAllowed):
        delete_template(session, ben, template_id)
    delete_template(session, ada, template_id)
    with pytest.raises(NotFound):
        create_from_template(session, ann, "North", template_id)

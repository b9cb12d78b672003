"""Rows and narrow rows: whichever a view is read from, it has the same rows in the same order, by the same gate."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.column_types import TYPES, column_type
from core.column_types.base import Option
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.rows.as_of import as_of
from core.rows.query import View, conditions, ordering, view_origin
from core.rows.row_source import NARROW, ROWS, Origin
from core.sheets.columns import NewColumn, add_columns, restore_column, retire_column
from core.sheets.sheets import create_sheet
from db.tables.sheets import NARROW_SLOTS
from tests.core.column_types import OPTIONS, POOL

SLOTTED = [name for name, kind in TYPES.items() if kind.slots]
COLUMNS = {name: place for place, name in enumerate(SLOTTED, start=1)}


@pytest.fixture
def every_type(session: Session, ann: Actor) -> Access:
    """A sheet with a column of every type that has a slot, and rows of whatever each of them reads."""
    access = create_sheet(session, ann, "Every type", template="blank")
    sheet = access.sheet.sheet_id
    for column in access.columns:
        retire_column(session, ann, sheet, column.column_id)
    first = access.columns[-1].column_id + 1
    kept = [Option(one.id, one.label, one.color, one.retired) for one in OPTIONS]
    news = [NewColumn(name, name, options=kept if name == "choice" else []) for name in SLOTTED]
    made = add_columns(session, ann, sheet, news)
    assert [column.column_id for column in made] == [*range(first, first + len(SLOTTED))]
    texts = [*POOL, "Ann", "Ben", "Cleo"]
    adds = tuple(
        NewRow(f"{column.name} {place}", {column.column_id: CellInput(text)})
        for column in made
        for place, text in enumerate(texts)
    )
    write(session, ann, sheet, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API, partial=True)
    return get_access(session, ann, sheet)


def ids(session: Session, access: Access, view: View, origin: Origin) -> list[int]:
    found = select(origin.row_id).where(conditions(access, view, origin))
    return list(session.scalars(found.order_by(*ordering(access, view, origin))))


def examples(session: Session, access: Access, column: int) -> list[Any]:
    """Values of a column to filter by: as its rows have them, on the wire of a filter."""
    taken = ROWS.stored_cell(access.column(column)).text
    return list(
        session.scalars(select(taken).where(ROWS.visible(access), taken.is_not(None)).distinct().order_by(taken))
    )


@pytest.mark.parametrize("name", SLOTTED)
def test_both_have_the_same_rows_in_the_same_order(session: Session, every_type: Access, name: str) -> None:
    column = next(one for one in every_type.columns if one.name == name)
    values = examples(session, every_type, column.column_id)
    assert values
    tried = 0
    for op, chosen in column_type(name).filters.items():
        for value in values:
            wanted = {"none": None, "one": value, "two": [min(values), value], "many": [value]}[chosen.takes]
            given = {"column": column.column_id, "op": op, "value": wanted}
            for descending in (False, True):
                view = View.from_json(
                    {"filter": [given], "sort": [{"column": column.column_id, "descending": descending}]}
                )
                assert view_origin(every_type, view) is NARROW
                assert ids(session, every_type, view, NARROW) == ids(session, every_type, view, ROWS), given
                tried += 1
    assert tried >= 2 * len(column_type(name).filters)


def test_a_view_of_something_without_a_slot_is_read_from_the_rows(session: Session, deals: Access, ann: Actor) -> None:
    deal, stage, amount = (
        next(one for one in deals.columns if one.name == name) for name in ("Deal", "Stage", "Amount")
    )

    def origin(*columns: int, search: str = "", access: Access = deals) -> Origin:
        conditions = [{"column": column, "op": "is_not_empty"} for column in columns]
        return view_origin(access, View.from_json({"filter": conditions, "search": search}))

    assert origin() is NARROW
    assert origin(stage.column_id, amount.column_id) is NARROW
    assert origin(stage.column_id, deal.column_id) is ROWS
    assert origin(0) is ROWS
    assert origin(stage.column_id, search="acme") is ROWS
    assert origin(stage.column_id, access=as_of(deals, 0)) is ROWS
    assert view_origin(deals, View(), deal) is ROWS


def test_whoever_has_rows_of_their_own_has_the_same_ones_in_both(session: Session, deals: Access, ann: Actor) -> None:
    owner = next(one for one in deals.columns if one.name == "Owner")
    adds = tuple(
        NewRow(str(place), {1: CellInput("A deal"), owner.column_id: CellInput(name)})
        for place, name in enumerate(["Ann", "Ben", "Ben"])
    )
    write(session, ann, deals.sheet.sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    mine = replace(get_access(session, ann, deals.sheet.sheet_id), owners=("3",))
    assert view_origin(mine, View()) is NARROW
    assert ids(session, mine, View(), NARROW) == ids(session, mine, View(), ROWS) == [2, 3]
    without = replace(mine, every_column=tuple(one for one in mine.every_column if one != owner))
    assert view_origin(without, View()) is ROWS


def test_columns_beyond_the_slots_are_filtered_all_the_same(session: Session, ann: Actor) -> None:
    access = create_sheet(session, ann, "Wide", template="blank")
    sheet, most = access.sheet.sheet_id, NARROW_SLOTS["n"]
    taken = sum(bool(one.slot) and one.slot.startswith("n") for one in access.columns)
    made = add_columns(session, ann, sheet, [NewColumn(f"n{place}", "number") for place in range(most + 2)])
    assert [bool(column.slot) for column in made] == [True] * (most - taken) + [False] * (2 + taken)
    cells = {column.column_id: CellInput(str(place)) for place, column in enumerate(made)}
    write(session, ann, sheet, Batch(adds=(NewRow("1", cells),)), operation_id=uuid4(), source=ChangeSource.API)
    access = get_access(session, ann, sheet)
    for place, column in enumerate(made):
        view = View.from_json({"filter": [{"column": column.column_id, "op": "eq", "value": str(place)}]})
        assert ids(session, access, view, view_origin(access, view)) == [1]


def test_a_retired_column_keeps_its_slot_and_comes_back_with_its_values(
    session: Session, deals: Access, ann: Actor
) -> None:
    sheet = deals.sheet.sheet_id
    (bonus,) = add_columns(session, ann, sheet, [NewColumn("Bonus", "money")])
    adds = (NewRow("1", {1: CellInput("A deal"), bonus.column_id: CellInput("7")}),)
    write(session, ann, sheet, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    retire_column(session, ann, sheet, bonus.column_id)
    (other,) = add_columns(session, ann, sheet, [NewColumn("Other", "money")])
    assert other.slot != bonus.slot
    restore_column(session, ann, sheet, bonus.column_id)
    view = View.from_json({"filter": [{"column": bonus.column_id, "op": "eq", "value": "7"}]})
    assert ids(session, get_access(session, ann, sheet), view, NARROW) == [1]


def test_a_bad_value_is_refused_from_either(every_type: Access) -> None:
    number = next(one for one in every_type.columns if one.name == "number")
    view = View.from_json({"filter": [{"column": number.column_id, "op": "eq", "value": "many"}]})
    for origin in (ROWS, NARROW):
        with pytest.raises(Invalid, match="Filter on “number”"):
            conditions(every_type, view, origin)

"""Columns: added, changed, moved, retired and restored; values stay where they are, whatever the column is called."""

from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.column_types.base import Option
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.rows.query import View, without_invalid
from core.rows.read import first_rows
from core.sheets.columns import (
    NewColumn,
    add_column,
    add_columns,
    change_column,
    reorder_columns,
    restore_column,
    retire_column,
    retired_columns,
)

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
NOTES = 11


@pytest.fixture
def sheet(deals: Access) -> int:
    return deals.sheet.sheet_id


def names(session: Session, actor: Actor, sheet: int) -> list[str]:
    return [column.name for column in get_access(session, actor, sheet).columns]


def add_row(session: Session, actor: Actor, sheet: int, cells: dict[int, str]) -> None:
    batch = Batch(adds=(NewRow("a", {column: CellInput(given) for column, given in cells.items()}),))
    write(session, actor, sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID)


def test_a_new_column_stands_behind_the_others_and_its_number_is_never_used_again(
    session: Session, ann: Actor, sheet: int
) -> None:
    added = add_column(session, ann, sheet, NewColumn("Region", "text", {"required": True}, description=" Where "))
    assert names(session, ann, sheet)[-1] == "Region"
    assert (added.column_id, added.description) == (12, "Where")
    retire_column(session, ann, sheet, added.column_id)
    assert add_column(session, ann, sheet, NewColumn("Region", "text")).column_id == 13


def test_several_columns_are_added_or_none(session: Session, ann: Actor, sheet: int) -> None:
    before = names(session, ann, sheet)
    with pytest.raises(Invalid, match="There is already a column “region”"), session.begin_nested():
        add_columns(session, ann, sheet, [NewColumn("Region", "text"), NewColumn("region", "text")])
    assert names(session, ann, sheet) == before


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\0b", "half \ud800 a pair"])
def test_a_name_that_cannot_be_is_refused_in_a_sentence(session: Session, ann: Actor, sheet: int, name: str) -> None:
    with pytest.raises(Invalid):
        add_column(session, ann, sheet, NewColumn(name, "text"))
    with pytest.raises(Invalid):
        change_column(session, ann, sheet, NOTES, name=name)


@pytest.mark.parametrize(
    "name",
    ["__class__", "id", "_index", "version", "'; DROP TABLE x;--", "x" * 120, "<b>1</b>", "**b** :red[c]", "=1+1"],
)
def test_any_other_name_is_kept_letter_by_letter(session: Session, ann: Actor, sheet: int, name: str) -> None:
    add_column(session, ann, sheet, NewColumn(name, "number"))
    assert names(session, ann, sheet)[-1] == name


@pytest.mark.parametrize("twin", ["deal", " DEAL ", "D\u200eeal"])
def test_names_that_a_person_would_call_equal_are_refused(session: Session, ann: Actor, sheet: int, twin: str) -> None:
    with pytest.raises(Invalid, match="already"):
        add_column(session, ann, sheet, NewColumn(twin, "text"))


def test_a_column_may_take_another_spelling_of_its_own_name(session: Session, ann: Actor, sheet: int) -> None:
    assert change_column(session, ann, sheet, DEAL, name="DEAL").name == "DEAL"


def test_a_description_has_its_limit(session: Session, ann: Actor, sheet: int) -> None:
    with pytest.raises(Invalid, match="This one has 2001"):
        change_column(session, ann, sheet, DEAL, description="x" * 2001)


def test_a_rename_moves_no_data(session: Session, ann: Actor, sheet: int) -> None:
    add_row(session, ann, sheet, {DEAL: "Acme", ACCOUNT: "Acme AG"})
    before = session.scalar(text("SELECT values::text FROM rows WHERE sheet_id = :sheet"), {"sheet": sheet})
    change_column(session, ann, sheet, DEAL, name="Opportunity")
    assert session.scalar(text("SELECT values::text FROM rows WHERE sheet_id = :sheet"), {"sheet": sheet}) == before


def test_each_change_of_a_column_counts_the_columns_version_up(session: Session, ann: Actor, sheet: int) -> None:
    def version() -> int:
        return get_access(session, ann, sheet).sheet.columns_version

    before = version()
    change_column(session, ann, sheet, DEAL, description="What we sell")
    reorder_columns(session, ann, sheet, [NOTES])
    retire_column(session, ann, sheet, NOTES)
    restore_column(session, ann, sheet, NOTES)
    assert version() == before + 4


def test_a_stage_is_changed_by_its_id_and_keeps_its_place_in_the_rows(session: Session, ann: Actor, sheet: int) -> None:
    add_row(session, ann, sheet, {DEAL: "Acme", STAGE: "Lead"})
    stage = get_access(session, ann, sheet).column(STAGE)
    first, *others = stage.options
    renamed = Option(first.id, "First contact", "blue", probability=10, kind="open")
    changed = change_column(session, ann, sheet, STAGE, options=(*others, renamed))
    assert [option.label for option in changed.options][-1] == "First contact"
    access = get_access(session, ann, sheet)
    assert first_rows(session, access, View(), limit=1).rows[0]["values"]["3"] == first.id


def test_columns_take_the_order_that_is_named_and_the_rest_follow(session: Session, ann: Actor, sheet: int) -> None:
    before = names(session, ann, sheet)
    reorder_columns(session, ann, sheet, [AMOUNT, DEAL])
    after = names(session, ann, sheet)
    assert after[:2] == ["Amount", "Deal"]
    assert after[2:] == [name for name in before if name not in ("Amount", "Deal")]


def test_an_order_that_names_a_column_of_nowhere_is_refused(session: Session, ann: Actor, sheet: int) -> None:
    with pytest.raises(NotFound):
        reorder_columns(session, ann, sheet, [99])


def test_a_retired_column_takes_its_values_with_it_and_brings_them_back(
    session: Session, ann: Actor, sheet: int
) -> None:
    add_row(session, ann, sheet, {DEAL: "Acme", NOTES: "Call again"})
    retire_column(session, ann, sheet, NOTES)
    access = get_access(session, ann, sheet)
    assert "11" not in first_rows(session, access, View(), limit=1).rows[0]["values"]
    assert [column.name for column in retired_columns(session, access)] == ["Notes"]
    restore_column(session, ann, sheet, NOTES)
    access = get_access(session, ann, sheet)
    assert first_rows(session, access, View(), limit=1).rows[0]["values"]["11"] == "Call again"


def test_a_column_that_makes_the_pipeline_cannot_be_retired(session: Session, ann: Actor, sheet: int) -> None:
    with pytest.raises(Invalid, match="Choose another column for it first"):
        retire_column(session, ann, sheet, CLOSE)


def test_a_column_whose_name_is_taken_meanwhile_says_what_to_do(session: Session, ann: Actor, sheet: int) -> None:
    retire_column(session, ann, sheet, NOTES)
    add_column(session, ann, sheet, NewColumn("notes", "text"))
    with pytest.raises(Invalid, match="Rename it first"):
        restore_column(session, ann, sheet, NOTES)


def test_only_what_is_retired_can_be_restored(session: Session, ann: Actor, sheet: int) -> None:
    with pytest.raises(Invalid, match="isn't retired"):
        restore_column(session, ann, sheet, DEAL)


def test_a_sheet_has_a_bounded_number_of_columns(session: Session, ann: Actor, sheet: int) -> None:
    with pytest.raises(Invalid, match="at most 500 columns"):
        add_columns(session, ann, sheet, [NewColumn(f"Column {number}", "text") for number in range(500)])


def test_a_view_keeps_what_still_fits_the_columns(session: Session, ann: Actor, sheet: int) -> None:
    view = View.from_json(
        {
            "filter": [
                {"column": NOTES, "op": "contains", "value": "x"},
                {"column": STAGE, "op": "is_any_of", "value": ["o1"]},
                {"column": STAGE, "op": "is_any_of", "value": ["o99"]},
                {"column": AMOUNT, "op": "gt", "value": "many"},
                {"column": AMOUNT, "op": "contains", "value": "1"},
            ],
            "sort": [{"column": NOTES}, {"column": DEAL}],
            "search": "x",
        }
    )
    retire_column(session, ann, sheet, NOTES)
    kept = without_invalid(get_access(session, ann, sheet), view)
    assert [condition.value for condition in kept.filter] == [["o1"]]
    assert [sort.column for sort in kept.sort] == [DEAL]
    assert kept.search == "x"


@pytest.mark.parametrize(
    "given", [5, [1], {"filter": 5}, {"filter": [{}]}, {"sort": [{"column": float("inf")}]}, {"search": "a\0b"}]
)
def test_a_damaged_view_is_refused_in_a_sentence(given: object) -> None:
    with pytest.raises(Invalid):
        View.from_json(given)  # type: ignore[arg-type]

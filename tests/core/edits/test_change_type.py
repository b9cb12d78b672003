"""Change of a column's type: what converts, what is kept, and that undo, the past and other people lose nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid, NotAllowed
from core.column_types.base import Option
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.change_type import TypeChanged, change_type
from core.edits.conversion import Example, Misfits, NewType, preview_type
from core.edits.operation import ChangeSource
from core.edits.trash import restore_rows
from core.edits.undo import redo, undo
from core.edits.undo_stack import next_steps
from core.edits.write import write
from core.history.changes_since import changes_since
from core.history.diff import difference
from core.history.history import cell_history
from core.rows.as_of import as_of
from core.rows.query import Condition, Sort, View
from core.rows.read import first_rows
from core.sheets.columns import NewColumn, add_column
from db.engine import transaction
from tests.conftest import actor, make_deals

SIZES = ("12", "7.5", "many", "12", "")


@pytest.fixture
def sheet(deals: Access) -> int:
    return deals.sheet.sheet_id


@pytest.fixture
def size(session: Session, ann: Actor, sheet: int) -> int:
    """A text column with a few sizes, one of which is not a number."""
    column = add_column(session, ann, sheet, NewColumn("Size", "text", description="How large")).column_id
    fill(session, sheet, column, SIZES)
    return column


def fill(session: Session, sheet: int, column: int, texts: tuple[str, ...]) -> None:
    adds = tuple(NewRow(str(n), {1: CellInput(f"Deal {n}"), column: CellInput(t)}) for n, t in enumerate(texts))
    write(session, actor("Ann"), sheet, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.GRID)


def change(session: Session, sheet: int, column: int, kind: str, who: str = "Ann", **how: Any) -> TypeChanged:
    return change_type(session, actor(who), sheet, column, NewType(kind, **how), operation_id=uuid4())


def edit(session: Session, sheet: int, who: str, row: int, column: int, **given: Any) -> Outcome:
    base = given.pop("base", None)
    batch = Batch(edits=(Edit(row, column, CellInput(**given), base),))
    return write(session, actor(who), sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID, partial=True)


def access_of(session: Session, sheet: int, who: str = "Ann") -> Access:
    return get_access(session, actor(who), sheet)


def cells(session: Session, access: Access, column: int) -> list[Any]:
    """The cells of a column by row, as they travel."""
    return [row["values"].get(str(column)) for row in first_rows(session, access, View(), limit=100).rows]


def undo_last(session: Session, sheet: int, who: str = "Ann") -> Any:
    return undo(session, actor(who), sheet, operation_id=uuid4())


# --- what converts


def test_a_preview_counts_what_converts_and_what_does_not_and_changes_nothing(
    session: Session, sheet: int, size: int
) -> None:
    preview = preview_type(session, actor("Ann"), sheet, size, NewType("number"))
    assert (preview.converted, preview.misfits) == (3, 1)
    assert preview.examples == [Example("12", 2, after="12"), Example("7.5", 1, after="7.5")]
    assert [(example.before, example.count) for example in preview.misfit_examples] == [("many", 1)]
    assert "not a number" in preview.misfit_examples[0].reason
    assert cells(session, access_of(session, sheet), size) == ["12", "7.5", "many", "12", None]
    assert access_of(session, sheet).column(size).type == "text"


def test_values_that_do_not_convert_are_refused_and_nothing_is_changed(session: Session, sheet: int, size: int) -> None:
    with pytest.raises(Invalid, match="1 value of “Size” can't be number, such as “many”") as refusal:
        change(session, sheet, size, "number")
    assert refusal.value.facts["misfits"][0]["text"] == "many"
    assert access_of(session, sheet).column(size).type == "text"


def test_values_that_do_not_convert_are_kept_in_a_text_column_beside(session: Session, sheet: int, size: int) -> None:
    changed = change(session, sheet, size, "number", misfits=Misfits.BESIDE)
    access = access_of(session, sheet)
    assert (changed.converted, changed.kept) == (3, 1)
    names = [column.name for column in access.columns]
    assert names[names.index("Size") + 1] == "Size (text)"
    assert cells(session, access, size) == ["12", "7.5", None, "12", None]
    assert cells(session, access, changed.added or 0) == [None, None, "many", None, None]
    assert access.column(size).description == "How large"


def test_a_copy_keeps_every_old_value_with_the_old_type(session: Session, sheet: int, size: int) -> None:
    changed = change(session, sheet, size, "number", misfits=Misfits.COPY, name="Size as typed")
    copy = access_of(session, sheet).column(changed.added or 0)
    assert (copy.name, copy.type) == ("Size as typed", "text")
    assert cells(session, access_of(session, sheet), copy.column_id) == ["12", "7.5", "many", "12", None]


def test_the_column_that_keeps_values_is_hidden_from_the_same_people(session: Session, sheet: int, size: int) -> None:
    from core.sheets.columns import limit_column

    limit_column(session, actor("Ann"), sheet, size, {"editor": "hidden"})
    added = change(session, sheet, size, "number", misfits=Misfits.BESIDE).added
    assert added not in access_of(session, sheet, "Ben").by_id


@pytest.mark.parametrize(
    ("before", "texts", "after", "how", "values"),
    [
        (NewColumn("X", "text"), ("1.234,5", "2"), "number", {"rules": {"number_format": "1.234,56"}}, ["1234.5", "2"]),
        (NewColumn("X", "number"), ("1234.5", "2"), "money", {"rules": {"currency": "USD"}}, ["1234.5", "2"]),
        (NewColumn("X", "money", {"currency": "USD"}), ("1234.5",), "number", {}, ["1234.5"]),
        (NewColumn("X", "money", {"currency": "USD"}), ("1234.5",), "text", {}, ["1234.5 USD"]),
        (NewColumn("X", "number"), ("25",), "percent", {}, ["25"]),
        (NewColumn("X", "percent"), ("25",), "text", {}, ["25 %"]),
        (NewColumn("X", "text"), ("2026-12-31", "2026-01-02"), "date", {}, ["2026-12-31", "2026-01-02"]),
        (
            NewColumn("X", "date"),
            ("2026-12-31",),
            "datetime",
            {"rules": {"time_zone": "Asia/Tokyo"}},
            ["2026-12-30T15:00:00Z"],
        ),
        (
            NewColumn("X", "datetime", {"time_zone": "Asia/Tokyo"}),
            ("2026-12-31 01:00",),
            "date",
            {},
            ["2026-12-31"],
        ),
        (NewColumn("X", "text"), ("ben@example.com", "Ann"), "person", {}, ["3", "2"]),
        (NewColumn("X", "person"), ("Ben",), "text", {}, ["Ben"]),
        (NewColumn("X", "text"), ("yes", "no"), "checkbox", {}, [True, False]),
        (NewColumn("X", "text"), ("a", "b"), "long_text", {}, ["a", "b"]),
        (NewColumn("X", "long_text"), ("a", "b"), "text", {}, ["a", "b"]),
        (NewColumn("X", "text"), ("red", "Blue", "RED"), "choice", {}, ["o2", "o1", "o2"]),
        (NewColumn("X", "text"), ("red, blue", "blue"), "choices", {}, [["o1", "o2"], ["o1"]]),
        (NewColumn("X", "choice", options=[Option("o7", "Red")]), ("Red",), "text", {}, ["Red"]),
        (NewColumn("X", "choice", options=[Option("o7", "Red")]), ("Red",), "choices", {}, [["o7"]]),
        (NewColumn("X", "choices", options=[Option("o7", "Red")]), ("Red",), "choice", {}, ["o7"]),
    ],
)
def test_cells_convert_and_undo_gives_them_back(
    session: Session,
    ann: Actor,
    sheet: int,
    before: NewColumn,
    texts: tuple[str, ...],
    after: str,
    how: dict[str, Any],
    values: list[Any],
) -> None:
    column = add_column(session, ann, sheet, before).column_id
    fill(session, sheet, column, texts)
    first = cells(session, access_of(session, sheet), column)
    change(session, sheet, column, after, **how)
    assert access_of(session, sheet).column(column).type == after
    assert cells(session, access_of(session, sheet), column) == values
    narrow_is_right(session, sheet, column)
    undo_last(session, sheet)
    assert access_of(session, sheet).column(column).type == before.type
    assert cells(session, access_of(session, sheet), column) == first
    narrow_is_right(session, sheet, column)


def narrow_is_right(session: Session, sheet: int, column: int) -> None:
    """Sorting and filtering read the same as the rows themselves. The narrow rows are compared by the fixture, too."""
    access = access_of(session, sheet)
    ordered = first_rows(session, access, View(sort=(Sort(column),)), limit=100).rows
    assert len(ordered) == len(first_rows(session, access, View(), limit=100).rows)
    filled = first_rows(session, access, View(filter=(Condition(column, "is_not_empty"),)), limit=100).rows
    assert len(filled) == sum(value is not None for value in cells(session, access, column))


def test_text_becomes_a_choice_whose_options_are_made(session: Session, sheet: int, size: int) -> None:
    assert preview_type(session, actor("Ann"), sheet, size, NewType("choice")).options == ["12", "7.5", "many"]
    change(session, sheet, size, "choice")
    column = access_of(session, sheet).column(size)
    assert [option.label for option in column.options] == ["12", "7.5", "many"]
    assert all(option.color for option in column.options)


def test_options_that_are_made_again_have_other_ids_than_before(session: Session, sheet: int, size: int) -> None:
    change(session, sheet, size, "choice")
    change(session, sheet, size, "text")
    change(session, sheet, size, "choice", options=(Option("o1", "12"), Option("", "7.5"), Option("", "many")))
    assert [option.id for option in access_of(session, sheet).column(size).options] == ["o4", "o5", "o6"]
    change(session, sheet, size, "text")
    change(session, sheet, size, "choice")
    assert [option.id for option in access_of(session, sheet).column(size).options] == ["o7", "o8", "o9"]


def test_a_freed_slot_is_empty_for_the_column_that_takes_it(session: Session, sheet: int, size: int) -> None:
    change(session, sheet, size, "number", misfits=Misfits.BESIDE)
    other = add_column(session, actor("Ann"), sheet, NewColumn("Other", "text")).column_id
    access = access_of(session, sheet)
    assert first_rows(session, access, View(filter=(Condition(other, "is_not_empty"),)), limit=100).rows == []


# --- what is refused


def test_what_the_sheet_uses_a_column_for_stays_possible(session: Session, sheet: int) -> None:
    with pytest.raises(Invalid, match="“Stage” is the pipeline's stage, which has the type Choice"):
        change(session, sheet, 3, "text")
    with pytest.raises(Invalid, match="“Owner” is the pipeline's owner"):
        change(session, sheet, 5, "number")
    assert change(session, sheet, 4, "number").converted == 0


@pytest.mark.parametrize(
    ("kind", "how", "message"),
    [
        ("text", {}, "has the type Text already"),
        ("autonumber", {}, "is computed, so no cells convert"),
        ("wish", {}, "Unknown column type"),
        ("number", {"rules": {"pattern": "x"}}, "has no rule"),
        ("number", {"rules": {"unique": True}, "misfits": Misfits.BESIDE}, "must be unique, and 1 values"),
    ],
)
def test_a_bad_request_changes_nothing(
    session: Session, sheet: int, size: int, kind: str, how: dict[str, Any], message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        change(session, sheet, size, kind, **how)
    assert access_of(session, sheet).column(size).type == "text"


def test_only_the_owner_changes_types(session: Session, sheet: int, size: int) -> None:
    for who in ("Ben", "Cleo"):
        with pytest.raises(NotAllowed):
            change(session, sheet, size, "number", who, misfits=Misfits.BESIDE)
        with pytest.raises(NotAllowed):
            preview_type(session, actor(who), sheet, size, NewType("number"))


def test_a_repeated_request_changes_the_type_once(session: Session, ann: Actor, sheet: int, size: int) -> None:
    operation, new = uuid4(), NewType("number", misfits=Misfits.BESIDE)
    first = change_type(session, ann, sheet, size, new, operation_id=operation)
    assert change_type(session, ann, sheet, size, new, operation_id=operation) == first
    with pytest.raises(Conflict):
        change_type(session, ann, sheet, size, NewType("choice"), operation_id=operation)


# --- one action, which undo and redo take


def test_the_change_is_one_action_that_undo_and_redo_take(session: Session, sheet: int, size: int) -> None:
    added = change(session, sheet, size, "number", misfits=Misfits.BESIDE).added or 0
    steps = next_steps(session, actor("Ann"), sheet)
    assert steps["undo"] is not None
    assert steps["undo"].said == "Change of a column's type from text"
    result = undo_last(session, sheet)
    assert result.cells == 4
    assert cells(session, access_of(session, sheet), size) == ["12", "7.5", "many", "12", None]
    assert added not in access_of(session, sheet).by_id
    redo(session, actor("Ann"), sheet, operation_id=uuid4())
    access = access_of(session, sheet)
    assert access.column(size).type == "number"
    assert cells(session, access, size) == ["12", "7.5", None, "12", None]
    assert cells(session, access, added) == [None, None, "many", None, None]


def test_undo_converts_what_others_typed_since_and_keeps_what_does_not_convert(
    session: Session, sheet: int, size: int
) -> None:
    change(session, sheet, size, "number", misfits=Misfits.BESIDE)
    edit(session, sheet, "Ben", 5, size, text="99")
    undo_last(session, sheet)
    assert cells(session, access_of(session, sheet), size) == ["12", "7.5", "many", "12", "99"]
    redo(session, actor("Ann"), sheet, operation_id=uuid4())
    undo_last(session, sheet)
    edit(session, sheet, "Ben", 4, size, text="a dozen")
    redo_result = change(session, sheet, size, "number", misfits=Misfits.BESIDE)
    assert "a dozen" in cells(session, access_of(session, sheet), redo_result.added or 0)


def test_undo_leaves_the_added_column_if_somebody_has_worked_in_it(session: Session, sheet: int, size: int) -> None:
    added = change(session, sheet, size, "number", misfits=Misfits.BESIDE).added or 0
    edit(session, sheet, "Ben", 1, added, text="mine")
    undo_last(session, sheet)
    assert cells(session, access_of(session, sheet), added)[0] == "mine"


def test_undo_leaves_the_added_column_if_somebody_has_added_a_row_with_a_value_in_it(
    session: Session, sheet: int, size: int
) -> None:
    added = change(session, sheet, size, "number", misfits=Misfits.BESIDE).added or 0
    rows = Batch(adds=(NewRow("k", {1: CellInput("Late"), added: CellInput("mine")}),))
    write(session, actor("Ben"), sheet, rows, operation_id=uuid4(), source=ChangeSource.GRID)
    result = undo_last(session, sheet)
    assert cells(session, access_of(session, sheet), added)[-1] == "mine"
    (left,) = result.left
    assert (left["column"], left["by"]) == (added, "Ben")
    assert left["reason"] == "Somebody has worked in this column since, so it stays."


def test_a_type_that_was_changed_again_is_not_taken_back(session: Session, sheet: int, size: int) -> None:
    changed = change(session, sheet, size, "choice")
    session.execute(text("UPDATE operations SET actor_id = 3 WHERE version = :v"), {"v": changed.version})
    change(session, sheet, size, "text")
    with pytest.raises(NotAllowed):
        undo(session, actor("Ben"), sheet, operation_id=uuid4())
    assert access_of(session, sheet).column(size).type == "text"


def test_an_older_edit_is_not_undone_into_another_type(session: Session, sheet: int, size: int) -> None:
    edit(session, sheet, "Ben", 5, size, text="99")
    edit(session, sheet, "Ben", 5, size, text="")
    change(session, sheet, size, "choice")
    result = undo(session, actor("Ben"), sheet, operation_id=uuid4())
    assert result.left[0]["reason"] == "The type of “Size” has been changed since."
    assert cells(session, access_of(session, sheet), size)[4] is None


# --- others type at that moment


@pytest.mark.parametrize("row", [1, 5])
def test_a_value_typed_before_the_change_is_refused_with_a_sentence_and_never_read_by_another_type(
    session: Session, sheet: int, size: int, row: int
) -> None:
    base = access_of(session, sheet).sheet.version
    change(session, sheet, size, "choice")
    before = cells(session, access_of(session, sheet), size)
    for given in ({"text": "many"}, {"value": "o1"}):
        outcome = edit(session, sheet, "Ben", row, size, base=base, **given)
        (refused,) = outcome.refused
        assert refused["reason"] == (
            "“Size” was changed from text to choice while you were typing. Enter the value again."
        )
        assert refused["given"] == next(iter(given.values()))
    assert cells(session, access_of(session, sheet), size) == before
    again = edit(session, sheet, "Ben", row, size, base=access_of(session, sheet).sheet.version, text="many")
    assert len(again.saved) == 1


def test_a_new_row_with_a_value_from_before_the_change_is_refused_with_the_same_sentence(
    session: Session, sheet: int, size: int
) -> None:
    change(session, sheet, size, "choice")
    base = access_of(session, sheet).sheet.version
    change(session, sheet, size, "text")
    row = NewRow("k", {1: CellInput("Late"), size: CellInput(value="o1")}, base)
    batch = Batch(adds=(row, NewRow("m", {1: CellInput("Later"), size: CellInput("many")}, base)))
    outcome = write(session, actor("Ben"), sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID, partial=True)
    (refused,) = outcome.refused
    assert refused["key"] == "k"
    assert refused["reason"] == "“Size” was changed from choice to text while you were typing. Enter the value again."
    assert [line["key"] for line in outcome.added] == ["m"]


def test_other_columns_are_edited_over_an_older_base_as_before(session: Session, sheet: int, size: int) -> None:
    base = access_of(session, sheet).sheet.version
    change(session, sheet, size, "choice")
    assert edit(session, sheet, "Ben", 1, 2, base=base, text="Acme").saved


def test_a_type_that_changes_while_others_type_loses_nothing(database: str) -> None:
    """Ben writes without a pause while Ann changes the type back and forth; each value is saved or refused by name."""
    with transaction() as session:
        sheet = make_deals(session).sheet.sheet_id
        column = add_column(session, actor("Ann"), sheet, NewColumn("Size", "text")).column_id
        fill(session, sheet, column, ("",) * 30)
    outcomes: dict[int, Outcome] = {}

    def type_into_every_row() -> None:
        for row in range(1, 31):
            with transaction() as session:
                base = access_of(session, sheet, "Ben").sheet.version
            with transaction() as session:
                outcomes[row] = edit(session, sheet, "Ben", row, column, base=base, text=f"{row}")

    with ThreadPoolExecutor() as threads:
        typing = threads.submit(type_into_every_row)
        for kind in ("number", "text", "choice", "text"):
            with transaction() as session:
                change(session, sheet, column, kind, misfits=Misfits.BESIDE)
        typing.result()
    with transaction() as session:
        shown = cells(session, access_of(session, sheet), column)
    for row, outcome in outcomes.items():
        reasons = [refused["reason"] for refused in outcome.refused]
        if reasons:
            assert "“Size”" in reasons[0] or "not an option" in reasons[0]
        assert shown[row - 1] == (None if reasons else f"{row}")
    assert len(outcomes) == 30


# --- the past, the trash and the log


def test_the_past_has_the_old_type_with_the_old_values(session: Session, sheet: int, size: int) -> None:
    before = access_of(session, sheet).sheet.version
    change(session, sheet, size, "number", misfits=Misfits.BESIDE)
    past = as_of(access_of(session, sheet), before)
    assert past.column(size).type == "text"
    assert cells(session, past, size) == ["12", "7.5", "many", "12", None]
    assert len(first_rows(session, past, View(filter=(Condition(size, "contains", "an"),)), limit=100).rows) == 1


def test_the_history_of_a_cell_is_written_by_the_type_of_then(session: Session, sheet: int, size: int) -> None:
    change(session, sheet, size, "choice")
    last, first = cell_history(session, access_of(session, sheet), 3, size)
    assert (last.source, last.cells[0].old, last.cells[0].new) == ("column", "many", "many")
    assert first.cells[0].new == "many"
    assert first.cells[0].value == "o3", "An older value is offered as what it is in today's type."


def test_a_row_in_the_trash_converts_and_comes_back(session: Session, ann: Actor, sheet: int, size: int) -> None:
    write(session, ann, sheet, Batch(deletes=(1,)), operation_id=uuid4(), source=ChangeSource.GRID)
    deleted_at = access_of(session, sheet).sheet.version
    change(session, sheet, size, "choice")
    access = access_of(session, sheet)
    assert 1 not in {row["id"] for row in changes_since(session, access, deleted_at).rows}
    found = difference(session, ann, sheet, f"version:{deleted_at}", f"version:{access.sheet.version}")
    assert 1 not in {entry.row for entry in found.entries}
    restore_rows(session, ann, sheet, [1], operation_id=uuid4())
    assert cells(session, access_of(session, sheet), size)[0] == "o1"


def test_a_difference_across_the_change_is_written_by_both_types(
    session: Session, ann: Actor, sheet: int, size: int
) -> None:
    before = access_of(session, sheet).sheet.version
    change(session, sheet, size, "choice")
    found = difference(session, ann, sheet, f"version:{before}")
    assert {(entry.old, entry.new) for entry in found.entries if entry.column == size} == {
        (value, value) for value in ("12", "7.5", "many")
    }

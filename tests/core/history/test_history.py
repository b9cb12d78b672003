"""Recent changes: who changed which cell from what to what, when and from where; page after page, nothing twice."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import NotFound
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.history.history import CellChange, LoggedChange, RowChange, cell_history, recent_changes, row_history
from core.sheets.columns import change_column, reorder_columns, retire_column
from tests.support.core.changes import change_rows

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
Edits = Callable[..., None]


@pytest.fixture
def sheet(deals: Access) -> int:
    return deals.sheet.sheet_id


@pytest.fixture
def edits(session: Session, sheet: int, ann: Actor) -> Edits:
    """Two deals of Ann's, then whatever is edited: edits(ben, (row, column, text), …)."""
    adds = (NewRow("a", {DEAL: CellInput("Acme"), AMOUNT: CellInput("5")}), NewRow("b", {DEAL: CellInput("Bolt")}))
    write(session, ann, sheet, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.GRID)

    def make(actor: Actor, *given: tuple[int, int, str], source: ChangeSource = ChangeSource.GRID) -> None:
        batch = Batch(tuple(Edit(row, column, CellInput(text)) for row, column, text in given))
        write(session, actor, sheet, batch, operation_id=uuid4(), source=source)

    return make


def told(found: list[LoggedChange]) -> list[tuple[str, int, str, str, str]]:
    return [(one.by, one.row, one.column or one.kind, one.old, one.new) for one in found]


def test_each_cell_says_who_changed_it_from_what_to_what_and_from_where(
    session: Session, edits: Edits, sheet: int, ann: Actor, ben: Actor
) -> None:
    edits(ben, (1, STAGE, "Lead"), (1, AMOUNT, "1234.5"))
    edits(ann, (1, STAGE, "Won"), (1, OWNER, "Ben"), (2, CLOSE, "2026-12-31"), source=ChangeSource.API)
    found = recent_changes(session, get_access(session, ann, sheet), limit=5)
    assert told(found) == [
        ("Ann", 2, "Expected close", "", "2026-12-31"),
        ("Ann", 1, "Owner", "", "Ben"),
        ("Ann", 1, "Stage", "Lead", "Won"),
        ("Ben", 1, "Amount", "5", "1234.5"),
        ("Ben", 1, "Stage", "", "Lead"),
    ]
    assert [one.source for one in found] == ["api", "api", "api", "grid", "grid"]
    assert found[1].row_title == "Acme"


def test_a_row_that_came_or_went_is_told_with_its_cells(session: Session, edits: Edits, sheet: int, ann: Actor) -> None:
    write(session, ann, sheet, Batch(deletes=(1,)), operation_id=uuid4(), source=ChangeSource.GRID)
    removed, *_, added = recent_changes(session, get_access(session, ann, sheet), row=1)
    assert (removed.kind, removed.old) == ("remove", "Deal: Acme · Amount: 5")
    assert (added.kind, added.new) == ("add", "Deal: Acme · Amount: 5")


def test_a_cell_that_was_emptied_has_nothing_after_it(session: Session, edits: Edits, sheet: int, ann: Actor) -> None:
    edits(ann, (1, AMOUNT, ""))
    (change, *_) = recent_changes(session, get_access(session, ann, sheet))
    assert (change.old, change.new) == ("5", "")


def test_one_row_and_one_person_can_be_asked_for(
    session: Session, edits: Edits, sheet: int, ann: Actor, ben: Actor
) -> None:
    edits(ben, (1, ACCOUNT, "x"), (2, ACCOUNT, "y"))
    assert {one.row for one in recent_changes(session, get_access(session, ann, sheet), row=2)} == {2}
    assert {one.by for one in recent_changes(session, get_access(session, ann, sheet), by=ben.user_id)} == {"Ben"}
    found = recent_changes(session, get_access(session, ann, sheet), row=2, by=ben.user_id)
    assert told(found) == [("Ben", 2, "Account", "", "y")]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_page_after_page_tells_everything_once(
    session: Session, edits: Edits, sheet: int, ann: Actor, ben: Actor, limit: int
) -> None:
    for number in range(4):
        edits(ben, (1, ACCOUNT, f"a{number}"), (1, DEAL, f"d{number}"), (2, ACCOUNT, f"b{number}"))
    everything = recent_changes(session, get_access(session, ann, sheet))
    pages: list[LoggedChange] = []
    while page := recent_changes(session, get_access(session, ann, sheet), before=behind(pages), limit=limit):
        pages += page
    assert pages == everything
    assert len(pages) == 14


def behind(pages: list[LoggedChange]) -> tuple[int, int, int] | None:
    return (pages[-1].version, pages[-1].row, pages[-1].column_id) if pages else None


def test_old_values_are_told_in_the_words_of_today(
    session: Session, edits: Edits, sheet: int, ann: Actor, deals: Access
) -> None:
    edits(ann, (1, STAGE, "Lead"))
    first, *others = deals.column(STAGE).options
    change_column(session, ann, sheet, STAGE, name="Phase", options=tuple(others))
    (change, *_) = recent_changes(session, get_access(session, ann, sheet))
    assert (change.column, change.new) == ("Phase", "Lead")
    assert first.label == "Lead"


def test_a_retired_column_is_not_told(session: Session, edits: Edits, sheet: int, ann: Actor) -> None:
    edits(ann, (1, 11, "A secret"))
    retire_column(session, ann, sheet, 11)
    assert "A secret" not in str(recent_changes(session, get_access(session, ann, sheet)))


def test_a_row_is_called_by_its_first_column_in_words(session: Session, edits: Edits, sheet: int, ann: Actor) -> None:
    edits(ann, (1, STAGE, "Won"))
    reorder_columns(session, ann, sheet, [STAGE])
    titles = {one.row: one.row_title for one in recent_changes(session, get_access(session, ann, sheet))}
    assert titles == {1: "Won", 2: "#2"}


def test_history_is_for_those_who_see_the_sheet(
    session: Session, edits: Edits, sheet: int, cleo: Actor, dan: Actor
) -> None:
    assert recent_changes(session, get_access(session, cleo, sheet))
    with pytest.raises(NotFound):
        recent_changes(session, get_access(session, dan, sheet))


# --- a row and a cell


def delete(session: Session, actor: Actor, sheet: int, row: int) -> None:
    write(session, actor, sheet, Batch(deletes=(row,)), operation_id=uuid4(), source=ChangeSource.GRID)


def restore(session: Session, actor: Actor, sheet: int, row: int) -> None:
    change_rows(session, actor, sheet, restores=[row])


def in_short(found: list[RowChange]) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    return [(one.by, one.kind, [(cell.column, cell.old, cell.new) for cell in one.cells]) for one in found]


def test_a_row_tells_what_happened_to_it_change_by_change(
    session: Session, edits: Edits, sheet: int, ann: Actor, ben: Actor
) -> None:
    edits(ben, (1, AMOUNT, "7"), (1, STAGE, "Lead"), (2, STAGE, "Won"))
    delete(session, ann, sheet, 1)
    restore(session, ben, sheet, 1)
    assert in_short(row_history(session, get_access(session, ann, sheet), 1)) == [
        ("Ben", "restore", []),
        ("Ann", "remove", []),
        ("Ben", "edit", [("Stage", "", "Lead"), ("Amount", "5", "7")]),
        ("Ann", "add", [("Deal", "", "Acme"), ("Amount", "", "5")]),
    ]


def test_a_cell_tells_what_it_held_from_the_day_its_row_was_added(
    session: Session, edits: Edits, sheet: int, ann: Actor, ben: Actor
) -> None:
    edits(ben, (1, AMOUNT, "1234.50"))
    edits(ann, (1, ACCOUNT, "somewhere else"))
    edits(ann, (1, AMOUNT, ""))
    found = cell_history(session, get_access(session, ann, sheet), 1, AMOUNT)
    assert [(one.by, one.kind) for one in found] == [("Ann", "edit"), ("Ben", "edit"), ("Ann", "add")]
    assert [one.cells for one in found] == [
        [CellChange(AMOUNT, "Amount", "1234.5", "", None)],
        [CellChange(AMOUNT, "Amount", "5", "1234.5", "1234.5")],
        [CellChange(AMOUNT, "Amount", "", "5", "5")],
    ]


def test_a_cell_that_its_row_was_added_without_was_empty_then(
    session: Session, edits: Edits, sheet: int, ann: Actor
) -> None:
    (added,) = cell_history(session, get_access(session, ann, sheet), 1, CLOSE)
    assert added.cells == [CellChange(CLOSE, "Expected close", "", "", None)]


def of_row(session: Session, actor: Actor, sheet: int, row: int, **more: Any) -> list[RowChange]:
    return row_history(session, get_access(session, actor, sheet), row, **more)


def of_cell(session: Session, actor: Actor, sheet: int, row: int, **more: Any) -> list[RowChange]:
    return cell_history(session, get_access(session, actor, sheet), row, DEAL, **more)


@pytest.mark.parametrize("read", [of_row, of_cell])
@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_page_after_page_has_every_change_once_and_whole(
    session: Session,
    edits: Edits,
    sheet: int,
    ann: Actor,
    ben: Actor,
    limit: int,
    read: Callable[..., list[RowChange]],
) -> None:
    for number in range(5):
        edits(ben, (1, ACCOUNT, f"a{number}"), (1, DEAL, f"d{number}"))
    pages: list[RowChange] = []
    while page := read(session, ann, sheet, 1, before=pages[-1].version if pages else None, limit=limit):
        assert len(page) <= limit
        pages += page
    assert pages == read(session, ann, sheet, 1)
    assert len(pages) == 6


def test_a_retired_column_leaves_no_trace_in_a_row(session: Session, edits: Edits, sheet: int, ann: Actor) -> None:
    edits(ann, (1, 11, "A secret"))
    retire_column(session, ann, sheet, 11)
    assert [one.kind for one in row_history(session, get_access(session, ann, sheet), 1)] == ["add"]
    with pytest.raises(NotFound):
        cell_history(session, get_access(session, ann, sheet), 1, 11)


@pytest.mark.parametrize("row", [77, 0, -1, 2**40, 10**30])
def test_a_row_that_never_was_has_no_history(session: Session, edits: Edits, sheet: int, ann: Actor, row: int) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        row_history(session, get_access(session, ann, sheet), row)
    with pytest.raises(NotFound, match="does not exist"):
        cell_history(session, get_access(session, ann, sheet), row, DEAL)


def test_a_row_whose_history_has_no_older_change_is_still_there(
    session: Session, edits: Edits, sheet: int, ann: Actor
) -> None:
    (added,) = row_history(session, get_access(session, ann, sheet), 2)
    assert row_history(session, get_access(session, ann, sheet), 2, before=added.version) == []

"""Undo and redo: my own last actions go back and forth, and nobody else's work is ever touched."""

import io
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Level
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.trash import restore_rows
from core.edits.undo import UndoResult, redo, undo
from core.edits.undo_stack import next_steps
from core.edits.write import write
from core.imports.inspection import inspect as inspect_file
from core.imports.load import import_rows
from core.imports.plan import propose
from core.sharing.shares import share_sheet, unshare_sheet
from core.sheets.columns import change_column, limit_column, retire_column
from core.sheets.sheets import archive_sheet
from tests.conftest import actor

DEAL, AMOUNT, NOTES = 1, 4, 11


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor) -> int:
    """Three deals, added by somebody whose actions nobody takes back here."""
    sheet_id = deals.sheet.sheet_id
    adds = tuple(NewRow(name, {DEAL: CellInput(name), AMOUNT: CellInput("5")}) for name in ("Acme", "Bolt", "Cord"))
    write(session, ann, sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.GRID)
    session.execute(text("UPDATE operations SET actor_id = 0"))
    return sheet_id


class Desk:
    """What one person does on the sheet."""

    def __init__(self, session: Session, sheet: int, who: Actor) -> None:
        self.session, self.sheet, self.who = session, sheet, who

    def write(self, batch: Batch) -> Outcome:
        return write(self.session, self.who, self.sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID)

    def edit(self, *cells: tuple[int, int, str]) -> Outcome:
        return self.write(Batch(edits=tuple(Edit(row, column, CellInput(value)) for row, column, value in cells)))

    def add(self, *names: str) -> Outcome:
        return self.write(Batch(adds=tuple(NewRow(name, {DEAL: CellInput(name)}) for name in names)))

    def delete(self, *rows: int) -> Outcome:
        return self.write(Batch(deletes=rows))

    def undo(self, **named: UUID) -> UndoResult:
        return undo(self.session, self.who, self.sheet, **({"operation_id": uuid4()} | named))

    def redo(self) -> UndoResult:
        return redo(self.session, self.who, self.sheet, operation_id=uuid4())

    def offered(self) -> tuple[str | None, str | None]:
        found = next_steps(self.session, self.who, self.sheet)
        return tuple(step.said if step else None for step in (found["undo"], found["redo"]))  # type: ignore[return-value]


@pytest.fixture
def anns(session: Session, sheet: int, ann: Actor) -> Desk:
    return Desk(session, sheet, ann)


@pytest.fixture
def bens(session: Session, sheet: int, ben: Actor) -> Desk:
    return Desk(session, sheet, ben)


def rows(session: Session, sheet: int) -> dict[int, Any]:
    query = "SELECT row_id, values FROM rows WHERE sheet_id = :sheet AND deleted_version IS NULL ORDER BY row_id"
    return dict(session.execute(text(query), {"sheet": sheet}).all())


def value(session: Session, sheet: int, row: int, column: int = DEAL) -> Any:
    return rows(session, sheet)[row].get(str(column))


# --- there and back


def test_a_typed_cell_goes_back_and_comes_again(session: Session, sheet: int, anns: Desk) -> None:
    anns.edit((1, DEAL, "Apex"))
    assert anns.undo().cells == 1
    assert value(session, sheet, 1) == "Acme"
    assert anns.redo().cells == 1
    assert value(session, sheet, 1) == "Apex"


def test_a_paste_is_one_action_with_its_new_rows(session: Session, sheet: int, anns: Desk) -> None:
    before = rows(session, sheet)
    edits = tuple(Edit(row, DEAL, CellInput(f"p{row}")) for row in (1, 2, 3))
    anns.write(Batch(edits=edits, adds=(NewRow("a", {DEAL: CellInput("p4")}), NewRow("b", {DEAL: CellInput("p5")}))))
    after = rows(session, sheet)
    taken = anns.undo()
    assert (taken.cells, taken.deleted, taken.left) == (3, 2, [])
    assert rows(session, sheet) == before
    anns.redo()
    assert rows(session, sheet) == after


def test_deleted_rows_come_back_whole(session: Session, sheet: int, anns: Desk) -> None:
    before = rows(session, sheet)
    anns.delete(1, 3)
    assert anns.undo().restored == 2
    assert rows(session, sheet) == before
    assert anns.redo().deleted == 2
    assert list(rows(session, sheet)) == [2]


def test_a_restored_row_goes_to_the_trash_again(session: Session, sheet: int, anns: Desk) -> None:
    anns.delete(1)
    restore_rows(session, anns.who, sheet, [1], operation_id=uuid4())
    assert anns.offered()[0] == "Restoring of a row"
    assert anns.undo().deleted == 1
    assert 1 not in rows(session, sheet)


def test_a_row_deleted_and_restored_by_me_goes_all_the_way_back_and_forth(
    session: Session, sheet: int, anns: Desk
) -> None:
    before = rows(session, sheet)
    anns.delete(1)
    restore_rows(session, anns.who, sheet, [1], operation_id=uuid4())
    assert (anns.undo().deleted, anns.undo().restored) == (1, 1)
    assert rows(session, sheet) == before
    assert (anns.redo().deleted, anns.redo().restored) == (1, 1)
    assert rows(session, sheet) == before


def test_a_paste_that_shifts_unique_values_into_a_new_row_goes_back_and_comes_again(
    session: Session, sheet: int, anns: Desk
) -> None:
    change_column(session, actor("Ann"), sheet, DEAL, rules={"unique": True})
    before = rows(session, sheet)
    shifted = tuple(Edit(row, DEAL, CellInput(name)) for row, name in ((1, "Zinc"), (2, "Acme"), (3, "Bolt")))
    anns.write(Batch(edits=shifted, adds=(NewRow("a", {DEAL: CellInput("Cord")}),)))
    after = rows(session, sheet)
    assert anns.undo().left == []
    assert rows(session, sheet) == before
    assert anns.redo().left == []
    assert rows(session, sheet) == after


def test_an_import_goes_back_as_one_action(session: Session, sheet: int, anns: Desk) -> None:
    before = rows(session, sheet)
    file = io.BytesIO(b"Deal,Amount\n" + b"".join(b"Row %d,%d\n" % (n, n) for n in range(500)))
    plan = propose(inspect_file(file), get_access(session, anns.who, sheet))
    import_rows(session, anns.who, sheet, file, plan, operation_id=uuid4())
    assert anns.offered()[0] == "Import of 500 rows"
    assert anns.undo().deleted == 500
    assert rows(session, sheet) == before
    assert anns.redo().restored == 500


def test_an_emptied_cell_is_filled_again(session: Session, sheet: int, anns: Desk) -> None:
    anns.edit((1, AMOUNT, ""))
    anns.undo()
    assert value(session, sheet, 1, AMOUNT) == 5


def test_actions_go_back_in_their_order_and_come_again_in_it(session: Session, sheet: int, anns: Desk) -> None:
    seen = [value(session, sheet, 1)]
    for name in ("a", "b", "c"):
        anns.edit((1, DEAL, name))
        seen.append(name)
    back = []
    for _ in range(3):
        anns.undo()
        back.append(value(session, sheet, 1))
    assert back == seen[-2::-1]
    for name in ("a", "b", "c"):
        anns.redo()
        assert value(session, sheet, 1) == name


def test_a_new_action_ends_the_chance_to_do_again(anns: Desk) -> None:
    anns.edit((1, DEAL, "a"))
    anns.undo()
    anns.edit((2, DEAL, "b"))
    with pytest.raises(Invalid, match="nothing of yours to redo"):
        anns.redo()


def test_what_was_done_before_an_undone_action_is_next(session: Session, sheet: int, anns: Desk) -> None:
    anns.edit((1, DEAL, "a"))
    anns.edit((1, DEAL, "b"))
    anns.undo()
    anns.edit((1, DEAL, "c"))
    anns.undo()
    anns.undo()
    assert value(session, sheet, 1) == "Acme"


def test_an_undo_is_a_change_with_its_own_line_in_the_log(session: Session, sheet: int, anns: Desk) -> None:
    anns.edit((1, DEAL, "a"))
    taken = anns.undo()
    line = session.execute(
        text("SELECT source, kind, old #>> '{}', new #>> '{}' FROM changes WHERE version = :v"), {"v": taken.version}
    ).one()
    assert tuple(line) == ("undo", "edit", "a", "Acme")


def test_the_same_undo_is_carried_out_once(session: Session, sheet: int, anns: Desk) -> None:
    anns.edit((1, DEAL, "a"))
    anns.edit((1, DEAL, "b"))
    operation = uuid4()
    assert anns.undo(operation_id=operation) == anns.undo(operation_id=operation)
    assert value(session, sheet, 1) == "a"


def test_an_earlier_action_can_be_named_and_taken_back_alone(session: Session, sheet: int, anns: Desk) -> None:
    anns.edit((1, DEAL, "a"))
    anns.edit((2, DEAL, "b"))
    first = session.execute(text("SELECT operation_id FROM operations WHERE actor_id > 0 ORDER BY version")).scalars()
    anns.undo(target=next(iter(first)))
    assert (value(session, sheet, 1), value(session, sheet, 2)) == ("Acme", "b")


def test_an_action_of_a_day_ago_can_be_taken_back(session: Session, sheet: int, anns: Desk) -> None:
    anns.edit((1, DEAL, "a"))
    session.execute(text("UPDATE operations SET created_at = created_at - interval '1 day'"))
    assert anns.undo().cells == 1


def test_the_buttons_know_what_they_would_take_back(anns: Desk, bens: Desk) -> None:
    assert anns.offered() == (None, None)
    anns.edit((1, DEAL, "a"))
    assert anns.offered() == ("Change of a cell", None)
    anns.edit((1, DEAL, "b"), (2, DEAL, "c"))
    assert anns.offered() == ("Change of 2 cells", None)
    anns.undo()
    assert anns.offered() == ("Change of a cell", "Change of 2 cells")
    anns.redo()
    anns.delete(1, 2)
    assert anns.offered() == ("Deletion of 2 rows", None)
    anns.add("New")
    assert anns.offered() == ("New row", None)
    assert bens.offered() == (None, None)


# --- nobody else's work


def test_it_is_never_somebody_elses_action(session: Session, sheet: int, anns: Desk, bens: Desk) -> None:
    anns.edit((1, DEAL, "a"))
    bens.edit((2, DEAL, "b"))
    anns.undo()
    assert (value(session, sheet, 1), value(session, sheet, 2)) == ("Acme", "b")
    with pytest.raises(Invalid, match="nothing of yours to undo"):
        anns.undo()
    assert bens.undo().cells == 1


def test_a_cell_that_somebody_changed_since_is_left_alone_and_named(
    session: Session, sheet: int, anns: Desk, bens: Desk
) -> None:
    anns.edit((1, DEAL, "a"), (2, DEAL, "b"))
    bens.edit((1, DEAL, "Ben's"))
    taken = anns.undo()
    assert (value(session, sheet, 1), value(session, sheet, 2)) == ("Ben's", "Bolt")
    assert (taken.cells, taken.left_count) == (1, 1)
    assert (taken.left[0]["row"], taken.left[0]["column"], taken.left[0]["by"]) == (1, DEAL, "Ben")
    assert taken.left[0]["at"]


def test_a_cell_that_somebody_set_to_the_same_again_is_theirs(
    session: Session, sheet: int, anns: Desk, bens: Desk
) -> None:
    anns.edit((1, DEAL, "a"))
    bens.edit((1, DEAL, "x"))
    bens.edit((1, DEAL, "a"))
    assert anns.undo().left[0]["by"] == "Ben"
    assert value(session, sheet, 1) == "a"


def test_where_nothing_could_be_taken_back_the_next_undo_goes_on_behind_it(
    session: Session, sheet: int, anns: Desk, bens: Desk
) -> None:
    anns.edit((2, DEAL, "first"))
    anns.edit((1, DEAL, "second"))
    bens.edit((1, DEAL, "Ben's"))
    assert (anns.undo().cells, value(session, sheet, 2)) == (0, "first")
    assert (anns.undo().cells, value(session, sheet, 2)) == (1, "Bolt")
    assert value(session, sheet, 1) == "Ben's"


def test_a_new_row_that_somebody_worked_on_stays(session: Session, sheet: int, anns: Desk, bens: Desk) -> None:
    anns.add("Mine", "Ours")
    bens.edit((5, AMOUNT, "7"))
    taken = anns.undo()
    assert (taken.deleted, taken.left[0]["row"], taken.left[0]["by"]) == (1, 5, "Ben")
    assert list(rows(session, sheet)) == [1, 2, 3, 5]


def test_who_worked_on_a_new_row_in_a_hidden_column_is_not_told(
    session: Session, sheet: int, ann: Actor, anns: Desk, bens: Desk
) -> None:
    limit_column(session, ann, sheet, NOTES, {"editor": "hidden"})
    row = bens.add("Dune").added[0]["row"]
    anns.edit((row, NOTES, "Ours alone"))
    (left,) = bens.undo().left
    assert (left["row"], left["column"], left["by"], left["at"]) == (row, None, None, None)
    assert value(session, sheet, row, NOTES) == "Ours alone"


def test_a_row_that_somebody_restored_is_not_restored_again(
    session: Session, sheet: int, anns: Desk, bens: Desk
) -> None:
    anns.delete(1, 2)
    restore_rows(session, bens.who, sheet, [1], operation_id=uuid4())
    taken = anns.undo()
    assert (taken.restored, taken.left[0]["row"], taken.left[0]["by"]) == (1, 1, "Ben")


def test_a_row_that_somebody_deleted_takes_its_cells_along(
    session: Session, sheet: int, anns: Desk, bens: Desk
) -> None:
    anns.edit((1, DEAL, "a"), (2, DEAL, "b"))
    bens.delete(1)
    taken = anns.undo()
    assert (taken.cells, taken.left[0]["reason"]) == (1, "The row has been deleted meanwhile.")


def test_redo_leaves_alone_what_somebody_changed_after_the_undo(
    session: Session, sheet: int, anns: Desk, bens: Desk
) -> None:
    anns.edit((1, DEAL, "a"))
    anns.undo()
    bens.edit((1, DEAL, "Ben's"))
    assert anns.redo().left[0]["by"] == "Ben"
    assert value(session, sheet, 1) == "Ben's"


# --- rules and rights of now


def test_a_value_that_another_row_has_by_now_stays_away(session: Session, sheet: int, anns: Desk, bens: Desk) -> None:
    change_column(session, actor("Ann"), sheet, DEAL, rules={"unique": True})
    anns.edit((1, DEAL, "a"))
    bens.edit((2, DEAL, "Acme"))
    assert "must be unique" in anns.undo().left[0]["reason"]
    assert value(session, sheet, 1) == "a"


def test_a_deleted_row_whose_unique_value_is_taken_stays_in_the_trash(
    session: Session, sheet: int, anns: Desk, bens: Desk
) -> None:
    change_column(session, actor("Ann"), sheet, DEAL, rules={"unique": True})
    anns.delete(1)
    bens.edit((2, DEAL, "Acme"))
    assert "must be unique" in anns.undo().left[0]["reason"]
    assert 1 not in rows(session, sheet)


def test_a_retired_column_is_left_alone(session: Session, sheet: int, anns: Desk) -> None:
    anns.edit((1, NOTES, "x"), (1, DEAL, "y"))
    retire_column(session, actor("Ann"), sheet, NOTES)
    taken = anns.undo()
    assert (taken.cells, taken.left[0]["reason"]) == (1, "The column has been deleted meanwhile.")


def test_a_right_that_is_gone_takes_the_undo_along(session: Session, sheet: int, bens: Desk) -> None:
    bens.edit((1, DEAL, "a"))
    share_sheet(session, actor("Ann"), sheet, bens.who.user_id, level=Level.VIEWER)
    with pytest.raises(NotAllowed):
        bens.undo()
    unshare_sheet(session, actor("Ann"), sheet, bens.who.user_id)
    with pytest.raises(NotFound):
        bens.undo()
    assert value(session, sheet, 1) == "a"


def test_an_archived_sheet_stays_as_it_is(session: Session, sheet: int, anns: Desk) -> None:
    anns.edit((1, DEAL, "a"))
    archive_sheet(session, actor("Ann"), sheet)
    with pytest.raises(NotAllowed, match="archived"):
        anns.undo()

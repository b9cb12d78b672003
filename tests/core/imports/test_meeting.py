"""An import that meets somebody at work: nobody waits while the file is read, and nothing is lost."""

import io
from threading import Thread
from uuid import uuid4

import pytest
from sqlalchemy import text

from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Conflict
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.imports.inspection import inspect
from core.imports.load import import_rows
from core.imports.plan import propose
from core.sheets.columns import NewColumn, add_column
from db import engine as db
from tests.conftest import actor, make_deals

LINES = "Deal,Amount\n" + "".join(f"Deal {number},{number}\n" for number in range(3000))


@pytest.fixture
def sheet(database: str) -> int:
    with db.transaction() as session:
        sheet_id = make_deals(session).sheet.sheet_id
        batch = Batch(adds=(NewRow("a", {1: CellInput("First")}),))
        write(session, actor("Ann"), sheet_id, batch, operation_id=uuid4(), source=ChangeSource.GRID)
    return sheet_id


def load(who: Actor, sheet: int, meanwhile: "object" = None, lines: str = LINES) -> int:
    """Import; `meanwhile` is done once, while the file is being read."""
    told: list[int] = []

    def progress(done: int, _total: int) -> None:
        if meanwhile and not told:
            told.append(done)
            meanwhile()  # type: ignore[operator]

    file = io.BytesIO(lines.encode())
    with db.transaction() as session:
        plan = propose(inspect(file), get_access(session, who, sheet))
        return import_rows(session, who, sheet, file, plan, operation_id=uuid4(), progress=progress).first_row


def edit(sheet: int) -> Outcome:
    with db.transaction() as session:
        batch = Batch(edits=(Edit(1, 1, CellInput("Renamed"), 1),))
        return write(session, actor("Ben"), sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID)


def test_an_edit_goes_through_while_the_file_is_read(sheet: int, ann: Actor) -> None:
    saved: list[int] = []
    first = load(ann, sheet, lambda: saved.append(edit(sheet).version))
    assert saved == [2]
    assert first == 2
    with db.transaction() as session:
        assert session.scalar(text("SELECT version FROM sheets WHERE sheet_id = :sheet"), {"sheet": sheet}) == 3


def test_rows_that_others_add_meanwhile_keep_their_numbers(sheet: int, ann: Actor) -> None:
    def add() -> None:
        with db.transaction() as session:
            batch = Batch(adds=(NewRow("b", {1: CellInput("Mine")}),))
            write(session, actor("Ben"), sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID)

    assert load(ann, sheet, add) == 3


def test_columns_changed_while_the_file_is_read_are_a_conflict(sheet: int, ann: Actor) -> None:
    def meddle() -> None:
        with db.transaction() as session:
            add_column(session, ann, sheet, NewColumn("Meanwhile", "text"))

    with pytest.raises(Conflict, match="were changed"):
        load(ann, sheet, meddle)
    with db.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM rows WHERE sheet_id = :sheet"), {"sheet": sheet}) == 1


def test_ten_editors_beside_an_import_lose_nothing(sheet: int, ann: Actor) -> None:
    done: list[int] = []

    def add(number: int) -> None:
        for turn in range(10):
            with db.transaction() as session:
                batch = Batch(adds=(NewRow("x", {1: CellInput(f"{number}.{turn}")}),))
                outcome = write(session, actor("Ben"), sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID)
            done.append(outcome.added[0]["row"])

    editors = [Thread(target=add, args=(number,)) for number in range(10)]
    for editor in editors:
        editor.start()
    load(ann, sheet)
    for editor in editors:
        editor.join()
    with db.transaction() as session:
        rows, version, distinct = session.execute(
            text(
                "SELECT (SELECT count(*) FROM rows r WHERE r.sheet_id = s.sheet_id), s.version,"
                " (SELECT count(DISTINCT version) FROM changes c WHERE c.sheet_id = s.sheet_id)"
                " FROM sheets s WHERE s.sheet_id = :sheet"
            ),
            {"sheet": sheet},
        ).one()
    assert len(set(done)) == 100
    assert rows == 1 + 100 + 3000
    assert version == distinct == 102

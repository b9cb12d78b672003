"""The judge of faults is judged: a sheet that was edited in every way is whole, and each kind of damage is noticed."""

from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.trash import restore_rows
from core.edits.write import write
from db import engine as db
from tests.bench.live_ledger import Ledger, judge
from tests.conftest import actor, make_deals
from tests.faults.invariants import Log, broken, read_log

DEAL, AMOUNT = 1, 4
ANN = actor("Ann")


def put(sheet: int, operation: str | None = None, **parts: object) -> int:
    with db.transaction() as session:
        batch = Batch(**parts)  # type: ignore[arg-type]
        return write(session, ANN, sheet, batch, operation_id=operation or uuid4(), source=ChangeSource.API).version  # type: ignore[arg-type]


@pytest.fixture
def sheet(database: str) -> int:
    """Rows added, edited, emptied, deleted and restored."""
    with db.transaction() as session:
        made = make_deals(session).sheet.sheet_id
    put(made, adds=tuple(NewRow(str(n), {DEAL: CellInput(f"Deal {n}"), AMOUNT: CellInput("1")}) for n in range(3)))
    put(made, edits=(Edit(1, DEAL, CellInput("Another")), Edit(2, AMOUNT, CellInput("2"))))
    put(made, edits=(Edit(1, AMOUNT, CellInput("")),))
    put(made, deletes=(2, 3))
    with db.transaction() as session:
        restore_rows(session, ANN, made, [2], operation_id=uuid4())
    return made


@pytest.fixture
def log(database: str, sheet: int) -> Log:
    return read_log(database)


def test_whatever_was_done_through_the_front_door_is_whole(log: Log) -> None:
    assert len(log.lines) > 8
    assert broken(log) == []


def test_a_line_that_is_missing_is_noticed(log: Log) -> None:
    for lost in range(len(log.lines)):
        assert broken(replace(log, lines=log.lines[:lost] + log.lines[lost + 1 :]))


def test_a_value_that_nobody_wrote_is_noticed(log: Log) -> None:
    row = log.rows[0]._replace(values=log.rows[0].values | {str(DEAL): "Nobody's"})
    assert broken(replace(log, rows=[row, *log.rows[1:]])) == [
        f"row {row.row} of sheet {row.sheet} is not what the log says"
    ]


def test_a_row_that_came_back_by_itself_is_noticed(log: Log) -> None:
    assert broken(replace(log, rows=[row._replace(is_deleted=False) for row in log.rows]))


def test_an_old_value_that_is_not_the_new_one_before_is_noticed(log: Log) -> None:
    edit = next(line for line in log.lines if line.kind == "edit")
    lines = [line._replace(old="Another") if line is edit else line for line in log.lines]
    assert len(broken(replace(log, lines=lines))) == 1


def test_a_version_without_a_line_is_noticed(log: Log, sheet: int) -> None:
    ahead = log.versions | {sheet: log.versions[sheet] + 1}
    assert len(broken(replace(log, versions=ahead))) == 1


def test_a_narrow_row_that_says_something_else_is_noticed(database: str, sheet: int) -> None:
    with psycopg.connect(database) as owner:
        owner.execute("UPDATE narrow_rows SET n1 = 17 WHERE sheet_id = %s AND row_id = 1", (sheet,))
        owner.commit()
        found = broken(read_log(database))
        owner.execute("UPDATE narrow_rows SET n1 = NULL WHERE sheet_id = %s AND row_id = 1", (sheet,))
    assert found == [f"the narrow row 1 of sheet {sheet} is not what the row says"]


def test_an_operation_that_wrote_twice_is_noticed(log: Log) -> None:
    first = log.lines[0].batch
    lines = [line._replace(batch=first) if line.version == 2 else line for line in log.lines]
    assert any(first in sentence for sentence in broken(replace(log, lines=lines)))


def answered(ledger: Ledger, operation: str, sheet: int, base: int, version: int) -> None:
    edits = [{"row": 1, "column": DEAL, "base": base}]
    saved = [{"row": 1, "column": DEAL, "version": version, "value": "Typed"}]
    ledger.send(operation, ANN.user_id, sheet, edits).outcome = {"version": version, "saved": saved}


def test_an_acknowledged_edit_that_is_not_in_the_log_is_lost(database: str, sheet: int) -> None:
    ledger, operation = Ledger(), str(uuid4())
    version = put(sheet, operation, edits=(Edit(1, DEAL, CellInput("Typed")),))
    answered(ledger, operation, sheet, version - 1, version)
    assert judge(ledger, database).is_clean
    answered(ledger, str(uuid4()), sheet, version, version + 1)
    assert judge(ledger, database).lost == 1


def test_a_stale_edit_over_somebody_elses_value_is_silent(database: str, sheet: int) -> None:
    base = put(sheet, edits=(Edit(1, DEAL, CellInput("Ann's")),))
    ledger, operation = Ledger(), str(uuid4())
    with db.transaction() as session:
        batch = Batch(
            edits=(Edit(1, DEAL, CellInput("Typed")),)
        )  # No base: as a server would write that does not look.
        version = write(session, actor("Ben"), sheet, batch, operation_id=operation, source=ChangeSource.API).version  # type: ignore[arg-type]
    answered(ledger, operation, sheet, base - 1, version)
    assert judge(ledger, database).silent == 1

"""Many at once, with real commits: nothing is lost, nothing is applied twice, the log and the rows agree."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from core.access.load import get_access
from core.base.errors import NotAllowed, NotFound
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.sharing.shares import unshare_sheet
from core.sheets.sheets import archive_sheet
from db.engine import transaction
from tests.conftest import actor, make_deals
from tests.support.waiting import until_it_waits

DEAL, AMOUNT = 1, 4
ANN, BEN = actor("Ann"), actor("Ben")


@pytest.fixture
def sheet(database: str) -> int:
    with transaction() as session:
        sheet_id = make_deals(session).sheet.sheet_id
    put(
        sheet_id,
        Batch(adds=tuple(NewRow(str(n), {DEAL: CellInput(f"Deal {n}"), AMOUNT: CellInput("0")}) for n in range(10))),
    )
    return sheet_id


def put(sheet_id: int, batch: Batch, *, who: Any = ANN, operation_id: Any = None, partial: bool = True) -> Outcome:
    with transaction() as session:
        operation_id = operation_id or uuid4()
        return write(session, who, sheet_id, batch, operation_id=operation_id, source=ChangeSource.API, partial=partial)


def read(statement: str) -> list[Any]:
    with transaction() as session:
        return list(session.execute(text(statement)))


def together(tasks: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


def test_one_operation_sent_five_times_at_once_is_one_change(sheet: int) -> None:
    operation = uuid4()
    batch = Batch(adds=(NewRow("n", {DEAL: CellInput("Once")}),))
    answers = together([lambda: put(sheet, batch, operation_id=operation)] * 5)
    assert all(answer == answers[0] for answer in answers)
    assert read("SELECT count(*) FROM rows WHERE values ->> '1' = 'Once'") == [(1,)]


def test_the_same_cell_from_the_same_base_keeps_both_values(sheet: int) -> None:
    batches = [Batch(edits=(Edit(1, AMOUNT, CellInput(str(amount)), 1),)) for amount in (100, 200)]
    outcomes = together([lambda batch=batch: put(sheet, batch) for batch in batches])
    won = [outcome for outcome in outcomes if outcome.saved]
    lost = [outcome for outcome in outcomes if outcome.conflicts]
    assert (len(won), len(lost)) == (1, 1)
    conflict = lost[0].conflicts[0]
    assert {conflict["mine"], conflict["theirs"]} == {"100", "200"}
    assert conflict["theirs"] == won[0].saved[0]["value"]


def test_a_hundred_parallel_new_rows_are_a_hundred_rows_in_a_strict_order(sheet: int) -> None:
    tasks = [
        lambda start=start: [
            put(sheet, Batch(adds=(NewRow("n", {DEAL: CellInput(f"p{start}-{n}")}),))) for n in range(10)
        ]
        for start in range(10)
    ]
    outcomes = [outcome for each in together(tasks) for outcome in each]
    assert sorted(outcome.added[0]["row"] for outcome in outcomes) == list(range(11, 111))
    by_version = sorted(outcomes, key=lambda outcome: outcome.version)
    assert [outcome.added[0]["row"] for outcome in by_version] == list(range(11, 111))


def test_readers_of_the_version_never_skip_a_change(sheet: int) -> None:
    """Whoever reads "everything after N" while others write gets every change exactly once."""
    seen: list[tuple[int, int]] = []

    def follow() -> None:
        since = 0
        while since < 1 + 6 * 15:
            with transaction() as session:
                version = get_access(session, BEN, sheet).sheet.version
                bounds = {"since": since, "until": version}
                found = session.execute(
                    text("SELECT version, row_id FROM changes WHERE version > :since AND version <= :until"), bounds
                )
                seen.extend((line.version, line.row_id) for line in found)
            since = version

    writers = [
        lambda row=row: [put(sheet, Batch(edits=(Edit(row, AMOUNT, CellInput(str(n))),))) for n in range(1, 16)]
        for row in range(1, 7)
    ]
    together([follow, *writers])
    assert sorted(seen) == [tuple(line) for line in read("SELECT version, row_id FROM changes ORDER BY 1, 2")]


def test_many_writers_leave_rows_and_log_in_agreement(sheet: int) -> None:
    """Replaying the log gives the rows; each line's old value is the line's before it; versions have no gap."""
    bases = {"version": 1}

    def writer(seed: int) -> None:
        chance = Random(seed)
        for _ in range(25):
            row, column = chance.randint(1, 6), chance.choice([DEAL, AMOUNT])
            base = bases["version"] - chance.randint(0, 3)
            edits = (Edit(row, column, CellInput(str(chance.randint(1, 10**6))), max(base, 1)),)
            deletes = (chance.randint(7, 10),) if chance.random() < 0.05 else ()
            bases["version"] = max(put(sheet, Batch(edits=edits, deletes=deletes)).version, bases["version"])

    together([lambda seed=seed: writer(seed) for seed in range(6)])
    lines = read("SELECT version, row_id, column_id, kind, old, new FROM changes ORDER BY version, column_id")
    state: dict[int, dict[str, Any]] = {}
    for _, row, column, kind, old, new in lines:
        if kind == "add":
            state[row] = dict(new)
        elif kind == "remove":
            assert state.pop(row) == old
        else:
            assert state[row].get(str(column)) == old
            state[row][str(column)] = new
    rows = read("SELECT row_id, values FROM rows WHERE deleted_version IS NULL")
    assert state == dict(map(tuple, rows))
    versions = sorted({line.version for line in lines})
    assert versions == list(range(1, read("SELECT version FROM sheets")[0][0] + 1))


def test_a_right_that_is_withdrawn_meanwhile_refuses_the_next_edit(sheet: int) -> None:
    batch = Batch(edits=(Edit(1, AMOUNT, CellInput("5"), 1),))
    with transaction() as session:
        unshare_sheet(session, ANN, sheet, BEN.user_id)
    with pytest.raises(NotFound):
        put(sheet, batch, who=BEN)
    with transaction() as session:
        archive_sheet(session, ANN, sheet)
    with pytest.raises(NotAllowed, match="archived"):
        put(sheet, batch)
    assert read("SELECT values ->> '4' FROM rows WHERE row_id = 1") == [("0",)]


# --- an edit that has been decided and waits for the sheet, while somebody else's change is being committed


def meanwhile(database: str, sheet_id: int, change: Callable[[psycopg.Connection[Any]], Any], batch: Batch) -> Outcome:
    """Ben's batch, sent while another process holds the sheet, makes its change and commits."""
    with psycopg.connect(database) as other, ThreadPoolExecutor(1) as pool:
        other.execute("SELECT lock_sheet(%s, %s, 'sql', gen_random_uuid())", [sheet_id, ANN.user_id])
        waiting = pool.submit(put, sheet_id, batch, who=BEN)
        until_it_waits(waiting)
        change(other)
        other.commit()
        return waiting.result()


def write_by_hand(other: psycopg.Connection[Any], sheet_id: int, row: int, column: int, value: int) -> None:
    other.execute("SELECT next_version(%s, 0)", [sheet_id])
    change = "UPDATE rows SET values = jsonb_set(values, %s, to_jsonb(%s)) WHERE sheet_id = %s AND row_id = %s"
    other.execute(change, [[str(column)], value, sheet_id, row])


EDIT = Batch(edits=(Edit(1, AMOUNT, CellInput("5"), 1),))


def test_a_cell_that_moved_while_its_edit_waited_is_a_conflict(database: str, sheet: int) -> None:
    outcome = meanwhile(database, sheet, lambda other: write_by_hand(other, sheet, 1, AMOUNT, 300), EDIT)
    assert outcome.saved == []
    assert (outcome.conflicts[0]["mine"], outcome.conflicts[0]["theirs"]) == ("5", "300")
    assert read("SELECT values ->> '4' FROM rows WHERE row_id = 1") == [("300",)]


def test_another_cell_of_the_row_that_moved_meanwhile_keeps_its_value(database: str, sheet: int) -> None:
    outcome = meanwhile(database, sheet, lambda other: write_by_hand(other, sheet, 1, DEAL, 7), EDIT)
    assert outcome.saved[0]["value"] == "5"
    assert read("SELECT values ->> '1', values ->> '4' FROM rows WHERE row_id = 1") == [("7", "5")]


def test_a_row_that_was_deleted_while_its_edit_waited_is_gone(database: str, sheet: int) -> None:
    def delete(other: psycopg.Connection[Any]) -> None:
        other.execute("SELECT next_version(%s, 0)", [sheet])
        other.execute("UPDATE rows SET deleted_version = 3 WHERE sheet_id = %s AND row_id = 1", [sheet])

    outcome = meanwhile(database, sheet, delete, EDIT)
    assert (outcome.saved, outcome.gone[0]["given"]) == ([], "5")


def test_a_column_that_was_retired_while_its_edit_waited_is_gone(database: str, sheet: int) -> None:
    def retire(other: psycopg.Connection[Any]) -> None:
        other.execute("UPDATE columns SET retired_at = now() WHERE sheet_id = %s AND column_id = %s", [sheet, AMOUNT])
        other.execute("UPDATE sheets SET columns_version = columns_version + 1 WHERE sheet_id = %s", [sheet])

    outcome = meanwhile(database, sheet, retire, EDIT)
    assert (outcome.saved, outcome.gone[0]["given"]) == ([], "5")


def test_a_sheet_that_was_archived_while_its_edit_waited_takes_no_edit(database: str, sheet: int) -> None:
    with pytest.raises(NotAllowed, match="archived"):
        meanwhile(
            database,
            sheet,
            lambda other: other.execute("UPDATE sheets SET archived_at = now() WHERE sheet_id = %s", [sheet]),
            EDIT,
        )
    assert read("SELECT values ->> '4' FROM rows WHERE row_id = 1") == [("0",)]


def test_one_edit_sent_five_times_at_once_is_one_change(sheet: int) -> None:
    operation = uuid4()
    answers = together([lambda: put(sheet, EDIT, operation_id=operation)] * 5)
    assert all(answer == answers[0] for answer in answers)
    assert answers[0].saved[0]["version"] == answers[0].version
    assert read("SELECT count(*) FROM changes WHERE kind = 'edit'") == [(1,)]

"""Presence: who is told of whom, and when somebody counts as gone."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.actor import Actor
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.presence.presence import (
    Position,
    list_present,
    remove_connections,
    remove_process,
    remove_stale,
    save_positions,
)
from core.sharing.shares import unshare_sheet
from core.sheets.columns import retire_column
from tests.conftest import actor

PROCESS = uuid4()


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor) -> int:
    sheet_id = deals.sheet.sheet_id
    write(
        session,
        ann,
        sheet_id,
        Batch(adds=(NewRow("a", {1: CellInput("Acme")}),)),
        operation_id=uuid4(),
        source=ChangeSource.API,
    )
    return sheet_id


def come(session: Session, who: str, sheet: int, row: int | None = None, column: int | None = None) -> UUID:
    connection = uuid4()
    save_positions(session, PROCESS, [Position(connection, sheet, actor(who).user_id, row, column)])
    return connection


def age(session: Session, connection: UUID, seconds: int) -> None:
    query = "UPDATE presence SET seen_at = now() - make_interval(secs => :age) WHERE connection_id = :one"
    session.execute(text(query), {"age": seconds, "one": connection})


def seen(session: Session, who: str, sheet: int) -> list[tuple[Any, ...]]:
    return [(one["user"], one["row"], one["column"]) for one in list_present(session, actor(who), sheet)]


def test_everybody_who_may_see_the_sheet_is_told_who_is_where(session: Session, sheet: int) -> None:
    come(session, "Ben", sheet, 1, 2)
    come(session, "Cleo", sheet)
    assert seen(session, "Ann", sheet) == seen(session, "Cleo", sheet) == [(3, 1, 2), (4, None, None)]


def test_a_cell_that_is_not_there_is_not_told(session: Session, sheet: int, ann: Actor) -> None:
    come(session, "Ben", sheet, 99, 1)
    come(session, "Ben", sheet, 1, 11)
    retire_column(session, ann, sheet, 11)
    assert sorted(seen(session, "Ann", sheet), key=str) == [(3, 1, None), (3, None, None)]


def test_whoever_may_no_longer_see_the_sheet_is_not_there(session: Session, sheet: int, ann: Actor) -> None:
    come(session, "Ben", sheet)
    come(session, "Cleo", sheet)
    come(session, "Dan", sheet)
    unshare_sheet(session, ann, sheet, actor("Cleo").user_id)
    assert seen(session, "Ann", sheet) == [(3, None, None)]
    session.execute(text("UPDATE users SET is_active = false WHERE user_id = 3"))
    assert seen(session, "Ann", sheet) == []


def test_a_connection_that_moves_is_there_once(session: Session, sheet: int) -> None:
    connection = come(session, "Ben", sheet, 1, 1)
    save_positions(session, PROCESS, [Position(connection, sheet, 3, 1, 2)])
    assert seen(session, "Ann", sheet) == [(3, 1, 2)]


def test_whoever_leaves_is_gone(session: Session, sheet: int) -> None:
    remove_connections(session, [come(session, "Ben", sheet)])
    come(session, "Cleo", sheet)
    remove_process(session, PROCESS)
    assert seen(session, "Ann", sheet) == []


def test_a_process_that_died_without_a_word_is_gone_after_ten_seconds(session: Session, sheet: int) -> None:
    dead, slow = come(session, "Ben", sheet), come(session, "Cleo", sheet)
    age(session, dead, 11)
    age(session, slow, 9)
    assert seen(session, "Ann", sheet) == [(4, None, None)]
    remove_stale(session)
    assert session.scalars(text("SELECT connection_id FROM presence")).all() == [slow]


def test_lines_that_a_crash_of_the_database_took_come_back(session: Session, sheet: int) -> None:
    connection = come(session, "Ben", sheet, 1, 1)
    session.execute(text("DELETE FROM presence"))
    save_positions(session, PROCESS, [Position(connection, sheet, 3, 1, 1)])
    assert seen(session, "Ann", sheet) == [(3, 1, 1)]

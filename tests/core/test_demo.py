"""The demo workspace: believable, the same every time, finished even when it is cut off, and true to its own log."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access import get_access
from core.dashboard import figures
from core.demo import is_seeded, seed
from core.demo.seed import PIPELINE
from core.query import View
from core.sheets import sheets
from db.engine import make_engine, transaction
from tests.conftest import actor

TODAY = date(2026, 11, 20)


def lines(url: str, query: str) -> list[Any]:
    owner = make_engine(url, role=None)
    with owner.connect() as connection:
        found = [tuple(line) for line in connection.execute(text(query))]
    owner.dispose()
    return found


LOG = "SELECT version, row_id, column_id, kind, old, new, effective_at FROM changes WHERE sheet_id = 1 ORDER BY 1, 2, 3"


@pytest.fixture
def seeded(database: str) -> str:
    owner = make_engine(database, role=None)
    seed(owner, today=TODAY)
    owner.dispose()
    return database


def test_the_demo_is_a_living_pipeline(seeded: str) -> None:
    with transaction() as session:
        mine = {sheet.name: sheet.sheet_id for sheet in sheets(session, actor("Ann"))}
        access = get_access(session, actor("Ann"), mine[PIPELINE])
        found = figures(session, access, View(), today=TODAY)
    assert len(mine) == 3
    assert found.total == 600
    assert 90 <= found.headline.open_count <= 200
    assert found.headline.overdue_count > 5
    assert 0.3 <= float(found.headline.win_rate or 0) <= 0.6
    assert len(found.months) >= 16
    assert len(found.owners) == 4
    assert all(bar.count for bar in found.stages)


def test_its_history_reaches_back_eighteen_months(seeded: str) -> None:
    ((first, last, days, recorded),) = lines(
        seeded,
        """SELECT min(effective_at)::date, max(effective_at)::date, count(DISTINCT effective_at::date),
                  min(recorded_at)::date FROM changes WHERE sheet_id = 1""",
    )
    assert TODAY - timedelta(days=550) <= first <= TODAY - timedelta(days=540)
    assert last <= TODAY
    assert days > 300
    assert recorded > TODAY or recorded >= date(2026, 1, 1)


def test_replaying_its_log_gives_its_rows(seeded: str) -> None:
    state: dict[int, dict[str, Any]] = {}
    for _, row, column, kind, old, new, _ in lines(seeded, LOG):
        if kind == "add":
            state[row] = dict(new)
        else:
            assert state[row].get(str(column)) == old
            state[row][str(column)] = new
    rows = dict(lines(seeded, "SELECT row_id, values FROM rows WHERE sheet_id = 1"))
    assert {row: {k: v for k, v in cells.items() if v is not None} for row, cells in state.items()} == rows


def test_seeding_again_changes_nothing(seeded: str) -> None:
    before = lines(seeded, "SELECT count(*), max(version) FROM changes")
    owner = make_engine(seeded, role=None)
    seed(owner, today=TODAY + timedelta(days=3))
    owner.dispose()
    assert lines(seeded, "SELECT count(*), max(version) FROM changes") == before


def test_a_seeding_that_was_cut_off_is_finished_and_ends_the_same(seeded: str, clone: Callable[[], str]) -> None:
    """Killed in the middle of a day, and finished some days later: the same story, told once."""
    other = clone()
    owner = make_engine(other, role=None)

    def cut(done: int, _total: int) -> None:
        if done == 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed(owner, today=TODAY, tell=cut)
    with Session(owner) as session:
        assert not is_seeded(session)
    seed(owner, today=TODAY + timedelta(days=2))
    owner.dispose()
    assert lines(other, LOG) == lines(seeded, LOG)


def test_a_workspace_with_sheets_of_its_own_gets_no_demo(database: str) -> None:
    from core.sheets import create_sheet

    with transaction() as session:
        create_sheet(session, actor("Ann"), "Ours")
    owner = make_engine(database, role=None)
    seed(owner, today=TODAY)
    owner.dispose()
    assert lines(database, "SELECT name FROM sheets") == [("Ours",)]

"""The demo workspace: believable, the same every time, finished even when it is cut off, and true to its own log."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.demo.names import PEOPLE
from core.demo.seed import PIPELINE, is_seeded, seed
from core.demo.story import build_story
from core.pipeline.figures import figures
from core.rows.query import View
from core.sheets.sheets import sheets
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


@pytest.fixture(scope="module")
def seeded(clone: Callable[[], str]) -> str:
    """A workspace with the demo, made once: these tests only look at it."""
    url = clone()
    owner = make_engine(url, role=None)
    seed(owner, today=TODAY)
    owner.dispose()
    return url


def test_the_demo_is_a_living_pipeline(seeded: str) -> None:
    engine = make_engine(seeded)
    with Session(engine) as session:
        mine = {sheet.name: sheet.sheet_id for sheet in sheets(session, actor("Ann"))}
        access = get_access(session, actor("Ann"), mine[PIPELINE])
        found = figures(session, access, View(), today=TODAY)
    engine.dispose()
    assert len(mine) == 3
    assert found.total == 600
    assert 120 <= found.headline.open_count <= 165
    assert found.headline.overdue_count > 5
    assert 0.3 <= float(found.headline.win_rate or 0) <= 0.6
    assert len(found.months) >= 18
    assert all(month.closed.count for month in found.months[-17:])
    assert len(found.owners) == 4
    assert all(bar.count for bar in found.stages)
    rates = [one.win_rate or 0 for one in found.owners]
    assert max(rates) - min(rates) > 0.1


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 8, 16), date(2028, 2, 29)])
def test_the_story_is_believable_on_any_day_and_the_same_every_time(today: date) -> None:
    names = [name for name, _, _ in PEOPLE]
    story = build_story(today, names)
    assert story == build_story(today, names)
    state: dict[int, dict[str, str]] = {}
    for day in sorted(story.days):
        assert day <= today
        for event in story.days[day]:
            state.setdefault(event.deal, {}).update(event.cells)
    still = [deal for deal in state.values() if deal["Stage"] not in ("Won", "Lost")]
    assert len(state) == 600
    assert 120 <= len(still) <= 170
    assert 10 <= sum(deal["Expected close"] < today.isoformat() for deal in still) <= 40
    assert all("Lost reason" in deal for deal in state.values() if deal["Stage"] == "Lost")
    assert won_by(state, names[0]) - won_by(state, names[3]) > 0.1
    assert story.customers == {deal["Account"] for deal in state.values() if deal["Stage"] == "Won"}
    assert sum(len(events) for events in story.days.values()) > 1500


def won_by(state: dict[int, dict[str, str]], owner: str) -> float:
    """The win rate of a person of the story."""
    ends = [deal["Stage"] for deal in state.values() if deal["Owner"] == owner and deal["Stage"] in ("Won", "Lost")]
    return ends.count("Won") / len(ends)


def test_nothing_happens_in_the_future_when_the_story_ends_today(database: str) -> None:
    owner = make_engine(database, role=None)
    seed(owner, today=datetime.now(UTC).date())
    owner.dispose()
    assert lines(database, "SELECT count(*) FROM changes WHERE effective_at > recorded_at") == [(0,)]


def test_its_people_exist_and_cannot_sign_in(seeded: str) -> None:
    found = lines(seeded, "SELECT name, email, role FROM users WHERE password_hash IS NULL ORDER BY user_id")
    assert found == [*PEOPLE]


def test_accounts_and_contacts_belong_together(seeded: str) -> None:
    accounts = dict(lines(seeded, "SELECT values ->> '1', values ->> '8' FROM rows WHERE sheet_id = 2"))
    contacts = lines(seeded, "SELECT values ->> '1', values ->> '2', values ->> '4' FROM rows WHERE sheet_id = 3")
    won = lines(seeded, "SELECT DISTINCT values ->> '2' FROM rows WHERE sheet_id = 1 AND values ->> '3' = 'o5'")
    assert (len(accounts), len(contacts)) == (60, 90)
    assert {name for name, customer in accounts.items() if customer == "true"} == {name for (name,) in won}
    assert {account for _, account, _ in contacts} == set(accounts)
    assert len({email for _, _, email in contacts}) == 90
    assert all(email.endswith(".example.com") for _, _, email in contacts)


def test_its_progress_can_be_followed(database: str) -> None:
    seen: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        seen.append((done, total))

    owner = make_engine(database, role=None)
    seed(owner, today=TODAY, on_progress=tell)
    owner.dispose()
    total = seen[-1][1]
    assert [done for done, _ in seen][-1] == total
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


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
        seed(owner, today=TODAY, on_progress=cut)
    with Session(owner) as session:
        assert not is_seeded(session)
    seed(owner, today=TODAY + timedelta(days=2))
    owner.dispose()
    assert lines(other, LOG) == lines(seeded, LOG)


def test_a_workspace_with_sheets_of_its_own_gets_no_demo(database: str) -> None:
    from core.sheets.sheets import create_sheet

    with transaction() as session:
        create_sheet(session, actor("Ann"), "Ours")
    owner = make_engine(database, role=None)
    seed(owner, today=TODAY)
    owner.dispose()
    assert lines(database, "SELECT name FROM sheets") == [("Ours",)]

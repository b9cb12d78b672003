"""The line breaks, the server ends or hangs, the database goes away: pages say so, lose nothing, and are soon right."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import text

from db import engine as db
from tests.browser.people import Person
from tests.browser.test_together import stored
from tests.support.server.started import Started

DEAL, ACCOUNT, STAGE, AMOUNT = 0, 1, 2, 3
RIGHT_AGAIN_SECONDS = 5.0
Together = Callable[..., tuple[Person, Person, int]]


@pytest.fixture(scope="module")
def database_url(own_database: str) -> str:
    return own_database


@pytest.fixture(scope="module")
def server_at(own_server: Started) -> Started:
    return own_server


def edits(sheet: int, row: int) -> int:
    """How often a cell of this row was changed."""
    with db.transaction() as session:
        query = text("SELECT count(*) FROM changes WHERE sheet_id = :sheet AND row_id = :row AND kind = 'edit'")
        return int(session.scalar(query, {"sheet": sheet, "row": row}) or 0)


def right_within(person: Person, holds: Callable[[], bool], seconds: float = RIGHT_AGAIN_SECONDS) -> None:
    began = time.monotonic()
    person.until(holds, lambda: person.told(DEAL, 0))
    assert time.monotonic() - began <= seconds


def say_reconnecting(*people: Person) -> None:
    for one in people:
        one.until(lambda one=one: "Reconnecting" in one.saving, lambda one=one: f"{one.name} is told {one.saving!r}")  # type: ignore[misc]


@contextmanager
def database_away(server: str, url: str) -> Iterator[None]:
    """Nobody gets in, and whoever was in is thrown out."""
    name = url.split("@/")[1].partition("?")[0]
    with psycopg.connect(server.format(database="postgres"), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_ten_seconds_offline_lose_nothing_and_all_is_right_soon_after(together: Together) -> None:
    ann, ben, sheet = together()
    ann.context.set_offline(True)
    began = time.monotonic()
    ann.select(DEAL, 1)
    for n in range(4):
        ann.type(f"Offline {n}")
    ben.select(ACCOUNT, 8).type("From Ben meanwhile").saved()
    say_reconnecting(ann)
    ann.page.wait_for_timeout(max(0.0, began + 10 - time.monotonic()) * 1000)
    ann.type("Offline 4")
    assert "waiting" in ann.saving
    ann.context.set_offline(False)
    right_within(ann, lambda: "All changes saved" in ann.saving and ann.cell(ACCOUNT, 8) == "From Ben meanwhile")
    assert [stored(sheet, row, 1) for row in range(2, 7)] == [f"Offline {n}" for n in range(5)]
    assert [edits(sheet, row) for row in range(2, 7)] == [1] * 5
    ben.sees(DEAL, 5, "Offline 4")


@pytest.mark.exhaustive
def test_a_server_that_hangs_is_noticed_and_everything_arrives_once_it_goes_on(
    together: Together, server_at: Started
) -> None:
    ann, ben, sheet = together()
    ann.until(lambda: ann.page.get_by_test_id("grid-person").count() == 1)
    server_at.process.send_signal(signal.SIGSTOP)
    try:
        ann.select(DEAL, 2).type("Typed into silence")
        say_reconnecting(ann, ben)
    finally:
        server_at.process.send_signal(signal.SIGCONT)
    right_within(ann, lambda: "All changes saved" in ann.saving)
    right_within(ben, lambda: ben.cell(DEAL, 2) == "Typed into silence")
    assert edits(sheet, 3) == 1
    ann.until(lambda: ann.page.get_by_test_id("grid-person").count() == 1, "Ben is there again")


def test_a_database_that_is_away_is_said_and_typing_goes_on(
    together: Together, person: Callable[..., Person], server: str, database_url: str
) -> None:
    ann, ben, sheet = together()
    cleo = person("Cleo").signed_in(f"/dashboard?sheet={sheet}").says("Open deals")
    with database_away(server, database_url):
        ann.select(DEAL, 0).type("Typed without a database")
        say_reconnecting(ann, ben)
        ben.select(AMOUNT, 1).type("123456").select(DEAL, 3)
        ann.page.wait_for_timeout(4000)
    right_within(ann, lambda: "All changes saved" in ann.saving and "Reconnecting" not in ben.saving)
    right_within(ben, lambda: "All changes saved" in ben.saving and ben.cell(DEAL, 0) == "Typed without a database")
    ann.sees(AMOUNT, 1, ben.cell(AMOUNT, 1))
    assert (stored(sheet, 1, 1), stored(sheet, 2, 4)) == ("Typed without a database", "123456")
    assert (edits(sheet, 1), edits(sheet, 2)) == (1, 1)
    cleo.says("€ 128 k")
    assert "Traceback" not in (cleo.page.content() + ann.page.content())


@pytest.fixture
def restart(server_at: Started, database_url: str) -> Callable[[], None]:
    """End the server and start it again where it was; the new process ends with the module."""

    def again() -> None:
        server_at.stop(signal.SIGINT)
        started = Started(server_at.data, server_at.port, DATABASE_URL=database_url)
        server_at.process = started.process
        started.wait_until_ready()

    return again


def test_a_restart_of_the_server_interrupts_nobody(together: Together, restart: Callable[[], None]) -> None:
    ann, ben, sheet = together()
    for one in (ann, ben):
        one.page.get_by_test_id("live-grid").evaluate("grid => { grid.dataset.seen = 'before' }")
    ann.select(ACCOUNT, 2).type("Before, ", then="")
    restart()
    right_within(ben, lambda: "All changes saved" in ben.saving)
    ann.type("and after").saved()
    ben.sees(ACCOUNT, 2, "Before, and after")
    ben.select(DEAL, 4).type("Still here").saved()
    ann.sees(DEAL, 4, "Still here")
    assert (edits(sheet, 3), edits(sheet, 5)) == (1, 1)
    ann.page.wait_for_timeout(5000)  # The pages have looked once more, and nothing of them went away for a moment.
    for one in (ann, ben):
        assert one.page.get_by_test_id("live-grid").get_attribute("data-seen") == "before"


@pytest.mark.exhaustive
def test_what_is_typed_while_the_server_restarts_arrives_once(
    together: Together, server_at: Started, restart: Callable[[], None]
) -> None:
    ann, ben, sheet = together()
    ann.select(DEAL, 6)
    server_at.process.send_signal(signal.SIGKILL)
    server_at.process.wait()
    ann.type("While nobody").type("was there")
    say_reconnecting(ann, ben)
    restart()
    right_within(ann, lambda: "All changes saved" in ann.saving)
    right_within(ben, lambda: ben.cell(DEAL, 7) == "was there")
    assert [stored(sheet, row, 1) for row in (7, 8)] == ["While nobody", "was there"]
    assert [edits(sheet, row) for row in (7, 8)] == [1, 1]

"""Two processes behind nginx as we ship it: people at different ones work together, also when one is killed."""

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser
from sqlalchemy import text

from db import engine as db
from tests.browser.people import Person
from tests.browser.test_reconnect import edits, right_within
from tests.browser.test_together import stored
from tests.support.server.nginx import NGINX, nginx
from tests.support.server.started import Started, free_port

DEAL, ACCOUNT = 0, 1
AT_ONCE_SECONDS = 1.0
TRIES = 20

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def database_url(own_database: str) -> str:
    return own_database


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[str, list[Started]]]:
    """The public address, and the two processes behind it."""
    with TemporaryDirectory(prefix="cpair-", dir="/tmp") as made:
        folder = Path(made)
        folder.chmod(0o711)
        port = free_port()
        public = f"https://localhost:{port}"
        environment = {
            "DATABASE_URL": database_url,
            "CONTRIVANCE_PUBLIC_URL": public,
            "CONTRIVANCE_TOKEN_KEY": secrets.token_urlsafe(48),
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
        }
        with (
            Started(folder / "one", **environment) as one,
            Started(folder / "two", **environment) as two,
            nginx(folder, "localhost", [one.port, two.port], port, free_port()),
        ):
            yield public, [one, two]


@pytest.fixture
def apart(
    browser: Browser, pair: tuple[str, list[Started]], make_sheet: Callable[..., int]
) -> Iterator[tuple[Person, Person, int]]:
    """Ann and Ben with the same sheet open, each at a process of their own."""
    sheet, seated = make_sheet(12), list[Person]()

    def seat(name: str) -> Person:
        somebody = Person(browser, pair[0], name, ignore_https_errors=True)
        Person.sessions.clear()  # By its session's cookie a window has its process: each needs one of its own.
        seated.append(somebody.signed_in().open_sheet(sheet))
        return somebody

    ann, ben = seat("Ann"), seat("Ben")
    for _ in range(TRIES):
        ann.until(lambda: len(present(sheet)) == 2, "both are there")
        if len({process for _, process in present(sheet)}) == 2:
            break
        ben.context.close()  # A new window has a new cookie, and by it a process of its own.
        seated.remove(ben)
        ann.until(lambda: len(present(sheet)) == 1, "Ben has left")
        ben = seat("Ben")
    else:
        raise AssertionError(f"nginx had {TRIES} browsers at one process")
    yield ann, ben, sheet
    errors = [error for one in seated for error in one.errors]
    for one in seated:
        one.context.close()
    assert errors == []


def present(sheet: int) -> list[tuple[int, str]]:
    """Who is on the sheet, and at which process."""
    with db.transaction() as session:
        query = text("SELECT user_id, process_id::text FROM presence WHERE sheet_id = :sheet")
        return [(user, process) for user, process in session.execute(query, {"sheet": sheet})]


def mark(*people: Person) -> None:
    """Have a page know that it was not loaded again."""
    for one in people:
        one.page.evaluate("() => { window.sameWindow = true }")


def is_same_window(person: Person) -> bool:
    return bool(person.page.evaluate("() => window.sameWindow === true"))


@pytest.mark.exhaustive
def test_an_edit_at_one_process_appears_at_once_at_the_other(apart: tuple[Person, Person, int]) -> None:
    ann, ben, sheet = apart
    ann.select(DEAL, 0).type("Through the first")
    right_within(ben, lambda: ben.cell(DEAL, 0) == "Through the first", AT_ONCE_SECONDS)
    ben.select(DEAL, 1).type("Through the second")
    right_within(ann, lambda: ann.cell(DEAL, 1) == "Through the second", AT_ONCE_SECONDS)
    assert (stored(sheet, 1, 1), stored(sheet, 2, 1)) == ("Through the first", "Through the second")
    for one in (ann, ben):
        one.until(lambda one=one: one.page.get_by_test_id("grid-person").count() == 1, "the other is there")  # type: ignore[misc]


def test_a_conflict_across_processes_shows_both_values(apart: tuple[Person, Person, int]) -> None:
    ann, ben, sheet = apart
    ben.select(ACCOUNT, 3).type("Ben's", then="")
    ann.select(ACCOUNT, 3).type("Ann's").saved()
    ben.page.keyboard.press("Enter")
    ben.until(lambda: "attention" in ben.saving, lambda: ben.told(ACCOUNT, 3))
    assert stored(sheet, 4, 2) == "Ann's"
    ben.page.get_by_test_id("grid-saving").click()
    panel = ben.page.get_by_test_id("grid-attention")
    assert "Ben's" in (panel.text_content() or "")
    assert "Ann's" in (panel.text_content() or "")
    panel.get_by_role("button", name="Keep mine").first.click()
    ben.saved()
    ann.sees(ACCOUNT, 3, "Ben's")


@pytest.mark.parametrize(
    "killed", [pytest.param(0, id="the first"), pytest.param(1, id="the second", marks=pytest.mark.exhaustive)]
)
def test_when_one_process_is_killed_its_people_go_on_at_the_other(
    apart: tuple[Person, Person, int], pair: tuple[str, list[Started]], killed: int
) -> None:
    ann, ben, sheet = apart
    mark(ann, ben)
    ann.select(DEAL, 4).type("Half a wo", then="")
    ben.select(DEAL, 6)
    pair[1][killed].process.kill()
    pair[1][killed].process.wait()
    began = time.monotonic()
    ann.type("rd")
    ben.type("Right after")
    for one in (ann, ben):
        right_within(one, lambda one=one: "All changes saved" in one.saving)  # type: ignore[misc]
    right_within(ann, lambda: ann.cell(DEAL, 6) == "Right after")
    right_within(ben, lambda: ben.cell(DEAL, 4) == "Half a word")
    assert time.monotonic() - began < 10
    assert [stored(sheet, row, 1) for row in (5, 7)] == ["Half a word", "Right after"]
    assert [edits(sheet, row) for row in (5, 7)] == [1, 1]
    ben.select(ACCOUNT, 8).type("Goes on").saved()
    right_within(ann, lambda: ann.cell(ACCOUNT, 8) == "Goes on", AT_ONCE_SECONDS)
    assert is_same_window(ann)
    assert is_same_window(ben)
    assert "Traceback" not in ann.page.content() + ben.page.content()

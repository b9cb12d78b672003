"""The real server and a real Chromium, with the cast's sheets in a database that the modules share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from db import engine as db
from tests.browser.people import Person
from tests.conftest import actor, make_deals
from tests.support import chromium
from tests.support.server.started import Started

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
expect.set_options(timeout=15_000)  # Two tests at a time on two processors: what comes in a second may take some.
STAGES = ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for these tests; closed after them, because its event loop would be in the way of others."""
    path = chromium.find()
    if path is None:
        pytest.skip(chromium.MISSING)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        Person.free_contexts.clear()
        opened.close()


@pytest.fixture(scope="session")
def database_url(clone: Callable[[], str]) -> str:
    """One database for the browser tests of a worker. A module that changes people in it overrides this by its own."""
    return clone()


@pytest.fixture(scope="session")
def server_at(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The product on that database, started as `make run` starts it."""
    with Started(data_folder(tmp_path_factory), DATABASE_URL=database_url) as started:
        yield started


@pytest.fixture(scope="module")
def own_database(clone: Callable[[], str]) -> str:
    """A database of the module's own."""
    return clone()


@pytest.fixture(scope="module")
def own_server(own_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A server of the module's own, on its database."""
    with Started(data_folder(tmp_path_factory), DATABASE_URL=own_database) as started:
        yield started


def data_folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("browser") / "data"


@pytest.fixture
def make_sheet(database_url: str) -> Iterator[Callable[..., int]]:
    """A fresh pipeline of Ann's with some deals: Ben edits it, Cleo reads it."""
    engine = db.make_engine(database_url)
    db.bind(engine, join_transaction_mode="conditional_savepoint")

    def make(deals: int = 12) -> int:
        with db.transaction() as session:
            sheet_id = make_deals(session).sheet.sheet_id
        add(sheet_id, [deal(number) for number in range(1, deals + 1)])
        return sheet_id

    yield make
    engine.dispose()
    db.bind(None)


def deal(number: int) -> dict[int, str]:
    stage, account = STAGES[number % 6], f"Account {number % 3}"
    return {1: f"Deal {number}", 2: account, 3: stage, 4: f"{number * 100}", 6: "2026-01-05", 7: "2026-03-10"}


def add(sheet_id: int, rows: list[dict[int, str]], who: str = "Ann") -> Any:
    """Add rows in a transaction of their own, as another program would."""
    adds = tuple(
        NewRow(str(n), {column: CellInput(text) for column, text in row.items()}) for n, row in enumerate(rows)
    )
    with db.transaction() as session:
        return write(session, actor(who), sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)


@pytest.fixture
def person(browser: Browser, server_at: Started) -> Iterator[Callable[..., Person]]:
    """Seat somebody: person("Ann"). Whatever a page throws fails the test."""
    seated: list[Person] = []

    def seat(name: str, **options: Any) -> Person:
        made = Person(browser, server_at.url.replace("127.0.0.1", "localhost"), name, **options)
        seated.append(made)
        return made

    yield seat
    errors = [error for one in seated for error in one.errors]
    for one in seated:
        one.leave()
    assert errors == []


@pytest.fixture
def together(
    person: Callable[..., Person], make_sheet: Callable[..., int]
) -> Callable[..., tuple[Person, Person, int]]:
    """Ann and Ben with the same sheet open."""

    def open_both(deals: int = 12) -> tuple[Person, Person, int]:
        sheet = make_sheet(deals)
        ann, ben = (person(name).known().go_to_sheet(sheet) for name in ("Ann", "Ben"))
        return ann.has_rows(), ben.has_rows(), sheet

    return open_both

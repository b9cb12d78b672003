"""Two processes on one database: a change and a person are the same on both, also when one of them is killed."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from db import engine as db
from tests.conftest import PASSWORD, actor, make_deals
from tests.support.server.started import Started

GONE_SECONDS = 15.0

pytestmark = pytest.mark.slow


@pytest.fixture
def pair(database: str, tmp_path: Path) -> Iterator[tuple[Started, Started]]:
    with (
        Started(tmp_path / "one", DATABASE_URL=database) as one,
        Started(tmp_path / "two", DATABASE_URL=database) as two,
    ):
        yield one, two


@pytest.fixture
def sheet(database: str) -> int:
    with db.transaction() as session:
        return make_deals(session).sheet.sheet_id


@pytest.fixture
def opened(sheet: int) -> Iterator[Callable[[Started, str], ClientConnection]]:
    """Somebody's live socket of the sheet at one of the processes."""
    sockets: list[ClientConnection] = []

    def open_at(server: Started, name: str) -> ClientConnection:
        body = {"email": f"{name.lower()}@example.com", "password": PASSWORD}
        token = httpx.post(f"{server.url}/api/v1/auth/login", json=body).json()["access_token"]
        url = f"{server.url.replace('http', 'ws')}/api/v1/sheets/{sheet}/live"
        sockets.append(connect(url, additional_headers={"Authorization": f"Bearer {token}"}))
        sockets[-1].send('{"cell": null}')
        return sockets[-1]

    yield open_at
    for socket in sockets:
        socket.close()


def until(socket: ClientConnection, holds: Callable[[dict[str, Any]], bool], seconds: float) -> float:
    """How long it takes until the socket says something that holds."""
    began = time.monotonic()
    while not holds(json.loads(socket.recv(timeout=seconds))):
        assert time.monotonic() - began < seconds
    return time.monotonic() - began


def there(*expected: tuple[str, int | None]) -> Callable[[dict[str, Any]], bool]:
    """That just these people, by name and row, are told to be there."""
    known = sorted((actor(name).user_id, row or 0) for name, row in expected)
    return lambda said: (
        sorted((one["user"], one["row"] or 0) for one in said.get("present", [{"user": 0, "row": 0}])) == known
    )


def test_people_and_changes_at_one_process_are_told_at_the_other(
    pair: tuple[Started, Started], sheet: int, opened: Callable[[Started, str], ClientConnection]
) -> None:
    ann, ben = opened(pair[0], "Ann"), opened(pair[1], "Ben")
    until(ann, there(("Ann", None), ("Ben", None)), 5)
    with db.transaction() as session:
        adds = (NewRow("new", {1: CellInput("One")}),)
        write(session, actor("Ann"), sheet, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    assert until(ben, lambda said: said.get("version") == 1, 5) < 1
    ben.send('{"cell": [1, 1]}')
    assert until(ann, there(("Ann", None), ("Ben", 1)), 5) < 1
    ben.close()
    assert until(ann, there(("Ann", None)), 5) < 1


@pytest.mark.parametrize(
    ("how", "seconds"), [pytest.param(signal.SIGINT, 9.0, marks=pytest.mark.exhaustive), (signal.SIGKILL, GONE_SECONDS)]
)
def test_whoever_was_at_a_process_that_ended_is_gone(
    pair: tuple[Started, Started],
    opened: Callable[[Started, str], ClientConnection],
    how: signal.Signals,
    seconds: float,
) -> None:
    ann, _ = opened(pair[0], "Ann"), opened(pair[1], "Ben")
    until(ann, there(("Ann", None), ("Ben", None)), 5)
    pair[1].process.send_signal(how)
    assert until(ann, there(("Ann", None)), seconds + 5) < seconds
    pair[1].process.wait(30)

"""Presence on the live sockets: who is on the sheet and in which cell, for those who may see it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import WebSocketTestSession

from tests.api.conftest import ACCOUNT, DEAL, People, Person
from tests.api.live.test_socket import closed, watching

ANN, BEN, CLEO = 2, 3, 4
NO_CELLS = [
    *("", "[]", "{}", "7", "nonsense", "[" * 190, '{"cell": [1, 1], "more": "' + "x" * 300 + '"}'),
    *('{"cell": 7}', '{"cell": [1]}', '{"cell": [1, 2, 3]}', '{"cell": ["1", 1]}', '{"cell": [0, 1]}'),
    *('{"cell": [-1, 1]}', '{"cell": [true, 1]}', '{"cell": [1.5, 1]}', '{"cell": [99999999999, 1]}'),
]


def here(socket: WebSocketTestSession, *cell: int) -> None:
    socket.send_json({"cell": list(cell) or None})


def told(socket: WebSocketTestSession, *expected: tuple[int, int | None, int | None]) -> float:
    """How many seconds pass until the socket says that just these (user, row, column) are there."""
    began = time.monotonic()
    while True:
        found = socket.receive_json().get("present")
        if found is not None and sorted(map(place, found), key=str) == sorted(expected, key=str):
            return time.monotonic() - began
        assert time.monotonic() - began < 6, f"{found} is not {expected}"


def place(one: dict[str, Any]) -> tuple[int, int | None, int | None]:
    return one["user"], one["row"], one["column"]


@contextmanager
def on_the_sheet(*people: Person) -> Iterator[list[WebSocketTestSession]]:
    """These people with the sheet open, each of them told of all."""
    if not people:
        yield []
        return
    with watching(people[0]) as socket:
        here(socket)
        with on_the_sheet(*people[1:]) as others:
            yield [socket, *others]


def test_two_people_see_each_other_and_where_they_go(live_people: People) -> None:
    ann, ben = live_people("Ann"), live_people("Ben")
    ann.add({DEAL: "One"}, {DEAL: "Two"})
    with on_the_sheet(ann, ben) as (hers, his):
        told(hers, (ANN, None, None), (BEN, None, None))
        here(his, 1, DEAL)
        assert told(hers, (ANN, None, None), (BEN, 1, DEAL)) < 1
        here(his, 2, ACCOUNT)
        assert told(hers, (ANN, None, None), (BEN, 2, ACCOUNT)) < 1
        here(hers, 2, ACCOUNT)
        told(his, (ANN, 2, ACCOUNT), (BEN, 2, ACCOUNT))


def test_a_viewer_is_seen_like_anybody(live_people: People) -> None:
    with on_the_sheet(live_people("Ann"), live_people("Cleo")) as (hers, _):
        told(hers, (ANN, None, None), (CLEO, None, None))


def test_whoever_closes_the_sheet_is_gone_at_once(live_people: People) -> None:
    with on_the_sheet(live_people("Ann")) as (hers,):
        with on_the_sheet(live_people("Ben")):
            told(hers, (ANN, None, None), (BEN, None, None))
        assert told(hers, (ANN, None, None)) < 1


def test_whoever_only_listens_is_neither_seen_nor_told(live_people: People) -> None:
    ann, ben = live_people("Ann"), live_people("Ben")
    with watching(ben) as his, on_the_sheet(ann) as (hers,):
        told(hers, (ANN, None, None))
        ann.add({DEAL: "One"})
        assert [his.receive_json() for _ in range(2)] == [{"version": 0}, {"version": 1}]


def test_whoever_loses_the_sheet_is_gone_and_told_nothing_more(live_people: People) -> None:
    ann = live_people("Ann")
    with on_the_sheet(ann, live_people("Cleo")) as (hers, cleos):
        told(hers, (ANN, None, None), (CLEO, None, None))
        ann.ask("DELETE", "/sheets/{sheet}/collaborators/4")
        assert closed(cleos) == 4404
        told(hers, (ANN, None, None))


@pytest.mark.parametrize("said", NO_CELLS)
def test_what_is_no_cell_is_ignored(live_people: People, said: str) -> None:
    ann = live_people("Ann")
    ann.add({DEAL: "One"})
    with on_the_sheet(ann, live_people("Ben")) as (hers, his):
        told(hers, (ANN, None, None), (BEN, None, None))
        his.send_text(said)
        here(hers, 1, DEAL)
        told(his, (ANN, 1, DEAL), (BEN, None, None))


def test_a_row_that_nobody_knows_is_not_told(live_people: People) -> None:
    ann = live_people("Ann")
    ann.add({DEAL: "One"})
    with on_the_sheet(ann, live_people("Ben")) as (hers, his):
        here(his, 12345, DEAL)
        here(hers, 1, 12345)
        told(his, (ANN, 1, None), (BEN, None, None))

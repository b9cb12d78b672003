"""Live: a socket hears of every change within a second, and closes when the right to hear is gone."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from api.live import hub as api_live
from api.live import socket as live_routes
from api.live.hub import Hub
from api.live.socket_state import ChangesMessage, Reader, SocketState
from core.accounts.accounts import deactivate
from core.base.actor import Actor
from core.base.permissions import Role
from core.base.pg_notify import RIGHTS_CHANNEL
from db import engine as db
from tests.api.conftest import AMOUNT, DEAL, OWNER, People, Person
from tests.conftest import actor


@contextmanager
def watching(who: Person) -> Iterator[WebSocketTestSession]:
    headers = {"Authorization": f"Bearer {who.token}"} if who.token else {}
    client: Any = who.client
    with client.websocket_connect(f"/api/v1/sheets/{who.sheet}/live", headers=headers) as socket:
        yield socket


def until(socket: WebSocketTestSession, version: int) -> float:
    """How many seconds pass until the socket says this version."""
    began = time.monotonic()
    while True:
        said = socket.receive_json()
        if said["version"] >= version and "away" not in said:
            return time.monotonic() - began
        assert time.monotonic() - began < 10


def closed(socket: WebSocketTestSession) -> int:
    """The code with which the socket is closed."""
    with pytest.raises(WebSocketDisconnect) as gone:
        for _ in range(20):
            socket.receive_json()
    return gone.value.code


def test_a_socket_says_the_version_at_once_and_after_an_edit(live_people: People) -> None:
    ann, cleo = live_people("Ann"), live_people("Cleo")
    with watching(cleo) as socket:
        assert socket.receive_json() == {"version": 0}
        ann.add({DEAL: "Heard"})
        assert until(socket, 1) < 1


def test_an_edit_is_told_once_though_three_ways_lead_to_the_socket(live_people: People) -> None:
    """The process that wrote it, the database's notice and the comparing by the clock."""
    ann, cleo = live_people("Ann"), live_people("Cleo")
    (row,) = ann.add({DEAL: "First"})
    with watching(cleo) as socket:
        until_quiet(socket)
        assert ann.edit(row, DEAL, "Second").is_success
        assert [one for one in until_quiet(socket) if "present" not in one] == [{"version": 2}]


def until_quiet(socket: WebSocketTestSession) -> list[Any]:
    """What the socket says until nothing is new for the time of a heartbeat."""
    said: list[Any] = []
    while not said or "beat" not in said[-1]:
        said.append(socket.receive_json())
    return said[:-1]


def reader(*, user_id: int = 1, version: int = 0) -> Reader:
    return Reader(Actor(user_id, "Ann", "ann@example.com", Role.MEMBER), version, columns_version=1, scope="")


@pytest.mark.parametrize(
    ("steps", "news"),
    [
        ([("wrote", 5), ("heard", 5)], [True, False]),
        ([("heard", 5), ("wrote", 5)], [True, False]),
        ([("wrote", 5), ("heard", 5), ("heard", 5)], [True, False, True]),
        ([("heard", 4)], [True]),
        ([("wrote", 6), ("heard", 5), ("heard", 6), ("heard", 7)], [True, False, False, True]),
        ([("compared", 4), ("compared", 5), ("wrote", 5), ("heard", 5)], [False, True, False, False]),
        ([("heard", 5), ("compared", 5), ("heard", 5)], [True, False, True]),
    ],
    ids=[
        "told at once",
        "heard first",
        "columns moved",
        "columns moved before any edit",
        "another process",
        "compared first",
        "columns moved after comparing",
    ],
)
def test_what_was_told_when_it_was_written_is_not_told_again(steps: list[tuple[str, int]], news: list[bool]) -> None:
    hub = Hub()
    state = hub.watch(7, reader(version=4))
    assert '"beat"' not in state.messages()[0]
    found = []
    for way, version in steps:
        if way == "wrote":
            hub.publish(7, version)
        elif way == "compared":
            state.compare(version, 1)
        else:
            hub._dispatch("sheet_changes", f"7:{version}")
        found.append('"beat"' not in state.messages()[0])
    assert found == news


def news(socket: WebSocketTestSession, version: int) -> dict[str, Any]:
    """The message that brings this version as something new."""
    for _ in range(20):
        said = socket.receive_json()
        if said.get("version", 0) >= version and not said.get("beat"):
            return dict(said)
    raise AssertionError(said)


def test_who_follows_is_told_what_changed_in_the_words_of_the_api(live_people: People) -> None:
    ann, cleo = live_people("Ann"), live_people("Cleo")
    (row,) = ann.add({DEAL: "First"})
    with watching(cleo) as socket:
        assert socket.receive_json() == {"version": 1}
        socket.send_json({"since": 1})
        ann.edit(row, DEAL, "Second")
        said = news(socket, 2)
        changes = cleo.ask("GET", "/sheets/{sheet}/changes", params={"since": 1}).json()
        assert said == {"version": 2, "since": 1, "changes": changes}
        assert changes["rows"][0]["values"] == {str(DEAL): "Second"}
        ann.edit(row, DEAL, "Third")
        said = news(socket, 3)
        assert said["since"] == 2, "they need not say again what they have"
        assert said["changes"]["rows"][0]["values"] == {str(DEAL): "Third"}


def test_who_follows_is_told_of_changed_columns_too(live_people: People) -> None:
    ann, cleo = live_people("Ann"), live_people("Cleo")
    ann.add({DEAL: "First"})
    with watching(cleo) as socket:
        before = cleo.ask("GET", "/sheets/{sheet}/changes", params={"since": 1}).json()["columns_version"]
        socket.receive_json()
        socket.send_json({"since": 1})
        ann.ask("PATCH", f"/sheets/{{sheet}}/columns/{AMOUNT}", json={"name": "Worth"})
        said = news(socket, 1)
        assert said["since"] == 1
        assert said["changes"]["rows"] == []
        assert said["changes"]["columns_version"] > before


def test_who_follows_is_told_only_what_they_may_see(live_people: People) -> None:
    ann, ben = live_people("Ann"), live_people("Ben")
    dans, other = ann.add({DEAL: "Dan's", OWNER: str(actor("Dan").user_id)}, {DEAL: "Other", AMOUNT: "1"})
    with db.transaction() as session:
        share = "INSERT INTO collaborators (sheet_id, user_id, level, row_scope) VALUES (:sheet, :dan, 'viewer', 'own')"
        session.execute(text(share), {"sheet": ann.sheet, "dan": actor("Dan").user_id})
    ann.ask("PUT", f"/sheets/{{sheet}}/columns/{AMOUNT}/limits", json={"editor": "hidden"})
    dan = live_people("Dan")
    with watching(dan) as his, watching(ben) as bens:
        for socket in (his, bens):
            socket.receive_json()
            socket.send_json({"since": 1})
        edits = [(other, AMOUNT, "4711"), (other, DEAL, "Theirs"), (dans, DEAL, "Mine")]
        ann.change(edits=[{"row": row, "column": column, "value": value} for row, column, value in edits])
        told = {name: json.dumps(news(socket, 2)) for name, socket in (("Dan", his), ("Ben", bens))}
        assert '"since": 1' in told["Dan"]
        assert "Mine" in told["Dan"]
        assert "Theirs" not in told["Dan"]
        assert "4711" not in told["Dan"]
        assert "Theirs" in told["Ben"]
        assert "4711" not in told["Ben"]


def test_whose_right_is_gone_is_told_nothing_any_more(live_people: People) -> None:
    ann, cleo = live_people("Ann"), live_people("Cleo")
    (row,) = ann.add({DEAL: "First"})
    with watching(cleo) as socket:
        socket.receive_json()
        socket.send_json({"since": 1})
        # Without a notice of it, as where that one is lost: what changed is read by the rights of this moment.
        with db.transaction() as session:
            session.execute(text("DELETE FROM collaborators WHERE user_id = :id"), {"id": actor("Cleo").user_id})
            session.execute(text("UPDATE sheets SET workspace_level = NULL WHERE sheet_id = :s"), {"s": ann.sheet})
        ann.edit(row, DEAL, "Secret")
        assert news(socket, 2) == {"version": 2}


def test_of_very_much_only_the_version_is_told(live_people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, cleo = live_people("Ann"), live_people("Cleo")
    (row,) = ann.add({DEAL: "First"})
    monkeypatch.setattr(live_routes, "MAX_CHANGES_BYTES", 50)
    with watching(cleo) as socket:
        socket.receive_json()
        socket.send_json({"since": 1})
        ann.edit(row, DEAL, "Second")
        assert news(socket, 2) == {"version": 2}


@pytest.mark.parametrize(
    "happens", [lambda state: state.push_version(8), lambda state: state.push_version(7), SocketState.require_recheck]
)
def test_what_comes_while_the_changes_are_read_is_told_next(happens: Callable[[SocketState], None]) -> None:
    """A version more, the same once more (other columns), other rights."""
    state = SocketState(1, 1)
    state.push_version(7)
    state.subscribe(6)
    assert state.next_since() == 6
    happens(state)
    assert state.messages(ChangesMessage(6, 7, b"{}")) == ['{"version": 7, "since": 6, "changes": {}}']
    assert state.next_since() == 7
    state.restore()
    assert state.messages() == [json.dumps({"version": state.version})]
    assert state.next_since() is None


@pytest.mark.parametrize(
    "said", ['{"since": "1"}', '{"since": -1}', '{"since": true}', '{"since": null}', "[1]", "since"]
)
def test_whoever_says_nonsense_is_told_versions(live_people: People, said: str) -> None:
    ann, cleo = live_people("Ann"), live_people("Cleo")
    (row,) = ann.add({DEAL: "First"})
    with watching(cleo) as socket:
        socket.receive_json()
        socket.send_text(said)
        ann.edit(row, DEAL, "Second")
        assert news(socket, 2) == {"version": 2}


def test_changed_columns_are_heard_of_too(live_people: People) -> None:
    ann = live_people("Ann")
    with watching(ann) as socket:
        assert socket.receive_json() == {"version": 0}
        ann.ask("POST", "/sheets/{sheet}/columns", json={"name": "New", "type": "text"})
        assert socket.receive_json() == {"version": 0}


def test_a_program_may_say_its_token_first(live_people: People) -> None:
    ann = live_people("Ann")
    with watching(Person(ann.client, "", ann.sheet)) as socket:
        socket.send_json({"token": ann.token})
        assert socket.receive_json() == {"version": 0}


@pytest.mark.parametrize("said", ["{}", "[]", "nonsense", '{"token": "forged"}', '{"token": 7}'])
def test_a_socket_without_a_session_is_closed(live_people: People, said: str) -> None:
    with watching(live_people("nobody")) as socket:
        socket.send_text(said)
        assert closed(socket) == 4401


def test_a_strangers_socket_is_closed(live_people: People) -> None:
    with watching(live_people("Dan")) as socket:
        assert closed(socket) == 4404


def test_a_socket_closes_when_the_sheet_is_taken_away(live_people: People) -> None:
    ann, cleo = live_people("Ann"), live_people("Cleo")
    with watching(cleo) as socket:
        socket.receive_json()
        ann.ask("DELETE", "/sheets/{sheet}/collaborators/4")
        assert closed(socket) == 4404


def test_a_socket_of_an_archived_sheet_goes_on_for_its_readers(live_people: People) -> None:
    """Archived is read-only, not gone: whoever may read it still hears of its return."""
    ann, cleo = live_people("Ann"), live_people("Cleo")
    with watching(cleo) as socket:
        socket.receive_json()
        assert ann.ask("POST", "/sheets/{sheet}/archive").is_success
        assert socket.receive_json()["version"] == 0


def test_a_socket_closes_when_its_person_is_deactivated(live_people: People) -> None:
    cleo = live_people("Cleo")
    with watching(cleo) as socket:
        socket.receive_json()
        with db.transaction() as session:
            deactivate(session, actor("Ada"), actor("Cleo").user_id)
        assert closed(socket) == 4401


def test_a_socket_closes_when_its_session_ends(live_people: People) -> None:
    cleo = live_people("Cleo")
    with watching(cleo) as socket:
        socket.receive_json()
        cleo.ask("POST", "/auth/logout")
        assert closed(socket) == 4401


def test_a_person_has_a_bounded_number_of_sockets(live_people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_live, "MAX_SOCKETS_PER_CLIENT", 1)
    cleo = live_people("Cleo")
    with watching(cleo) as first:
        first.receive_json()
        with watching(cleo) as second:
            assert closed(second) == 4429
    with watching(cleo) as again:
        assert again.receive_json() == {"version": 0}


END_LISTENER = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'contrivance live' AND datname = current_database()
"""


def test_a_change_while_nobody_listened_is_heard_of_afterwards(live_people: People, database: str) -> None:
    ann = live_people("Ann")
    with watching(ann) as socket:
        socket.receive_json()
        with psycopg.connect(database, autocommit=True) as connection:
            ended = None
            for _ in range(100):  # The hub connects behind the start: there may be nobody to end yet.
                ended = ended or connection.execute(END_LISTENER).fetchone()
                time.sleep(0 if ended else 0.05)
            assert ended == (True,)
        ann.add({DEAL: "While away"})
        assert until(socket, 1) < 5


def test_a_lost_notice_is_made_good_by_comparing(database: str) -> None:
    async def lose() -> int:
        own = Hub()
        state = own.watch(1, reader())
        await own.start(database)
        async with asyncio.timeout(10):
            await own.connected.wait()
            with psycopg.connect(database) as connection:
                connection.execute(
                    "INSERT INTO sheets (owner_id, name, version) OVERRIDING SYSTEM VALUE VALUES (1, 'Quiet', 7)"
                )
                connection.execute("UPDATE sheets SET sheet_id = 1")
            while state.version < 7:
                await state.wait(1)
        await own.stop()
        return state.version

    assert asyncio.run(lose()) == 7


def test_a_withdrawn_right_is_heard_of_also_where_it_comes_with_an_answer(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def withdraw() -> None:
        own = Hub()
        state = own.watch(1, reader())

        async def compare(_hub: Hub, connection: "psycopg.AsyncConnection[Any]") -> None:
            state.needs_recheck = False
            await connection.execute("SELECT pg_notify(%s, 'user:1')", [RIGHTS_CHANNEL])

        monkeypatch.setattr(Hub, "_compare", compare)
        await own.start(database)
        async with asyncio.timeout(10):
            await own.connected.wait()
            while not state.needs_recheck:
                await state.wait(1)
        await own.stop()

    asyncio.run(withdraw())


def test_a_slow_reader_holds_up_nobody() -> None:
    async def wake() -> tuple[int, bool]:
        own = Hub()
        slow, quick = own.watch(1, reader()), own.watch(1, reader(user_id=2))
        assert await quick.wait(1)
        for version in range(1, 1001):
            own._push(1, version)
            assert await quick.wait(1)
        assert await slow.wait(1)
        return slow.version, await slow.wait(0.01)

    assert asyncio.run(wake()) == (1000, False), "a thousand wakes are one piece of news"


def test_of_who_is_there_a_slow_reader_is_told_the_latest_only() -> None:
    state = Hub().watch(1, reader())
    assert state.messages() == ['{"version": 0}']
    for present in ("first", "second", "second"):
        state.push_presence(present)
    assert state.messages() == ["second"]
    state.push_presence("second")
    assert state.messages() == ['{"version": 0, "beat": true}'], "the same again is no news"


def test_a_sign_of_life_is_told_from_news(live_people: People) -> None:
    with watching(live_people("Cleo")) as socket:
        while "beat" not in (said := socket.receive_json()):
            assert said == {"version": 0}
        assert said == {"version": 0, "beat": True}


def test_an_editors_answer_does_not_wait_for_those_who_do_not_read(live_people: People) -> None:
    ann = live_people("Ann")
    ann.add({DEAL: "First"})
    with contextlib.ExitStack() as open_sockets:
        for _ in range(20):
            open_sockets.enter_context(watching(live_people("Cleo")))
        began = time.monotonic()
        for number in range(20):
            assert ann.edit(1, DEAL, f"Edit {number}").status_code == 200
        assert time.monotonic() - began < 5


def test_a_database_that_is_away_is_said_and_the_socket_is_right_again(
    live_people: People, database: str, server: str
) -> None:
    ann = live_people("Ann")
    ann.add({DEAL: "Before"})
    with watching(ann) as socket:
        until(socket, 1)
        with away(server, database):
            while "away" not in socket.receive_json():
                pass
        began = time.monotonic()
        ann.add({DEAL: "After"})
        until(socket, 2)
        assert time.monotonic() - began < 5


@contextmanager
def away(server: str, url: str) -> Iterator[None]:
    """Nobody gets into the database, and whoever was in is thrown out."""
    name = url.split("@/")[1].partition("?")[0]
    with psycopg.connect(server.format(database="postgres"), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

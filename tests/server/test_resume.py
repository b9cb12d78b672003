"""Whoever knows the id of somebody's page cannot take it over, nor change its uploads; asked from outside."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from core.credentials.sessions import session_of_token, start_session
from db import engine as db
from tests.conftest import actor
from tests.support.server.started import Started

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database_url(clone: Callable[[], str]) -> str:
    return clone()


@pytest.fixture(scope="module")
def started(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder: Path = tmp_path_factory.mktemp("resume") / "data"
    with Started(folder, DATABASE_URL=database_url) as running:
        yield running


@pytest.fixture
def cookies(database_url: str) -> Iterator[dict[str, str]]:
    """The cookie of each of two people, and of nobody."""
    engine = db.make_engine(database_url)
    db.bind(engine)
    with db.transaction() as session:
        made = {
            name: start_session(session, actor(name).user_id, kind="browser", address=None, user_agent="")[1]
            for name in ("Ann", "Ben")
        }
    yield {name: f"contrivance_session={token}" for name, token in made.items()} | {"nobody": "other=1"}
    db.bind(None)
    engine.dispose()


def page(started: Started, cookie: str, resume: str = "", **claims: str) -> ClientConnection:
    """A page's socket; `resume` is the id of the page that it claims to have been, `claims` are headers."""
    named = ["streamlit", "x", resume] if resume else ["streamlit"]
    return connect(
        f"{started.url.replace('http', 'ws')}/_stcore/stream",
        origin=Origin(started.url),
        subprotocols=[Subprotocol(one) for one in named],
        additional_headers={"Cookie": cookie} | claims,
        max_size=None,
        proxy=None,
    )


def id_of(socket: ClientConnection) -> str:
    """Run the page once; the id that the server has given it."""
    asked = BackMsg()
    asked.rerun_script.query_string = ""
    socket.send(asked.SerializeToString())
    while True:
        told = ForwardMsg.FromString(bytes(socket.recv(timeout=20)))  # type: ignore[arg-type]
        if told.WhichOneof("type") == "new_session":
            return str(told.new_session.initialize.session_id)


def test_ones_own_page_is_taken_up_again(started: Started, cookies: dict[str, str]) -> None:
    """Without this the tests below would show nothing."""
    with page(started, cookies["Ann"]) as socket:
        mine = id_of(socket)
    with page(started, cookies["Ann"], mine) as socket:
        assert id_of(socket) == mine


@pytest.mark.parametrize("thief", ["Ben", "nobody"])
def test_a_page_in_use_stays_its_persons(started: Started, cookies: dict[str, str], thief: str) -> None:
    with page(started, cookies["Ann"]) as socket:
        mine = id_of(socket)
        with page(started, cookies[thief], mine) as stolen:
            assert id_of(stolen) != mine
        assert id_of(socket) == mine
    assert mine not in started.text()  # Though Streamlit warns of it by name.


@pytest.mark.parametrize("thief", ["Ben", "nobody"])
def test_a_page_that_was_left_waits_for_its_person_alone(started: Started, cookies: dict[str, str], thief: str) -> None:
    with page(started, cookies["Ann"]) as socket:
        mine = id_of(socket)
    with page(started, cookies[thief], mine) as stolen:
        assert id_of(stolen) != mine
    with page(started, cookies["Ann"], mine) as socket:
        assert id_of(socket) == mine


def test_neither_does_a_header_take_it(started: Started, cookies: dict[str, str]) -> None:
    with page(started, cookies["Ann"]) as socket:
        mine = id_of(socket)
        with db.transaction() as session:
            found = session_of_token(session, cookies["Ann"].partition("=")[2])
        assert found
        with page(started, "other=1", mine, **{"X-Contrivance-Session": str(found.session_id)}) as stolen:
            assert id_of(stolen) != mine


def upload(started: Started, method: str, cookie: str, page_id: str, file_id: str) -> int:
    """As a page's own form sends a file, or takes it back."""
    files = {"file": ("people.csv", b"Name\nAnn\n", "text/csv")} if method == "PUT" else None
    xsrf = httpx.get(f"{started.url}/_stcore/health").cookies["_streamlit_xsrf"]
    headers = {"Origin": started.url, "X-Xsrftoken": xsrf, "Cookie": f"{cookie}; _streamlit_xsrf={xsrf}"}
    address = f"{started.url}/_stcore/upload_file/{page_id}/{file_id}"
    return httpx.request(method, address, headers=headers, files=files).status_code


def test_a_colleague_neither_swaps_nor_deletes_anothers_upload(started: Started, cookies: dict[str, str]) -> None:
    with page(started, cookies["Ann"]) as socket:
        mine, file = id_of(socket), str(uuid4())
        assert upload(started, "PUT", cookies["Ann"], mine, file) == 204
        for method in ("PUT", "DELETE"):
            assert upload(started, method, cookies["Ben"], mine, file) == 404
            assert upload(started, method, cookies["nobody"], mine, file) == 401
        assert upload(started, "DELETE", cookies["Ann"], mine, file) == 204
    assert upload(started, "PUT", cookies["Ann"], mine, file) == 404  # The page is closed.
    assert mine not in started.text()
    assert file not in started.text()

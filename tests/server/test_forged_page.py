"""Pages by forged messages: what is not offered to somebody is not run, however their browser asks for it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.util import calc_hash
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from core.base.permissions import ROLE_PERMISSIONS
from core.credentials.sessions import start_session
from db import engine as db
from pages.components.app.navigation import PAGES
from tests.conftest import actor
from tests.support.server.started import Started

pytestmark = pytest.mark.slow
COOKIE = "contrivance_session"
HEADINGS = {
    "audit": "Who did what to accounts, shares and sheets, all over",
    "people": "Make an invitation link",
    "teams": "Create the team",
    "settings": "New money columns use it",
    "security": "Signed in now",
    "system": "Look again",
    "sheets": "New sheet",
}


@pytest.fixture(scope="module")
def database_url(clone: Callable[[], str]) -> str:
    return clone()


@pytest.fixture(scope="module")
def started(database_url: str) -> Iterator[Started]:
    with TemporaryDirectory(prefix="cforged-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        with Started(Path(folder) / "data", DATABASE_URL=database_url) as running:
            yield running


@pytest.fixture
def cookie(database_url: str) -> Iterator[Callable[[str], str]]:
    """The cookie of a session of one of the cast."""
    engine = db.make_engine(database_url)
    db.bind(engine, join_transaction_mode="conditional_savepoint")

    def make(name: str) -> str:
        with db.transaction() as session:
            _, token = start_session(session, actor(name).user_id, kind="browser", address=None, user_agent="")
        return token

    yield make
    engine.dispose()
    db.bind(None)


def asked(started: Started, token: str, page: str, *, by: str) -> str:
    """Everything that the server sends to a page's socket that asks for this page, by its name or its hash."""
    message = BackMsg()
    message.rerun_script.query_string = ""
    if by == "hash":
        message.rerun_script.page_script_hash = calc_hash(page)
    else:
        message.rerun_script.page_name = page
    told = []
    with connect(
        f"{started.url.replace('http', 'ws')}/_stcore/stream",
        origin=Origin(started.url),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers={"Cookie": f"{COOKIE}={token}"},
        max_size=None,
        proxy=None,
    ) as socket:
        socket.send(message.SerializeToString())
        for _ in range(200):
            answer = ForwardMsg.FromString(socket.recv(timeout=20))
            told.append(str(answer))
            if answer.WhichOneof("type") == "script_finished":
                break
    return "\n".join(told)


@pytest.mark.parametrize("by", ["name", "hash"])
def test_a_page_that_is_not_offered_is_not_run_however_it_is_asked_for(
    started: Started, cookie: Callable[[str], str], by: str
) -> None:
    guarded = {page.url_path: page.permission for page in PAGES if page.permission is not None}
    assert guarded.keys() <= HEADINGS.keys(), "say above what only the new page shows"
    for page, permission in guarded.items():
        assert HEADINGS[page] in asked(started, cookie("Ada"), page, by=by)
        refused = [name for name in ("Ben", "Cleo") if permission not in ROLE_PERMISSIONS[actor(name).role]]
        assert refused
        for name in refused:
            told = asked(started, cookie(name), page, by=by)
            assert HEADINGS[page] not in told
            assert "ada@example.com" not in told


def test_a_stranger_gets_the_way_in_whatever_page_they_ask_for(started: Started) -> None:
    for page in PAGES:
        told = asked(started, "made up", page.url_path, by="hash")
        assert "Password" in told
        assert HEADINGS["sheets"] not in told

"""The log of a server that was driven through all its surfaces with marked secrets holds none of them."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from core.base.permissions import Scope
from core.credentials.passwords import hash_password
from core.credentials.sessions import start_session
from core.sign_in.api_tokens import create_token
from core.sign_in.email_links import request_password_reset
from db.engine import make_engine, transaction
from tests.conftest import actor, make_deals
from tests.server.test_post import until
from tests.support.server.started import Started, free_port

pytestmark = pytest.mark.slow

# Whatever holds one of these words was typed by a person or lets somebody in.
PASSWORD, CELL, DSN, REDIS = "Zq7passwordMarker", "Zq7cellMarker", "Zq7dsn", "Zq7redis"
PAGE, FILE = str(uuid4()), str(uuid4())
KEY = "Zq7key" + "kV9mX2bWc4LdTf8hJnRpSuYaEg3iKoMqHz"
TYPED = "Zq7typed\r\n" + json.dumps({"level": "error", "event": "forged"}) + "\n\x1b[31m\u2028next"
FORGED_LINE = "forged"


@dataclass
class Driven:
    """The server, what lets people in, and a sheet."""

    started: Started
    owner_url: str
    sheet: int
    cookie: str
    personal: str
    access: str = ""
    refresh: str = ""

    def ask(self, method: str, path: str, token: str = "", **more: object) -> httpx.Response:
        bearer = token or self.access
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        headers |= {"Content-Type": "application/json"} if "content" in more else {}
        return httpx.request(method, f"{self.started.url}/api/v1{path}", headers=headers, **more)  # type: ignore[arg-type]

    def change(self, value: object, column: int = 1) -> httpx.Response:
        edits = [{"row": 1, "column": column, "value": value, "base": None}]
        return self.ask("PATCH", f"/sheets/{self.sheet}/rows", json={"operation_id": str(uuid4()), "edits": edits})

    def owner_says(self, *statements: str) -> None:
        engine = make_engine(self.owner_url, role=None)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()


@pytest.fixture
def driven(database: str) -> Iterator[Driven]:
    with transaction() as session:
        sheet = make_deals(session).sheet.sheet_id
        _, cookie = start_session(session, actor("Ann").user_id, kind="browser", address=None, user_agent="")
        personal = create_token(session, actor("Ann"), name="A program", scope=Scope.WRITE, days=1)
        request_password_reset(session, "ann@example.com", address=None, url="http://localhost")
    environment = {
        "DATABASE_URL": database.replace("owner@", f"owner:{DSN}@"),
        "CONTRIVANCE_TOKEN_KEY": KEY,
        "CONTRIVANCE_REDIS_URL": f"redis://:{REDIS}@127.0.0.1:{free_port()}/0",
        "CONTRIVANCE_SMTP_HOST": "127.0.0.1",
        "CONTRIVANCE_SMTP_PORT": str(free_port()),
        "CONTRIVANCE_SMTP_SECURITY": "none",
        "CONTRIVANCE_SMTP_FROM": "sales@example.com",
        "CONTRIVANCE_LOG_LEVEL": "debug",
    }
    with TemporaryDirectory(prefix="clogs-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        with Started(Path(folder) / "data", **environment) as started:
            made = Driven(started, database, sheet, cookie, personal)
            made.owner_says(f"UPDATE users SET password_hash = '{hash_password(PASSWORD, cost=4)}' WHERE name = 'Ann'")
            yield made


def sign_in(driven: Driven) -> list[str]:
    """Right, wrong and malformed; what comes of it are further secrets."""
    login, ann = "/auth/login", {"email": "ann@example.com", "password": PASSWORD}
    pair = driven.ask("POST", login, json=ann).json()
    driven.access, driven.refresh = pair["access_token"], pair["refresh_token"]
    assert driven.ask("POST", login, json=ann | {"password": PASSWORD + "!"}).status_code == 401
    assert driven.ask("POST", login, json=ann | {PASSWORD: PASSWORD}).status_code == 422
    assert driven.ask("POST", login, content=f'{{"password": "{PASSWORD}"'.encode()).status_code == 400
    httpx.post(
        f"{driven.started.url}/session/redeem", json={"ticket": PASSWORD}, headers={"Origin": driven.started.url}
    )
    fresh = driven.ask("POST", "/auth/refresh", json={"refresh_token": driven.refresh}).json()
    again = {"json": {"refresh_token": driven.refresh}, "headers": {"User-Agent": "another client"}}
    assert httpx.post(f"{driven.started.url}/api/v1/auth/refresh", **again).status_code == 401  # type: ignore[arg-type]
    used = [driven.access, driven.refresh, fresh["access_token"], fresh["refresh_token"]]
    pair = driven.ask("POST", login, json=ann).json()
    driven.access, driven.refresh = pair["access_token"], pair["refresh_token"]
    return [*used, driven.access, driven.refresh]


def use_the_api(driven: Driven) -> None:
    """Values written, refused, searched, imported and exported."""
    sheet = f"/sheets/{driven.sheet}"
    assert driven.ask("POST", f"{sheet}/rows", json={"rows": [{"1": CELL}]}).status_code == 201
    assert driven.change(CELL + " 2").status_code == 200
    assert driven.change(CELL, column=4).status_code == 422
    assert driven.change({CELL: CELL}).status_code == 422
    view = {"search": CELL, "filter": json.dumps([{"column": 1, "op": "contains", "value": CELL}])}
    assert driven.ask("GET", f"{sheet}/rows", params=view).status_code == 200
    assert driven.ask("GET", f"{sheet}/rows", params={"filter": f'["{CELL}'}).status_code == 400
    assert driven.ask("GET", f"{sheet}/export", params=view).status_code == 200
    for content, status in ((f"Deal,Amount\n{CELL},{CELL}\n", 422), (f"Deal\n{CELL} 5\n", 201)):
        file = {"file": (CELL, content.encode(), "text/csv")}
        assert driven.ask("POST", f"{sheet}/import", files=file).status_code == status
    assert driven.ask("GET", "/me", token=driven.personal).status_code == 200
    assert driven.ask("GET", "/me", token=driven.personal + "Zq7").status_code == 401


def break_the_database(driven: Driven) -> None:
    """An error of ours with everything in its message, and a database that throws everybody out."""
    driven.owner_says("ALTER TABLE rows RENAME TO gone")
    try:
        answer = driven.change(CELL + " 3")
        assert answer.status_code == 500
        assert "Zq7" not in answer.text
        run_a_page(driven)
    finally:
        driven.owner_says("ALTER TABLE gone RENAME TO rows")
    driven.owner_says(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE usename = current_user AND pid <> pg_backend_pid()"
    )
    with suppress(httpx.HTTPError):
        driven.change(CELL + " 4")


def run_a_page(driven: Driven) -> None:
    """A page with everything marked that a browser sends: cookie, address, widgets."""
    message = BackMsg()
    message.rerun_script.query_string = f"sheet={driven.sheet}&token={PASSWORD}&view={CELL}"
    message.rerun_script.page_name = "grid"
    for name in ("password", f"$$ID-{CELL}-None"):
        message.rerun_script.widget_states.widgets.add(id=name, string_value=PASSWORD)
    socket_url = f"{driven.started.url.replace('http', 'ws')}/_stcore/stream"
    with connect(
        socket_url,
        origin=Origin(driven.started.url),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers={"Cookie": f"contrivance_session={driven.cookie}; other={PASSWORD}"},
        proxy=None,
    ) as page:
        page.send(message.SerializeToString())
        page.send(os.urandom(100) + PASSWORD.encode())
        with suppress(WebSocketException, TimeoutError):
            while page.recv(timeout=5):
                pass


def use_sockets_and_files(driven: Driven) -> None:
    """The live line with its token in the first message, an upload, requests that are no requests."""
    live = f"{driven.started.url.replace('http', 'ws')}/api/v1/sheets/{driven.sheet}/live"
    for token in (driven.access, driven.access + "Zq7"):
        with connect(live, proxy=None) as line:
            line.send(json.dumps({"token": token}))
            with suppress(WebSocketException):
                line.recv(timeout=10)
                line.send(CELL)
    cookie = {"Cookie": f"contrivance_session={driven.cookie}", "Origin": driven.started.url}
    files = {"file": (CELL, CELL.encode())}
    for identity in (cookie, {}):
        address = f"{driven.started.url}/_stcore/upload_file/{PAGE}/{FILE}"
        assert httpx.put(address, headers=identity, files=files).status_code in {401, 404}
    with socket.create_connection(("127.0.0.1", driven.started.port)) as line:  # type: ignore[assignment]
        line.sendall(f"GET / HTTP/1.1\r\nHost: a\r\nHost: {PASSWORD}\r\n\x00\r\n\r\n".encode())  # type: ignore[attr-defined]
        line.recv(1000)


def say_lines(driven: Driven) -> None:
    """Text of people where the log repeats it: the path. Its lines must not become lines of ours."""
    for method, path in (("GET", "/api/v1/sheets/"), ("POST", "/session/"), ("GET", "/_stcore/metrics/")):
        httpx.request(method, httpx.URL(driven.started.url).join(path + httpx.QueryParams({"": TYPED}).__str__()[1:]))
    httpx.get(driven.started.url + "/api/v1/me", headers={"X-Request-ID": "Zq7typed\x1b[31m", "User-Agent": CELL})


def test_the_log_holds_nothing_that_lets_in_and_nothing_that_was_typed(driven: Driven) -> None:
    secrets = [PASSWORD, CELL, DSN, REDIS, KEY, "Zq7typed\x1b", driven.cookie, driven.personal, PAGE, FILE]
    secrets += sign_in(driven)
    use_the_api(driven)
    run_a_page(driven)
    use_sockets_and_files(driven)
    say_lines(driven)
    break_the_database(driven)
    until(lambda: "mail.waits" in driven.started.text())
    told = driven.started.text()
    lines = [line for line in told.split("\n") if line.startswith("{")]
    events = [json.loads(line) for line in lines]
    assert {"http", "websocket", "api.error", "limits.redis_away", "mail.waits"} <= {one["event"] for one in events}
    for secret in secrets:
        found = [line for line in told.splitlines() if secret in line]
        assert found == [], f"{secret[:12]}… stands in the log"
    assert FORGED_LINE not in {one["event"] for one in events}
    rest = [line for line in told.split("\n") if line.strip() and not line.startswith("{")]
    assert all(line.startswith("  ") for line in rest), rest  # The welcome, and nothing else.

"""Attacks on the running server: what a stranger sends is dropped or ends their socket, and everybody else goes on."""

import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.support.server.started import Started

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    with TemporaryDirectory(prefix="cattack-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        with Started(Path(folder) / "data") as running:
            yield running


@pytest.fixture(autouse=True)
def goes_on(started: Started) -> Iterator[None]:
    """Whatever a test did: the server still works, and its log has no traceback."""
    yield
    assert started.get("/api/health/ready") == 200
    assert "Traceback" not in started.text()


def page_socket(started: Started, **headers: str) -> ClientConnection:
    return connect(
        f"{started.url.replace('http', 'ws')}/_stcore/stream",
        origin=Origin(started.url),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers=headers,
        max_size=None,
        proxy=None,
    )


def close_code(page: ClientConnection) -> int:
    """Read until the server closes; the code it gives."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            page.recv(timeout=10)
    return closed.value.rcvd.code if closed.value.rcvd else 1006  # Cut off before it could say why.


def rerun() -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = ""
    return message.SerializeToString()


def test_a_shutdown_or_an_emptied_cache_cannot_be_asked_for(started: Started) -> None:
    with page_socket(started) as page:
        for forbidden in ("clear_cache", "debug_shutdown_runtime", "debug_disconnect_websocket", "load_git_info"):
            message = BackMsg()
            setattr(message, forbidden, True)
            page.send(message.SerializeToString())
        for forbidden in ("install_skills", "dismiss_skills_nudge"):
            message = BackMsg()
            getattr(message.backend_operation_request, forbidden).SetInParent()
            message.backend_operation_request.request_id = "forged"
            page.send(message.SerializeToString())
        page.send(b"")
        page.send(rerun())
        assert page.recv(timeout=10)


@pytest.mark.parametrize("size", [3 * 2**20, 50 * 2**20])
def test_a_frame_that_is_too_long_ends_its_socket(started: Started, size: int) -> None:
    with page_socket(started) as page:
        with suppress(ConnectionClosed):
            page.send(os.urandom(size))
        assert close_code(page) in {1009, 1006}


def test_random_bytes_and_text_end_their_socket(started: Started) -> None:
    with page_socket(started) as page:
        page.send(b"\xff" * 100)
        assert close_code(page) == 1002


def test_a_flood_of_reruns_ends_its_socket(started: Started) -> None:
    with page_socket(started) as page:
        with suppress(ConnectionClosed):
            for _ in range(400):
                page.send(rerun())
        assert close_code(page) == 1008


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_gets_no_socket(started: Started, origin: str) -> None:
    for path in ("/_stcore/stream", "/api/v1/sheets/1/live"):
        with pytest.raises(InvalidStatus) as refused:
            connect(started.url.replace("http", "ws") + path, origin=Origin(origin), proxy=None)
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/_stcore/stream", "/api/v1/sheets/1/live"])
def test_a_socket_by_another_name_of_this_machine_is_refused(started: Started, path: str) -> None:
    """A name of an attacker's that resolves to us (DNS rebinding) is no name of ours, whatever page it comes from."""
    address = f"ws://127.0.0.1:{started.port}{path}"
    for host in ("evil.example.com", f"evil.example.com:{started.port}"):
        with socket.create_connection(("127.0.0.1", started.port)) as line, pytest.raises(InvalidStatus) as refused:
            connect(address.replace("127.0.0.1", host.partition(":")[0]), sock=line, origin=Origin(f"http://{host}"))
        assert refused.value.response.status_code == 421


def test_a_body_that_is_too_large_or_too_deep_is_refused_at_once(started: Started) -> None:
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    double = b'{"email": "a@example.com", "email": "b@example.com", "password": "x"}'
    for body, length, status in ((deep, len(deep), 413), (double, len(double), 400), (b"{", 300 * 2**20, 413)):
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", started.port, timeout=10)
        connection.putrequest("POST", "/api/v1/auth/login")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        with suppress(OSError):
            connection.send(body)
        answer = connection.getresponse()
        assert answer.status == status
        assert json.loads(answer.read())["detail"].endswith(".")
        assert time.monotonic() - began < 2
        connection.close()


def test_strangers_upload_nothing(started: Started) -> None:
    for method in ("PUT", "POST"):
        answer = httpx.request(method, f"{started.url}/_stcore/upload_file/s/f", content=b"x" * 1000)
        assert answer.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore//metrics",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/interact",
        "/app/static/x",
        "/assets/grid/../../../../app.py",
        "/assets/grid/%2e%2e/%2e%2e/%2e%2e/__init__.py",
        "/static/../../../../etc/passwd",
        "/media/../../etc/passwd",
        "/component/../app.py",
    ],
)
def test_what_is_closed_tells_nothing(started: Started, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", started.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if b"<!DOCTYPE html>" not in body:  # Streamlit answers a path that it does not know with its one page.
        assert answer.status in {400, 404}
        assert not any(inside in body for inside in (b"root:", b"import ", b"process_cpu", b"openapi"))

"""Behind nginx with the configuration that we ship: pages, API and sockets work, and addresses cannot be forged."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.support.server.nginx import NGINX, nginx
from tests.support.server.started import Started, free_port

HOST = "sales.example.com"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


@pytest.fixture(scope="module")
def proxied() -> Iterator[tuple[str, int, Started]]:
    """The address of nginx, its port, and the server behind it."""
    with TemporaryDirectory(prefix="cproxy-", dir="/tmp") as made:
        folder = Path(made)
        folder.chmod(0o711)
        port, plain = free_port(), free_port()
        public = f"https://{HOST}:{port}"
        environment = {"CONTRIVANCE_PUBLIC_URL": public, "FORWARDED_ALLOW_IPS": "127.0.0.1"}
        with (
            Started(folder / "data", **environment) as started,
            nginx(folder, HOST, [started.port], port, plain),
        ):
            yield public, port, started


def ask(port: int, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"https://127.0.0.1:{port}{path}", verify=False, headers={"Host": f"{HOST}:{port}", **headers})


def untrusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_pages_and_api_come_through_with_secure_cookies(proxied: tuple[str, int, Started]) -> None:
    _, port, _ = proxied
    assert ask(port, "/api/health/ready").json()["status"] == "ready"
    page = ask(port, "/", Accept="text/html")
    assert page.status_code == 200
    assert page.headers["set-cookie"].startswith("__Host-contrivance_nonce=")
    assert "max-age" in page.headers["strict-transport-security"]


def opened(public: str, port: int, origin: str) -> ClientConnection:
    """A page's socket through nginx, as a browser on `origin` would open it."""
    return connect(
        f"{public.replace('https', 'wss')}/_stcore/stream",
        sock=socket.create_connection(("127.0.0.1", port)),
        ssl=untrusting(),
        origin=Origin(origin),
        subprotocols=[Subprotocol("streamlit")],
        proxy=None,
    )


def test_a_page_can_open_its_socket_and_a_foreign_one_cannot(proxied: tuple[str, int, Started]) -> None:
    public, port, _ = proxied
    with opened(public, port, public) as page:
        assert page.subprotocol == "streamlit"
    with pytest.raises(InvalidStatus) as refused:
        opened(public, port, "https://evil.example.com")
    assert refused.value.response.status_code == 403


def test_other_names_are_not_answered(proxied: tuple[str, int, Started]) -> None:
    assert ask(proxied[1], "/", Host="evil.example.com").status_code == 421


def test_a_forged_address_does_not_reach_the_application(proxied: tuple[str, int, Started]) -> None:
    _, port, started = proxied
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Request-ID": "forged-request-id"}
    answer = ask(port, "/api/v1/me", **forged)
    assert answer.headers["x-request-id"] != "forged-request-id"
    assert logged(started, answer)["address"] == "127.0.0.1"


def test_nor_does_it_without_a_proxy_that_is_trusted() -> None:
    with TemporaryDirectory(prefix="cproxy-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        with Started(Path(folder) / "data") as started:
            answer = httpx.get(f"{started.url}/api/v1/me", headers={"X-Forwarded-For": "203.0.113.9"})
            assert logged(started, answer)["address"] == "127.0.0.1"


def logged(started: Started, answer: httpx.Response) -> dict[str, object]:
    """The line that the server logged for this answer; it is written a moment after the answer."""
    for _ in range(100):
        lines = [json.loads(line) for line in started.text().splitlines() if line.startswith("{")]
        for line in lines:
            if line.get("request") == answer.headers["x-request-id"]:
                return line
        time.sleep(0.05)
    raise AssertionError("the request was not logged")

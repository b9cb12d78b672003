"""Behind nginx with the configuration that we ship: pages, API and sockets work, and addresses cannot be forged."""

import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.server.started import ROOT, Started, free_port

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
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
        with Started(folder / "data", **environment) as started:
            write_configuration(folder, started.port, port, plain)
            command = [str(NGINX), "-e", f"{folder}/error.log", "-p", str(folder), "-c", f"{folder}/nginx.conf"]
            tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
            assert tested.returncode == 0, tested.stderr
            nginx = subprocess.Popen([*command, "-g", "daemon off;"])
            try:
                wait_for(port)
                yield public, port, started
            finally:
                nginx.terminate()
                nginx.wait(10)


def write_configuration(folder: Path, app: int, port: int, plain: int) -> None:
    """What we ship, with this machine's ports and paths in place of the container's."""
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    for ours, here in {
        "server app:8501": f"server 127.0.0.1:{app}",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "/etc/nginx/contrivance-proxy.conf": str(ROOT / "deploy" / "contrivance-proxy.conf"),
        "/etc/nginx/certificates/": f"{folder}/",
    }.items():
        assert ours in site
        site = site.replace(ours, here)
    temporary = "".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    main = f"pid {folder}/nginx.pid; events {{}} http {{ access_log off; {temporary}\n{site}\n}}"
    (folder / "nginx.conf").write_text(main)
    subject = ["-subj", f"/CN={HOST}", "-keyout", f"{folder}/privkey.pem", "-out", f"{folder}/fullchain.pem"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject],
        check=True,
        capture_output=True,
    )


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            httpx.get(f"https://127.0.0.1:{port}/", verify=False, headers={"Host": "nobody"})
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx does not answer")


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

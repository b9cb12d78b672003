"""`make audit` says what an advisory service knows; and that nothing was checked, as a failure, where none answers."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VULNERABLE = "alembic"
ADVISORY = {
    "id": "PYSEC-2026-1",
    "aliases": [],
    "details": "It breaks.",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": VULNERABLE},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}


class Service(BaseHTTPRequestHandler):
    """Answers as OSV does: one package has an advisory where `knows_one` is set."""

    knows_one = False

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.knows_one and asked["package"]["name"] == VULNERABLE
        content = json.dumps({"vulns": [ADVISORY]} if known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        server.shutdown()


def audit(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Away from the network: what is not on this machine does not answer."""
    cut_off = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "tests/support/advisories.py", "--timeout", "2", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | cut_off, capture_output=True, text=True, check=False)


def test_where_no_service_answers_nothing_was_checked_and_that_is_a_failure() -> None:
    done = audit("--osv-url", "http://127.0.0.1:9/v1/query")
    assert done.returncode == 2, done.stdout
    assert done.stdout.startswith("Not checked")


@pytest.mark.parametrize(("knows_one", "code", "said"), [(False, 0, " 0 known"), (True, 1, "mended in 99.1")])
def test_what_a_service_knows_is_told(
    service: str, monkeypatch: pytest.MonkeyPatch, knows_one: bool, code: int, said: str
) -> None:
    monkeypatch.setattr(Service, "knows_one", knows_one)
    done = audit("--osv-url", service)
    assert said in done.stdout, done.stdout
    assert done.returncode == code

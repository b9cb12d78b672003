"""A full disk is called a full disk: in answers, health and log; one reads on, and writes again when there is room."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import pytest

from db import disk
from tests.conftest import PASSWORD
from tests.support.server.started import ROOT, Started, databases_in

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A data folder on a file system of its own, which only root can make."""
    with TemporaryDirectory(prefix="cdisk-", dir="/tmp") as parent:
        Path(parent).chmod(0o711)
        data = Path(parent) / "data"
        data.mkdir(mode=0o700)
        made = ["mount", "-t", "tmpfs", "-o", "size=300M,mode=700", "none", str(data)]
        done = subprocess.run(made, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        try:
            yield data
        finally:
            for pid in databases_in(data):
                psutil.Process(pid).kill()
            subprocess.run(["umount", "-l", str(data)], check=True)


def fill(disk_of: Path) -> Path:
    """Leave not a byte."""
    filler = disk_of / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 2**16):
            pass
    assert shutil.disk_usage(disk_of).free < 2**16
    return filler


def command(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "manage.py", *words],
        input=f"{PASSWORD}\n",
        cwd=ROOT,
        env=os.environ | {"CONTRIVANCE_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_is_said_everywhere_reads_go_on_and_writes_come_back(small_disk: Path) -> None:
    with Started(small_disk) as started:
        new = ("create-user", "--email", "ann@example.com", "--name", "Ann", "--role", "admin", "--password-stdin")
        assert command(small_disk, *new).returncode == 0
        with httpx.Client(base_url=f"{started.url}/api/v1", timeout=30) as client:
            login = {"email": "ann@example.com", "password": PASSWORD}
            client.headers["Authorization"] = f"Bearer {client.post('/auth/login', json=login).json()['access_token']}"
            sheet = client.post("/sheets", json={"name": "Deals", "template": "pipeline"}).json()["id"]
            filler = fill(small_disk)
            add = {"rows": [{"1": "x" * 200}] * 200}
            answer = until(lambda: client.post(f"/sheets/{sheet}/rows", json=add), status=503)
            assert answer.json()["detail"] == disk.FULL
            # Where PostgreSQL could not even write its log it restarts, and answers only when there is room.
            ready = client.get(f"{started.url}/api/health/ready").json()
            assert disk.FULL in {ready.get("warning"), ready.get("reason")}
            if ready["status"] == "ready":
                assert client.get(f"/sheets/{sheet}/rows").status_code == 200
            assert "the disk of the database is full" in started.text()
            assert {"disk.nearly_full"} <= {event(line) for line in started.text().splitlines()}
            told = command(small_disk, "doctor")
            assert told.returncode == 1
            assert "is nearly full" in told.stderr or "No space left" in told.stderr
            filler.unlink()
            assert until(lambda: client.post(f"/sheets/{sheet}/rows", json=add), status=201)


def until(ask: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """The first answer with this status."""
    ends = time.monotonic() + 90
    while (found := ask()).status_code != status:
        assert time.monotonic() < ends, found.text
        time.sleep(0.02)
    return found


def event(line: str) -> str:
    try:
        return str(json.loads(line).get("event"))
    except (ValueError, AttributeError):
        return ""

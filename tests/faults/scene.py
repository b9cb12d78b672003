"""Where faults happen: the product as `make run` starts it, on a durable embedded database, with people and sheets."""

import asyncio
import json
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from db import engine as db
from db.embedded import postmaster, system_user
from db.embedded.server import Server
from db.start import database, open_engine
from tests.bench.bench_live import PEOPLE, person, sheet_of, signed_in
from tests.support.server.started import Started, databases_in, free_port

SHEETS = 3
COMES_BACK_SECONDS = 30.0
# What PostgreSQL's own workers and the measuring connection leave undecided, and what an allocator keeps.
SPARE_CONNECTIONS, SPARE_MEGABYTES = 2, 64
# The pool keeps so many, and the hub and its presence one each: fewer are no leak.
KEPT_CONNECTIONS = db.POOL_SIZE + 2


@dataclass(frozen=True)
class Footprint:
    """What the server holds: megabytes, connections to the database, and sockets of people."""

    megabytes: float
    connections: int
    sockets: int

    def is_back_at(self, before: "Footprint") -> bool:
        return (
            self.megabytes <= before.megabytes + SPARE_MEGABYTES
            and self.connections <= max(before.connections, KEPT_CONNECTIONS) + SPARE_CONNECTIONS
            and self.sockets <= before.sockets
        )

    def __str__(self) -> str:
        return f"{self.megabytes:.0f} MB, {self.connections} connections, {self.sockets} sockets"


@dataclass
class Scene:
    """The running product and what can be done to it."""

    data: Path
    url: str
    sheets: list[int]
    started: Started
    tokens: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # What ended processes wrote to their logs.

    def kill_database(self) -> None:
        """kill −9 of PostgreSQL; the product's guard brings it back."""
        self.signal_database(signal.SIGKILL)

    def signal_database(self, how: signal.Signals) -> None:
        """SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one."""
        ends = time.monotonic() + COMES_BACK_SECONDS
        while (found := postmaster.find(self.data / "postgres")) is None:
            assert time.monotonic() < ends, "PostgreSQL did not come back"
            time.sleep(0.05)
        found.send_signal(how)

    def kill_app(self) -> None:
        """kill −9 of the app, and its start again on the same port and data."""
        self.started.process.kill()
        self.started.process.wait()
        self.told.append(self.started.text())
        self.started = Started(self.data, self.started.port)
        self.started.wait_until_ready()

    def versions(self) -> dict[int, int]:
        """The sheets' versions, as soon as the database says them."""
        ends = time.monotonic() + COMES_BACK_SECONDS
        while True:
            try:
                with psycopg.connect(self.url) as connection:
                    return dict(connection.execute("SELECT sheet_id, version FROM sheets").fetchall())
            except psycopg.OperationalError:
                assert time.monotonic() < ends, "PostgreSQL does not answer"
                time.sleep(0.1)

    def footprint(self) -> Footprint:
        process = psutil.Process(self.started.process.pid)
        with psycopg.connect(self.url) as connection:
            count = connection.execute(_CONNECTIONS).fetchone()
        # Whoever the process serves is connected to its port; what it asks of others is not.
        lines = [line for line in process.net_connections("inet") if line.status == psutil.CONN_ESTABLISHED]
        return Footprint(process.memory_info().rss / 2**20, count[0] if count else 0, len(lines))

    def complaints(self) -> list[str]:
        """What the servers logged as errors or as tracebacks."""
        lines = [line for text in (*self.told, self.started.text()) for line in text.splitlines()]
        return [line for line in lines if "Traceback" in line or _level(line) in {"error", "critical"}]


def _level(line: str) -> str:
    try:
        return str(json.loads(line).get("level"))
    except (ValueError, AttributeError):
        return ""


@contextmanager
def scene() -> Iterator[Scene]:
    """The product with people and sheets, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cfault-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # As root, the database runs as a user of its own, who must get through.
        data = Path(folder) / "data"
        with database("", "", data) as urls:
            engine = open_engine(urls)
            db.bind(engine)
            people = [person(number) for number in range(PEOPLE)]
            sheets = [sheet_of(people[0], number) for number in range(SHEETS)]
            engine.dispose()
        url = Server(data, system_user.prepare(data)).urls().owner
        made = Scene(data, url, sheets, Started(data, free_port()))
        try:
            made.started.wait_until_ready()
            made.tokens = asyncio.run(signed_in(made.started.port))
            yield made
        finally:
            _leave_nothing(made)


def _leave_nothing(made: Scene) -> None:
    """End what is left of server and database, also after a scenario that went wrong."""
    if made.started.process.poll() is None:
        made.started.stop(signal.SIGINT)
    for pid in databases_in(made.data):
        psutil.Process(pid).kill()


_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

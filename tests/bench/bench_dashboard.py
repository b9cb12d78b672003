"""The first showing of a dashboard in a fresh server: the demo pipeline, and a sheet of 50,000 deals, by turns."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psutil
from sqlalchemy import text
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from core.accounts.accounts import create_user
from core.base.actor import Actor
from core.base.permissions import Role
from core.credentials.sessions import start_session
from core.demo.seed import MARK, seed
from core.sheets.sheets import create_sheet
from db import engine as db
from db.start import database, open_engine
from tests.bench.bench_api import FILL
from tests.support.server.started import Started

ROWS, TURNS, CHARTS = 50_000, 5, 6
SETTLE_SECONDS = 2.0  # A person has to sign in before a dashboard opens.


@dataclass
class Showing:
    """Seconds from the request of a page to its first figure and its last chart, and the processor time of both."""

    first_figure: float
    last_chart: float
    server: float
    postgres: float


@dataclass
class Prepared:
    """A database, its sheets by label, and the cookie of a person who sees them."""

    sheets: dict[str, int]
    cookie: str
    settings: dict[str, str]
    folder: Path


def main() -> None:
    with prepared() as bench:
        showings: dict[str, list[Showing]] = {label: [] for label in bench.sheets}
        for _ in range(TURNS):
            for label, sheet in bench.sheets.items():
                showings[label].append(first_showing(bench, sheet))
    for label, of_sheet in showings.items():
        first, last = (min(getattr(one, name) for one in of_sheet) for name in ("first_figure", "last_chart"))
        server, postgres = (min(getattr(one, name) for one in of_sheet) for name in ("server", "postgres"))
        sys.stdout.write(
            f"first dashboard of a server, {label}: first figure after {first:.2f} s, all charts after {last:.2f} s, "
            f"processor time {server + postgres:.2f} s ({postgres:.2f} s of it PostgreSQL)\n"
        )


@contextmanager
def prepared() -> Iterator[Prepared]:
    """The demo workspace and a pipeline of 50,000 deals in an embedded database."""
    with tempfile.TemporaryDirectory(prefix="cbench-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)  # As root, the database runs as a user of its own, who must get through.
        for part in ("data", "app"):
            (folder / part).mkdir(mode=0o700)
        with database("", "", folder / "data") as urls:
            engine, owner = open_engine(urls), db.make_engine(urls.owner, role=None)
            db.bind(engine)
            seed(owner, today=date.today())
            with db.transaction() as session:
                user_id = create_user(session, None, email="bench@example.com", name="Bench", role=Role.ADMIN)
                user = Actor(user_id, "Bench", "bench@example.com", Role.ADMIN)
                sheet = create_sheet(session, user, "Bench", template="pipeline").sheet.sheet_id
            with db.transaction() as session:
                parameters = {"sheet": sheet, "actor": user_id, "rows": ROWS}
                session.execute(text("SET LOCAL statement_timeout = 0"))
                session.execute(text("SELECT lock_sheet(:sheet, :actor, 'seed', gen_random_uuid())"), parameters)
                session.execute(text("SELECT next_version(:sheet, :rows)"), parameters)
                session.execute(text(FILL), parameters)
            with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
            with db.transaction() as session:
                demo = session.scalar(text("SELECT sheet_id FROM sheets WHERE settings ? :mark"), {"mark": MARK})
                _, token = start_session(session, user_id, kind="browser", address=None, user_agent="")
            settings = {
                "DATABASE_URL": urls.owner,
                "CONTRIVANCE_APP_DATABASE_URL": urls.app,
                "CONTRIVANCE_LIMITS": "off",
            }
            yield Prepared({"demo": demo or 0, f"{ROWS:,} deals": sheet}, token, settings, folder)
            owner.dispose()
            engine.dispose()


def first_showing(bench: Prepared, sheet: int) -> Showing:
    """Start a server, request the dashboard of a sheet as a browser does, and stop the server."""
    message = BackMsg()
    message.rerun_script.page_name = "dashboard"
    message.rerun_script.query_string = f"sheet={sheet}"
    with Started(bench.folder / "app", **bench.settings) as started:
        time.sleep(SETTLE_SECONDS)
        server, postgres = server_seconds(started), postgres_seconds(bench.folder)
        began, times = time.perf_counter(), dict[str, list[float]]()
        with connect(
            f"{started.url.replace('http', 'ws')}/_stcore/stream",
            origin=Origin(started.url),
            subprotocols=[Subprotocol("streamlit")],
            additional_headers={"Cookie": f"contrivance_session={bench.cookie}"},
            max_size=None,
            proxy=None,
        ) as socket:
            socket.send(message.SerializeToString())
            while True:
                answer = ForwardMsg.FromString(socket.recv(timeout=60, decode=False))
                if answer.WhichOneof("type") == "script_finished":
                    break
                kind = answer.delta.new_element.WhichOneof("type")
                times.setdefault(str(kind), []).append(time.perf_counter() - began)
        assert len(times["plotly_chart"]) == CHARTS, started.text()
        return Showing(
            times["metric"][0],
            times["plotly_chart"][-1],
            server_seconds(started) - server,
            postgres_seconds(bench.folder) - postgres,
        )


def server_seconds(started: Started) -> float:
    """Processor time that the server's process has taken."""
    spent = psutil.Process(started.process.pid).cpu_times()
    return float(spent.user + spent.system)


def postgres_seconds(folder: Path) -> float:
    """Processor time that the database's processes have taken, those among them that have ended."""
    total = 0.0
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] != "postgres" or str(folder) not in process.cwd():
                continue
            spent, parent = process.cpu_times(), process.parent()
            total += spent.user + spent.system
            if parent is None or parent.name() != "postgres":
                total += spent.children_user + spent.children_system
        except (psutil.Error, OSError):
            continue
    return total


if __name__ == "__main__":
    main()

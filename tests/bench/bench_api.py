"""Figures of the API beside raw PostgreSQL on the same server in the same run: `python -m tests.bench.bench_api`.

The server under measure is the real one, in a process of its own; clients are processes of their own, too. DATABASE_URL
names an empty database to measure on; without it an embedded one is made and thrown away.
"""

import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import psycopg
from sqlalchemy import Engine, text
from websockets.sync.client import connect

from core.accounts.accounts import create_user
from core.base.actor import Actor
from core.base.permissions import Role
from core.sheets.sheets import create_sheet
from db import engine as db
from db.start import database, open_engine
from tests.support.server.started import Started

ROWS = 100_000
EMAIL, PASSWORD = "bench@example.com", "figures beside raw postgres"
STAGES = ["o2", "o3"]
RAW_PAGE = "SELECT * FROM raw_deals WHERE stage = ANY(%s) AND amount >= %s ORDER BY close_date DESC, id LIMIT 100"
RAW_EDIT = "UPDATE raw_deals SET amount = %s WHERE id = %s"


@dataclass
class Client:
    """A program with one kept connection and a token; as thin as it gets, so that the server is what is measured."""

    port: int
    token: str
    sheet: int

    def __post_init__(self) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", self.port)
        self.headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body)
        self.http.request(method, f"/api/v1/sheets/{self.sheet}{path}", content, self.headers)
        answer = self.http.getresponse()
        data = answer.read()
        assert answer.status == 200, data
        return json.loads(data)

    def page(self, least: int) -> Any:
        filters = [{"column": 3, "op": "is_any_of", "value": STAGES}, {"column": 4, "op": "gte", "value": least}]
        return self.ask("GET", "/rows?" + urlencode({"filter": json.dumps(filters), "sort": "-7", "limit": 100}))

    def edit(self, row: int, value: str) -> Any:
        edits = [{"row": row, "column": 4, "value": value}]
        return self.ask("PATCH", "/rows", {"operation_id": str(uuid4()), "edits": edits})


def main() -> None:
    with server() as (raw, client):
        for line in figures(raw, client):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


@contextmanager
def server() -> Iterator[tuple[psycopg.Connection[Any], Client]]:
    """The real server on a database of 100,000 deals, beside them the same rows in a typed table."""
    with tempfile.TemporaryDirectory(prefix="cbench-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # As root, the database runs as a user of its own, who must get through.
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        with database(os.environ.get("DATABASE_URL", ""), "", data) as urls:
            engine = open_engine(urls)
            db.bind(engine)
            sheet = prepare(engine, urls.owner)
            settings = {
                "DATABASE_URL": urls.owner,
                "CONTRIVANCE_APP_DATABASE_URL": urls.app,
                "CONTRIVANCE_LIMITS": "off",
            }
            app_data = Path(folder) / "app"
            app_data.mkdir(mode=0o700)
            with Started(app_data, **settings) as started, psycopg.connect(urls.owner, autocommit=True) as raw:
                raw.execute("SET jit = off")
                yield raw, Client(started.port, token(started.port), sheet)
            engine.dispose()


def prepare(engine: Engine, owner_url: str) -> int:
    """Fill the sheet through the change log's own functions, in one version."""
    with db.transaction() as session:
        user_id = create_user(session, None, email=EMAIL, name="Bench", role=Role.ADMIN, password=PASSWORD)
        who = Actor(user_id, "Bench", EMAIL, Role.ADMIN)
        sheet = create_sheet(session, who, "Bench", template="pipeline").sheet.sheet_id
    parameters = {"sheet": sheet, "actor": who.user_id, "rows": ROWS}
    with db.transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text("SELECT lock_sheet(:sheet, :actor, 'seed', gen_random_uuid())"), parameters)
        session.execute(text("SELECT next_version(:sheet, :rows)"), parameters)
        session.execute(text(FILL), parameters)
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute(TYPED, {"sheet": sheet})
        owner.execute("ALTER TABLE raw_deals ADD PRIMARY KEY (id)")
        owner.execute("VACUUM ANALYZE")
    return sheet


def token(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps({"email": EMAIL, "password": PASSWORD})
    connection.request("POST", "/api/v1/auth/login", body, {"Content-Type": "application/json"})
    return str(json.loads(connection.getresponse().read())["access_token"])


def figures(raw: psycopg.Connection[Any], client: Client) -> Iterator[str]:
    """Each figure as a line, with its ratio to raw PostgreSQL and what the product promises."""
    random = Random(7)
    least = 10_000
    raw_page = median(lambda n: raw.execute(RAW_PAGE, (STAGES, least + n)).fetchall(), 40)
    fresh = median(lambda n: client.page(least + n), 40)
    again = median(lambda _: client.page(least), 40)
    yield f"page of 100 of {ROWS:,}, filtered on two columns, sorted: raw {raw_page:.1f} ms"
    yield f"  another filter each time {fresh:.1f} ms, {fresh / raw_page:.2f} × raw"
    yield f"  the same view again      {again:.1f} ms, {again / raw_page:.2f} × raw (promised ≤ 2.0)"
    raw_edit = median(lambda n: edit_raw(raw, n, random.randint(1, ROWS)), 400)
    edit = median(lambda n: client.edit(random.randint(1, ROWS), f"{n}.25"), 400)
    yield f"one cell: raw {raw_edit:.2f} ms, API {edit:.2f} ms, {edit / raw_edit:.1f} × raw (promised ≤ 12)"
    yield f"eight clients: {together(client, 8, 5.0):.0f} cells/s (promised ≥ 400)"
    yield f"edit → value at another client: {seen(client):.1f} ms median (promised ≤ 40)"


def edit_raw(raw: psycopg.Connection[Any], value: int, row: int) -> None:
    """What a program does that has the database for itself: BEGIN, UPDATE, COMMIT."""
    with raw.transaction():
        raw.execute(RAW_EDIT, (value, row))


def median(action: Callable[[int], Any], times: int) -> float:
    """Milliseconds, the median of many after a few to get warm."""
    for number in range(5):
        action(10_000 + number)
    took = []
    for number in range(times):
        began = time.perf_counter()
        action(number)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def together(client: Client, clients: int, seconds: float) -> float:
    """Cells per second that so many clients change at the same time."""
    with ProcessPoolExecutor(clients) as pool:
        every = [pool.submit(hammer, client.port, client.token, client.sheet, n, seconds) for n in range(clients)]
        return sum(one.result() for one in every) / seconds


def hammer(port: int, token: str, sheet: int, seed: int, seconds: float) -> int:
    # Never the same values twice: a cell that has them already would not be written.
    client, random, done = Client(port, token, sheet), Random(f"{seed} {time.time_ns()}"), 0
    client.edit(random.randint(1, ROWS), "1")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.edit(random.randint(1, ROWS), f"{random.randint(1, 10**6)}.5")
        done += 1
    return done


def seen(client: Client, times: int = 60) -> float:
    """Milliseconds from one client's edit to its value at another that listens and asks for what changed."""
    url = f"ws://127.0.0.1:{client.port}/api/v1/sheets/{client.sheet}/live"
    editor, other = (Client(client.port, client.token, client.sheet) for _ in range(2))
    with connect(url, additional_headers={"Authorization": f"Bearer {client.token}"}) as socket:
        version = json.loads(socket.recv())["version"]
        took = []
        for number in range(times):
            began = time.perf_counter()
            editor.edit(number + 1, f"{time.time_ns() % 10**9}.75")
            while json.loads(socket.recv())["version"] <= version:
                pass
            version = other.ask("GET", f"/changes?since={version}")["version"]
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


FILL = """
    INSERT INTO rows (sheet_id, row_id, values, created_version)
    SELECT :sheet, n::integer, jsonb_build_object(
        '1', 'Deal ' || n, '2', 'Account ' || n * 7919 % 5000, '3', 'o' || 1 + n % 6,
        '4', round(n * 7919 % 1000003 / 10.0, 2), '5', (2 + n % 4)::text,
        '6', to_char(date '2024-01-01' + (n * 31 % 700)::integer, 'YYYY-MM-DD'),
        '7', to_char(date '2025-01-01' + (n * 37 % 700)::integer, 'YYYY-MM-DD'),
        '8', 'o' || 1 + n % 5, '9', 'Call them about item ' || n), 1
    FROM generate_series(1::bigint, :rows) n
"""
TYPED = """
    CREATE TABLE raw_deals AS
    SELECT row_id AS id, values ->> '1' AS deal, values ->> '2' AS account, values ->> '3' AS stage,
           (values ->> '4')::numeric AS amount, (values ->> '5')::bigint AS owner, (values ->> '6')::date AS created,
           (values ->> '7')::date AS close_date, values ->> '8' AS source, values ->> '9' AS next_step
    FROM rows WHERE sheet_id = %(sheet)s
"""

if __name__ == "__main__":
    main()

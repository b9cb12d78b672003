"""Import and export beside raw COPY on the same server in the same run: `python -m tests.bench.bench_import`.

A hundred thousand rows of twelve typed columns, from the bytes of a CSV to committed rows with their change log. The
server is the embedded one; DATABASE_URL names an empty database to measure on instead.
"""

import gc
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from sqlalchemy import text

from core.accounts.accounts import create_user
from core.base.actor import Actor
from core.base.permissions import Role
from core.exports import export_rows
from core.imports.inspection import inspect
from core.imports.load import import_new_sheet
from core.imports.plan import propose
from core.rows.query import View
from core.sheets.sheets import create_sheet
from core.sheets.templates import Template
from db import engine as db
from db.start import database, open_engine
from tests.support.server.started import Started

ROWS, TURNS = 100_000, 5
EMAIL, PASSWORD = "bench@example.com", "figures beside raw postgres"
NAMES = "Deal,Account,Stage,Amount,Close date,Created,Owner,Source,Probability,Next step,E-mail,Active"
RAW_TABLE = """
    CREATE TABLE raw_rows (deal text, account text, stage text, amount numeric, close_date date, created date,
    owner text, source text, probability numeric, next_step text, email text, active text)
"""


def content(rows: int) -> bytes:
    """The same file every time, as a CRM would write it."""
    any_of = Random(4).choice
    number = Random(5).randrange
    stages = ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]
    lines = [NAMES]
    for row in range(rows):
        day, created = (f"20{year}-{number(1, 13):02}-{number(1, 29):02}" for year in (26, 25))
        lines.append(
            f"Deal {row:06} renewal,{any_of(['Acme', 'Globex', 'Initech'])} {number(5000)},{any_of(stages)},"
            f"{number(100, 9_999_999) / 100:.2f},{day},{created},{any_of(['Ann', 'Ben', 'Cleo'])} Smith,"
            f"{any_of(['Inbound', 'Referral', 'Event'])},{number(101)},Call in week {number(52)},"
            f"buyer{row}@example{number(900)}.com,{any_of(['yes', 'no'])}"
        )
    return "\r\n".join(lines).encode()


def main() -> None:
    data = content(ROWS)
    gc.collect()
    gc.freeze()  # As the server does once it has started.
    with opened() as (urls, folder):
        raw = rates(lambda: raw_copy(urls.owner, data))
        line("COPY of the CSV into a typed table, nothing checked, nothing logged", raw)
        line("import in core: inspect, propose, parse, check, stage, write, log", rates(in_core(data)), raw)
        line("the same through the API, file upload included", through_the_api(urls, folder, data), raw)
        for kind in ("csv", "parquet", "xlsx"):
            line(f"export as {kind}", rates(exporting(kind), turns=1 if kind == "xlsx" else 3), raw)


@contextmanager
def opened() -> Iterator[tuple[Any, Path]]:
    """A migrated database with one person in it."""
    with tempfile.TemporaryDirectory(prefix="cbench-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # As root, the database runs as a user of its own, who must get through.
        data, app_data = Path(folder) / "data", Path(folder) / "app"
        for one in (data, app_data):
            one.mkdir(mode=0o700)
        with database(os.environ.get("DATABASE_URL", ""), "", data) as urls:
            engine = open_engine(urls)
            db.bind(engine)
            with db.transaction() as session:
                create_user(session, None, email=EMAIL, name="Bench", role=Role.MEMBER, password=PASSWORD)
            yield urls, app_data
            engine.dispose()


def rates(run: Callable[[], None], turns: int = TURNS) -> float:
    """Rows a second, the median of some turns."""
    taken = []
    for _ in range(turns):
        began = time.perf_counter()
        run()
        taken.append(ROWS / (time.perf_counter() - began))
    return statistics.median(taken)


def line(what: str, rate: float, raw: float | None = None) -> None:
    beside = f"   {rate / raw:.2f} × raw COPY" if raw else ""
    sys.stdout.write(f"{rate:>9,.0f} rows/s   {what}{beside}\n")
    sys.stdout.flush()


def raw_copy(url: str, data: bytes) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS raw_rows")
        cursor.execute(RAW_TABLE)
        with cursor.copy("COPY raw_rows FROM STDIN (FORMAT csv, HEADER)") as copy:
            copy.write(data)


def bench_actor() -> Actor:
    with db.transaction() as session:
        user_id = session.scalar(text("SELECT user_id FROM users WHERE email = :email"), {"email": EMAIL})
    return Actor(user_id or 0, "Bench", EMAIL, Role.MEMBER)


def in_core(data: bytes) -> Callable[[], None]:
    actor = bench_actor()

    def run() -> None:
        file = io.BytesIO(data)
        plan = propose(inspect(file))
        with db.transaction() as session:
            import_new_sheet(session, actor, "Bench", file, plan, operation_id=uuid4())

    return run


def through_the_api(urls: Any, app_data: Path, data: bytes) -> float:
    """From the first byte of the request to the answer of the real server, which is a process of its own."""
    settings = {"DATABASE_URL": urls.owner, "CONTRIVANCE_APP_DATABASE_URL": urls.app, "CONTRIVANCE_LIMITS": "off"}
    with Started(app_data, **settings) as started, httpx.Client(base_url=started.url, timeout=120) as client:
        signed_in = client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}).json()
        client.headers["Authorization"] = f"Bearer {signed_in['access_token']}"
        return rates(lambda: send(client, data))


def send(client: httpx.Client, data: bytes) -> None:
    with db.transaction() as session:
        empty = Template("Bench", "", "table")
        sheet = create_sheet(session, bench_actor(), "Bench", template=empty).sheet.sheet_id
    answer = client.post(f"/api/v1/sheets/{sheet}/import", files={"file": ("bench.csv", data, "text/csv")})
    assert answer.status_code == 201, answer.text


def exporting(kind: str) -> Callable[[], None]:
    actor = bench_actor()
    with db.transaction() as session:
        sheet = session.scalar(text("SELECT max(sheet_id) FROM rows")) or 0

    def run() -> None:
        with tempfile.TemporaryFile() as file, db.transaction() as session:
            export_rows(session, actor, sheet, View(), file, file_format=kind)

    return run


if __name__ == "__main__":
    main()

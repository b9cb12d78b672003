"""Live editing under load: `make bench-live`. Prints what was typed, saved, lost, doubled and silent, and how soon.

    python -m tests.bench.bench_live [browsers] [load] [curve] [--seconds 30]

Ends with an error when anything was lost, doubled, written silently over somebody's value, or torn in the log.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil
from playwright.async_api import async_playwright

from core.accounts.accounts import create_user
from core.base.actor import Actor
from core.base.permissions import Level, Role
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.sharing.shares import share_with_workspace
from core.sheets.sheets import create_sheet
from db import engine as db
from db.start import database, open_engine
from tests.bench.bench_api import PASSWORD
from tests.bench.live_browsers import Typist
from tests.bench.live_clients import Http, Viewer, type_cells
from tests.bench.live_ledger import Ledger, judge, spread
from tests.browser.conftest import ARGUMENTS
from tests.support import chromium
from tests.support.server.started import Started

PEOPLE, SHEETS, ROWS, OVERLAPPING = 20, 15, 40, 8
VIEWERS, EDITORS, BROWSERS = 300, 20, 3
CURVE = (1, 10, 50, 100, 300)


@dataclass
class Field:
    """The running server, its database, and who works where."""

    port: int
    pid: int
    url: str
    sheets: list[int]
    tokens: list[str]

    @property
    def cpu(self) -> float:
        """Seconds of processor time that the server's process has taken."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


def main(arguments: list[str] | None = None) -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    asked.add_argument("--seconds", type=float, default=30.0)
    given = asked.parse_args(arguments)
    faults = 0
    for name in given.parts or PARTS:
        with field_of_work() as field:
            say(f"— {name}")
            faults += not asyncio.run(PARTS[name](field, given.seconds))
    sys.exit(1 if faults else 0)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def browsers(field: Field, seconds: float) -> bool:
    """Three people in Chromium on one sheet, half of the time in the same eight rows."""
    ledger, sheet = Ledger(), field.sheets[0]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.find(), args=ARGUMENTS)
        url = f"http://localhost:{field.port}"
        typists = [await Typist.open(browser, url, who, sheet, ledger) for who in range(BROWSERS)]
        await asyncio.gather(*(one.work(seconds, OVERLAPPING) for one in typists))
        await asyncio.sleep(2)
        for one in typists:
            ledger.screens += await _latencies(one, [other for other in typists if other is not one])
        shown = {(await other.shown())[-1][0] for other in typists}
        await browser.close()
    verdict = judge(ledger, field.url)
    verdict.lost += sum(one.typed - len(one.left_the_window) for one in typists)
    say(f"{BROWSERS} browsers, {sum(one.typed for one in typists)} values typed at 40–120 ms a key: {verdict.said()}")
    say(f"Enter in one browser → value in the other: {spread(ledger.screens)} (promised p50 ≤ 30, p95 ≤ 100)")
    say(f"all windows ended at one version: {'yes' if len(shown) == 1 else f'no, {shown}'}")
    return verdict.is_clean and len(shown) == 1


async def _latencies(one: Typist, others: list[Typist]) -> list[float]:
    """From each key that ended an editor to the moment at which each other window showed what it wrote."""
    took = []
    screens = [await other.shown() for other in others]
    for number, entered in enumerate(await one.enters()):
        version = one.answered.get(one.value(number), 0)
        for shown in screens:
            at = next((at for seen, at in shown if seen >= version), None)
            if version and at:
                took.append(at - entered)
    return took


async def load(field: Field, seconds: float) -> bool:
    """300 viewers and 20 editors over 15 sheets, through API and sockets."""
    ledger = Ledger()
    async with viewers(field, VIEWERS, field.sheets) as watching:
        before = field.cpu
        answered = await edited(field, watching, ledger, seconds)
        took = field.cpu - before
        await asyncio.sleep(2)
        for viewer in watching:
            for version, at in answered[viewer.sheet].items():
                saw = viewer.saw(version)
                ledger.wrong_viewers += saw is None
                ledger.viewers += [] if saw is None else [max(0.0, saw - at) * 1000]
    verdict = judge(ledger, field.url)
    say(f"{EDITORS} editors, {VIEWERS} viewers, {SHEETS} sheets: {verdict.said()}")
    say(f"editors' answers: {spread(ledger.answers)} (promised p95 ≤ 150)")
    worst = max(ledger.viewers, default=0)
    never = ledger.wrong_viewers
    say(f"viewers right after: {spread(ledger.viewers)}, worst {worst:.0f} ms (promised ≤ 2,000); never: {never}")
    say(f"the server's process: {took / seconds * 100:.0f} % of one core")
    return verdict.is_clean and not ledger.wrong_viewers


async def edited(field: Field, watching: list[Viewer], ledger: Ledger, seconds: float) -> dict[int, dict[int, float]]:
    """Let the editors type; per sheet and version, when its author was answered."""
    answered: dict[int, dict[int, float]] = {sheet: {} for sheet in field.sheets}

    async def one(number: int) -> None:
        http = Http(field.port, field.tokens[number % PEOPLE])
        own = watching[number]
        found = await type_cells(http, number % PEOPLE, own, ledger, rows=OVERLAPPING, seconds=seconds, seed=number)
        answered[own.sheet] |= found
        await http.close()

    await asyncio.gather(*(one(number) for number in range(EDITORS)))
    return answered


async def curve(field: Field, seconds: float) -> bool:
    """What an edit costs while 1 to 300 people look at the sheet."""
    clean = True
    for count in CURVE:
        ledger, sheet = Ledger(), field.sheets[0]
        async with viewers(field, count, [sheet]) as watching:
            http, before = Http(field.port, field.tokens[0]), field.cpu
            await type_cells(http, 0, watching[0], ledger, rows=ROWS, seconds=min(seconds, 10.0), seed=count)
            await asyncio.sleep(1)
            cost = (field.cpu - before) / max(1, len(ledger.sent)) * 1000
            await http.close()
        say(f"{count:>4} viewers: {cost:6.1f} ms of the process an edit, answers {spread(ledger.answers)}")
        clean &= judge(ledger, field.url).is_clean
    return clean


@asynccontextmanager
async def viewers(field: Field, count: int, sheets: list[int]) -> AsyncIterator[list[Viewer]]:
    """So many viewers, spread over the sheets and the people."""
    made = [
        Viewer(Http(field.port, field.tokens[number % PEOPLE]), sheets[number % len(sheets)]) for number in range(count)
    ]
    for viewer in made:
        await viewer.start()
    try:
        yield made
    finally:
        await asyncio.gather(*(viewer.stop() for viewer in made))


@contextmanager
def field_of_work() -> Iterator[Field]:
    """The real server with people and sheets, on a database of its own."""
    with tempfile.TemporaryDirectory(prefix="cbench-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # As root, the database runs as a user of its own, who must get through.
        data, app_data = Path(folder) / "data", Path(folder) / "app"
        data.mkdir(mode=0o700)
        app_data.mkdir(mode=0o700)
        with database("", "", data) as urls:
            engine = open_engine(urls)
            db.bind(engine)
            people = [person(number) for number in range(PEOPLE)]
            sheets = [sheet_of(people[0], number) for number in range(SHEETS)]
            settings = {
                "DATABASE_URL": urls.owner,
                "CONTRIVANCE_APP_DATABASE_URL": urls.app,
                "CONTRIVANCE_LIMITS": "off",
            }
            with Started(app_data, None, **settings) as started:
                tokens = asyncio.run(signed_in(started.port))
                yield Field(started.port, started.process.pid, urls.owner, sheets, tokens)
            engine.dispose()


def person(number: int) -> Actor:
    email = f"bench{number}@example.com"
    with db.transaction() as session:
        user_id = create_user(session, None, email=email, name=f"Bench {number}", role=Role.MEMBER, password=PASSWORD)
    return Actor(user_id, f"Bench {number}", email, Role.MEMBER)


def sheet_of(owner: Actor, number: int) -> int:
    with db.transaction() as session:
        sheet = create_sheet(session, owner, f"Sheet {number}", template="pipeline").sheet.sheet_id
        share_with_workspace(session, owner, sheet, level=Level.EDITOR)
        adds = tuple(NewRow(str(n), {1: CellInput(f"Deal {n}"), 4: CellInput("1")}) for n in range(ROWS))
        write(session, owner, sheet, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.SEED)
    return sheet


async def signed_in(port: int) -> list[str]:
    tokens = []
    for number in range(PEOPLE):
        body = {"email": f"bench{number}@example.com", "password": PASSWORD}
        http = Http(port, "")
        _, pair = await http.ask("POST", "/auth/login", body)
        tokens.append(pair["access_token"])
        await http.close()
    return tokens


PARTS = {"browsers": browsers, "load": load, "curve": curve}

if __name__ == "__main__":
    main()

"""The faults that are survived, each a scenario of its own."""

import asyncio
import itertools
import signal
import time
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any
from uuid import uuid4

import psycopg

from api.middleware.socket_limits import MAX_OPEN_ANONYMOUS
from tests.bench.bench_live import PEOPLE
from tests.bench.live_clients import Http
from tests.faults.abuse import SOCKETS, Health, abuse, watch_health
from tests.faults.crowd import Cutting, Report, live_through
from tests.faults.scene import Scene

# db.engine.CONNECTION_SETTINGS: how long a statement waits for a lock. PostgreSQL counts each wait for itself, and who
# comes second waits twice: for the place at the head of the queue, then for the one who holds the row.
LOCK_SECONDS, WAITS = 3.0, 2
# A balancer gives up after seconds; this is a machine of two cores that serves and attacks at once.
HEALTHY_MILLISECONDS = 1000.0
# How the server may end what is sent: 1006 where it went too fast for a word, 429 where there was no place at all.
CLOSED = {"reruns": {1008, 1006, 429}, "huge": {1009, 1006, 429}, "random": {1002, 1006, 429}}


async def database_killed(scene: Scene, seconds: float) -> Report:
    """F1: kill −9 of PostgreSQL every few seconds under 16 writers."""
    return await live_through(scene, "F1 PostgreSQL killed", scene.kill_database, seconds=seconds, every=(2.0, 5.0))


async def app_killed(scene: Scene, seconds: float) -> Report:
    """F2: kill −9 of the app in the middle of edits, and its start again."""
    return await live_through(scene, "F2 app killed", scene.kill_app, seconds=seconds, every=(1.0, 4.0))


async def database_restarted(scene: Scene, seconds: float) -> Report:
    """F3: fast and immediate restart, in turn, with 50 people connected."""
    ways = itertools.cycle([signal.SIGINT, signal.SIGQUIT])
    return await live_through(
        scene,
        "F3 PostgreSQL restarted, fast and immediate",
        lambda: scene.signal_database(next(ways)),
        seconds=seconds,
        every=(4.0, 7.0),
        writers=10,
        watchers=40,
    )


async def requests_cut(scene: Scene, seconds: float) -> Report:
    """F12: whoever asks gives up at random moments, within the first 30 ms of half of the requests, and asks again."""

    def line(number: int) -> Http:
        return Cutting(scene.started.port, scene.tokens[number % PEOPLE], Random(number))

    return await live_through(scene, "F12 requests cut", None, seconds=seconds, every=(1.0, 2.0), line=line)


async def transaction_stuck(scene: Scene, seconds: float) -> Report:
    """F7: somebody holds a sheet's lock. The others are told in time, and all of it arrives after."""
    held, free = scene.sheets[:2]
    notes: list[str] = []
    wrong: list[str] = []

    async def hold() -> None:
        connection = await psycopg.AsyncConnection.connect(scene.url)
        await connection.execute("SELECT FROM sheets WHERE sheet_id = %s FOR UPDATE", [held])
        try:
            await asyncio.sleep(0.2)
            told, went_on, read = await asyncio.gather(
                _edit(scene, held), _edit(scene, free), _timed(scene, "GET", f"/sheets/{held}/rows")
            )
            notes.append(
                f"held sheet: {told[0]} after {told[1]:.1f} s; other sheet: {went_on[0]} after {went_on[1]:.2f} s"
            )
            if told[0] != 503 or told[1] > WAITS * LOCK_SECONDS + 0.5 or "Another change is in progress" not in told[2]:
                wrong.append(f"an edit of a held sheet was answered {told}")
            if went_on[0] != 200 or went_on[1] > LOCK_SECONDS:
                wrong.append(f"an edit of another sheet was answered {went_on}")
            if read[0] != 200 or read[1] > 1:
                wrong.append(f"reading the held sheet was answered {read[:2]}")
        finally:
            await connection.close()

    loop = asyncio.get_running_loop()
    report = await live_through(
        scene,
        "F7 a stuck transaction holds a sheet",
        lambda: asyncio.run_coroutine_threadsafe(hold(), loop).result(),
        seconds=seconds,
        every=(1.0, 3.0),
    )
    report.notes += notes
    report.wrong += wrong
    return report


async def abused(scene: Scene, seconds: float) -> Report:
    """Abuse: floods of reruns and made-up tokens, 500 sockets, a frame of 50 MB, random bytes. Nobody else notices."""
    health, said, wrong = Health(), list[str](), list[str]()

    def attack() -> None:
        found = abuse(scene.started.port)
        said.append(str(found))
        if found["sockets"].get("open", 0) > MAX_OPEN_ANONYMOUS or found["sockets"].get("429", 0) < SOCKETS / 2:
            wrong.append(f"sockets were not limited: {found['sockets']}")
        if not (found["closed"].keys() == CLOSED.keys() and all(found["closed"][one] in CLOSED[one] for one in CLOSED)):
            wrong.append(f"what was sent did not end its socket: {found['closed']}")

    watching = asyncio.create_task(watch_health(scene.started.port, health))
    report = await live_through(scene, "Abuse from another address", attack, seconds=seconds, every=(1.0, 2.0))
    watching.cancel()
    report.notes += [health.said(), *said[:1]]
    report.wrong += wrong
    if health.failed or health.p95 > HEALTHY_MILLISECONDS:
        report.wrong.append(f"the health check did not keep answering: {health.said()}, failed {health.failed[:5]}")
    return report


async def _edit(scene: Scene, sheet: int) -> tuple[int, float, str]:
    """One edit outside the ledger, of a row that nobody else edits."""
    edits = [{"row": 40, "column": 4, "value": int(time.time() * 1000) % 10**6}]
    body = {"operation_id": str(uuid4()), "partial": True, "edits": edits}
    return await _timed(scene, "PATCH", f"/sheets/{sheet}/rows", body)


async def _timed(scene: Scene, method: str, path: str, body: object = None) -> tuple[int, float, str]:
    http, began = Http(scene.started.port, scene.tokens[-1]), time.monotonic()
    status, found = await http.ask(method, path, body)
    await http.close()
    return status, time.monotonic() - began, str(found.get("detail", ""))


SCENARIOS: dict[str, Callable[[Scene, float], Coroutine[Any, Any, Report]]] = {
    "F1": database_killed,
    "F2": app_killed,
    "F3": database_restarted,
    "F7": transaction_stuck,
    "F12": requests_cut,
    "abuse": abused,
}

"""Writers and watchers who live through a fault, and the judgement afterwards."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.bench.bench_live import PEOPLE
from tests.bench.live_clients import Http, Viewer, type_cells
from tests.bench.live_ledger import Ledger, Verdict, judge
from tests.faults.scene import Footprint, Scene

WRITERS, WATCHERS, ROWS = 16, 15, 12
RIGHT_AGAIN_SECONDS = 5.0
RETURN_SECONDS = 15.0
PACE = 0.25  # Four times as fast as people type: a fault shall find edits in every state.

Fault = Callable[[], Any]


@dataclass
class Report:
    """How a scenario ended."""

    name: str
    verdict: Verdict
    faults: int = 0
    interrupted: dict[str, int] = field(default_factory=dict)
    right_after: float = 0.0
    wrong: list[str] = field(default_factory=list)
    before: Footprint | None = None
    after: Footprint | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return self.verdict.is_clean and not self.wrong

    def said(self) -> str:
        between = ", ".join(f"{count} × {what}" for what, count in sorted(self.interrupted.items())) or "nothing"
        lines = [
            f"{'good' if self.is_clean else 'BAD '} {self.name}: {self.faults} faults; {self.verdict.said()}",
            f"     instead of an answer at first: {between}; all windows right after {self.right_after:.1f} s",
            f"     held before: {self.before}; after: {self.after}",
        ]
        return "\n".join([*lines, *(f"     {line}" for line in [*self.notes, *self.verdict.broken, *self.wrong])])


class Cutting(Http):
    """A line that its user gives up at random moments, and then asks again."""

    def __init__(self, port: int, token: str, chance: Random) -> None:
        super().__init__(port, token)
        self.chance, self.cuts = chance, 0

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        if self.chance.random() < 0.5:
            return await super().ask(method, path, body)
        try:
            async with asyncio.timeout(self.chance.uniform(0.0, 0.03)):
                return await super().ask(method, path, body)
        except TimeoutError:
            self.cuts += 1
            raise


async def live_through(
    scene: Scene,
    name: str,
    fault: Fault | None,
    *,
    seconds: float,
    every: tuple[float, float],
    writers: int = WRITERS,
    watchers: int = WATCHERS,
    line: Callable[[int], Http] | None = None,
) -> Report:
    """Let people edit for so long while the fault happens again and again; then hold everything against everything."""
    await _warm_up(scene)
    report, ledger = Report(name, Verdict(), before=await _at_rest(scene)), Ledger()
    port = scene.started.port
    watching = [
        Viewer(Http(port, scene.tokens[n % PEOPLE]), scene.sheets[n % len(scene.sheets)]) for n in range(watchers)
    ]
    own = [Viewer(Http(port, scene.tokens[n % PEOPLE]), scene.sheets[n % len(scene.sheets)]) for n in range(writers)]
    for viewer in (*watching, *own):
        await viewer.start()
    lines = [line(n) if line else Http(port, scene.tokens[n % PEOPLE]) for n in range(writers)]
    typing = [
        type_cells(lines[n], n % PEOPLE, own[n], ledger, rows=ROWS, seconds=seconds, seed=n, pace=PACE)
        for n in range(writers)
    ]
    faults = asyncio.create_task(_again_and_again(fault, seconds, every))
    await asyncio.gather(*typing)
    report.faults = await faults + sum(getattr(one, "cuts", 0) for one in lines)
    report.interrupted = dict(ledger.interrupted)
    report.right_after = await _all_right(scene, [*watching, *own], report.wrong)
    await asyncio.gather(*(one.stop() for one in (*watching, *own)), *(one.close() for one in lines))
    report.verdict = await asyncio.to_thread(judge, ledger, scene.url)
    report.wrong += ledger.strange[:5] + scene.complaints()[:5]
    report.after = await _back(scene, report)
    return report


async def _warm_up(scene: Scene) -> None:
    """Have the pools filled and the caches warm before anything is compared with them."""
    viewer = await Viewer(Http(scene.started.port, scene.tokens[0]), scene.sheets[0]).start()
    http = Http(scene.started.port, scene.tokens[0])
    await type_cells(http, 0, viewer, Ledger(), rows=ROWS, seconds=2, seed=99, pace=PACE)
    await http.close()
    await viewer.stop()


async def _at_rest(scene: Scene) -> Footprint:
    await asyncio.sleep(1)
    return await asyncio.to_thread(scene.footprint)


async def _again_and_again(fault: Fault | None, seconds: float, every: tuple[float, float]) -> int:
    """How often the fault happened."""
    count, chance, ends = 0, Random(7), time.monotonic() + seconds
    while fault and (wait := chance.uniform(*every)) < ends - time.monotonic():
        await asyncio.sleep(wait)
        await asyncio.to_thread(fault)
        count += 1
    return count


async def _all_right(scene: Scene, viewers: list[Viewer], wrong: list[str]) -> float:
    """Seconds until every window shows the final version; what they show is then held against the table."""
    versions = await asyncio.to_thread(scene.versions)
    began = time.monotonic()
    while any(viewer.version < versions[viewer.sheet] for viewer in viewers):
        if time.monotonic() - began > 4 * RIGHT_AGAIN_SECONDS:
            break
        await asyncio.sleep(0.02)
    took = time.monotonic() - began
    if took > RIGHT_AGAIN_SECONDS:
        wrong.append(f"windows were right only after {took:.1f} s")
    http = Http(scene.started.port, scene.tokens[0])
    for sheet in scene.sheets:
        _, page = await http.ask("GET", f"/sheets/{sheet}/rows?limit=1000")
        stored = {(row["id"], column): value for row in page["rows"] for column, value in row["values"].items()}
        for viewer in (one for one in viewers if one.sheet == sheet):
            differing = [cell for cell, value in viewer.cells.items() if str(stored.get(cell)) != str(value)]
            wrong += [f"a window on sheet {sheet} ended with {len(differing)} wrong cells"] if differing else []
    await http.close()
    return took


async def _back(scene: Scene, report: Report) -> Footprint:
    """What the server holds once it has come to rest, which must be what it held before."""
    ends = time.monotonic() + RETURN_SECONDS
    while True:
        after = await _at_rest(scene)
        if report.before is None or after.is_back_at(report.before):
            return after
        if time.monotonic() > ends:
            report.wrong.append("memory or connections did not return to where they were")
            return after

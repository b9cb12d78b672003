"""The ledger of a live run: what was typed and answered, held against the table and the change log when all is over."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.faults.invariants import Line, broken, read_log

Cell = tuple[int, int, int]  # sheet, row, column


@dataclass
class Sent:
    """One action: its cells with the version that each was typed over, and what came back (None: no answer)."""

    who: int
    sheet: int
    edits: dict[tuple[int, int], int | None]
    outcome: dict[str, Any] | None = None


@dataclass
class Ledger:
    """Everything that was sent, by operation id, and how long answers and screens took, in milliseconds."""

    sent: dict[str, Sent] = field(default_factory=dict)
    answers: list[float] = field(default_factory=list)
    screens: list[float] = field(default_factory=list)
    viewers: list[float] = field(default_factory=list)
    wrong_viewers: int = 0
    interrupted: Counter[str] = field(default_factory=Counter)  # What came instead of an answer, before it came.
    strange: list[str] = field(default_factory=list)  # Answers that nobody should get.

    def send(self, operation: str, who: int, sheet: int, edits: Iterable[dict[str, Any]]) -> Sent:
        cells = {(edit["row"], edit["column"]): edit.get("base") for edit in edits}
        return self.sent.setdefault(operation, Sent(who, sheet, cells))


@dataclass
class Verdict:
    """How a run ended; anything but zeros in `lost`, `doubled`, `silent` and `torn` is a fault."""

    typed: int = 0
    saved: int = 0
    conflicts: int = 0
    lost: int = 0
    doubled: int = 0
    silent: int = 0
    torn: int = 0
    broken: list[str] = field(default_factory=list)  # What `torn` counts, in words.

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.silent or self.torn)

    def said(self) -> str:
        return (
            f"typed {self.typed}, saved {self.saved}, conflicts shown {self.conflicts}; "
            f"lost {self.lost}, doubled {self.doubled}, silent {self.silent}, torn {self.torn}"
        )


def judge(ledger: Ledger, url: str) -> Verdict:
    """Compare the ledger with the log and the log with the table."""
    log, verdict = read_log(url), Verdict()
    chains: dict[Cell, list[Line]] = defaultdict(list)
    by_operation: dict[str, dict[tuple[int, int], Line]] = defaultdict(dict)
    for line in log.lines:
        if line.kind == "edit":
            chains[line.sheet, line.row, line.column].append(line)
            verdict.doubled += (line.row, line.column) in by_operation[line.batch]
            by_operation[line.batch][line.row, line.column] = line
    for operation, sent in ledger.sent.items():
        _hold(verdict, sent, by_operation.get(operation, {}))
    verdict.silent = sum(_silent(chain, ledger) for chain in chains.values())
    verdict.broken = broken(log)
    verdict.torn = len(verdict.broken)
    return verdict


def _hold(verdict: Verdict, sent: Sent, logged: dict[tuple[int, int], Line]) -> None:
    """One action: every cell that was answered as saved is in the log as it was answered, the others are not."""
    verdict.typed += len(sent.edits)
    if sent.outcome is None:
        verdict.lost += len(sent.edits) - len(logged)
        return
    saved = {(cell["row"], cell["column"]): cell for cell in sent.outcome.get("saved", [])}
    told = {(cell["row"], cell["column"]) for cell in sent.outcome.get("conflicts", [])}
    verdict.saved += len(saved)
    verdict.conflicts += len(told)
    for cell in sent.edits:
        line = logged.get(cell)
        if cell in saved and saved[cell]["version"] == sent.outcome["version"]:
            verdict.lost += (
                line is None or line.version != saved[cell]["version"] or _text(line.new) != saved[cell]["value"]
            )
        elif cell not in saved and cell not in told:
            verdict.lost += 1
        verdict.doubled += cell in told and line is not None


def _silent(chain: list[Line], ledger: Ledger) -> int:
    """Writes over somebody else's value that their author had not seen and was not shown."""
    count = 0
    for before, line in pairwise(chain):
        sent = ledger.sent.get(line.batch)
        base = sent.edits.get((line.row, line.column)) if sent else None
        count += base is not None and before.version > base and before.actor != line.actor
    return count


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str | bool | list) else str(value)


def spread(values: list[float]) -> str:
    """Median and 95th percentile in milliseconds."""
    if not values:
        return "—"
    ordered = sorted(values)
    return f"p50 {statistics.median(ordered):.0f} ms, p95 {ordered[int(len(ordered) * 0.95)]:.0f} ms"

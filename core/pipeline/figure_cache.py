"""What the dashboard shows: the shapes of its figures, and those that were computed lately."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from threading import Lock
from typing import Any

from core.rows.query import View

ZERO = Decimal(0)
MOST_KEPT = 200


@dataclass(frozen=True)
class Headline:
    """The figures at the top; `won_now` is what was won in the present quarter, `…_valued` how many have an amount.

    Rates are from 0 to 1; None where there is nothing to divide by.
    """

    open_count: int
    open_amount: Decimal
    open_valued: int
    weighted: Decimal
    overdue_count: int
    won_count: int
    won_amount: Decimal
    won_valued: int
    won_now_count: int
    won_now_amount: Decimal
    won_now_valued: int
    valued_count: int
    lost_count: int
    median_cycle_days: Decimal | None

    @property
    def win_rate(self) -> Decimal | None:
        """Won ÷ (won + lost), by number of deals."""
        return rate(self.won_count, self.lost_count)

    @property
    def average_open(self) -> Decimal | None:
        """Open amount ÷ number of open deals that have an amount."""
        return self.open_amount / self.open_valued if self.open_valued else None

    @property
    def average_won(self) -> Decimal | None:
        """Won amount ÷ number of won deals that have an amount."""
        return self.won_amount / self.won_valued if self.won_valued else None


@dataclass(frozen=True)
class Bar:
    """One bar: its label, how many deals, their amount, and the view that opens exactly these deals."""

    label: str
    count: int
    amount: Decimal
    view: View
    color: str = ""
    weighted: Decimal = ZERO
    kind: str = ""


@dataclass(frozen=True)
class ClosedPeriod:
    """A month or quarter: the deals won and lost by their close date."""

    start: date
    label: str
    won: Bar
    lost: Bar
    closed: Bar

    @property
    def win_rate(self) -> Decimal | None:
        return rate(self.won.count, self.lost.count)


@dataclass(frozen=True)
class Party:
    """What one owner or one account has open, won and lost."""

    label: str
    open: Bar
    won: Bar
    lost_count: int

    @property
    def win_rate(self) -> Decimal | None:
        return rate(self.won.count, self.lost_count)


@dataclass(frozen=True)
class Figures:
    """Everything that the dashboard shows, as of a version of the sheet."""

    version: int
    total: int
    headline: Headline
    stages: list[Bar]
    months: list[ClosedPeriod]
    quarters: list[ClosedPeriod]
    owners: list[Party]
    ages: list[Bar]
    accounts: list[Party]

    def closed(self, unit: str) -> list[ClosedPeriod]:
        """Won and lost by "month" or by "quarter"."""
        return self.quarters if unit == "quarter" else self.months

    def closed_outside(self, periods: list[ClosedPeriod]) -> int:
        """How many closed deals are in none of these periods: closed at another time, or without a close date."""
        return self.headline.won_count + self.headline.lost_count - sum(period.closed.count for period in periods)


def rate(won: int, lost: int) -> Decimal | None:
    """won ÷ (won + lost)."""
    return Decimal(won) / (won + lost) if won + lost else None


class _Kept:
    """The figures of this process, the least used dropped first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._figures: OrderedDict[Any, Figures] = OrderedDict()

    def get(self, key: Any) -> Figures | None:
        with self._lock:
            if key in self._figures:
                self._figures.move_to_end(key)
            return self._figures.get(key)

    def put(self, key: Any, found: Figures) -> None:
        with self._lock:
            self._figures[key] = found
            while len(self._figures) > MOST_KEPT:
                self._figures.popitem(last=False)


kept = _Kept()

"""The types of the dashboard's figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from core.pipeline.conversion import Conversion
from core.rows.query import View

ZERO = Decimal(0)


@dataclass(frozen=True)
class Headline:
    """The figures at the top: `won_now…` are of the current quarter, `…_valued` count the deals that have an amount.

    Rates are from 0 to 1; None where the divisor is zero.
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
class Breakdown:
    """The open, won and lost deals of one owner or one account."""

    label: str
    open: Bar
    won: Bar
    lost_count: int

    @property
    def win_rate(self) -> Decimal | None:
        return rate(self.won.count, self.lost_count)


@dataclass(frozen=True)
class Figures:
    """The requested figures by name, as of a version of the sheet."""

    version: int
    values: Mapping[str, Any]
    conversion: Conversion | None = None  # How amounts are converted to the workspace's currency, if they are.

    @property
    def headline(self) -> Headline:
        value: Headline = self.values["headline"]
        return value

    @property
    def total(self) -> int:
        """The number of deals."""
        return self.headline.open_count + self.headline.won_count + self.headline.lost_count

    @property
    def stages(self) -> list[Bar]:
        value: list[Bar] = self.values["stages"]
        return value

    @property
    def months(self) -> list[ClosedPeriod]:
        value: list[ClosedPeriod] = self.values["months"]
        return value

    @property
    def quarters(self) -> list[ClosedPeriod]:
        value: list[ClosedPeriod] = self.values["quarters"]
        return value

    @property
    def owners(self) -> list[Breakdown]:
        value: list[Breakdown] = self.values["owners"]
        return value

    @property
    def ages(self) -> list[Bar]:
        value: list[Bar] = self.values["ages"]
        return value

    @property
    def accounts(self) -> list[Breakdown]:
        value: list[Breakdown] = self.values["accounts"]
        return value

    def closed(self, unit: str) -> list[ClosedPeriod]:
        """Return the closed deals by "month" or by "quarter"."""
        return self.quarters if unit == "quarter" else self.months

    def closed_outside(self, periods: list[ClosedPeriod]) -> int:
        """Return how many closed deals are in none of these periods: closed at another time, or without a date."""
        return self.headline.won_count + self.headline.lost_count - sum(period.closed.count for period in periods)


def rate(won: int, lost: int) -> Decimal | None:
    """won ÷ (won + lost)."""
    return Decimal(won) / (won + lost) if won + lost else None

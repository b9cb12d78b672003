"""Conversion of a pipeline's amounts to the workspace's currency, by the exchange rate of a day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Numeric, case, cast, literal, null, select
from sqlalchemy.orm import Session

from core.access.access import ColumnInfo
from core.column_types import column_type
from core.workspace.exchange_rates import Rate, exchange_rates
from core.workspace.settings import workspace_settings
from db.tables.workspace import ExchangeRate


@dataclass(frozen=True)
class Conversion:
    """The currency of the amounts, the workspace's currency, and the rates between them, newest first."""

    source: str
    target: str
    rates: tuple[Rate, ...]

    @property
    def first_day(self) -> date:
        """The first day with a rate. Amounts of deals that closed before are not known in the workspace's currency."""
        return self.rates[-1].day

    def on(self, day: date) -> Decimal | None:
        """Return the rate of a day; None before the first day."""
        return next((rate.rate for rate in self.rates if rate.day <= day), None)

    def rate(self, closed_on: ColumnElement[Any], is_closed: ColumnElement[bool], today: date) -> ColumnElement[Any]:
        """Return the rate of a deal in SQL: of the ISO day on which it closed, or of today where it is open."""
        of_today = self.on(today)
        now: ColumnElement[Any] = cast(null(), Numeric) if of_today is None else literal(of_today, Numeric)
        of_day = (
            select(ExchangeRate.rate)
            .where(
                ExchangeRate.base == self.target,
                ExchangeRate.currency == self.source,
                ExchangeRate.day <= cast(closed_on, ExchangeRate.day.type),
            )
            .order_by(ExchangeRate.day.desc())
            .limit(1)
            .scalar_subquery()
        )
        return case((is_closed & closed_on.is_not(None), of_day), else_=now)


@dataclass(frozen=True)
class Basis:
    """What figures take from the workspace: the first month of its fiscal year, and how amounts are converted."""

    year_starts: int = 1
    conversion: Conversion | None = None


def basis_of(session: Session, amount: ColumnInfo | None) -> Basis:
    """Return what figures of a pipeline with this column of amounts take from the workspace."""
    return Basis(workspace_settings(session).fiscal_year_start, _conversion_of(session, amount))


def _conversion_of(session: Session, amount: ColumnInfo | None) -> Conversion | None:
    """Return how amounts of a column are converted; None where they stay, in their currency."""
    currency = str(amount.rules.get("currency", "")) if amount and column_type(amount.type).has_currency else ""
    base = workspace_settings(session).currency
    if not currency or currency == base:
        return None
    rates = exchange_rates(session, currency)
    return Conversion(currency, base, tuple(rates)) if rates else None

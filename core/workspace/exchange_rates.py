"""Exchange rates by date: what a unit of a currency is worth in the workspace's currency from a day on."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor, require
from core.base.errors import Invalid
from core.base.permissions import Permission
from core.column_types.currencies import CURRENCIES
from core.column_types.date_text import date_of
from core.workspace.settings import workspace_settings
from db.tables.workspace import ExchangeRate

MAX_RATES = 20_000
_LARGEST = Decimal(10) ** 12
_AMBIGUOUS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")


@dataclass(frozen=True, order=True)
class Rate:
    """From a day on, one unit of the currency is worth this much in the workspace's currency."""

    currency: str
    day: date
    rate: Decimal


def exchange_rates(session: Session, currency: str | None = None) -> list[Rate]:
    """Return the rates to the workspace's currency, of one currency or of all, newest first."""
    base = workspace_settings(session).currency
    is_wanted = [ExchangeRate.base == base, *([ExchangeRate.currency == currency] if currency else [])]
    order = (ExchangeRate.currency, ExchangeRate.day.desc())
    rows = session.execute(
        select(ExchangeRate.currency, ExchangeRate.day, ExchangeRate.rate).where(*is_wanted).order_by(*order)
    )
    return [Rate(*row) for row in rows]


def set_exchange_rates(
    session: Session, actor: Actor, rates: Sequence[Rate], *, removed: Sequence[tuple[str, date]] = ()
) -> None:
    """Store rates in place of those of the same currency and day, and remove others. For administrators.

    Raises Invalid.
    """
    require(actor, Permission.PEOPLE_MANAGE)
    base = workspace_settings(session).currency
    checked = {(rate.currency, rate.day): _checked(rate, base) for rate in rates}
    if removed:
        key = tuple_(ExchangeRate.currency, ExchangeRate.day)
        session.execute(delete(ExchangeRate).where(ExchangeRate.base == base, key.in_(list(removed))))
    if checked:
        values = [
            {"base": base, "currency": rate.currency, "day": rate.day, "rate": rate.rate} for rate in checked.values()
        ]
        statement = insert(ExchangeRate)
        replaced = {"rate": statement.excluded.rate, "changed_at": statement.excluded.changed_at}
        keys = ["base", "currency", "day"]
        session.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced), values)
    if len(exchange_rates(session)) > MAX_RATES:
        raise Invalid(f"A workspace has at most {MAX_RATES:,} exchange rates. Remove old ones first.")
    if checked or removed:
        currencies = sorted({currency for currency, _ in [*checked, *removed]})
        facts: dict[str, Any] = {"rates": len(checked), "removed": len(removed), "currencies": currencies[:20]}
        audit.record(session, actor, "workspace:rates:change", **facts)


def import_exchange_rates(session: Session, actor: Actor, text: str) -> int:
    """Store the rates in lines such as USD;2026-11-30;0.92, with or without a header; return how many.

    Raises Invalid naming each line that can't be read; nothing is stored then.
    """
    require(actor, Permission.PEOPLE_MANAGE)
    base = workspace_settings(session).currency
    rates, refused = [], []
    for number, fields in _lines(text):
        try:
            rates.append(_checked(_rate_of(fields), base))
        except Invalid as refusal:
            if number == 1 and not any(any(letter.isdigit() for letter in field) for field in fields):
                continue  # The header.
            refused.append({"line": number, "reason": refusal.message})
    if refused:
        first = refused[0]
        others = f" and {len(refused) - 1:,} more lines" if len(refused) > 1 else ""
        message = f"Line {first['line']}{others} can't be read, so nothing was stored. {first['reason']}"
        raise Invalid(message, lines=refused[:1000])
    if not rates:
        raise Invalid("There is no rate in these lines. Write them like USD;2026-11-30;0.92.")
    set_exchange_rates(session, actor, rates)
    return len(rates)


def _lines(text: str) -> Iterable[tuple[int, list[str]]]:
    """Yield the fields of each filled line with its number, by the separator that occurs first."""
    separator = next((each for each in ("\t", ";", ",") if each in text), ",")
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        if line.strip():
            yield number, [field.strip() for field in next(csv.reader([line], delimiter=separator))]


def _rate_of(fields: Sequence[str]) -> Rate:
    if len(fields) != 3:
        raise Invalid("A line has a currency, a day and a rate, such as USD;2026-11-30;0.92.")
    currency, day, rate = fields
    if _AMBIGUOUS.fullmatch(rate):
        whole, decimals = rate.replace(",", "").replace(".", ""), rate.replace(",", ".")
        raise Invalid(f"“{rate}” can be read as {whole} or as {decimals}. Write it as {whole} or {decimals}0.")
    try:
        return Rate(currency, date_of(day), Decimal(rate.replace(",", ".")))
    except InvalidOperation:
        raise Invalid(f"“{rate[:40]}” is not a rate such as 0.92.") from None


def _checked(rate: Rate, base: str) -> Rate:
    code = rate.currency.strip().upper()
    if code not in CURRENCIES:
        raise Invalid(f"“{rate.currency[:20]}” is not a currency code. Write it like USD.")
    if code == base:
        raise Invalid(f"{base} is the workspace's currency, whose rate is always 1.")
    if not rate.rate.is_finite() or not 0 < rate.rate < _LARGEST:
        raise Invalid(f"The rate of {code} on {rate.day.isoformat()} is not a number above 0.")
    return Rate(code, rate.day, rate.rate)

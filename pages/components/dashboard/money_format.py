"""How the dashboard writes amounts and numbers of deals, in the workspace's currency and the user's number format."""

from dataclasses import dataclass
from decimal import Decimal

from pages.components.app.format import with_separators

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
UNITS = ((10**9, " bn"), (10**6, " M"), (10**3, " k"))


@dataclass(frozen=True)
class MoneyFormat:
    """A currency code, which may be empty, one of NUMBER_FORMATS, and whether any deal has a visible amount."""

    currency: str = ""
    number_format: str = "1,234.5"
    has_amounts: bool = True

    def amount(self, amount: Decimal) -> str:
        """Return a rounded amount with its unit: € 1.2 M, € 340 k, € 950."""
        return self._localized(self._rounded(amount))

    def tick(self, amount: Decimal) -> str:
        """Return the label of an axis tick: a rounded amount without a decimal zero."""
        return self._localized(self._rounded(amount).replace(".0 ", " "))

    def count(self, count: int) -> str:
        """Return a whole number with separators: 1,234."""
        return self._localized(f"{count:,}")

    def deals(self, count: int) -> str:
        """Return a number of deals with its noun: 1 deal, 1,234 deals."""
        return f"{self.count(count)} {'deal' if count == 1 else 'deals'}"

    def _rounded(self, amount: Decimal) -> str:
        # An amount that would be rounded to 1,000 of a unit is written in the next larger unit.
        size, unit = next(((size, unit) for size, unit in UNITS if abs(amount) >= size * Decimal("0.9995")), (1, ""))
        number = amount / size
        decimals = 1 if unit and abs(number) < Decimal("99.95") else 0
        return f"{SYMBOLS.get(self.currency, self.currency)} {number:.{decimals}f}{unit}".strip()

    def _localized(self, text: str) -> str:
        return with_separators(text, self.number_format)


def percent(rate: Decimal | None) -> str:
    """Return a rate from 0 to 1 as a whole percentage; a dash for None."""
    return "–" if rate is None else f"{rate:.0%}"

"""Numbers, money and percentages: decimals from the typed text to the database, never binary floats."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import false

from core.base.errors import Invalid
from core.base.exact_json import decimal_text
from core.base.text import quoted
from core.column_types.base import ColumnLike, ColumnType, References, expected
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.conditions import NUMBER, SqlCondition
from core.column_types.currencies import currencies_of, minor_digits
from core.column_types.number_text import DECIMALS, FORMATS, canonical, number_of, within_limits
from core.column_types.rules import REQUIRED, UNIQUE, Rule
from core.column_types.shown_forms import SoughtNumber
from core.column_types.traits import Form

MIN = Rule("min", "Smallest value", "number")
MAX = Rule("max", "Largest value", "number")
PLACES = Rule("decimals", "Decimals", "whole", most=DECIMALS)
FORMAT = Rule(
    "number_format",
    "Number format",
    "choice",
    choices=("auto", *FORMATS),
    help="How typed numbers are read. Automatic refuses what could be two numbers, such as 1,234, "
    "unless the decimals of the column leave only one.",
)
_DECIMAL_TEXT = re.compile(r"-?[0-9]{1,80}(?:\.[0-9]{1,80})?(?:[eE][-+]?[0-9]{1,4})?")
CURRENCY = Rule(
    "currency",
    "Currency",
    "currency",
    help="The three letters of ISO 4217, such as EUR. Amounts that are there already are not converted.",
)


class Number(ColumnType[Decimal]):
    """A number: at most 15 digits before and 10 after the decimal mark, exact."""

    name, label, icon, editor = "number", "Number", "123", "number"
    value_class = Decimal
    form = Form.NUMBER
    width = 92
    aligned_right = True
    takes: ClassVar[tuple[Rule, ...]] = (REQUIRED, UNIQUE, MIN, MAX, PLACES, FORMAT)
    filters = NUMBER
    slots = "n"
    longest: ClassVar[int] = 100

    def reader(
        self, column: ColumnLike, references: References, current: Decimal | None = None
    ) -> Callable[[str], Decimal]:
        number_format, places, judge = _format(column), _places(column), _judge(column)

        def read(text: str) -> Decimal:
            number, unit = number_of(text, number_format, places)
            if unit:
                self.check_unit(unit, text, column)
            return judge(number)

        return read

    def verify(self, value: Any, column: ColumnLike, references: References, current: Decimal | None = None) -> Decimal:
        return _judge(column)(_exact(value))

    def text(self, value: Decimal, column: ColumnLike, references: References) -> str:
        return canonical(value)

    def converter(
        self, source: ColumnType[Any], old: ColumnLike, new: ColumnLike, references: References
    ) -> Callable[[Any], Decimal | None]:
        """Numbers stay as they are: their text could be read by another format."""
        if source.is_number:
            return lambda value: self.verify(value, new, references)
        return super().converter(source, old, new, references)

    def sql(self, cell: SqlCell, column: ColumnLike, references: References) -> Sql:
        return cell.number

    def operand(self, value: Any, column: ColumnLike, references: References) -> Decimal:
        """A limit to compare with: typed text is read as in a cell, JSON numbers are taken as they are."""
        if not isinstance(value, str):
            return _exact(value)
        number, unit = number_of(self._cleaned(value) or "nothing", _format(column), _places(column))
        if unit:
            self.check_unit(unit, value, column)
        return number

    def contains(self, text: str, cell: SqlCell, column: ColumnLike, references: References) -> SqlCondition:
        sought = SoughtNumber.read(text)
        if sought is None or not all(self.shows_unit(unit, column) for unit in sought.units):
            return false()
        return sought.stands_in(cell, self.places(column))

    def places(self, column: ColumnLike) -> int:
        """How many decimals a number of this column shows at least."""
        return int(column.rules.get("decimals", 0))

    def shows_unit(self, unit: str, column: ColumnLike) -> bool:
        """Whether this sign or code stands beside the numbers of this column."""
        return False

    def check_unit(self, unit: str, text: str, column: ColumnLike) -> None:
        """Refuses a currency sign, a code or % that does not belong to this column's numbers."""
        if unit == "%":
            raise Invalid(f"{quoted(text)} is a percentage; this column takes plain numbers.")
        if not currencies_of(unit):
            raise Invalid(f"{quoted(text)} is not a number.")
        self.check_currency(unit, text, column)

    def check_currency(self, unit: str, text: str, column: ColumnLike) -> None:
        """Refuses a currency that the stored number would lose."""
        raise Invalid(
            f"{quoted(text)} has a currency; this column takes plain numbers. Leave out {quoted(unit)}, or use a "
            "column of type Money."
        )

    def rule_value(self, rule: Any) -> Decimal:
        return Decimal(str(rule))


class Money(Number):
    """An amount of money in the currency of its column."""

    name, label, icon = "money", "Money", "payments"
    form = Form.MONEY
    width = 96
    takes = (*Number.takes, CURRENCY)

    def places(self, column: ColumnLike) -> int:
        currency = column.rules.get("currency")
        return int(column.rules.get("decimals", minor_digits(currency) if currency else 0))

    def exchange_text(self, value: Decimal, column: ColumnLike, references: References) -> str:
        return f"{self.text(value, column, references)} {column.rules.get('currency', '')}".strip()

    def shows_unit(self, unit: str, column: ColumnLike) -> bool:
        return column.rules.get("currency") in currencies_of(unit.upper() if unit.isascii() else unit)

    def check_currency(self, unit: str, text: str, column: ColumnLike) -> None:
        """A sign or code says the currency of the column, or the amount would be taken for one of another currency."""
        currency = column.rules.get("currency")
        if not currency:
            raise Invalid(
                f"{quoted(text)} has a currency, and this column has none yet. Choose the column's currency first, or "
                f"leave out {quoted(unit)}."
            )
        if currency not in currencies_of(unit):
            raise Invalid(
                f"{quoted(text)} is not in {currency}, the currency of this column. Amounts are not converted: "
                f"type the amount in {currency}, or use another column."
            )


class Percent(Number):
    """A percentage: 25 means 25 %."""

    name, label, icon = "percent", "Percent", "percent"
    form = Form.PERCENT
    width = 84

    def exchange_text(self, value: Decimal, column: ColumnLike, references: References) -> str:
        return f"{self.text(value, column, references)} %"

    def shows_unit(self, unit: str, column: ColumnLike) -> bool:
        return unit == "%"

    def check_unit(self, unit: str, text: str, column: ColumnLike) -> None:
        if unit != "%":
            raise Invalid(f"{quoted(text)} is not a percentage such as 25 or 25 %.")


def _format(column: ColumnLike) -> str | None:
    number_format = column.rules.get("number_format")
    return number_format if number_format in FORMATS else None


def _places(column: ColumnLike) -> int:
    """How many decimals the column takes at most."""
    return int(column.rules.get("decimals", DECIMALS))


def _judge(column: ColumnLike) -> Callable[[Decimal], Decimal]:
    """What holds a number against the column's limits."""
    rules = column.rules
    minimum, maximum = (Decimal(str(rules[key])) if key in rules else None for key in ("min", "max"))
    places = _places(column)

    def judge(number: Decimal) -> Decimal:
        if minimum is not None and number < minimum:
            raise Invalid(f"{decimal_text(number)} is too small: the smallest value here is {decimal_text(minimum)}.")
        if maximum is not None and number > maximum:
            raise Invalid(f"{decimal_text(number)} is too large: the largest value here is {decimal_text(maximum)}.")
        if places < DECIMALS and number != number.quantize(Decimal(1).scaleb(-places)):
            limit = f"at most {places} decimals" if places else "whole numbers"
            raise Invalid(f"{decimal_text(number)} has too many decimals: this column takes {limit}.")
        return number

    return judge


def _exact(value: Any) -> Decimal:
    """The number in a JSON value: an int, a Decimal or decimal text such as "1234.50". A float is never exact."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise expected(value, "a number or decimal text")
    if isinstance(value, str) and not _DECIMAL_TEXT.fullmatch(value):
        raise Invalid(f"{quoted(value)} is not a decimal number such as 1234.50.")
    number = Decimal(value)
    if not number.is_finite():
        raise Invalid(f"{value} is not a number that a cell can hold.")
    return within_limits(number, str(value))

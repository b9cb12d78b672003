"""Formulas in plain Python, written apart from the compiler: what each means for the values of one row."""

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Decimal, localcontext
from typing import Any

from core.base.exact_json import decimal_text
from core.column_types.number_text import trimmed
from core.formulas.syntax import Call, Column, Literal, Node
from db.folding import fold

TODAY = date(2026, 11, 30)
FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)
Value = Decimal | str | date | bool | None


class CellError(Exception):
    """The reason for which a formula has no value."""


def evaluate(node: Node, row: Mapping[str, Value]) -> Value:
    """Return the value of a formula for the row's values by column name. Raises CellError."""
    with localcontext() as context:
        context.prec = 200
        return _value(node, row)


def _value(node: Node, row: Mapping[str, Value]) -> Value:
    if isinstance(node, Literal):
        return node.value if node.value != "" else None
    if isinstance(node, Column):
        return row[node.name]
    assert isinstance(node, Call)
    lazy = _LAZY.get(node.function)
    if lazy:
        return lazy(node.arguments, row)
    values = [_value(argument, row) for argument in node.arguments]
    result = _EAGER[node.function](*values)
    return None if result == "" else result


def text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Decimal):
        return decimal_text(trimmed(rounded(value, Decimal(10))))
    return value.isoformat() if isinstance(value, date) else value


def rounded(number: Decimal, places: Decimal, way: str = ROUND_HALF_UP) -> Decimal:
    digits = int(max(min(int(places), 10), -15))
    with localcontext() as context:
        context.prec = 200
        return number.quantize(Decimal(1).scaleb(-digits), rounding=way)


def comparable(value: Value) -> Any:
    return fold(value) if isinstance(value, str) else value


def equal(a: Value, b: Value) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return bool(a) == bool(b)
    return comparable(a) == comparable(b)


def ordered(way: str) -> Any:
    def compare(a: Value, b: Value) -> bool:
        if a is None or b is None:
            return False
        a, b = comparable(a), comparable(b)
        if isinstance(a, str):
            a, b = a.encode(), b.encode()  # type: ignore[union-attr]
        return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[way])  # type: ignore[operator]

    return compare


def strict(function: Any) -> Any:
    return lambda *values: None if None in values else function(*values)


def divided(a: Decimal | None, b: Decimal | None) -> Decimal | None:
    if b == 0 and b is not None:
        raise CellError
    return None if a is None or b is None else rounded(a / b, Decimal(10))


def power(base: Decimal | None, exponent: Decimal | None) -> Decimal | None:
    if exponent is not None and (exponent != int(exponent) or abs(exponent) > 100):
        raise CellError
    if base is None or exponent is None:
        return None
    if base == 0 and exponent < 0:
        raise CellError
    if exponent == 0:
        return Decimal(1)
    if max(abs(base), Decimal(1)).log10() * exponent >= 30:
        raise CellError
    return rounded(base.quantize(Decimal(1).scaleb(-20), ROUND_HALF_UP) ** int(exponent), Decimal(10))


def mod(a: Decimal | None, b: Decimal | None) -> Decimal | None:
    if b is not None and b == 0:
        raise CellError
    return None if a is None or b is None else a - b * (a / b).to_integral_value(ROUND_FLOOR)


def moved(day: date | None, days: int) -> date | None:
    if day is None:
        return None
    try:
        result = day + timedelta(days=days)
    except OverflowError:
        raise CellError from None
    if not FIRST <= result <= LAST:
        raise CellError
    return result


def plus(a: Value, b: Value, sign: int = 1) -> Value:
    if isinstance(b, date) and sign == 1:
        a, b = b, a
    if a is None or b is None:
        return None
    if isinstance(a, date):
        if isinstance(b, date):
            return Decimal((a - b).days)
        return moved(a, int(max(min(b * sign, Decimal(200_000)), Decimal(-200_000))))  # type: ignore[operator]
    return a + sign * b  # type: ignore[operator]


def later(day: date | None, months: Decimal | None, factor: int = 1) -> date | None:
    if day is None or months is None:
        return None
    count = day.year * 12 + day.month - 1 + int(max(min(months, Decimal(4000)), Decimal(-4000))) * factor
    year, month = divmod(count, 12)
    if not FIRST.year <= year <= LAST.year:
        raise CellError
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def workdays(start: date | None, end: date | None) -> Decimal | None:
    if start is None or end is None:
        return None
    first, last, sign = (start, end, 1) if start <= end else (end, start, -1)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return Decimal(sign * sum(day.weekday() < 5 for day in days))


def count_of(count: Decimal) -> int:
    return int(max(min(int(count), 100_000), 0))


def mid(value: str | None, start: Decimal | None, count: Decimal | None) -> str | None:
    if start is not None and start < 1:
        raise CellError
    if value is None or start is None or count is None:
        return None
    begin = int(start) - 1
    return value[begin : begin + count_of(count)]


def find(part: str | None, value: str | None) -> Decimal | None:
    if part is None or value is None:
        return None
    if part not in value:
        raise CellError
    return Decimal(value.index(part) + 1)


def average(*numbers: Decimal | None) -> Decimal | None:
    filled = [number for number in numbers if number is not None]
    return rounded(sum(filled, Decimal(0)) / len(filled), Decimal(10)) if filled else None


def extreme(choose: Any) -> Any:
    return lambda *values: choose([value for value in values if value is not None], default=None)


def contains(value: Value, part: Value) -> bool:
    return value is not None and part is not None and fold(text(part)) in fold(text(value))


def chosen(arguments: Any, row: Mapping[str, Value]) -> Value:
    for index in range(0, len(arguments) - 1, 2):
        if _value(arguments[index], row):
            return _value(arguments[index + 1], row)
    return _value(arguments[-1], row) if len(arguments) % 2 else None


def switch(arguments: Any, row: Mapping[str, Value]) -> Value:
    value, rest = _value(arguments[0], row), arguments[1:]
    for index in range(0, len(rest) - 1, 2):
        if equal(value, _value(rest[index], row)):
            return _value(rest[index + 1], row)
    return _value(rest[-1], row) if len(rest) % 2 else None


def iferror(arguments: Any, row: Mapping[str, Value]) -> Value:
    try:
        return _value(arguments[0], row)
    except CellError:
        return _value(arguments[1], row)


def iserror(arguments: Any, row: Mapping[str, Value]) -> Value:
    try:
        _value(arguments[0], row)
    except CellError:
        return True
    return False


_LAZY: dict[str, Any] = {"IF": chosen, "IFS": chosen, "SWITCH": switch, "IFERROR": iferror, "ISERROR": iserror}
_EAGER: dict[str, Any] = {
    "+": plus,
    "-": lambda a, b: plus(a, b, -1),
    "*": strict(lambda a, b: a * b),
    "/": divided,
    "^": power,
    "POWER": power,
    "%": strict(lambda a: a / 100),
    "NEGATIVE": strict(lambda a: -a),
    "POSITIVE": lambda a: a,
    "&": lambda a, b: text(a) + text(b),
    "CONCAT": lambda *values: "".join(map(text, values)),
    "=": equal,
    "<>": lambda a, b: not equal(a, b),
    **{way: ordered(way) for way in ("<", "<=", ">", ">=")},
    "ROUND": strict(rounded),
    "ROUNDUP": strict(lambda a, n: rounded(a, n, ROUND_UP)),
    "ROUNDDOWN": strict(lambda a, n: rounded(a, n, ROUND_DOWN)),
    "INT": strict(lambda a: a.to_integral_value(ROUND_FLOOR)),
    "CEILING": strict(lambda a: a.to_integral_value(ROUND_CEILING)),
    "ABS": strict(abs),
    "SIGN": strict(lambda a: Decimal((a > 0) - (a < 0))),
    "MOD": mod,
    "SUM": lambda *values: sum((value for value in values if value is not None), Decimal(0)),
    "AVERAGE": average,
    "MIN": extreme(min),
    "MAX": extreme(max),
    "LEFT": strict(lambda value, count: value[: count_of(count)]),
    "RIGHT": strict(lambda value, count: value[-count_of(count) :] if count_of(count) else ""),
    "MID": mid,
    "LEN": lambda value: Decimal(len(value or "")),
    "TRIM": strict(lambda value: " ".join(part for part in value.split(" ") if part)),
    "SUBSTITUTE": lambda value, old, new: value if value is None or not old else value.replace(old, new or ""),
    "CONTAINS": contains,
    "STARTSWITH": lambda value, part: bool(value and part and fold(value).startswith(fold(part))),
    "EXACT": lambda a, b: a == b,
    "FIND": find,
    "TEXT": text,
    "TODAY": lambda: TODAY,
    "YEAR": strict(lambda day: Decimal(day.year)),
    "MONTH": strict(lambda day: Decimal(day.month)),
    "DAY": strict(lambda day: Decimal(day.day)),
    "QUARTER": strict(lambda day: Decimal((day.month + 2) // 3)),
    "WEEKDAY": strict(lambda day: Decimal(day.isoweekday() % 7 + 1)),
    "ISOWEEKNUM": strict(lambda day: Decimal(day.isocalendar().week)),
    "DAYS": lambda end, start: plus(end, start, -1),
    "EDATE": later,
    "WORKDAYS": workdays,
    "AND": lambda *values: all(values),
    "OR": lambda *values: any(values),
    "NOT": lambda value: not value,
    "BLANK": lambda: None,
    "ISBLANK": lambda value: value is None,
}

"""Values: what a cell stores, how it travels, and JSON text in which every number stays exact."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import orjson

# What a filled cell stores. An empty cell is no value at all.
Value = str | bool | Decimal | list[str]
# What travels to browsers and programs: a number goes as decimal text, because a JSON reader would make it a float.
Wire = str | bool | list[str] | None


def plain(number: Decimal) -> str:
    """The number in digits, with `.` and without an exponent, however it is held."""
    return format(number, "f")


def to_wire(value: Value | None) -> Wire:
    """The value as it travels: numbers as decimal text, all else as it is stored."""
    return plain(value) if isinstance(value, Decimal) else value


def dumps(data: Any) -> str:
    """JSON text of stored values, in any lists and objects. A Decimal becomes a JSON number, digit by digit."""
    return orjson.dumps(data, default=_exact).decode()


def loads(text: str) -> Any:
    """The data in JSON text that the database gave, its numbers as decimal text: wire values."""
    return _WIRE.decode(text)


def stored(text: str) -> Any:
    """The data in JSON text that the database gave, its numbers as Decimal: stored values."""
    return _STORED.decode(text)


def loads_exact(text: str | bytes) -> Any:
    """The data in JSON text from outside, its numbers as int and Decimal. Raises ValueError on NaN and Infinity."""
    return json.loads(text, parse_float=_decimal, parse_constant=_refuse_constant)


def _exact(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(plain(value))
    message = f"{type(value).__name__} is no storable value"
    raise TypeError(message)


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        message = f"{digits[:40]} is out of range"
        raise ValueError(message) from None


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is no JSON number"
    raise ValueError(message)


# Made once: json.loads() makes one for every text, which takes as long as reading a row with it.
_WIRE = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)
_STORED = json.JSONDecoder(parse_int=Decimal, parse_float=Decimal, parse_constant=_refuse_constant)

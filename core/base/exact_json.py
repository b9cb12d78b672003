"""Values of cells, stored and on the wire, and a JSON codec that keeps every number exact."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import orjson


class CellError(str):
    """The reason for which a computed cell has no value, in the place of a stored value."""

    __slots__ = ()


# The stored value of a filled cell. An empty cell has no value.
Value = str | bool | Decimal | list[str]
# The value sent to browsers and API clients. A number is decimal text, because JSON readers would make it a float.
# A related row travels with its title, and a computed cell without a value as {"error": reason}.
Wire = str | bool | list[str] | list[dict[str, str]] | dict[str, str] | None


def decimal_text(number: Decimal) -> str:
    """Return the number in digits, with `.` and without an exponent."""
    return format(number, "f")


def to_wire(value: Value | None) -> Wire:
    """Return the wire value of a stored value: numbers as decimal text, everything else unchanged."""
    return decimal_text(value) if isinstance(value, Decimal) else value


def dumps(data: Any) -> str:
    """Return JSON text of stored values, in any lists and objects. A Decimal becomes a JSON number, digit by digit."""
    return orjson.dumps(data, default=_encode_decimal).decode()


def loads_wire(text: str) -> Any:
    """Parse JSON text from the database into wire values: numbers as decimal text."""
    return _WIRE.decode(text)


def loads_stored(text: str) -> Any:
    """Parse JSON text from the database into stored values: numbers as Decimal."""
    return _STORED.decode(text)


def loads_input(text: str | bytes) -> Any:
    """Parse JSON text from outside: numbers as int and Decimal. Raises ValueError on NaN and Infinity."""
    return json.loads(text, parse_float=_decimal, parse_constant=_refuse_constant)


def _encode_decimal(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(decimal_text(value))
    message = f"{type(value).__name__} is not a storable value"
    raise TypeError(message)


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        message = f"{digits[:40]} is out of range"
        raise ValueError(message) from None


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not a JSON number"
    raise ValueError(message)


# Created once: json.loads() creates a decoder for every text, which takes as long as decoding a row.
_WIRE = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)
_STORED = json.JSONDecoder(parse_int=Decimal, parse_float=Decimal, parse_constant=_refuse_constant)

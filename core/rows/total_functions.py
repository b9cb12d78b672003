"""The functions of totals in SQL: what each needs of the cells of an innermost group, and how it is put together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import BigInteger, ColumnElement, cast, func

from core.base.errors import Invalid

SHAPE = '[{"column": 4, "function": "sum"}]'


class Function(StrEnum):
    """What a total says about the cells of a column."""

    SUM = "sum"
    AVERAGE = "average"
    MIN = "min"
    MAX = "max"
    FILLED = "filled"
    EMPTY = "empty"
    UNIQUE = "unique"


OF_NUMBERS = frozenset({Function.SUM, Function.AVERAGE})
OF_ORDERED = frozenset({Function.MIN, Function.MAX})


@dataclass(frozen=True, order=True)
class Total:
    """One function of one column."""

    column: int
    function: Function

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the total that `as_json` described. Raises Invalid."""
        try:
            return cls(int(body["column"]), Function(body["function"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Invalid(f"Totals look like this: {SHAPE}. The functions are {', '.join(Function)}.") from error

    @property
    def key(self) -> str:
        return f"{self.column}:{self.function}"


# What each function is put together from: aggregates of the cells of an innermost group.
PARTS: dict[Function, tuple[str, ...]] = {
    Function.SUM: ("sum",),
    Function.AVERAGE: ("sum", "filled", "scale"),
    Function.MIN: ("min",),
    Function.MAX: ("max",),
    Function.FILLED: ("filled",),
    Function.EMPTY: ("filled",),
    Function.UNIQUE: (),
}


_AGGREGATES: dict[str, Callable[[ColumnElement[Any]], ColumnElement[Any]]] = {
    "sum": func.sum,
    "min": func.min,
    "max": func.max,
    "filled": func.count,
    "scale": lambda cell: func.max(func.scale(cell)),
}


def part_of(name: str, cell: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a part over the cells of an innermost group."""
    return _AGGREGATES[name](cell)


def total_of(total: Total, parts: Any) -> ColumnElement[Any]:
    """Return a total of several parts."""
    column = total.column
    if total.function is Function.UNIQUE:
        return func.count(parts.c[f"cell{column}"].distinct())
    if total.function in OF_ORDERED:
        return _AGGREGATES[total.function](parts.c[f"{total.function}{column}"])
    if total.function is Function.SUM:
        return func.sum(parts.c[f"sum{column}"])
    filled = parts.c[f"filled{column}"]
    if total.function is Function.AVERAGE:
        # Rounded here, once: half away from zero, to two decimals more than the cells have.
        average = func.sum(parts.c[f"sum{column}"]) / func.nullif(func.sum(filled), 0)
        return func.round(average, 2 + func.max(parts.c[f"scale{column}"]))
    return count_of(filled if total.function is Function.FILLED else parts.c.row_count - filled)


def count_of(counts: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the sum of counts, as a whole number."""
    return cast(func.coalesce(func.sum(counts), 0), BigInteger)

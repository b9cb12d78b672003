"""Functions of formulas: what each takes and gives, its help, and the table of all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Integer, Numeric, cast, func

from core.column_types.cell_sql import Sql
from core.formulas.expressions import Expression, Kind, Result, applied, converted
from core.formulas.syntax import Call, FormulaError, Node

MAX_ARGUMENTS = 50


@dataclass(frozen=True, slots=True)
class Moment:
    """What a formula may know of the moment: the day on which it is read, and the time zone in which days are."""

    today: date
    zone: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function: how it is written, what it does, an example with its result, and how it becomes SQL.

    `build` takes the node, for places in the text, its arguments and the moment.
    """

    name: str
    group: str
    shown: str
    help: str
    example: str
    result: str
    build: Callable[[Call, Sequence[Expression], Moment], Expression]


FUNCTIONS: dict[str, Function] = {}
OPERATORS: dict[str, Callable[[Call, Sequence[Expression], Moment], Expression]] = {}


def function(
    shown: str,
    gives: Kind,
    *takes: Kind,
    group: str,
    help: str,  # noqa: A002 - the help of the function.
    example: tuple[str, str],
    optional: int = 0,
    repeats: bool = False,
) -> Callable[[Callable[..., Result | Sql]], Callable[..., Result | Sql]]:
    """Register a function that takes arguments of fixed kinds; `repeats`: the last one may come any number of times."""
    name = shown.partition("(")[0]
    most = MAX_ARGUMENTS if repeats else len(takes)

    def register(sql: Callable[..., Result | Sql]) -> Callable[..., Result | Sql]:
        def build(node: Call, arguments: Sequence[Expression], moment: Moment) -> Expression:
            check_count(node, arguments, len(takes) - optional, most, shown)
            kinds = [*takes, *[takes[-1]] * (len(arguments) - len(takes))] if takes else []
            values = [
                expected(argument, kind, node, place, moment)
                for place, (argument, kind) in enumerate(zip(arguments, kinds, strict=False))
            ]
            result = sql(*values)
            return applied(gives, result if isinstance(result, Result) else Result(result), values)

        FUNCTIONS[name] = Function(name, group, shown, help, *example, build)
        return sql

    return register


def special(
    shown: str,
    *,
    group: str,
    help: str,  # noqa: A002 - the help of the function.
    example: tuple[str, str],
) -> Callable[[Callable[..., Expression]], Callable[..., Expression]]:
    """Register a function that decides itself what it takes."""
    name = shown.partition("(")[0]

    def register(build: Callable[..., Expression]) -> Callable[..., Expression]:
        FUNCTIONS[name] = Function(name, group, shown, help, *example, build)
        return build

    return register


def operator(*names: str) -> Callable[[Callable[..., Expression]], Callable[..., Expression]]:
    """Register an operator."""

    def register(build: Callable[..., Expression]) -> Callable[..., Expression]:
        OPERATORS.update(dict.fromkeys(names, build))
        return build

    return register


def check_count(node: Call, arguments: Sequence[Any], least: int, most: int, shown: str) -> None:
    """Refuse a call with too few or too many arguments."""
    if not least <= len(arguments) <= most:
        raise FormulaError(f"{node.function} is written {shown}; here it has {len(arguments)} arguments.", node.at)


def expected(argument: Expression, kind: Kind, node: Call, place: int, moment: Moment) -> Expression:
    """Return the argument as this kind. Raises FormulaError at its place."""
    value = converted(argument, kind, moment.zone)
    if value is None:
        name = f"“{node.function}”" if node.function not in FUNCTIONS else node.function
        raise FormulaError(f"{name} takes {kind} here, not {argument.kind}.", node.arguments[place].at)
    return value


def same_kind(arguments: Sequence[Expression], node: Call, places: Sequence[Node], moment: Moment) -> list[Expression]:
    """Return the arguments as one kind, that of the first that is not empty. Raises FormulaError."""
    kinds = [argument.kind for argument in arguments if argument.kind is not Kind.EMPTY]
    kind = Kind.DAY if set(kinds) == {Kind.DAY, Kind.INSTANT} else kinds[0] if kinds else Kind.EMPTY
    values = []
    for argument, place in zip(arguments, places, strict=True):
        value = converted(argument, kind, moment.zone) if argument.kind is kind or kind is not Kind.TEXT else None
        if argument.kind is Kind.EMPTY:
            value = converted(argument, kind, moment.zone)
        if value is None:
            raise FormulaError(
                f"{node.function} takes values of one kind here: {kind} and {argument.kind} do not go together.",
                place.at,
            )
        values.append(value)
    return values


def whole(number: Sql, low: int, high: int) -> Sql:
    """Return the number without its decimals as an integer, no smaller and no larger than these."""
    limited = func.least(func.greatest(number, low), high, type_=Numeric())
    # Of an empty number the limits alone would make one of them: the product leaves it empty.
    return cast(func.trunc(limited + number * 0), Integer)

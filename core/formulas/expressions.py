"""Expressions: a part of a formula in SQL, with its kind, and the reason where it has no value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Numeric, Text, case, cast, func, literal, null, true

from core.column_types.cell_sql import Sql
from core.formulas.syntax import FormulaError

MAX_SIZE = 3_000
DECIMALS = 10
DAY_FORMAT = "YYYY-MM-DD"
INSTANT_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'


class Kind(StrEnum):
    """What a part of a formula gives."""

    NUMBER = "a number"
    TEXT = "a text"
    DAY = "a date"
    INSTANT = "a date and time"
    CONDITION = "a condition"
    EMPTY = "nothing"


SQL_TYPES: dict[Kind, Any] = {
    Kind.NUMBER: Numeric(),
    Kind.TEXT: Text(),
    Kind.DAY: Date(),
    Kind.INSTANT: DateTime(timezone=True),
    Kind.CONDITION: Boolean(),
    Kind.EMPTY: Text(),
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A part of a formula in SQL.

    `value` is NULL where it is empty; a condition is true, and everything else counts as false. `error` is the reason
    for which it has no value, NULL where it has one. `is_strict`: where there is an error, the value is NULL anyway.
    `constant` is the value of a literal. `value_size` and `error_size` count the parts of the SQL.
    """

    kind: Kind
    value: Sql
    error: Sql | None = None
    is_strict: bool = True
    constant: Any = None
    value_size: int = 1
    error_size: int = 0
    # The text as it is compared, where it is stored or known in this form.
    folded: Sql | None = None
    # A number that no value is larger than, without its sign; None: nothing is known.
    bound: Decimal | None = None
    # Of a choice: the cell with its id, and what each id is compared as.
    ids: tuple[Sql, Mapping[str, str]] | None = None

    @property
    def final(self) -> Sql:
        """The value in SQL: NULL where there is an error."""
        if self.error is None or self.is_strict:
            return self.value
        return case((self.error.is_(None), self.value))


@dataclass(frozen=True, slots=True)
class Result:
    """What a function makes of its arguments: its value, and its own error where it can fail."""

    value: Sql
    error: Sql | None = None
    # How many times the arguments stand in the value, and in the error.
    in_value: int = 2
    in_error: int = 1
    # Whether the value is NULL where an argument is empty, or the function fails.
    is_strict: bool = True
    bound: Decimal | None = None


def literal_of(value: Any, kind: Kind) -> Expression:
    """Return the expression of a constant."""
    bound = abs(value) if isinstance(value, Decimal) else None
    return Expression(kind, literal(value, SQL_TYPES[kind]), constant=value, bound=bound)


def empty(kind: Kind = Kind.EMPTY) -> Expression:
    """Return the expression that has no value."""
    return Expression(kind, cast(null(), SQL_TYPES[kind]))


def applied(kind: Kind, result: Result, arguments: Sequence[Expression]) -> Expression:
    """Return the expression of a function that fails where one of its arguments does. Raises FormulaError."""
    errors = [argument.error for argument in arguments if argument.error is not None]
    own = [] if result.error is None else [result.error]
    value_size = 1 + result.in_value * sum(argument.value_size for argument in arguments)
    error_size = sum(argument.error_size for argument in arguments)
    error_size += 1 + result.in_error * sum(argument.value_size for argument in arguments) if own else 0
    is_strict = result.is_strict and all(argument.is_strict for argument in arguments)
    error, sizes = first_of([*errors, *own]), (value_size, error_size)
    return sized(Expression(kind, result.value, error, is_strict, None, *sizes, bound=result.bound))


def sized(expression: Expression) -> Expression:
    """Return the expression. Raises FormulaError where its SQL would be too large."""
    if expression.value_size + expression.error_size > MAX_SIZE:
        raise FormulaError("This formula is too complex, with all formulas that it uses. Simplify it.")
    return expression


def first_of(errors: Sequence[Sql]) -> Sql | None:
    """Return the first reason that is not NULL."""
    if not errors:
        return None
    return errors[0] if len(errors) == 1 else func.coalesce(*errors, type_=Text())


def reason(condition: Sql, text: str) -> Sql:
    """Return the reason where the condition holds."""
    return case((condition, literal(text, Text())))


def truth(condition: Sql) -> Sql:
    """Return a condition as true or false, never NULL."""
    return condition.is_(true())


def as_text(expression: Expression) -> Expression:
    """Return the value as text, as `&` joins it."""
    value, text = expression.value, expression.value
    match expression.kind:
        case Kind.TEXT:
            return expression
        case Kind.EMPTY:
            return replace(empty(Kind.TEXT), error=expression.error, error_size=expression.error_size)
        case Kind.NUMBER:
            text = cast(func.trim_scale(func.round(value, DECIMALS)), Text)
        case Kind.DAY:
            text = func.to_char(value, DAY_FORMAT, type_=Text())
        case Kind.INSTANT:
            text = func.to_char(func.timezone("UTC", value), INSTANT_FORMAT, type_=Text())
        case Kind.CONDITION:
            text = case((value, literal("TRUE", Text())), else_=literal("FALSE", Text()))
    is_strict = expression.is_strict and expression.kind is not Kind.CONDITION
    return sized(
        replace(expression, kind=Kind.TEXT, value=text, is_strict=is_strict, constant=None, folded=None, ids=None)
    )


def converted(expression: Expression, kind: Kind, zone: str) -> Expression | None:
    """Return the expression as another kind, where the one stands for the other; else None."""
    if expression.kind is kind:
        return expression
    if kind is Kind.TEXT:
        return as_text(expression)
    if expression.kind is Kind.EMPTY:
        return replace(empty(kind), error=expression.error, error_size=expression.error_size)
    if (expression.kind, kind) == (Kind.INSTANT, Kind.DAY):
        day = cast(func.timezone(zone, expression.value), Date)
        return sized(replace(expression, kind=kind, value=day, value_size=expression.value_size + 1))
    return None

"""Conditions: the filters on a cell in SQL. Values are always bound parameters, never part of the SQL text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    not_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql.operators import ge, gt, le, lt

from core.column_types.cell_sql import Sql, SqlCell
from db.folding import fold

SqlCondition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of a type: its label, what it takes (none, one, two or many values), and its SQL."""

    label: str
    takes: str
    sql: Callable[[SqlCell, Any], SqlCondition]


def rank(text: Sql, keys: Sequence[str]) -> Sql:
    """The position of the cell's text among the keys, NULL for others: one lookup in a constant map, however many."""
    positions = bindparam(None, {key: position for position, key in enumerate(keys)}, type_=JSONB, unique=True)
    return cast(positions.op("->", return_type=JSONB())(text), Integer)


def escaped(text: str) -> str:
    """The text with the signs that LIKE reads as patterns made literal."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _many(values: Sequence[str]) -> Any:
    return bindparam(None, list(values), type_=ARRAY(Text), unique=True)


def contains(cell: SqlCell, value: str) -> SqlCondition:
    """Whether the text of a cell contains this, however both are written."""
    return cell.folded.like(f"%{escaped(fold(value))}%", escape="\\")


def _starts_with(cell: SqlCell, value: str) -> SqlCondition:
    return cell.folded.like(f"{escaped(fold(value))}%", escape="\\")


def _is_text(cell: SqlCell, value: str) -> SqlCondition:
    return cell.folded == fold(value)


def is_any_of(cell: SqlCell, values: Sequence[str]) -> SqlCondition:
    """Whether a cell holds one of these ids."""
    return cell.text == func.any(_many(values)) if values else false()


def has_any_of(cell: SqlCell, values: Sequence[str]) -> SqlCondition:
    """Whether the list in a cell has one of these ids."""
    return cell.json.op("?|", return_type=Boolean())(_many(values))


def _has_all_of(cell: SqlCell, values: Sequence[str]) -> SqlCondition:
    return cell.json.op("?&", return_type=Boolean())(_many(values))


def _is_true(cell: SqlCell, _: None) -> SqlCondition:
    return cell.text == "true"


def otherwise(condition: Callable[[SqlCell, Any], SqlCondition]) -> Callable[[SqlCell, Any], SqlCondition]:
    """Its opposite, which empty cells fulfil: what is empty does not contain "x"."""
    return lambda cell, value: not_(func.coalesce(condition(cell, value), false()))


def _number(compare: Callable[[Any, Any], Any]) -> Callable[[SqlCell, Any], SqlCondition]:
    return lambda cell, value: compare(cell.number, value)


def _between_numbers(cell: SqlCell, value: Any) -> SqlCondition:
    return and_(cell.number >= value[0], cell.number <= value[1])


# A day is a span of ISO texts, from its first moment to that of the next; so is an instant's second. ISO texts compare
# byte by byte, which the C collation does in any database.
def _edge(compare: Callable[[Any, Any], Any], edge: int) -> Callable[[SqlCell, Any], SqlCondition]:
    return lambda cell, span: compare(cell.text.collate("C"), span[edge])


def _within(cell: SqlCell, spans: Any) -> SqlCondition:
    first, last = spans
    return and_(cell.text.collate("C") >= first[0], cell.text.collate("C") < last[1])


ALWAYS = {
    "is_empty": Filter("is empty", "none", lambda cell, _: cell.text.is_(None)),
    "is_not_empty": Filter("is not empty", "none", lambda cell, _: cell.text.is_not(None)),
}
ERRORS = {"has_error": Filter("has an error", "none", lambda cell, _: cell.has_error)}
TEXT = {
    "contains": Filter("contains", "one", contains),
    "not_contains": Filter("does not contain", "one", otherwise(contains)),
    "is": Filter("is", "one", _is_text),
    "is_not": Filter("is not", "one", otherwise(_is_text)),
    "starts_with": Filter("starts with", "one", _starts_with),
} | ALWAYS
NUMBER = {
    "eq": Filter("=", "one", lambda cell, value: cell.number == value),
    "ne": Filter("≠", "one", lambda cell, value: cell.number.is_distinct_from(value)),
    "lt": Filter("<", "one", _number(lt)),
    "lte": Filter("≤", "one", _number(le)),
    "gt": Filter(">", "one", _number(gt)),
    "gte": Filter("≥", "one", _number(ge)),
    "between": Filter("is between", "two", _between_numbers),
} | ALWAYS
DATE = {
    "on": Filter("is on", "one", lambda cell, span: _within(cell, (span, span))),
    "before": Filter("is before", "one", _edge(lt, 0)),
    "after": Filter("is after", "one", _edge(ge, 1)),
    "on_or_before": Filter("is on or before", "one", _edge(lt, 1)),
    "on_or_after": Filter("is on or after", "one", _edge(ge, 0)),
    "between": Filter("is between", "two", _within),
} | ALWAYS
ONE_OF = {
    "is_any_of": Filter("is any of", "many", is_any_of),
    "is_none_of": Filter("is none of", "many", otherwise(is_any_of)),
} | ALWAYS
SEVERAL = {
    "has_any_of": Filter("has any of", "many", has_any_of),
    "has_all_of": Filter("has all of", "many", _has_all_of),
    "has_none_of": Filter("has none of", "many", otherwise(has_any_of)),
} | ALWAYS
CHECKBOX = {
    "is_true": Filter("is ticked", "none", _is_true),
    "is_false": Filter("is not ticked", "none", otherwise(_is_true)),
} | ALWAYS

"""Definitions of formula columns: checked when they are made, stored by column id, and shown by name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from sqlalchemy import ColumnElement, Integer, Numeric, Text, column, literal_column, table, true

from core.access.access import Access, ColumnInfo
from core.base.errors import Invalid
from core.base.text import folded_key, quoted
from core.column_types import COMPUTED_TYPES, column_type
from core.column_types.cell_sql import SqlCell
from core.column_types.computed import (
    CheckboxFormula,
    DateFormula,
    Formula,
    InstantFormula,
    NumberFormula,
    TextFormula,
)
from core.column_types.traits import NUMBERS
from core.computed.formula import column_value, fact_value, formula_value
from core.formulas.compiler import compiled
from core.formulas.expressions import Expression, Kind
from core.formulas.functions import Moment
from core.formulas.syntax import Column, FormulaError, columns_of, parsed, with_columns

FORMULA = "formula"
_TYPES = {
    Kind.NUMBER: NumberFormula.name,
    Kind.TEXT: TextFormula.name,
    Kind.EMPTY: TextFormula.name,
    Kind.DAY: DateFormula.name,
    Kind.INSTANT: InstantFormula.name,
    Kind.CONDITION: CheckboxFormula.name,
}


class _AnySource:
    """A source of rows by which a formula is checked; no statement is made of it."""

    table: Any = table("any_rows")
    row_id: ColumnElement[int] = literal_column("0", Integer)

    def cell(self, info: ColumnInfo, access: Access) -> SqlCell:  # noqa: ARG002 - as of any source.
        text = column("cell", Text)
        error = column("error", Text) if column_type(info.type).may_fail else None
        return SqlCell(text, text, column("cell", Numeric), error=error)

    def visible(self, access: Access) -> ColumnElement[bool]:  # noqa: ARG002 - as of any source.
        return true()

    def related(self, access: Access, columns: Iterable[ColumnInfo]) -> "_AnySource":  # noqa: ARG002 - as of any.
        return self

    def filter_columns(self, access: Access, body: Any) -> Sequence[ColumnInfo]:  # noqa: ARG002 - as of any.
        return ()

    def filtered(self, access: Access, body: Any) -> ColumnElement[bool]:  # noqa: ARG002 - as of any.
        return true()

    def joined(self, *_parts: Any) -> ColumnElement[Any]:
        return column("cell", Text)


def is_formula(type_name: str) -> bool:
    """Whether this is a type of formulas, or the name for whichever type a formula gives."""
    return type_name == FORMULA or isinstance(COMPUTED_TYPES.get(type_name), Formula)


def settled(
    access: Access, type_name: str, rules: Mapping[str, Any], *, column_id: int | None = None
) -> tuple[str, dict[str, Any]]:
    """Return the type and rules to store for a formula column, whose formula names columns as people do.

    Raises Invalid with the place of a mistake, where it uses itself, and where another formula could not use it any
    more. A number may be shown as a number, money or percentage; everything else has the type that the formula gives.
    """
    text = str(rules.get("formula") or "")
    stored = stored_formula(access, text)
    draft = ColumnInfo(column_id or 0, "This column", TextFormula.name, "", 0, {**rules, "formula": stored}, ())
    columns = (*(other for other in access.every_column if other.column_id != draft.column_id), draft)
    trial = replace(access, every_column=columns)
    kind = _kind(access, trial, draft, text)
    as_number = type_name in COMPUTED_TYPES and column_type(type_name).form in NUMBERS
    chosen = type_name if kind is Kind.NUMBER and as_number else _TYPES[kind]
    taken = {rule.key for rule in column_type(chosen).takes}
    checked = column_type(chosen).check_rules({key: value for key, value in draft.rules.items() if key in taken})
    draft = replace(draft, type=chosen, rules=checked)
    formula_value(draft, replace(access, every_column=(*columns[:-1], draft)), _AnySource())
    check_users(access, draft)
    return chosen, checked


def stored_formula(access: Access, text: str) -> str:
    """Return a formula with the ids of the columns that it names. Raises FormulaError for a name that is not there."""
    names = [(place, f"#{_named(access, place).column_id}") for place in columns_of(parsed(text))]
    return with_columns(text, names)


def shown_formula(columns: Sequence[ColumnInfo], stored: str) -> str:
    """Return a stored formula with the names of its columns."""
    names = {f"#{column.column_id}": column.name for column in columns}
    try:
        places = [(place, names.get(place.name, place.name)) for place in columns_of(parsed(stored))]
    except FormulaError:
        return stored
    return with_columns(stored, places)


def shown_rules(access: Access, info: ColumnInfo) -> dict[str, Any]:
    """Return the rules of a column as a reader may see them: a formula names its columns.

    The filter of a lookup is left out where it names a column of the other sheet that the reader does not see.
    """
    if not is_formula(info.type):
        body = info.rules.get("filter")
        return info.rules if not body or sees_filter(access, info, body) else {**info.rules, "filter": None}
    return {**info.rules, "formula": shown_formula(access.every_column, info.rules.get("formula", ""))}


def sees_filter(access: Access, info: ColumnInfo, body: Any) -> bool:
    """Return whether a reader sees every column of the other sheet that the filter of a lookup names."""
    relation = access.by_id.get(info.rules["relation"])
    other = access.related(relation.rules["sheet"]) if relation else None
    return other is not None and _filter_columns(body) <= set(other.by_id)


def with_unseen_filter(access: Access, info: ColumnInfo, rules: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return changed rules of a lookup with its filter as it is, where the person who changes them does not see it."""
    body = info.rules.get("filter")
    return {**rules, "filter": body} if body and not sees_filter(access, info, body) else rules


def _filter_columns(body: Any) -> set[Any]:
    """Return the ids of the columns that a filter as JSON names, at any depth."""
    nodes = body if isinstance(body, list) else [*body.values()] if isinstance(body, dict) else []
    named = {body["column"]} if isinstance(body, dict) and "column" in body else set()
    return named.union(*map(_filter_columns, nodes))


def users_of(columns: Sequence[ColumnInfo], column_id: int) -> list[ColumnInfo]:
    """Return the columns that are computed from this one."""
    return [other for other in columns if column_id in other.inputs]


def _kind(access: Access, trial: Access, draft: ColumnInfo, text: str) -> Kind:
    """The kind of values that the formula gives, by its columns as they are; mistakes have their place in the text."""
    source = _AnySource()

    def cell(place: Column) -> Expression:
        info = _named(access, place)
        if info.column_id == draft.column_id:
            raise FormulaError("A formula cannot use its own column.", place.at)
        return column_value(info, trial, source, (draft.column_id,), place.at)

    def facts(function: str, place: Column) -> Expression:
        return fact_value(function, place, _named(access, place), trial, source)

    return compiled(parsed(text), cell, Moment(trial.today, trial.time_zone), facts).kind


def check_users(access: Access, changed: ColumnInfo) -> None:
    """Compile every other formula as if this column were defined like this. Raises Invalid naming one that fails."""
    others = [column for column in access.every_column if column.column_id != changed.column_id]
    trial = replace(access, every_column=(*others, changed))
    for other in others:
        if is_formula(other.type):
            try:
                formula_value(other, trial, _AnySource())
            except FormulaError as error:
                name = quoted(other.name) if other.column_id in access.by_id else "Another column"
                raise Invalid(f"{name} could not use this column any more: {error.message}") from error


def _named(access: Access, place: Column) -> ColumnInfo:
    by_name = {folded_key(info.name): info for info in access.columns}
    exact = {info.name: info for info in access.columns}
    info = exact.get(place.name) or by_name.get(folded_key(place.name))
    if info is None and place.name.startswith("#") and place.name[1:].isdecimal():
        info = access.by_id.get(int(place.name[1:]))
    if info is None:
        similar = get_close_matches(folded_key(place.name), by_name, n=1)
        hint = f" Did you mean {{{by_name[similar[0]].name}}}?" if similar else ""
        raise FormulaError(f"There is no column {quoted(place.name)} that you can see.{hint}", place.at)
    return info

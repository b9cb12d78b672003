"""Lookups and rollups: cells computed from a column of the related rows, one type for each type of values."""

from collections.abc import Collection, Iterator
from typing import Any, ClassVar

from core.base.errors import Invalid
from core.base.relative_dates import is_relative
from core.column_types.base import ColumnLike, ColumnType
from core.column_types.checkbox import Checkbox
from core.column_types.computed import Computed
from core.column_types.contact import Email, Link, Phone
from core.column_types.dates import ORDER, ZONE, Date, DateTime
from core.column_types.numbers import CURRENCY, FORMAT, PLACES, Money, Number, Percent
from core.column_types.person import ME, Person
from core.column_types.rules import Rule
from core.column_types.text import Text
from core.column_types.traits import Form

LOOKUP = "lookup"
FIRST, LAST, LIST, COUNT, SUM, AVERAGE, MIN, MAX = "first", "last", "list", "count", "sum", "average", "min", "max"
SUMMARIES = (FIRST, LAST, LIST, COUNT, SUM, AVERAGE, MIN, MAX)
RULES = (
    Rule("relation", "Relation", "id"),
    Rule("column", "Column", "id"),
    Rule("summary", "Of several rows", "choice", SUMMARIES),
    Rule("filter", "Only rows that", "filter"),
)
# The rules of a column that its lookup shows its values by.
SHOWN_BY = (PLACES, FORMAT, CURRENCY, ORDER, ZONE)


class Lookup(Computed):
    """What all lookups have in common: the relation, the column of the related rows, and what is taken of several."""

    fixed_rules = ("relation", "column", "summary")

    def inputs(self, column: ColumnLike) -> Collection[int]:
        return (column.rules["relation"],)

    def changes_daily(self, column: ColumnLike) -> bool:
        return any(map(is_relative, _texts(column.rules.get("filter"))))

    def names_reader(self, column: ColumnLike) -> bool:
        return ME in _texts(column.rules.get("filter"))


def _texts(body: Any) -> Iterator[str]:
    """Yield every text in a filter."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict | list):
        for part in body.values() if isinstance(body, dict) else body:
            yield from _texts(part)


def _lookup_of(values: ColumnType[Any]) -> Lookup:
    """Return the type of lookups whose cells have the values of a type."""
    shown_by = tuple(rule for rule in values.takes if rule in SHOWN_BY)
    fields: dict[str, Any] = {
        "__doc__": f"A lookup of values of the type {values.label}.",
        "name": f"{LOOKUP}_{values.name}",
        "label": "Lookup",
        "takes": (*RULES, *shown_by),
    }
    kind: Lookup = type(f"{type(values).__name__}Lookup", (Lookup, type(values)), fields)()
    return kind


class LookupTypes:
    """The types of lookups, and which of them a column of related rows has."""

    of_values: ClassVar[tuple[ColumnType[Any], ...]] = (
        *(Money(), Percent(), Number(), Date(), DateTime(), Checkbox(), Person()),
        *(Link(), Email(), Phone(), Text()),
    )

    @classmethod
    def chosen(cls, target: ColumnType[Any], summary: str) -> str:
        """Return the name of the type of a lookup over a column of a type. Raises Invalid where there is none."""
        if summary == COUNT:
            return f"{LOOKUP}_{Number.name}"
        if target.form is Form.LIST:
            raise Invalid(
                f"A column of the type {target.label} cannot be looked up. Count its rows, or choose another."
            )
        if summary in {SUM, AVERAGE} and not target.is_number:
            raise Invalid(f"A column of the type {target.label} has no {summary}. Choose a column of numbers.")
        if summary in {MIN, MAX} and not (target.is_number or target.is_date):
            raise Invalid(f"A column of the type {target.label} has no {summary}. Choose a column of numbers or dates.")
        if summary == LIST:
            return f"{LOOKUP}_{Text.name}"
        kinds = (values.name for values in cls.of_values if isinstance(target, type(values)))
        return f"{LOOKUP}_{next(kinds, Text.name)}"

    @classmethod
    def fits(cls, name: str, target: ColumnType[Any], summary: str) -> bool:
        """Return whether a lookup of this type still shows a column of a type, which may have changed."""
        try:
            return cls.chosen(target, summary) == name
        except Invalid:
            return False


LOOKUP_TYPES: dict[str, ColumnType[Any]] = {kind.name: kind for kind in map(_lookup_of, LookupTypes.of_values)}

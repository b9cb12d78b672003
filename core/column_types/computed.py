"""Computed types: nobody writes their cells, which `core.computed` gives in SQL. Each is a type of values as well."""

import re
from collections.abc import Callable, Collection
from typing import Any, ClassVar

from core.base.errors import Invalid
from core.base.exact_json import CellError
from core.base.permissions import Permission
from core.column_types.base import ColumnLike, ColumnType, References
from core.column_types.checkbox import Checkbox
from core.column_types.conditions import ERRORS
from core.column_types.dates import ZONE, Date, DateTime
from core.column_types.numbers import CURRENCY, PLACES, Money, Number, Percent
from core.column_types.person import Person
from core.column_types.rules import Rule
from core.column_types.text import LongText

NOT_WRITABLE = "This column is computed; nobody writes its cells."
FORMULA = Rule("formula", "Formula", "formula", help="Such as {Amount} * 0.2. Columns stand in brackets.")
# The columns of a stored formula, outside of its texts.
_COLUMN = re.compile(r'"(?:[^"]|"")*"|\{#([0-9]+)\}')
_TODAY = re.compile(r"\bTODAY\s*\(", re.IGNORECASE)
# The functions that read the history of a cell.
_HISTORY = re.compile(r"\b(CHANGEDAT|CHANGECOUNT|FIRSTVALUE)\s*\(", re.IGNORECASE)
COMPUTED = "“{}” is computed. Change the cells that it is computed from."


class Computed(ColumnType[Any]):
    """What computed types have in common. A type inherits from this first and then from the type of its values."""

    is_computed = True
    takes: ClassVar[tuple[Rule, ...]] = ()
    slots = ""

    def text(self, value: Any, column: ColumnLike, references: References) -> str:
        """Return the canonical text of a value; of an error its reason, marked as such."""
        return f"#ERROR {value}" if isinstance(value, CellError) else super().text(value, column, references)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.may_fail and hasattr(cls, "filters"):
            cls.filters = {**cls.filters, **ERRORS}

    def reader(self, column: ColumnLike, references: References, current: Any = None) -> Callable[[str], Any]:
        raise Invalid(NOT_WRITABLE)

    def verify(self, value: Any, column: ColumnLike, references: References, current: Any = None) -> Any:
        raise Invalid(NOT_WRITABLE)


class Formula(Computed):
    """What the types of formulas have in common; there is one for each type of values that a formula can give.

    The rule `formula` has the text with the columns by id, such as {#4}, so that a new name changes nothing.
    """

    label, icon = "Formula", "function"
    takes: ClassVar[tuple[Rule, ...]] = (FORMULA,)
    may_fail = True

    def inputs(self, column: ColumnLike) -> Collection[int]:
        return {int(number) for number in _COLUMN.findall(column.rules.get("formula", "")) if number}

    def needed_for(self, column: ColumnLike) -> Permission | None:
        return Permission.HISTORY_SEE if _HISTORY.search(column.rules.get("formula", "")) else self.needs

    def changes_daily(self, column: ColumnLike) -> bool:
        return bool(_TODAY.search(column.rules.get("formula", "")))


class TextFormula(Formula, LongText):
    """A formula that gives a text."""

    name = "formula_text"


class NumberFormula(Formula, Number):
    """A formula that gives a number, rounded to the column's decimals."""

    name = "formula_number"
    takes: ClassVar[tuple[Rule, ...]] = (FORMULA, PLACES)


class MoneyFormula(Formula, Money):
    """A formula that gives an amount of money."""

    name, label = "formula_money", "Formula (money)"
    takes: ClassVar[tuple[Rule, ...]] = (FORMULA, PLACES, CURRENCY)


class PercentFormula(Formula, Percent):
    """A formula that gives a part of a whole, such as 0.25, shown as a percentage."""

    name, label = "formula_percent", "Formula (percent)"
    takes: ClassVar[tuple[Rule, ...]] = (FORMULA, PLACES)


class DateFormula(Formula, Date):
    """A formula that gives a date."""

    name = "formula_date"
    takes: ClassVar[tuple[Rule, ...]] = (FORMULA,)


class InstantFormula(Formula, DateTime):
    """A formula that gives a date and time."""

    name = "formula_datetime"
    takes: ClassVar[tuple[Rule, ...]] = (FORMULA, ZONE)


class CheckboxFormula(Formula, Checkbox):
    """A formula that gives a condition."""

    name = "formula_checkbox"
    takes: ClassVar[tuple[Rule, ...]] = (FORMULA,)


class RowFact(Computed):
    """What types of facts of a row have in common: they are read from the row's number and the change log."""


class Autonumber(RowFact, Number):
    """The number of the row, which no other row of the sheet ever has."""

    name, label, icon = "autonumber", "Number of the row", "tag"
    width = 90


class CreatedAt(RowFact, DateTime):
    """When the row was added."""

    name, label = "created_at", "Created at"
    takes: ClassVar[tuple[Rule, ...]] = (ZONE,)


class CreatedBy(RowFact, Person):
    """Who added the row."""

    name, label = "created_by", "Created by"
    needs = Permission.PEERS_SEE


class ChangedAt(RowFact, DateTime):
    """When a cell of the row that the reader may see, or the row as a whole, was changed last."""

    name, label = "changed_at", "Changed at"
    takes: ClassVar[tuple[Rule, ...]] = (ZONE,)


class ChangedBy(RowFact, Person):
    """Who changed a cell of the row that the reader may see, or the row as a whole, last."""

    name, label = "changed_by", "Changed by"
    needs = Permission.PEERS_SEE

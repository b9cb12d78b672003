"""Column types: one class per type, and the tables of them. A new type is its file and one entry here."""

from typing import Any

from core.base.errors import Invalid
from core.column_types.base import ColumnType
from core.column_types.checkbox import Checkbox
from core.column_types.choices import Choice, Choices
from core.column_types.computed import (
    Autonumber,
    ChangedAt,
    ChangedBy,
    CheckboxFormula,
    CreatedAt,
    CreatedBy,
    DateFormula,
    InstantFormula,
    MoneyFormula,
    NumberFormula,
    PercentFormula,
    TextFormula,
)
from core.column_types.contact import Email, Link, Phone
from core.column_types.dates import Date, DateTime
from core.column_types.lookup import LOOKUP_TYPES
from core.column_types.numbers import Money, Number, Percent
from core.column_types.person import Person
from core.column_types.relation import Mirror, Relation
from core.column_types.text import LongText, Text

__all__ = [
    "COMPUTED_TYPES",
    "LOOKUP_TYPES",
    "RELATION_TYPES",
    "TYPES",
    "Checkbox",
    "Choice",
    "Choices",
    "Date",
    "DateTime",
    "Email",
    "Link",
    "LongText",
    "Mirror",
    "Money",
    "Number",
    "Percent",
    "Person",
    "Phone",
    "Relation",
    "Text",
    "column_type",
]

# In the order in which people choose from them.
TYPES: dict[str, ColumnType[Any]] = {
    column_type.name: column_type
    for column_type in (
        Text(),
        LongText(),
        Number(),
        Money(),
        Percent(),
        Choice(),
        Choices(),
        Date(),
        DateTime(),
        Checkbox(),
        Link(),
        Email(),
        Phone(),
        Person(),
    )
}
# The types whose cells are computed, in the order in which people choose from them.
COMPUTED_TYPES: dict[str, ColumnType[Any]] = {
    column_type.name: column_type
    for column_type in (
        NumberFormula(),
        MoneyFormula(),
        PercentFormula(),
        TextFormula(),
        DateFormula(),
        InstantFormula(),
        CheckboxFormula(),
        Autonumber(),
        CreatedAt(),
        CreatedBy(),
        ChangedAt(),
        ChangedBy(),
    )
}
# The types whose cells name rows of a sheet. A mirror is made together with its relation.
RELATION_TYPES: dict[str, ColumnType[Any]] = {column_type.name: column_type for column_type in (Relation(), Mirror())}
_EVERY_TYPE = TYPES | COMPUTED_TYPES | RELATION_TYPES | LOOKUP_TYPES


def column_type(name: str) -> ColumnType[Any]:
    """The type of that name. Raises Invalid where there is none."""
    if name not in _EVERY_TYPE:
        raise Invalid(f"Unknown column type “{name}”. Choose one of: {', '.join(_EVERY_TYPE)}.")
    return _EVERY_TYPE[name]

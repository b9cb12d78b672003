"""Computed types: nobody writes their cells, which `core.computed` gives in SQL. Each is a type of values as well."""

from collections.abc import Callable
from typing import Any, ClassVar

from core.base.errors import Invalid
from core.base.permissions import Permission
from core.column_types.base import ColumnLike, ColumnType, References
from core.column_types.conditions import ERRORS
from core.column_types.dates import ZONE, DateTime
from core.column_types.numbers import Number
from core.column_types.person import Person
from core.column_types.rules import Rule

NOT_WRITABLE = "This column is computed; nobody writes its cells."
COMPUTED = "“{}” is computed. Change the cells that it is computed from."


class Computed(ColumnType[Any]):
    """What computed types have in common. A type inherits from this first and then from the type of its values."""

    is_computed = True
    takes: ClassVar[tuple[Rule, ...]] = ()
    slots = ""
    # Whether a cell can hold an error with its reason instead of a value.
    may_fail: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.may_fail:
            cls.filters = {**cls.filters, **ERRORS}

    def reader(self, column: ColumnLike, references: References, current: Any = None) -> Callable[[str], Any]:
        raise Invalid(NOT_WRITABLE)

    def verify(self, value: Any, column: ColumnLike, references: References, current: Any = None) -> Any:
        raise Invalid(NOT_WRITABLE)


class Autonumber(Computed, Number):
    """The number of the row, which no other row of the sheet ever has."""

    name, label, icon = "autonumber", "Number of the row", "tag"
    width = 90


class CreatedAt(Computed, DateTime):
    """When the row was added."""

    name, label = "created_at", "Created at"
    takes: ClassVar[tuple[Rule, ...]] = (ZONE,)


class CreatedBy(Computed, Person):
    """Who added the row."""

    name, label = "created_by", "Created by"
    needs = Permission.PEERS_SEE


class ChangedAt(Computed, DateTime):
    """When a cell of the row that the reader may see, or the row as a whole, was changed last."""

    name, label = "changed_at", "Changed at"
    takes: ClassVar[tuple[Rule, ...]] = (ZONE,)


class ChangedBy(Computed, Person):
    """Who changed a cell of the row that the reader may see, or the row as a whole, last."""

    name, label = "changed_by", "Changed by"
    needs = Permission.PEERS_SEE

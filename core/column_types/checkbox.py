"""The checkbox: yes or no, however it is written."""

from collections.abc import Callable
from typing import Any, ClassVar

from sqlalchemy import false

from core.base.errors import Invalid
from core.base.text import folded_key, quoted
from core.column_types.base import ColumnLike, ColumnType, References, expected
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.conditions import CHECKBOX, SqlCondition
from core.column_types.rules import REQUIRED, Rule
from core.column_types.traits import Form

_YES = "yes y true t 1 x on ✓ ✔ ☑ ja j wahr oui vrai sí si verdadero"
_NO = "no n false f 0 off ✗ ✘ ☐ nein falsch non faux falso"
WORDS = dict.fromkeys(_YES.split(), True) | dict.fromkeys(_NO.split(), False)


class Checkbox(ColumnType[bool]):
    """Ticked or not. A cell that was never touched counts as not ticked."""

    name, label, icon, editor = "checkbox", "Checkbox", "check_box", "checkbox"
    form = Form.BOOLEAN
    width = 72
    value_class = bool
    takes: ClassVar[tuple[Rule, ...]] = (REQUIRED,)
    filters = CHECKBOX
    slots = "t"

    def reader(self, column: ColumnLike, references: References, current: bool | None = None) -> Callable[[str], bool]:
        return _ticked

    def verify(self, value: Any, column: ColumnLike, references: References, current: bool | None = None) -> bool:
        if not isinstance(value, bool):
            raise expected(value, "true or false")
        return value

    def text(self, value: bool, column: ColumnLike, references: References) -> str:
        return "yes" if value else "no"

    def contains(self, text: str, cell: SqlCell, column: ColumnLike, references: References) -> SqlCondition:
        """A tick shows no text."""
        return false()

    def sql(self, cell: SqlCell, column: ColumnLike, references: References) -> Sql:
        return cell.text == "true"


def _ticked(text: str) -> bool:
    try:
        return WORDS[folded_key(text)]
    except KeyError:
        raise Invalid(f"{quoted(text)} is neither yes nor no.") from None

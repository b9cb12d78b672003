"""Relations: cells that name rows of another sheet, stored by row id, typed and shown by the rows' titles."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, ClassVar

from core.base.errors import Invalid
from core.base.exact_json import Wire
from core.base.text import clean, quoted
from core.column_types.base import ColumnLike, ColumnType, References, expected
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.conditions import Filter, SqlCondition, otherwise
from core.column_types.label_lists import list_items, quoted_label
from core.column_types.related import RelatedCell, RelatedRows
from core.column_types.rules import REQUIRED, Rule
from core.column_types.traits import Form, IdSource

MAX_RELATED = 1_000
MAX_TITLE = 1_000
_ID = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


SHEET = Rule("sheet", "Related sheet", "id")
SINGLE = Rule("single", "Only one row", "flag")
# The filters of related rows: by their ids, and by their titles.
RELATED: dict[str, Filter] = {
    "has_any_of": Filter("has any of", "many", lambda cell, ids: _cell(cell).names(ids)),
    "has_none_of": Filter("has none of", "many", otherwise(lambda cell, ids: _cell(cell).names(ids))),
    "contains": Filter("contains", "one", lambda cell, text: _cell(cell).has_title(text)),
    "not_contains": Filter("does not contain", "one", otherwise(lambda cell, text: _cell(cell).has_title(text))),
    "is_empty": Filter("is empty", "none", otherwise(lambda cell, _: _cell(cell).is_filled())),
    "is_not_empty": Filter("is not empty", "none", lambda cell, _: _cell(cell).is_filled()),
}


class PointsToRows(ColumnType[list[str]]):
    """What a relation and its mirror have in common: cells of row ids."""

    editor = "relation"
    value_class = list
    form = Form.LIST
    ids_of = IdSource.ROWS
    icon = "hub"
    width = 140
    filters = RELATED
    longest: ClassVar[int] = 50_000

    def related(self, column: ColumnLike, references: References) -> RelatedRows:
        """Return the rows that its cells may name."""
        return references.related(int(column.rules["sheet"]))

    def labels(self, column: ColumnLike, references: References) -> dict[str, str]:
        """Return the titles of all rows that the reader may see."""
        return dict(self.related(column, references).every_title())

    def reader(
        self, column: ColumnLike, references: References, current: list[str] | None = None
    ) -> Callable[[str], list[str]]:
        rows = self.related(column, references)
        rows.every_title()  # Now: while an import reads its file, its connection takes no other statement.

        def read(text: str) -> list[str]:
            return self._checked(column, [rows.id_of(item) for item in list_items(text)])

        return read

    def verify(
        self, value: Any, column: ColumnLike, references: References, current: list[str] | None = None
    ) -> list[str] | None:
        if not isinstance(value, list):
            raise expected(value, "a list of the ids of rows")
        ids = self._checked(column, [_row_id(item) for item in value])
        titles = self.related(column, references).titles(ids)
        if missing := [identity for identity in ids if identity not in titles and identity not in (current or ())]:
            raise Invalid(f"There is no row {missing[0]} in the related sheet that you can choose. It may be deleted.")
        return ids or None

    def text(self, value: list[str], column: ColumnLike, references: References) -> str:
        return ", ".join(map(quoted_label, self.related(column, references).texts(value).values()))

    def writer(self, column: ColumnLike, references: References) -> Callable[[list[str]], str]:
        """Return a `text` that remembers nothing: the related rows do."""
        return lambda value: self.text(value, column, references)

    def prepare(self, values: Sequence[list[str]], column: ColumnLike, references: References) -> None:
        self.related(column, references).titles(chain.from_iterable(values))

    def shown(self, value: list[str], column: ColumnLike, references: References) -> list[str] | None:
        """Return those of the ids that the reader may see. None: there is none."""
        return [*self.related(column, references).titles(value)] or None

    def wire(self, value: list[str], column: ColumnLike, references: References) -> Wire:
        """Return the rows that the reader may see, as they travel: by id and by title. None: there is none."""
        titles = self.related(column, references).titles(value)
        return [{"id": identity, "title": title} for identity, title in titles.items()] or None

    def completed(
        self, value: list[str] | None, column: ColumnLike, references: References, current: list[str] | None
    ) -> list[str] | None:
        """Return the value to store, with what the cell names and the writer cannot see: it is not theirs to remove.

        A single relation names one row: a new one takes the place of what they cannot see.
        """
        if not current or (value and column.rules.get("single")):
            return value
        titles = self.related(column, references).titles(current)
        unseen = [identity for identity in current if identity not in titles and identity not in (value or ())]
        return [*(value or ()), *unseen] or None

    def operand(self, value: Any, column: ColumnLike, references: References) -> str:
        """Return an id of a row, or a text to look for in titles."""
        if isinstance(value, str) and not _ID.fullmatch(value):
            return clean(value[:MAX_TITLE])
        return _row_id(value)

    def contains(self, text: str, cell: SqlCell, column: ColumnLike, references: References) -> SqlCondition:
        return _cell(cell).has_title(text)

    def sql(self, cell: SqlCell, column: ColumnLike, references: References) -> Sql:
        """Return the title of the first related row, as its own column sorts it."""
        return _cell(cell).title

    def _checked(self, column: ColumnLike, ids: Iterable[str]) -> list[str]:
        """Return the ids, each once. Raises Invalid where there are too many."""
        unique = list(dict.fromkeys(ids))
        if len(unique) > 1 and column.rules.get("single"):
            raise Invalid("This column takes one row, and these are several.")
        if len(unique) > MAX_RELATED:
            raise Invalid(f"A cell names at most {MAX_RELATED:,} rows.")
        return unique


class Relation(PointsToRows):
    """Rows of another sheet, one or several, in the order in which they were chosen. `mirror` shows them there."""

    name, label = "relation", "Relation"
    takes = (REQUIRED, SINGLE, SHEET, Rule("mirror", "Mirror column", "id"))
    fixed_rules = ("sheet", "mirror")


class Mirror(PointsToRows):
    """The rows of another sheet whose relation names this row, in the order in which they were added."""

    name, label = "mirror", "Mirror of a relation"
    is_computed = True
    takes = (SHEET, Rule("relation", "Relation", "id"))
    fixed_rules = ("sheet", "relation")


def _cell(cell: SqlCell) -> RelatedCell:
    """Return the cell of related rows. Raises TypeError where a row source has given another."""
    if not isinstance(cell, RelatedCell):
        message = "a row source gives the cells of a relation as a RelatedCell"
        raise TypeError(message)
    return cell


def _row_id(value: Any) -> str:
    """Return the id of a row as text. It may be given as a number, or as it travels."""
    identity = value.get("id") if isinstance(value, dict) else value
    text = str(identity) if isinstance(identity, int | str) and not isinstance(identity, bool) else ""
    if not _ID.fullmatch(text):
        raise Invalid(f"{quoted(str(value))} is not the id of a row.")
    return text

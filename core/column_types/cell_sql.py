"""A cell in SQL: by which filters, sorts and figures take a column's value from a row."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Text, cast, false, func, literal_column
from sqlalchemy.dialects.postgresql import JSONB

from db.folding import folded

Sql = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class SqlCell:
    """One cell in SQL: as JSON and as text. Empty cells are NULL.

    `error` is the reason for which a computed cell has no value: there, `json` has the error, and the cell counts as
    empty.
    """

    json: Sql
    text: Sql
    typed: Sql | None = None
    kept: Sql | None = None
    error: Sql | None = None

    @property
    def has_error(self) -> ColumnElement[bool]:
        """Whether the cell has an error instead of a value."""
        return false() if self.error is None else self.error.is_not(None)

    @property
    def folded(self) -> Sql:
        """The cell's text as `db.folding.fold` folds it: what texts are compared, searched and sorted by."""
        if self.kept is None:
            return folded(self.text)
        return func.coalesce(self.kept, func.lower(self.text.collate("C"))).collate("C")

    @property
    def number(self) -> Sql:
        """The cell as a numeric."""
        return cast(self.text, Numeric) if self.typed is None else self.typed


def cell_of(values: Sql, column_id: int, *, folded: Sql | None = None) -> SqlCell:
    """A column's cell in `rows.values`, with what `rows.folded` keeps of it.

    The key stands in the SQL text, so that an index on it can serve.
    """
    column_key: Sql = literal_column(f"'{int(column_id)}'", Text)
    text = values.op("->>", return_type=Text())(column_key)
    stored_folded = None if folded is None else folded.op("->>", return_type=Text())(column_key)
    return SqlCell(values.op("->", return_type=JSONB())(column_key), text, kept=stored_folded)


def cell_in(slot: Sql) -> SqlCell:
    """The cell of a column in its slot of `narrow_rows`, which only columns of single texts and numbers have."""
    number = isinstance(slot.type, Numeric)
    return SqlCell(func.to_jsonb(slot), cast(slot, Text) if number else slot, slot if number else None)

"""The table that a statement reads a view's rows from: `rows`, or `narrow_rows`, which is faster."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, func, select

from core.access.access import Access, ColumnInfo
from core.column_types import Date
from core.column_types.cell_sql import SqlCell, cell_in, cell_of
from db.tables.sheets import Change, Row, narrow_rows

# The day on which a row was added, for conditions: column 0 is the row itself, as in the change log.
ADDED = ColumnInfo(0, "Added", Date.name, "The day on which the row was added.", 0, {}, ())


class Origin:
    """The rows themselves: they have every cell, in JSON, and a past."""

    table: Any = Row.__table__
    row_id: ColumnElement[int] = Row.row_id.expression

    def cell(self, column: ColumnInfo) -> SqlCell:
        """A column's cell in SQL."""
        if column is ADDED:
            return _day_added()
        return cell_of(Row.values.expression, column.column_id, folded=Row.folded.expression)

    def visible(self, access: Access) -> ColumnElement[bool]:
        """The gate: which of these rows this principal sees."""
        return access.row_gate.visible_rows()


class NarrowOrigin(Origin):
    """The narrow rows: only live ones, with the cells that stand in a slot, typed."""

    table = narrow_rows
    row_id = narrow_rows.c.row_id

    def cell(self, column: ColumnInfo) -> SqlCell:
        """A column's cell in SQL; the column has a slot."""
        return cell_in(narrow_rows.c[column.slot or ""])

    def visible(self, access: Access) -> ColumnElement[bool]:
        """The gate over the narrow rows: which of them this principal sees."""
        return access.row_gate.visible_narrow_rows()


ROWS, NARROW = Origin(), NarrowOrigin()


def origin_of(access: Access, columns: Iterable[ColumnInfo]) -> Origin:
    """Return the narrow rows where they have all columns that a statement needs, now and for this principal."""
    scoped = [access.owner_column] if access.owners is not None else []
    has_all = all(column is not None and column.slot for column in (*columns, *scoped))
    return NARROW if has_all and not access.is_past else ROWS


def _day_added() -> SqlCell:
    line = select(func.to_char(Change.effective_at, "YYYY-MM-DD")).where(
        Change.sheet_id == Row.sheet_id,
        Change.version == Row.created_version,
        Change.row_id == Row.row_id,
        Change.column_id == ADDED.column_id,
    )
    day = line.correlate(Row).scalar_subquery()
    return SqlCell(func.to_jsonb(day), day)

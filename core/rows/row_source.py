"""The table that a statement reads a view's rows from: `rows`, or `narrow_rows`, which is faster."""

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

from sqlalchemy import ColumnElement, func, select

from core.access.access import Access, ColumnInfo
from core.column_types import Date, column_type
from core.column_types.cell_sql import SqlCell, cell_in, cell_of
from core.computed import CELLS, computed_cell
from core.computed.row_source import Path
from db.tables.sheets import Change, Row, narrow_rows

# The day on which a row was added, for conditions: column 0 is the row itself, as in the change log.
ADDED = ColumnInfo(0, "Added", Date.name, "The day on which the row was added.", 0, {}, ())


class FilterReader(Protocol):
    """Reads a filter as JSON: which columns it needs, and its condition over rows."""

    def columns(self, access: Access, body: Any) -> list[ColumnInfo]: ...
    def condition(self, access: Access, body: Any, origin: "Origin") -> ColumnElement[bool]: ...


class Origin:
    """The rows themselves, or rows of a subquery: they have every cell, in JSON, and a past."""

    is_narrow = False
    # Reads the filters of rollups: set by core.rows.query, which has the language of filters and imports this module.
    filter_reader: ClassVar[FilterReader]

    def __init__(self, rows: Any, *, joins: dict[int, Any] | None = None) -> None:
        self.table = rows
        self._joins = joins
        self.row_id: ColumnElement[int] = rows.c.row_id

    def cell(self, column: ColumnInfo, access: Access) -> SqlCell:
        """A column's cell in SQL, stored or computed."""
        return computed_cell(column, access, self) if column.type in CELLS else self.stored_cell(column)

    def stored_cell(self, column: ColumnInfo) -> SqlCell:
        """The cell of a column whose cells are written, in SQL."""
        if column is ADDED:
            return _day_added()
        return cell_of(self.table.c["values"], column.column_id, folded=self.table.c.folded)

    def visible(self, access: Access) -> ColumnElement[bool]:
        """The gate: which of these rows this principal sees."""
        return access.row_gate.visible_rows(self.table)

    def related(self, access: Access, columns: Iterable[ColumnInfo]) -> "Origin":
        """The rows of another sheet, for a subquery that needs some of its columns."""
        origin = origin_of(access, columns)
        return type(origin)(origin.table.alias())

    def filter_columns(self, access: Access, body: Any) -> list[ColumnInfo]:
        """The columns that a filter of another sheet reads. Raises NotFound and Invalid."""
        return self.filter_reader.columns(access, body)

    def filtered(self, access: Access, body: Any) -> ColumnElement[bool]:
        """The condition of a filter, as JSON, over these rows of another sheet. Raises Invalid."""
        return self.filter_reader.condition(access, body, self)

    def joining(self) -> "Origin":
        """These rows for one statement over many: what is computed from related rows is joined, see `selectable`."""
        return type(self)(self.table, joins={})

    def joined(
        self, column: ColumnInfo, path: Path, value: ColumnElement[Any], condition: ColumnElement[bool]
    ) -> ColumnElement[Any]:
        """An aggregate over the related rows that fulfil a condition: of each row, by a join or by a subquery."""
        if self._joins is None:
            return path.of(self, value).where(condition).scalar_subquery()
        if column.column_id not in self._joins:
            grouped = path.select(path.this.label("row_id"), value.label("value")).where(condition)
            self._joins[column.column_id] = grouped.group_by(path.this).subquery()
        aggregate: ColumnElement[Any] = self._joins[column.column_id].c.value
        return aggregate

    @property
    def selectable(self) -> Any:
        """The rows with what was joined to them: a statement selects from it once its conditions are made."""
        rows = self.table
        for grouped in (self._joins or {}).values():
            rows = rows.outerjoin(grouped, grouped.c.row_id == self.row_id)
        return rows


class NarrowOrigin(Origin):
    """The narrow rows: only live ones, with the cells that stand in a slot, typed."""

    is_narrow = True

    def stored_cell(self, column: ColumnInfo) -> SqlCell:
        """The cell of a column that has a slot, in SQL."""
        return cell_in(self.table.c[column.slot or ""])

    def visible(self, access: Access) -> ColumnElement[bool]:
        """The gate over the narrow rows: which of them this principal sees."""
        return access.row_gate.visible_narrow_rows(self.table)


ROWS = Origin(Row.__table__)
NARROW = NarrowOrigin(narrow_rows)


def origin_of(access: Access, columns: Iterable[ColumnInfo]) -> Origin:
    """Return the narrow rows where they have all columns that a statement needs, now and for this principal."""
    scoped = [access.owner_column] if access.owners is not None else []
    has_all = all(column is not None and _is_narrow(column, access) for column in (*columns, *scoped))
    return NARROW if has_all and not access.is_past else ROWS


def _is_narrow(column: ColumnInfo, access: Access) -> bool:
    """Whether the narrow rows have the column's cells, or all cells from which they are computed."""
    if column_type(column.type).names_rows:  # They are found by the number of the row.
        return True
    if column.is_computed:
        return all(_is_narrow(access.column(column_id), access) for column_id in column.inputs)
    return column.slot is not None


def _day_added() -> SqlCell:
    line = select(func.to_char(Change.effective_at, "YYYY-MM-DD")).where(
        Change.sheet_id == Row.sheet_id,
        Change.version == Row.created_version,
        Change.row_id == Row.row_id,
        Change.column_id == ADDED.column_id,
    )
    day = line.correlate(Row).scalar_subquery()
    return SqlCell(func.to_jsonb(day), day)

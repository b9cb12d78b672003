"""What a computed cell needs of the rows that a statement reads: `core.rows.row_source` gives it."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select

from core.access.access import Access, ColumnInfo
from core.column_types.cell_sql import SqlCell


class Path(Protocol):
    """The way from rows to their related rows; `this` names the row."""

    @property
    def this(self) -> ColumnElement[Any]: ...

    def select(self, *columns: Any) -> Select[Any]:
        """A statement over the links and the related rows."""
        ...

    def of(self, source: "RowSource", *columns: Any) -> Select[Any]:
        """The same over the related rows of the row that an enclosing statement reads."""
        ...


class RowSource(Protocol):
    """Rows of a sheet in a statement: the rows themselves, those of a subquery, or the narrow rows."""

    table: Any
    row_id: ColumnElement[int]

    def cell(self, column: ColumnInfo, access: Access) -> SqlCell:
        """A column's cell in SQL, stored or computed."""
        ...

    def visible(self, access: Access) -> ColumnElement[bool]:
        """The gate: which of these rows this principal sees."""
        ...

    def related(self, access: Access, columns: Iterable[ColumnInfo]) -> "RowSource":
        """The rows of another sheet, for a subquery that needs some of its columns."""
        ...

    def filter_columns(self, access: Access, body: Any) -> Sequence[ColumnInfo]:
        """The columns that a filter of another sheet reads. Raises NotFound and Invalid."""
        ...

    def filtered(self, access: Access, body: Any) -> ColumnElement[bool]:
        """The condition of a filter, as JSON, over these rows of another sheet. Raises Invalid."""
        ...

    def joined(
        self, column: ColumnInfo, path: "Path", value: ColumnElement[Any], condition: ColumnElement[bool]
    ) -> ColumnElement[Any]:
        """An aggregate over the related rows that fulfil a condition: of each row, by a join or by a subquery."""
        ...

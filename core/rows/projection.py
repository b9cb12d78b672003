"""Projection: what a reader gets of a row's cells. Every reader of cells takes its values from one.

A filter, a sort or a figure takes a column's cell from the row source instead (`core.rows.row_source`), in SQL. A
computed column needs an entry in both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Text

from core.access.access import Access, ColumnInfo
from core.base.exact_json import Value, Wire, loads_stored, loads_wire
from db.tables.sheets import Row

V = TypeVar("V")


@dataclass(frozen=True)
class Projection:
    """The columns of which a reader gets the cells, in order."""

    columns: tuple[ColumnInfo, ...]

    def sql(self, values: Any = Row.values) -> ColumnElement[str]:
        """Return the SQL expression of a row's cells, as JSON text for `stored` and `wire`."""
        cells: ColumnElement[str] = values.cast(Text)
        return cells

    def stored(self, cells: str) -> dict[str, Value]:
        """Return the filled cells by column key, as they are stored, from the JSON text of a row or of the log."""
        return self._of_columns(loads_stored(cells))

    def wire(self, cells: str) -> dict[str, Wire]:
        """Return the filled cells by column key, as they travel, from the JSON text of a row or of the log."""
        return self._of_columns(loads_wire(cells))

    @property
    def logged_columns(self) -> list[int]:
        """The column ids of those lines of the log that the reader may know: of whole rows (0) and of these cells."""
        return [0, *(column.column_id for column in self.columns)]

    @property
    def title_key(self) -> str:
        """The key of the cell by which a row is called; an empty text where there is no column."""
        return self.columns[0].key if self.columns else ""

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(column.key for column in self.columns)

    def _of_columns(self, cells: Mapping[str, V]) -> dict[str, V]:
        keys = self._keys
        return {key: value for key, value in cells.items() if key in keys}


def projection(access: Access, columns: Iterable[ColumnInfo] | None = None) -> Projection:
    """Return the projection of some columns, else of all that the access shows. NotFound: one of them is not shown."""
    if columns is None:
        return Projection(access.columns)
    return Projection(tuple(access.column(column.column_id) for column in columns))

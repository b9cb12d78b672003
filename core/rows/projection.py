"""Projection: what a reader gets of a row's cells. Every reader of cells takes its values from one.

A filter, a sort or a figure takes a column's cell from the row source instead (`core.rows.row_source`), in SQL. Both
have the computed cells of `core.computed`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Text, func, literal_column
from sqlalchemy.dialects.postgresql import JSONB

from core.access.access import Access, ColumnInfo
from core.base.exact_json import Value, Wire, loads_stored, loads_wire
from core.rows.row_source import ROWS, Origin

V = TypeVar("V")


@dataclass(frozen=True)
class Projection:
    """The columns of which a reader gets the cells, in order."""

    columns: tuple[ColumnInfo, ...]
    access: Access

    def sql(self, origin: Origin = ROWS) -> ColumnElement[str]:
        """Return the SQL expression of a row's cells, as JSON text for `stored` and `wire`."""
        values = origin.table.c["values"]
        computed = self.computed(origin)
        cells: ColumnElement[str] = (values if computed is None else values.op("||")(computed)).cast(Text)
        return cells

    def computed(self, origin: Origin = ROWS) -> ColumnElement[Any] | None:
        """Return the SQL expression of a row's computed cells, as JSON; None where no column is computed."""
        columns = [column for column in self.columns if column.is_computed]
        if not columns:
            return None
        cells = (origin.cell(column, self.access).json for column in columns)
        keys = (literal_column(f"'{column.key}'", Text) for column in columns)
        pairs: Iterable[ColumnElement[Any]] = chain.from_iterable(zip(keys, cells, strict=True))
        return func.jsonb_strip_nulls(func.jsonb_build_object(*pairs), type_=JSONB())

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
        return next((column.key for column in self.columns if not column.is_computed), "")

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(column.key for column in self.columns)

    def _of_columns(self, cells: Mapping[str, V]) -> dict[str, V]:
        keys = self._keys
        return {key: value for key, value in cells.items() if key in keys}


def projection(access: Access, columns: Iterable[ColumnInfo] | None = None) -> Projection:
    """Return the projection of some columns, else of all that the access shows. NotFound: one of them is not shown."""
    if columns is None:
        return Projection(access.columns, access)
    return Projection(tuple(access.column(column.column_id) for column in columns), access)

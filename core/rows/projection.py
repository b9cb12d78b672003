"""Projection: what a reader gets of a row's cells. Every reader of cells takes its values from one.

A filter, a sort or a figure takes a column's cell from the row source instead (`core.rows.row_source`), in SQL. Both
have the computed cells of `core.computed`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Text, func, literal_column
from sqlalchemy.dialects.postgresql import JSONB

from core.access.access import Access, ColumnInfo
from core.base.exact_json import CellError, Value, Wire, loads_stored, loads_wire
from core.column_types import column_type
from core.column_types.base import ColumnType
from core.computed import is_lasting
from core.rows.prepared import prepared
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
        may_prepare = origin is ROWS and not self.access.is_past
        lasting = [column for column in columns if may_prepare and is_lasting(column, self.access)]
        others = [column for column in columns if column not in lasting]
        key = tuple(column.column_id for column in lasting)
        parts = [prepared(self.access, key, lambda: self._composed(lasting, origin))] if lasting else []
        parts += [self._composed(others, origin)] if others else []
        return reduce(lambda one, other: one.op("||", return_type=JSONB())(other), parts) if parts else None

    def _composed(self, columns: list[ColumnInfo], origin: Origin) -> ColumnElement[Any]:
        cells = (origin.cell(column, self.access).json for column in columns)
        keys = (literal_column(f"'{column.key}'", Text) for column in columns)
        pairs: Iterable[ColumnElement[Any]] = chain.from_iterable(zip(keys, cells, strict=True))
        return func.jsonb_strip_nulls(func.jsonb_build_object(*pairs), type_=JSONB())

    def stored(self, cells: str) -> dict[str, Value]:
        """Return the filled cells by column key, as they are stored, from the JSON text of a row or of the log."""
        return self.stored_rows([cells])[0]

    def stored_rows(self, rows: Iterable[str]) -> list[dict[str, Value]]:
        """Return the same as `stored` for many rows."""
        cells = [self.complete(row) for row in rows]
        for key in self._fallible_keys:
            for row in cells:
                if isinstance(value := row.get(key), dict):
                    row[key] = CellError(value["error"])
        return self._filled(cells, lambda kind, value, column: kind.shown(value, column, self.access.references))

    def wire(self, cells: str) -> dict[str, Wire]:
        """Return the filled cells by column key, as they travel, from the JSON text of a row or of the log."""
        return self.wire_rows([cells])[0]

    def wire_rows(self, rows: Iterable[str]) -> list[dict[str, Wire]]:
        """Return the same as `wire` for many rows."""
        cells: list[dict[str, Wire]] = [self._of_columns(loads_wire(row)) for row in rows]
        return self._filled(cells, lambda kind, value, column: kind.wire(value, column, self.access.references))

    def complete(self, cells: str) -> dict[str, Value]:
        """Return the filled cells by column key with all that they name, for what is written and never shown."""
        return self._of_columns(loads_stored(cells))

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

    @cached_property
    def _naming_rows(self) -> Mapping[str, ColumnInfo]:
        """The columns whose cells name rows that the reader may not all see, by key."""
        return {column.key: column for column in self.columns if column_type(column.type).names_rows}

    def _filled(
        self, rows: list[dict[str, V]], shown: Callable[[ColumnType[Any], Any, ColumnInfo], V | None]
    ) -> list[dict[str, V]]:
        """Return the rows with what the reader may see of cells that name rows, their titles read together."""
        for key, column in self._naming_rows.items():
            kind = column_type(column.type)
            filled = [row for row in rows if key in row]
            kind.prepare([row[key] for row in filled], column, self.access.references)
            for row in filled:
                value = shown(kind, row.pop(key), column)
                if value is not None:
                    row[key] = value
        return rows

    @cached_property
    def _fallible_keys(self) -> list[str]:
        """The keys of the computed columns in whose cells an error can stand."""
        return [column.key for column in self.columns if column_type(column.type).may_fail]

    def _of_columns(self, cells: Mapping[str, V]) -> dict[str, V]:
        keys = self._keys
        return {key: value for key, value in cells.items() if key in keys}


def projection(access: Access, columns: Iterable[ColumnInfo] | None = None) -> Projection:
    """Return the projection of some columns, else of all that the access shows. NotFound: one of them is not shown."""
    if columns is None:
        return Projection(access.columns, access)
    return Projection(tuple(access.column(column.column_id) for column in columns), access)


def wire_value(access: Access, column: ColumnInfo, value: Value | None) -> Wire:
    """Return what a reader may see of a stored value, as it travels."""
    return None if value is None else column_type(column.type).wire(value, column, access.references)


def logged_wire(access: Access, column: ColumnInfo, logged: str | None) -> Wire:
    """Return what a reader may see of a value of the log, from its JSON text, as it travels."""
    return None if logged is None else wire_value(access, column, loads_stored(logged))

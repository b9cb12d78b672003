"""The cells of relations and of their mirrors: the related rows that a reader may see, through the table of links.

Each passes two gates: that of the rows that a statement reads, and here that of the related rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ARRAY, Integer, Select, Text, and_, any_, cast, func, literal, null, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from core.access.access import Access, ColumnInfo
from core.access.related import title_column
from core.column_types import Relation, column_type
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.conditions import SqlCondition, escaped
from core.column_types.related import RelatedCell
from core.computed.row_source import RowSource
from db.tables.links import links

EMPTY = RelatedCell(cast(null(), JSONB), cast(null(), Text), title=cast(null(), Text))


@dataclass(frozen=True)
class RelatedPath:
    """The way from the rows of a source over the links of a relation, or of its mirror, to related rows.

    `this` and `other` are the columns of the links that name the row and the related row.
    """

    target: Access
    rows: RowSource
    line: Any
    this: Sql
    other: Sql
    _condition: SqlCondition

    def select(self, *columns: Any) -> Select[Any]:
        """Return a statement over the links and those of the related rows that the reader may see."""
        is_related = and_(self.rows.row_id == self.other, self.rows.visible(self.target))
        joined = self.line.join(self.rows.table, is_related)
        return select(*columns).select_from(joined).where(self._condition)

    @cached_property
    def order(self) -> tuple[Sql, ...]:
        """The order of the related rows of a row: as the cell has them, then by number."""
        return self.line.c.place, self.other

    def of(self, source: RowSource, *columns: Any) -> Select[Any]:
        """Return the same over the related rows of the row that an enclosing statement reads."""
        return self.select(*columns).where(self.this == source.row_id).correlate(source.table)


def related_path(column: ColumnInfo, access: Access, source: RowSource, *needed: ColumnInfo) -> RelatedPath | None:
    """Return the way over a relation or a mirror to rows with the needed columns; None where they may not be seen."""
    target = access.related(column.rules["sheet"])
    if target is None:
        return None
    is_relation = column.type == Relation.name
    if not is_relation and column.rules["relation"] not in target.by_id:
        return None
    line = links.alias()
    sheet_id = access.sheet.sheet_id if is_relation else column.rules["sheet"]
    column_id = column.column_id if is_relation else column.rules["relation"]
    this, other = (line.c.row_id, line.c.target_row) if is_relation else (line.c.target_row, line.c.row_id)
    condition = and_(line.c.sheet_id == sheet_id, line.c.column_id == column_id)
    return RelatedPath(target, source.related(target, needed), line, this, other, condition)


def related_cell(column: ColumnInfo, access: Access, source: RowSource) -> SqlCell:
    """Return the cell of a relation or of a mirror as the person of the access sees it."""
    target = access.related(column.rules["sheet"])
    title = title_column(target) if target else None
    path = related_path(column, access, source, *([title] if title else []))
    if path is None:
        return EMPTY
    return _Titles(path, title, source).cell()


@dataclass(frozen=True)
class _Titles:
    """The related rows of a cell by their ids and titles. A row without a title is called by its number."""

    path: RelatedPath
    title: ColumnInfo | None
    source: RowSource

    def cell(self) -> RelatedCell:
        path, identity = self.path, cast(self.path.other, Text)
        ids = path.of(self.source, func.jsonb_agg(aggregate_order_by(identity, *path.order), type_=JSONB()))
        return RelatedCell(
            json=ids.scalar_subquery(),
            text=self._first(identity),
            title=self._first(self._sort_key()),
            names=self._names,
            has_title=self._has_title,
            is_filled=self._is_related,
        )

    def _first(self, value: Any) -> Sql:
        return self.path.of(self.source, value).order_by(*self.path.order).limit(1).scalar_subquery()

    def _is_related(self, *conditions: SqlCondition) -> SqlCondition:
        return self.source.row_id.in_(self.path.select(self.path.this).where(*conditions))

    def _names(self, ids: Sequence[str]) -> SqlCondition:
        return self._is_related(self.path.other == any_(literal([*map(int, ids)], ARRAY(Integer))))

    def _has_title(self, search: str) -> SqlCondition:
        number = func.concat("Row ", self.path.other)
        if self.title is None:
            return self._is_related(number.ilike(f"%{escaped(search)}%", escape="\\"))
        kind, cell = column_type(self.title.type), self.path.rows.cell(self.title, self.path.target)
        return self._is_related(kind.contains(search, cell, self.title, self.path.target.references))

    def _sort_key(self) -> Any:
        if self.title is None:
            return self.path.other
        cell = self.path.rows.cell(self.title, self.path.target)
        return column_type(self.title.type).sql(cell, self.title, self.path.target.references)

"""Totals: the rows of a view counted and its columns summed, for the whole view and by group, in one statement."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, any_, case, func, literal, null, select, tuple_
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base.errors import Invalid
from core.base.exact_json import decimal_text
from core.column_types import column_type
from core.column_types.base import ColumnType
from core.column_types.cell_sql import SqlCell
from core.column_types.traits import Form, IdSource
from core.rows.as_of import over
from core.rows.query import Sort, View, conditions, resolve, view_origin
from core.rows.row_source import ROWS
from core.rows.total_functions import OF_NUMBERS, OF_ORDERED, PARTS, Function, Total, count_of, part_of, total_of

MAX_TOTALS = 200
MAX_LEVELS = 2
MAX_GROUPS = 2000
MAX_CACHED = 500


@dataclass(frozen=True)
class Group:
    """The rows with these values in the columns of the groups, and their totals. Fewer values are an outer group."""

    values: tuple[Any, ...]
    rows: int
    totals: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"values": self.values, "rows": self.rows, "totals": self.totals}


@dataclass(frozen=True)
class Totals:
    """The number of a view's rows and of all rows, the totals of the view, and its groups in their order."""

    version: int
    rows: int
    all_rows: int
    totals: dict[str, Any]
    groups: tuple[Group, ...]

    def as_json(self) -> dict[str, Any]:
        return vars(self) | {"groups": [group.as_json() for group in self.groups]}


def view_totals(
    session: Session, access: Access, view: View, totals: Sequence[Total], groups: Sequence[Sort] = ()
) -> Totals:
    """Return the totals of a view and of its groups. Raises NotFound for a column that is not shown, and Invalid."""
    if len(totals) > MAX_TOTALS or len(groups) > MAX_LEVELS:
        raise Invalid(f"At most {MAX_TOTALS} totals and {MAX_LEVELS} groups can be read at once.")
    totals, groups = sorted(set(totals)), [group for index, group in enumerate(groups) if group not in groups[:index]]
    view = resolve(access, view)
    key = (access.scope, view.fingerprint, access.versions, tuple(totals), tuple(groups))
    cached = _cache.get(key)
    if cached is None:
        cached = _Statement(access, view, totals, groups).read(session)
        _cache.put(key, cached)
    return cached


def grouped_view(view: View, groups: Sequence[Sort]) -> View:
    """Return the view sorted by the groups first, so that the rows of a group follow each other."""
    columns = {group.column for group in groups}
    return replace(view, sort=(*groups, *(sort for sort in view.sort if sort.column not in columns)))


def check_group(access: Access, group: Sort) -> ColumnInfo:
    """Return the column of a group. Raises Invalid where rows can't be grouped by it."""
    column = access.column(group.column)
    kind = column_type(column.type)
    if kind.form in {Form.LIST, Form.INSTANT} or kind.ids_of is IdSource.ROWS or kind.is_multiline:
        raise Invalid(f"Rows can't be grouped by “{column.name}”: {kind.label} has no groups.", column=column.column_id)
    return column


class _Statement:
    """The statement of some totals: the cells of each row, then sums over them by sets of groups."""

    def __init__(self, access: Access, view: View, totals: Sequence[Total], groups: Sequence[Sort]) -> None:
        self.access, self.view, self.totals, self.groups = access, view, totals, groups
        self.columns = {total.column: access.column(total.column) for total in totals}
        self.group_columns = [check_group(access, group) for group in groups]
        for total in totals:
            _check(total, self.columns[total.column])
        self.origin = view_origin(access, view, *self.columns.values(), *self.group_columns)

    def read(self, session: Session) -> Totals:
        """Run the statement and return its rows as totals."""
        lines = list(session.execute(over(self.access, self._ordered())))
        if len(lines) > MAX_GROUPS:
            name = self.group_columns[-1].name
            raise Invalid(f"“{name}” makes more than {MAX_GROUPS:,} groups. Group by a column with fewer values.")
        version, whole = self.access.sheet.version, self._group(lines[0])
        is_whole = not (self.view.filter or self.view.search)
        all_rows = whole.rows if is_whole else view_totals(session, self.access, View(), []).rows
        return Totals(version, whole.rows, all_rows, whole.totals, tuple(map(self._group, lines[1:])))

    @cached_property
    def _cells(self) -> Any:
        """Each row's keys and shown texts of the groups, and the cells of the totals."""
        cells = [literal(1).label("one")]
        for index, column in enumerate(self.group_columns):
            cell = self.origin.cell(column, self.access)
            cells.append(self._key(column, cell).label(f"key{index}"))
            if _shows_text(column):
                cells.append(cell.text.label(f"text{index}"))
        for column_id, column in self.columns.items():
            cell, kind = self.origin.cell(column, self.access), column_type(column.type)
            value = kind.sql(cell, column, self.access.references) if kind.is_number or kind.is_free_text else cell.text
            cells.append(value.label(f"cell{column_id}"))
        table, holds = self.origin.table, conditions(self.access, self.view, self.origin)
        statement = select(*cells).select_from(table).where(holds)
        # The offset keeps PostgreSQL from taking a cell out of its JSON once more for each sum.
        return (statement.offset(0) if self.origin is ROWS else statement).subquery()

    def _key(self, column: ColumnInfo, cell: SqlCell) -> ColumnElement[Any]:
        """Return what rows of one group have in common; it has the order's equality, so that groups are contiguous."""
        kind, references = column_type(column.type), self.access.references
        if not kind.groups_by_id:
            return kind.sql(cell, column, references)
        listed = [option.id for option in column.options] if kind.has_options else list(references.people.names)
        return case((cell.text == any_(literal(listed, ARRAY(Text))), cell.text))

    @cached_property
    def _parts(self) -> Any:
        """The cells summed once by all groups: what the totals of outer groups and of the view are put together from.

        The cells of which different values are counted are kept.
        """
        cells = self._cells
        names = [f"key{index}" for index in range(len(self.groups))]
        names += [f"cell{total.column}" for total in self.totals if total.function is Function.UNIQUE]
        columns: list[ColumnElement[Any]] = [cells.c[name] for name in names]
        columns += [func.min(text).label(name) for name, text in cells.c.items() if name.startswith("text")]
        columns.append(func.count().label("row_count"))
        for column in self.columns:
            needed = {name for total in self.totals if total.column == column for name in PARTS[total.function]}
            columns += [part_of(name, cells.c[f"cell{column}"]).label(f"{name}{column}") for name in sorted(needed)]
        return select(*columns).select_from(cells).group_by(*(cells.c[name] for name in names)).subquery()

    def _grouped(self) -> Any:
        parts = self._parts
        keys = [parts.c[f"key{index}"] for index in range(len(self.groups))]
        columns = [count_of(parts.c.row_count).label("row_count")]
        columns += [func.min(text).label(name) for name, text in parts.c.items() if name.startswith("text")]
        for index, key in enumerate(keys):
            columns += [key, func.grouping(key).label(f"outside{index}")]
        columns += [total_of(total, parts).label(total.key) for total in self.totals]
        statement = select(*columns).select_from(parts)
        if keys:
            sets = [tuple_(*keys[:depth]) for depth in range(len(keys) + 1)]
            statement = statement.group_by(func.grouping_sets(*sets))
        return statement.subquery()

    def _ordered(self) -> Any:
        """Return the groups in the order of the rows: the whole view first, each group before those in it."""
        grouped = self._grouped()
        order: list[ColumnElement[Any]] = []
        for index, (group, column) in enumerate(zip(self.groups, self.group_columns, strict=True)):
            kind, key = column_type(column.type), grouped.c[f"key{index}"]
            ranked = kind.sql(SqlCell(null(), key), column, self.access.references) if kind.groups_by_id else key
            order.append(grouped.c[f"outside{index}"].desc())
            order.append((ranked.desc() if group.descending else ranked.asc()).nulls_last())
        return select(grouped).order_by(*order).limit(MAX_GROUPS + 1)

    def _group(self, line: Any) -> Group:
        fields = line._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row's fields.
        values = tuple(
            _value(fields, index, column_type(column.type))
            for index, column in enumerate(self.group_columns)
            if not fields[f"outside{index}"]
        )
        totals = {total.key: _wire(fields[total.key]) for total in self.totals}
        return Group(values, fields["row_count"], totals)


def _check(total: Total, column: ColumnInfo) -> None:
    kind = column_type(column.type)
    of_numbers, of_ordered = total.function in OF_NUMBERS, total.function in OF_ORDERED
    if (of_numbers and not kind.is_number) or (of_ordered and not (kind.is_number or kind.is_date)):
        raise Invalid(f"“{column.name}” has no {total.function}: its type is {kind.label}.", column=column.column_id)


def _value(fields: Mapping[str, Any], index: int, kind: ColumnType[Any]) -> Any:
    """Return the value that the cells of a group show; None where they are empty or name what is not listed."""
    key = fields[f"key{index}"]
    if key is None:
        return None
    if f"text{index}" in fields:
        return fields[f"text{index}"]
    return decimal_text(key) if kind.is_number else key


def _shows_text(column: ColumnInfo) -> bool:
    """Whether a group shows the text of one of its rows, because its key is folded."""
    kind = column_type(column.type)
    return not (kind.groups_by_id or kind.is_number or kind.is_date or kind.form is Form.BOOLEAN)


def _wire(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str) else decimal_text(value)


class _TotalsCache:
    """The totals of this process; those used least recently are dropped first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._totals: OrderedDict[Any, Totals] = OrderedDict()

    def get(self, key: Any) -> Totals | None:
        with self._lock:
            if key in self._totals:
                self._totals.move_to_end(key)
            return self._totals.get(key)

    def put(self, key: Any, totals: Totals) -> None:
        with self._lock:
            self._totals[key] = totals
            while len(self._totals) > MAX_CACHED:
                self._totals.popitem(last=False)


_cache = _TotalsCache()

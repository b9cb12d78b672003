"""Facts of a row as cells: its number, and who added and changed it and when, from the change log.

A reader learns of a change only through cells that they may see, and nothing is written for these cells.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, Numeric, Text, any_, cast, func, literal, select
from sqlalchemy.orm import aliased

from core.access.access import Access, ColumnInfo
from core.column_types.cell_sql import SqlCell
from core.computed.row_source import RowSource
from db.tables.sheets import Change

INSTANT = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'


def number(_column: ColumnInfo, _access: Access, source: RowSource) -> SqlCell:
    """Return the row's number."""
    value = cast(source.row_id, Numeric)
    return SqlCell(func.to_jsonb(value), cast(source.row_id, Text), value)


def created_at(_column: ColumnInfo, access: Access, source: RowSource) -> SqlCell:
    """Return when the row was added, by business time."""
    return _line_cell(_moment, access, source, is_first=True)


def created_by(_column: ColumnInfo, access: Access, source: RowSource) -> SqlCell:
    """Return the id of the person who added the row."""
    return _line_cell(_actor, access, source, is_first=True)


def changed_at(_column: ColumnInfo, access: Access, source: RowSource) -> SqlCell:
    """Return when the row was changed last, by business time."""
    return _line_cell(_moment, access, source, is_first=False)


def changed_by(_column: ColumnInfo, access: Access, source: RowSource) -> SqlCell:
    """Return the id of the person who changed the row last."""
    return _line_cell(_actor, access, source, is_first=False)


def _moment(line: Any) -> ColumnElement[str]:
    return func.to_char(func.timezone("UTC", line.effective_at), INSTANT, type_=Text())


def _actor(line: Any) -> ColumnElement[str]:
    return cast(line.actor_id, Text)


def _line_cell(
    fact: Callable[[Any], ColumnElement[str]], access: Access, source: RowSource, *, is_first: bool
) -> SqlCell:
    """Return a fact of the row's first line of the log, or of its last one that the reader may know."""
    line = aliased(Change)
    lines = select(fact(line)).where(line.sheet_id == access.sheet.sheet_id, line.row_id == source.row_id)
    if is_first:
        lines = lines.where(line.column_id == 0, line.kind == "add").order_by(line.version)
    else:
        columns = [0, *(column.column_id for column in access.columns if not column.is_computed)]
        lines = lines.where(line.column_id == any_(literal(columns, ARRAY(Integer)))).order_by(line.version.desc())
    if access.is_past:
        lines = lines.where(line.version <= access.sheet.version)
    text = lines.limit(1).correlate(source.table).scalar_subquery()
    return SqlCell(func.to_jsonb(text), text)

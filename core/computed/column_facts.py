"""What a formula learns of a column beside its value: what a stage means, and the history of the cell.

The history is read from the change log, so that an edit writes nothing for it, and by effective time. As of a past
moment it ends there, and a stage means what it meant then. A change of the column's type is no change of its cells.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Numeric,
    Text,
    all_,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from core.access.access import Access, ColumnInfo
from core.column_types import column_type
from core.column_types.cell_sql import Sql, SqlCell
from core.computed.row_source import RowSource
from core.computed.stage_meanings import options_at
from core.formulas.column_functions import CHANGEDAT, FIRSTVALUE, PROBABILITY, STAGEKIND
from core.formulas.expressions import Expression, Kind
from core.formulas.syntax import Column, FormulaError
from db.tables.sheets import Change

OPEN = "open"
_NOTHING: Any = literal([], ARRAY(Text))


def column_fact(name: str, place: Column, column: ColumnInfo, access: Access, source: RowSource) -> Expression:
    """Return the value of a function of a column, but for FIRSTVALUE. Raises FormulaError."""
    if name in {PROBABILITY, STAGEKIND}:
        if not column_type(column.type).groups_by_id or not column.options:
            raise FormulaError(f"{name} takes a column of choices with stages.", place.at)
        return _meaning(name, column, access, source)
    if column.is_computed:
        raise FormulaError(f"{name} takes a column that people write; a computed one has no history.", place.at)
    line = aliased(Change)
    if name == CHANGEDAT:
        is_added = and_(line.column_id == 0, line.kind == "add")
        lines = _lines(
            line,
            cast(line.effective_at, DateTime(timezone=True)),
            or_(_is_edit(line, column), is_added),
            access,
            source,
        )
        return Expression(Kind.INSTANT, _one(lines.order_by(line.version.desc()).limit(1), source), value_size=8)
    if name == FIRSTVALUE:
        raise FormulaError(f"A column of the type {column_type(column.type).label} cannot be used here.", place.at)
    count = cast(func.count(), Numeric)
    is_moved = and_(_is_edit(line, column), line.old.is_not(None), line.new.is_not(None))
    return Expression(Kind.NUMBER, _one(_lines(line, count, is_moved, access, source), source), value_size=8)


def first_cell(column: ColumnInfo, access: Access, source: RowSource) -> SqlCell:
    """Return the first value that a cell had since the column has its type, as a cell."""
    line, since = aliased(Change), _typed_since(column, access)
    is_added = and_(line.column_id == 0, line.kind == "add", line.new.op("?")(column.key))
    # A value that stayed the same in a change of type has no line of its own: the next edit has it as the old one.
    cell = case((line.version > since, func.coalesce(line.old, line.new)), else_=line.new)
    is_set = and_(line.column_id == column.column_id, cell.is_not(None))
    value = case((line.column_id == 0, line.new.op("->>")(column.key)), else_=cell.op("#>>")(_NOTHING))
    lines = _lines(line, cast(value, Text), or_(is_added, is_set), access, source)
    if not since:
        text = _one(lines.order_by(line.version).limit(1), source)
    else:
        first = _one(lines.where(line.version >= since).order_by(line.version).limit(1), source)
        text = func.coalesce(first, source.cell(column, access).text, type_=Text())
    return SqlCell(func.to_jsonb(text), text)


def _typed_since(column: ColumnInfo, access: Access) -> int:
    """The version in which the column got the type that it has in this view of the sheet; 0: it always had it."""
    changes = [earlier.until for earlier in column.earlier]
    return max((until for until in changes if not access.is_past or until <= access.sheet.version), default=0)


def _is_edit(line: Any, column: ColumnInfo) -> ColumnElement[bool]:
    """Whether a line of the log is an edit of the column's cell, and not a conversion to another type."""
    is_own: ColumnElement[bool] = line.column_id == column.column_id
    conversions = [earlier.until for earlier in column.earlier]
    if not conversions:
        return is_own
    return and_(is_own, line.version != all_(literal(conversions, ARRAY(BigInteger))))


def _meaning(name: str, column: ColumnInfo, access: Access, source: RowSource) -> Expression:
    options = options_at(access, column)
    if name == PROBABILITY:
        percents = {option.id: option.probability for option in options if option.probability is not None}
        rates = {identity: literal(Decimal(percent) / 100, Numeric()) for identity, percent in percents.items()}
        value = case(rates, value=source.cell(column, access).text) if rates else cast(null(), Numeric)
        return Expression(Kind.NUMBER, value, value_size=2, bound=Decimal(1))
    kinds = {option.id: option.kind or OPEN for option in options}
    return Expression(Kind.TEXT, _named(source.cell(column, access).text, kinds), value_size=3)


def _lines(line: Any, value: Sql, condition: ColumnElement[bool], access: Access, source: RowSource) -> Any:
    lines = select(value).where(line.sheet_id == access.sheet.sheet_id, line.row_id == source.row_id, condition)
    return lines.where(line.version <= access.sheet.version) if access.is_past else lines


def _one(lines: Any, source: RowSource) -> Sql:
    value: Sql = lines.correlate(source.table).scalar_subquery()
    return value


def _named(text: Sql, names: dict[str, str]) -> Sql:
    by_id = bindparam(None, names, type_=JSONB, unique=True)
    return by_id.op("->>", return_type=Text())(text)

"""The cells of lookups and rollups: a column of those related rows that a reader may see, summed up in SQL.

Without the right to the sheet, the column or a column of the filter the cell is empty; of rows outside of the reader's
scope nothing is counted. A column that reads a third sheet is not looked up, so no two columns can wait for each other.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Numeric, Text, bindparam, cast, func, literal, null
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from core.access.access import Access, ColumnInfo
from core.base.errors import Refused
from core.column_types import column_type
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.lookup import AVERAGE, COUNT, FIRST, LAST, LIST, MAX, MIN, SUM, Lookup, LookupTypes
from core.column_types.traits import Form
from core.computed.related import RelatedPath, related_path
from core.computed.row_source import RowSource

EMPTY = SqlCell(cast(null(), JSONB), cast(null(), Text), cast(null(), Numeric))
AVERAGE_DECIMALS = 10


def reads_other_sheet(access: Access, column: ColumnInfo) -> bool:
    """Return whether the cells of a column depend on rows of another sheet."""
    kind = column_type(column.type)
    if kind.names_rows or isinstance(kind, Lookup):
        return True
    by_id = {other.column_id: other for other in access.every_column}
    return any(other in by_id and reads_other_sheet(access, by_id[other]) for other in column.inputs)


def lookup_cell(column: ColumnInfo, access: Access, source: RowSource) -> SqlCell:
    """Return the cell of a lookup or rollup as the person of the access sees it."""
    relation = access.by_id.get(column.rules["relation"])
    target = _target(column, relation, access)
    if relation is None or target is None:
        return EMPTY
    body = column.rules.get("filter")
    try:
        filtered_by = source.filter_columns(target.access, body)
        path = related_path(relation, access, source, target.column, *filtered_by)
        if path is None or any(reads_other_sheet(target.access, needed) for needed in filtered_by):
            return EMPTY
        condition = path.rows.filtered(target.access, body)
    except Refused:
        return EMPTY
    value = _summary(target.summary, path, target.column)
    return _cell(source.joined(column, path, value, condition), target.summary, column)


class _Target(NamedTuple):
    """The column that is looked up, in its sheet, and what is taken of several rows."""

    access: Access
    column: ColumnInfo
    summary: str


def _target(column: ColumnInfo, relation: ColumnInfo | None, access: Access) -> _Target | None:
    """Return what is looked up; None where the person may not see it, or it cannot be shown by this column any more."""
    other = access.related(relation.rules["sheet"]) if relation and not access.is_past else None
    target = other.by_id.get(column.rules["column"]) if other else None
    if other is None or target is None or reads_other_sheet(other, target):
        return None
    summary = column.rules.get("summary", FIRST)
    fits = LookupTypes.fits(column.type, column_type(target.type), summary)
    return _Target(other, target, summary) if fits else None


def _summary(summary: str, path: RelatedPath, target: ColumnInfo) -> ColumnElement[Any]:
    """Return the aggregate of a column over the related rows of a row."""
    cell = path.rows.cell(target, path.target)
    if summary == COUNT:
        return func.count(path.other)
    if summary == SUM:
        return func.sum(cell.number)
    if summary == AVERAGE:
        return func.trim_scale(func.round(func.avg(cell.number), AVERAGE_DECIMALS), type_=Numeric())
    if summary in {MIN, MAX}:
        values = cell.number if column_type(target.type).is_number else cell.text.collate("C")
        return func.min(values) if summary == MIN else func.max(values)
    if summary == LIST:
        named = _name(cell, target, path.target) if column_type(target.type).names_people else _text(cell, target)
        return func.string_agg(named, aggregate_order_by(literal(", ", Text), *path.order), type_=Text())
    order = [key.desc() for key in path.order] if summary == LAST else [*path.order]
    content = cell.number if column_type(target.type).is_number else _text(cell, target)
    return func.array_agg(aggregate_order_by(content, *order))[1]


def _text(cell: SqlCell, target: ColumnInfo) -> Sql:
    """Return a cell of the related row as text; a choice by its label."""
    if not column_type(target.type).has_options:
        return cell.text
    labels = bindparam(None, {option.id: option.label for option in target.options}, type_=JSONB, unique=True)
    return labels.op("->>", return_type=Text())(cell.text)


def _name(cell: SqlCell, target: ColumnInfo, access: Access) -> Sql:
    """Return the name of the person in a cell of the related row; of one who is not known any more the number."""
    labels = column_type(target.type).labels(target, access.references)
    names = bindparam(None, labels, type_=JSONB, unique=True)
    unknown = literal("Person ", Text) + cell.text
    return func.coalesce(names.op("->>", return_type=Text())(cell.text), unknown, type_=Text())


def _cell(value: ColumnElement[Any], summary: str, column: ColumnInfo) -> SqlCell:
    """Return the aggregate as the cell of a column. Of no rows the count and the sum are zero."""
    kind = column_type(column.type)
    if kind.is_number:
        number: Sql = cast(value, Numeric)
        number = func.coalesce(number, 0) if summary in {COUNT, SUM} else number
        return SqlCell(func.to_jsonb(number), cast(number, Text), number)
    text = cast(value, Text)
    return SqlCell(cast(text, JSONB) if kind.form is Form.BOOLEAN else func.to_jsonb(text), text)

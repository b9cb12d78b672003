"""Computed columns: the cell of each as one SQL expression, for every reader of rows alike.

A new computed type is its class in `core.column_types.computed` and its function here: what is shown, filtered, sorted,
searched, grouped, summed and exported all take the cell from it.
"""

from collections.abc import Callable, Mapping

from core.access.access import Access, ColumnInfo
from core.column_types import COMPUTED_TYPES, LOOKUP_TYPES, column_type
from core.column_types.cell_sql import SqlCell
from core.column_types.computed import Autonumber, ChangedAt, ChangedBy, CreatedAt, CreatedBy, Formula, RowFact
from core.column_types.relation import Mirror, Relation
from core.computed import row_facts
from core.computed.formula import formula_cell
from core.computed.lookup import lookup_cell
from core.computed.related import related_cell
from core.computed.row_source import RowSource

__all__ = ["CELLS", "RowSource", "computed_cell", "is_lasting"]

# A function that gives a column's cell, as the person of the access sees it, over the rows of a source.
CellSql = Callable[[ColumnInfo, Access, RowSource], SqlCell]
CELLS: Mapping[str, CellSql] = {
    **{name: formula_cell for name, kind in COMPUTED_TYPES.items() if isinstance(kind, Formula)},
    Autonumber.name: row_facts.number,
    CreatedAt.name: row_facts.created_at,
    CreatedBy.name: row_facts.created_by,
    ChangedAt.name: row_facts.changed_at,
    ChangedBy.name: row_facts.changed_by,
    **dict.fromkeys(LOOKUP_TYPES, lookup_cell),
    # A relation is stored; what a reader sees of it is read through the links.
    Relation.name: related_cell,
    Mirror.name: related_cell,
}


def computed_cell(column: ColumnInfo, access: Access, source: RowSource) -> SqlCell:
    """Return the cell of a computed column as the person of the access sees it, over the rows of a source."""
    return CELLS[column.type](column, access, source)


def is_lasting(column: ColumnInfo, access: Access) -> bool:
    """Whether the expression of a cell stays the same for a scope and a day, so that it can be prepared.

    That of a relation depends on another sheet, and names of people change without a change of the columns.
    """
    if not isinstance(column_type(column.type), Formula | RowFact):
        return False
    columns = {other.column_id: other for other in access.every_column}
    return all(column_id in columns and _is_lasting_input(columns[column_id], access) for column_id in column.inputs)


def _is_lasting_input(column: ColumnInfo, access: Access) -> bool:
    kind = column_type(column.type)
    if kind.names_people or kind.names_rows:
        return False
    return is_lasting(column, access) if column.is_computed else True

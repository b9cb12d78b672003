"""The source of an export: the view's rows, read piece by piece by a cursor in the database, and its columns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Integer, any_, literal, select
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base.exact_json import Value
from core.column_types import column_type
from core.column_types.base import References
from core.rows.as_of import over
from core.rows.projection import Projection, projection
from core.rows.query import View, conditions, ordering
from core.rows.row_source import ROWS
from core.views.settings import Settings

BLOCK = 1_000
Record = dict[str, Value]


@dataclass(frozen=True)
class ExportSource:
    """What is written: columns in order, what their types need, and the records in blocks, once."""

    title: str
    columns: list[ColumnInfo]
    references: References
    blocks: Iterator[list[Record]]
    bom: bool = False

    def writer(self, column: ColumnInfo) -> Callable[[Any], str]:
        """Return the function that turns this column's values into their canonical text."""
        return column_type(column.type).writer(column, self.references)


def read_source(
    session: Session,
    access: Access,
    view: View,
    columns: list[ColumnInfo],
    *,
    bom: bool,
    row_ids: Sequence[int] | None = None,
) -> ExportSource:
    """The rows of a view in its order, or those of them with these ids. Raises Invalid where the view is not valid."""
    projected = projection(access, columns)
    statement = select(projected.sql()).where(conditions(access, view)).order_by(*ordering(access, view))
    if row_ids is not None:
        statement = statement.where(ROWS.row_id == any_(literal(list(row_ids), ARRAY(Integer))))
    blocks = _blocks(session, over(access, statement), projected)
    return ExportSource(access.sheet.name, columns, access.references, blocks, bom)


def chosen_columns(access: Access, settings: Settings, column_ids: Sequence[int] | None) -> list[ColumnInfo]:
    """Return the columns with these ids, else those that the settings of a view show, in its order."""
    if column_ids is not None:
        return [access.column(column_id) for column_id in dict.fromkeys(column_ids)]
    hidden, order = set(settings.get("hidden") or ()), settings.get("order") or ()
    positions = {column_id: position for position, column_id in enumerate(order)}
    visible = [column for column in access.columns if column.column_id not in hidden]
    return sorted(visible, key=lambda column: positions.get(column.column_id, len(positions)))


def _blocks(session: Session, statement: Any, projected: Projection) -> Iterator[list[Record]]:
    """Yield the records in blocks, from a cursor in the database, so that the rows are never in memory all at once."""
    rows = session.execute(statement, execution_options={"stream_results": True, "yield_per": BLOCK})
    for block in rows.scalars().partitions(BLOCK):
        yield projected.stored_rows(block)

"""The preview of a formula: what it gives for the first rows of a sheet, before there is a column of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base.exact_json import Value
from core.column_types import column_type
from core.computed.definitions import settled
from core.rows.projection import projection
from db.tables.sheets import Row

SHOWN = 5


@dataclass(frozen=True)
class FormulaPreview:
    """The column that a formula would give, and the title and the text of its cell for the first rows."""

    column: ColumnInfo
    cells: list[tuple[str, str]]


def formula_preview(
    session: Session, access: Access, type_name: str, rules: Mapping[str, Any], *, column_id: int | None = None
) -> FormulaPreview:
    """Return the preview of a formula that is new, or that a column is to have. Raises Invalid with the mistake."""
    chosen, checked = settled(access, type_name, rules, column_id=column_id)
    others = [column for column in access.every_column if column.column_id != column_id]
    new_id = column_id or max((column.column_id for column in others), default=0) + 1
    draft = ColumnInfo(new_id, "Preview", chosen, "", len(others) + 1, checked, ())
    trial = replace(access, every_column=(*others, draft))
    columns = [column for column in (trial.title_column, draft) if column is not None]
    projected = projection(trial, columns)
    statement = select(Row.row_id, projected.sql()).where(trial.row_gate.visible_rows())
    lines = session.execute(statement.order_by(Row.row_id).limit(SHOWN)).all()
    rows = [(row_id, projected.stored(cells)) for row_id, cells in lines]
    return FormulaPreview(
        draft, [(_title(trial, row_id, values), _text(trial, draft, values)) for row_id, values in rows]
    )


def _title(access: Access, row_id: int, values: Mapping[str, Value]) -> str:
    column = access.title_column
    return (column and _text(access, column, values)) or f"#{row_id}"


def _text(access: Access, column: ColumnInfo, values: Mapping[str, Value]) -> str:
    value = values.get(column.key)
    return "" if value is None else column_type(column.type).text(value, column, access.references)

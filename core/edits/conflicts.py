"""Conflicts: what people see of a cell that moved on since their edit's base (mine, theirs, original, by, at)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base.exact_json import Value, loads_stored
from core.edits.batch import Edit
from core.rows.projection import wire_value
from db.raw_sql import RawStatement

UNSEEN = (
    "This was typed over version {} of the sheet, which is at version {}: a backup may have been restored. "
    "See what the cell holds now, and decide."
)
# An edit whose cell moved on since its base, or whose base is newer than the sheet, with the value that it would write.
StaleEdit = tuple[Edit, Value | None]
Cell = tuple[int, int]


@dataclass(frozen=True)
class StoredRow:
    """A row as it is now."""

    values: dict[str, Value]
    versions: dict[str, int]
    created: int

    def version_of(self, column: ColumnInfo) -> int:
        return self.versions.get(column.key, self.created)


@dataclass(frozen=True)
class Movement:
    """What happened to a cell since its edit's base: its value then, and who changed it last, when."""

    original: Value | None
    by: str | None
    at: datetime | None


def movements_since_base(session: Session, access: Access, stale: Iterable[StaleEdit]) -> dict[Cell, Movement]:
    edits = [edit for edit, _ in stale]
    parameters = {
        "sheet": access.sheet.sheet_id,
        "rows": [edit.row for edit in edits],
        "columns": [edit.column for edit in edits],
        "bases": [edit.base for edit in edits],
    }
    return {
        (row, column): Movement(loads_stored(original) if original else None, by, at)
        for row, column, original, by, at in _MOVED_CELLS.rows(session, parameters)
    }


def conflicts(
    access: Access, rows: Mapping[int, StoredRow], stale: Iterable[StaleEdit], movements: Mapping[Cell, Movement]
) -> list[dict[str, Any]]:
    return [_conflict(access, edit, value, rows[edit.row], movements[edit.row, edit.column]) for edit, value in stale]


def _conflict(access: Access, edit: Edit, value: Value | None, row: StoredRow, movement: Movement) -> dict[str, Any]:
    column, base, now = access.column(edit.column), edit.base, access.sheet.version
    return {
        "row": edit.row,
        "column": edit.column,
        "given": edit.input.shown,
        "mine": wire_value(access, column, value),
        "theirs": wire_value(access, column, row.values.get(column.key)),
        "original": wire_value(access, column, movement.original),
        "by": movement.by,
        "at": movement.at.isoformat() if movement.at else None,
        "version": row.version_of(column),
        # Nobody can tell what a cell held at a version that the sheet does not have.
        "reason": UNSEEN.format(base, now) if base is not None and base > now else None,
    }


_MOVED_CELLS = RawStatement("""
    SELECT row_id, column_id, original::text, changed_by, changed_at
    FROM moved_cells(:sheet, CAST(:rows AS integer[]), CAST(:columns AS integer[]), CAST(:bases AS bigint[]))
""")

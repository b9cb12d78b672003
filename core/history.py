"""Recent changes: who changed which cell of a sheet from what to what, when and from where; read from the log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from core.access import Access, get_access
from core.actor import Actor
from core.column_types import column_type
from core.permissions import Permission
from core.values import stored

PAGE = 200


@dataclass(frozen=True)
class LoggedChange:
    """A line of the log as a person reads it; `old` and `new` are shown text, empty where there was nothing."""

    version: int
    row: int
    row_title: str
    column_id: int
    column: str
    kind: str
    old: str
    new: str
    by: str
    source: str
    recorded_at: datetime
    effective_at: datetime


def recent_changes(
    session: Session,
    actor: Actor,
    sheet_id: int,
    *,
    row: int | None = None,
    by: int | None = None,
    before: tuple[int, int, int] | None = None,
    limit: int = PAGE,
) -> list[LoggedChange]:
    """The newest changes first, of the sheet, a row or a person; `before` goes on behind (version, row, column)."""
    access = get_access(session, actor, sheet_id, Permission.HISTORY_SEE)
    version, before_row, before_column = before or (2**62, 0, 0)
    parameters = {
        "sheet": sheet_id,
        "row": row,
        "by": by,
        "version": version,
        "before_row": before_row,
        "before_column": before_column,
        "limit": min(limit, 1000),
        "columns": [0, *access.by_id],
        "title": access.columns[0].key if access.columns else "",
    }
    asked = [clause for name, clause in _NARROWED.items() if parameters[name] is not None]
    lines = text(_LINES.format(narrowed="".join(asked))).bindparams(bindparam("title"))
    return [_logged(access, line) for line in session.execute(lines, parameters).mappings()]


def _logged(access: Access, line: Any) -> LoggedChange:
    column = access.by_id.get(line["column_id"])
    return LoggedChange(
        version=line["version"],
        row=line["row_id"],
        row_title=_title(access, line["title"]) or f"#{line['row_id']}",
        column_id=line["column_id"],
        column=column.name if column else "",
        kind=line["kind"],
        old=shown(access, line["column_id"], line["old"]),
        new=shown(access, line["column_id"], line["new"]),
        by=line["name"] or "somebody",
        source=line["source"],
        recorded_at=line["recorded_at"],
        effective_at=line["effective_at"],
    )


def _title(access: Access, logged: str | None) -> str:
    """What the row is called now: its first column."""
    return shown(access, access.columns[0].column_id, logged) if access.columns else ""


def shown(access: Access, column_id: int, logged: str | None) -> str:
    """A logged value as text: of a cell by its column's type, of a whole row as “name: value” of its visible cells."""
    if logged is None:
        return ""
    value = stored(logged)
    if column_id == 0:
        cells = ((column, value.get(column.key)) for column in access.columns)
        return " · ".join(f"{column.name}: {_text(access, column, cell)}" for column, cell in cells if cell is not None)
    return _text(access, access.column(column_id), value)


def _text(access: Access, column: Any, value: Any) -> str:
    people = access.people if column.type == "person" else {}
    return column_type(column.type).text(value, column, people)


_NARROWED = {"row": "AND c.row_id = :row ", "by": "AND c.actor_id = :by "}
_LINES = """
    SELECT c.version, c.row_id, c.column_id, c.kind, c.old::text AS old, c.new::text AS new, c.source,
           c.recorded_at, c.effective_at, u.name, (r.values -> :title)::text AS title
    FROM changes c
    LEFT JOIN users u ON u.user_id = c.actor_id
    LEFT JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    WHERE c.sheet_id = :sheet AND c.column_id = ANY(:columns)
      AND (c.version, c.row_id, c.column_id) < (:version, :before_row, :before_column)
      {narrowed}
    ORDER BY c.version DESC, c.row_id DESC, c.column_id DESC
    LIMIT :limit
"""

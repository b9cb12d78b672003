"""Sync: what changed in a sheet since a version, so that an open grid catches up without reading the sheet again."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access import SCOPE_SQL, Access
from core.values import loads

MAX_LINES = 5000


@dataclass
class Changes:
    """Rows that changed since a version; `reset` where there are too many to tell and reading again is cheaper."""

    version: int
    columns_version: int
    reset: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return vars(self)


def changes_since(session: Session, access: Access, since: int) -> Changes:
    """The visible cells that changed after version `since`, per row: values, versions, by whom, what became of it.

    Complete up to the version it names: the sheet's lock puts writers in order, so no late commit is skipped.
    """
    sheet = access.sheet
    found = Changes(version=sheet.version, columns_version=sheet.columns_version)
    if since == sheet.version:
        return found
    parameters = {
        "sheet": sheet.sheet_id,
        "since": since,
        "until": sheet.version,
        "columns": [0, *access.by_id],
        "most": MAX_LINES + 1,
    }
    lines = session.execute(_LINES, parameters).mappings().all() if 0 <= since < sheet.version else None
    if lines is None or len(lines) > MAX_LINES:
        return Changes(version=sheet.version, columns_version=sheet.columns_version, reset=True)
    rows: dict[int, dict[str, Any]] = {}
    for line in lines:
        _follow(access, rows.setdefault(line["row_id"], _untouched(line["row_id"])), line)
    found.rows = list(rows.values())
    return found


def _untouched(row_id: int) -> dict[str, Any]:
    never = {"added": False, "removed": False, "restored": False}
    return {"id": row_id, "values": {}, "versions": {}, "by": None} | never


def _follow(access: Access, row: dict[str, Any], line: Any) -> None:
    """Bring what is told of a row up to one line of the log."""
    row["by"] = {"id": line["actor_id"], "name": line["name"]}
    if line["kind"] == "edit":
        row["values"][str(line["column_id"])] = loads(line["new"]) if line["new"] else None
        row["versions"][str(line["column_id"])] = line["version"]
        return
    # Whoever knows the sheet as of `since` misses a row that was in the trash then; not one that only went there after.
    row["restored"] = row["restored"] or (line["kind"] == "restore" and not row["removed"])
    row["removed"] = line["kind"] == "remove"
    row["added"] = row["added"] or line["kind"] == "add"
    if line["new"]:
        values = loads(line["new"])
        row["values"] |= {key: value for key, value in values.items() if int(key) in access.by_id}


_LINES = text(f"""
    SELECT c.row_id, c.column_id, c.version, c.kind, c.new::text AS new, c.actor_id, u.name
    FROM changes c
    JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    LEFT JOIN users u ON u.user_id = c.actor_id
    WHERE {SCOPE_SQL} AND c.sheet_id = :sheet AND c.version > :since AND c.version <= :until
      AND c.column_id = ANY(:columns)
    ORDER BY c.version, c.row_id, c.column_id
    LIMIT :most
""")  # noqa: S608 - SCOPE_SQL is a constant of core.access.

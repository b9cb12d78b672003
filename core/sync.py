"""Sync: what changed in a sheet since a version, so that an open grid catches up without reading the sheet again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.access import SCOPE_SQL, VISIBLE_SQL, Access
from core.permissions import Permission
from core.values import loads
from db.quick import Quick

MAX_LINES = 5000


@dataclass
class Changes:
    """Rows that changed since a version; `reset` where there are too many to tell and reading again is cheaper.

    `scope` stands for their level and the rows that they may see: when it is another than before, what they have read
    is worth nothing.
    """

    version: int
    columns_version: int
    scope: str
    reset: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return vars(self)


def changes_since(session: Session, access: Access, since: int) -> Changes:
    """The visible cells that changed after version `since`, per row: values, versions, by whom, what became of it.

    Complete up to the version it names: the sheet's lock puts writers in order, so no late commit is skipped.
    """
    sheet = access.sheet
    found = Changes(sheet.version, sheet.columns_version, scope_digest(access))
    if since == sheet.version:
        return found
    parameters = access.gate | {
        "since": since,
        "until": sheet.version,
        "columns": [0, *access.by_id],
        "most": MAX_LINES + 1,
    }
    lines = _LINES.all(session, parameters) if 0 <= since < sheet.version else None
    if lines is None or len(lines) > MAX_LINES:
        found.reset = True
        return found
    rows: dict[int, dict[str, Any]] = {}
    for line in lines:
        _follow(access, rows.setdefault(line["row_id"], _untouched(line["row_id"])), line)
    for moved in _moved(session, access, parameters):
        _follow_owner(access, rows, moved, since)
    found.rows = [_as_left(row) for row in rows.values()]
    return found


def _as_left(row: dict[str, Any]) -> dict[str, Any]:
    """A row that is gone at the end takes its values along: the trash has them, for whoever may look there."""
    return row | {"values": {}, "versions": {}} if row["removed"] else row


def scope_digest(access: Access) -> str:
    """Stands for what a share gives of a sheet, rows and columns; says nothing of it."""
    return sha256(f"{access.level}:{access.row_scope}:{access.rows_scope}".encode()).hexdigest()[:16]


def _moved(session: Session, access: Access, parameters: dict[str, Any]) -> Sequence[RowMapping]:
    """For whoever sees only some rows: those whose owner has changed, with the first before and who changed it last."""
    if access.owners is None or access.owner_column is None:
        return ()
    return session.execute(_MOVED, parameters | {"owner": access.owner_column.column_id}).mappings().all()


def _follow_owner(access: Access, rows: dict[int, dict[str, Any]], moved: Any, since: int) -> None:
    """A row that was given to somebody else is told like a deleted one, one that came like one that came back."""
    was_seen = moved["before"] in (access.owners or ()) and moved["created_version"] <= since
    row = _untouched(moved["row_id"]) | {"by": _author(access, moved)}
    if was_seen and not moved["is_seen"]:
        rows[moved["row_id"]] = row | {"removed": True}
    elif moved["is_seen"] and not was_seen and moved["created_version"] <= since:
        values = {key: value for key, value in loads(moved["values"]).items() if int(key) in access.by_id}
        rows[moved["row_id"]] = row | {"restored": True, "values": values}


def _untouched(row_id: int) -> dict[str, Any]:
    never = {"added": False, "removed": False, "restored": False}
    return {"id": row_id, "values": {}, "versions": {}, "by": None} | never


def _author(access: Access, line: Any) -> dict[str, Any] | None:
    """Who made a change, for whoever may know who works here."""
    known = Permission.PEERS_SEE in access.permissions
    return {"id": line["actor_id"], "name": line["name"]} if known else None


def _follow(access: Access, row: dict[str, Any], line: Any) -> None:
    """Bring what is told of a row up to one line of the log."""
    row["by"] = _author(access, line)
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


_LINES = Quick(f"""
    SELECT c.row_id, c.column_id, c.version, c.kind, c.new::text AS new, c.actor_id, u.name
    FROM changes c
    JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    LEFT JOIN users u ON u.user_id = c.actor_id
    WHERE {SCOPE_SQL} AND c.sheet_id = :sheet AND c.version > :since AND c.version <= :until
      AND c.column_id = ANY(:columns)
    ORDER BY c.version, c.row_id, c.column_id
    LIMIT :most
""")  # noqa: S608 - SCOPE_SQL is a constant of core.access.
_MOVED = text(f"""
    SELECT r.row_id, r.created_version, first.old #>> '{{}}' AS before, last.actor_id, u.name,
           {VISIBLE_SQL} AS is_seen, CASE WHEN {VISIBLE_SQL} THEN r.values::text END AS values
    FROM (SELECT row_id, min(version) AS first, max(version) AS last FROM changes
          WHERE sheet_id = :sheet AND version > :since AND version <= :until AND column_id = :owner
          GROUP BY row_id) moved
    JOIN changes first ON first.sheet_id = :sheet AND first.version = moved.first AND first.row_id = moved.row_id
         AND first.column_id = :owner
    JOIN changes last ON last.sheet_id = :sheet AND last.version = moved.last AND last.row_id = moved.row_id
         AND last.column_id = :owner
    JOIN rows r ON r.sheet_id = :sheet AND r.row_id = moved.row_id
    LEFT JOIN users u ON u.user_id = last.actor_id
""")  # noqa: S608 - the same.

"""Sync: what changed in a sheet since a version, so that an open grid catches up without reading the sheet again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.row_gate import scope_sql, visible_sql
from core.base.exact_json import loads_wire
from core.base.permissions import Permission
from core.credentials.sessions import WHO_SQL
from db.raw_sql import Quick

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
    version = access.sheet.version
    parameters = _parameters(access, since)
    lines: list[dict[str, Any]] = []
    if 0 <= since < version:
        lines = _LINES.all(session, parameters | {"until": version})
    found = _told(access, version, since, lines)
    if not found.reset and since < version:
        rows = {row["id"]: row for row in found.rows}
        for moved in _moved(session, access, parameters | {"until": version}):
            _follow_owner(access, rows, moved, since)
        found.rows = [*rows.values()]
    return found


def changes_for(session: Session, accesses: Sequence[Access], since: int) -> list[Changes | None]:
    """The same for many who see the same of one sheet, in one statement, by Accesses that are only remembered.

    None where one is true no more: their session has ended, or their level, their rows or the sheet's columns are
    others. The statement that reads the changes looks at all that itself.
    """
    first = accesses[0]
    standing = {
        "known": first.sheet.columns_version,
        "level": first.level,
        "ids": [access.actor.session_id for access in accesses],
        "people": [access.actor.user_id for access in accesses],
    }
    lines = _FOLLOWED.all(session, _parameters(first, since) | standing)
    if not lines:
        return [None] * len(accesses)
    head = lines[0]
    found = _told(first, head["until"], since, [line for line in lines if line["row_id"] is not None])
    places = set(head["standing"])
    return [found if place in places else None for place in range(1, len(accesses) + 1)]


def _parameters(access: Access, since: int) -> dict[str, Any]:
    return access.row_gate.parameters() | {"since": since, "columns": [0, *access.by_id], "most": MAX_LINES + 1}


def _told(access: Access, version: int, since: int, lines: Sequence[dict[str, Any]]) -> Changes:
    """What is told of the lines of the log after `since`."""
    found = Changes(version, access.sheet.columns_version, scope_digest(access))
    if not 0 <= since <= version or len(lines) > MAX_LINES:
        found.reset = True
        return found
    rows: dict[int, dict[str, Any]] = {}
    for line in lines:
        _follow(access, rows.setdefault(line["row_id"], _untouched(line["row_id"])), line)
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
        values = {key: value for key, value in loads_wire(moved["values"]).items() if int(key) in access.by_id}
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
        row["values"][str(line["column_id"])] = loads_wire(line["new"]) if line["new"] else None
        row["versions"][str(line["column_id"])] = line["version"]
        return
    # Whoever knows the sheet as of `since` misses a row that was in the trash then; not one that only went there after.
    row["restored"] = row["restored"] or (line["kind"] == "restore" and not row["removed"])
    row["removed"] = line["kind"] == "remove"
    row["added"] = row["added"] or line["kind"] == "add"
    if line["new"]:
        values = loads_wire(line["new"])
        row["values"] |= {key: value for key, value in values.items() if int(key) in access.by_id}


_LINES_SQL = f"""
    SELECT c.*, u.name
    FROM logged_lines(:sheet, :since, :until, :columns, CASE WHEN CAST(:owners AS text[]) IS NULL THEN :most END) c
    JOIN rows r ON r.sheet_id = :sheet AND r.row_id = c.row_id
    LEFT JOIN users u ON u.user_id = c.actor_id
    WHERE {scope_sql("r")}
    ORDER BY c.version, c.row_id, c.column_id
    LIMIT :most
"""  # noqa: S608 - the gate of core.access.
_LINES = Quick(_LINES_SQL)
_FOLLOWED = Quick(f"""
    SELECT now.version AS until, now.standing, line.*
    FROM (
        SELECT s.version, ARRAY(
            SELECT one.place FROM unnest(CAST(:ids AS uuid[]), CAST(:people AS bigint[])) WITH ORDINALITY
                AS one (id, person, place)
            WHERE EXISTS ({WHO_SQL.replace(":id", "one.id")} AND u.user_id = one.person)
              AND EXISTS (SELECT FROM sheet_levels l WHERE l.sheet_id = :sheet AND l.user_id = one.person
                                                       AND l.level = :level AND l.row_scope = 'all')
        ) AS standing
        FROM sheets s WHERE s.sheet_id = :sheet AND s.columns_version = :known
    ) now
    LEFT JOIN LATERAL ({_LINES_SQL.replace(":until", "now.version")}) line ON true
    ORDER BY line.version, line.row_id, line.column_id
""")  # noqa: S608 - the same, and WHO_SQL of core.credentials.sessions.
_MOVED = text(f"""
    SELECT r.row_id, r.created_version, first.old #>> '{{}}' AS before, last.actor_id, u.name,
           {visible_sql("r")} AS is_seen, CASE WHEN {visible_sql("r")} THEN r.values::text END AS values
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

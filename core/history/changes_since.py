"""Changes since a version: the rows that an open grid needs to catch up without reading the whole sheet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.row_gate import scope_sql, visible_sql
from core.base.permissions import Permission
from core.credentials.sessions import ACTOR_SQL
from core.rows.projection import Projection, logged_wire, projection
from core.rows.read import rows_by_id
from db.raw_sql import RawStatement

MAX_LINES = 5000


@dataclass
class Changes:
    """The rows that changed since a version, up to another; `reset` where so many changed that a new read is cheaper.

    `scope` is a digest of the reader's level and rows. When it changes, the reader's earlier rows are not valid.
    """

    version: int
    columns_version: int
    scope: str
    reset: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return vars(self)


def changes_since(session: Session, access: Access, since: int) -> Changes:
    """Return the visible cells that changed after version `since`, per row: values, versions, author, kind of change.

    They are complete up to the version of the answer: the sheet's lock orders the writers, so no commit is missing.
    """
    version = access.sheet.version
    if access.link_view is not None:  # The log does not say which rows were in a view: its visitor reads them again.
        return Changes(version, access.sheet.columns_version, scope_digest(access), reset=since != version)
    parameters = _parameters(access, since)
    lines: list[dict[str, Any]] = []
    if 0 <= since < version:
        lines = _LINES.all(session, parameters | {"until": version})
    changes = _changes(access, version, since, lines)
    if not changes.reset and since < version:
        rows = {row["id"]: row for row in changes.rows}
        for reassigned in _reassigned(session, access, parameters | {"until": version}):
            _apply_owner(access, rows, reassigned, since)
        changes.rows = [*rows.values()]
        _add_computed(session, access, changes.rows)
    return changes


def _add_computed(session: Session, access: Access, rows: Sequence[dict[str, Any]]) -> None:
    """Add the computed cells of the changed rows as they are now, empty ones too."""
    columns = access.computed_columns
    live = {row["id"]: row for row in rows if not row["removed"]}
    if not (columns and live):
        return
    empty = {column.key: None for column in columns}
    for row in rows_by_id(session, access, [*live], columns):
        if not row.get("deleted"):
            live[row["id"]]["values"] |= empty | row["values"]


def changes_for(session: Session, accesses: Sequence[Access], since: int) -> list[Changes | None]:
    """Return the changes since a version for several readers that see the same cells, in one statement.

    Their accesses may come from the cache: the statement that reads the changes checks session, level, rows and columns
    again. None where an access is not valid any more. Computed cells are not among these changes: for an access with
    such columns use `changes_since`.
    """
    first = accesses[0]
    readers = {
        "known": first.sheet.columns_version,
        "level": first.level,
        "ids": [access.actor.session_id for access in accesses],
        "people": [access.actor.user_id for access in accesses],
    }
    lines = _FOLLOWED.all(session, _parameters(first, since) | readers)
    if not lines:
        return [None] * len(accesses)
    head = lines[0]
    changes = _changes(first, head["until"], since, [line for line in lines if line["row_id"] is not None])
    valid = set(head["valid"])
    return [changes if number in valid else None for number in range(1, len(accesses) + 1)]


def _parameters(access: Access, since: int) -> dict[str, Any]:
    columns = projection(access).logged_columns
    return access.row_gate.parameters() | {"since": since, "columns": columns, "most": MAX_LINES + 1}


def _changes(access: Access, version: int, since: int, lines: Sequence[dict[str, Any]]) -> Changes:
    """The changes from the log lines after `since`."""
    changes = Changes(version, access.sheet.columns_version, scope_digest(access))
    if not 0 <= since <= version or len(lines) > MAX_LINES:
        changes.reset = True
        return changes
    rows: dict[int, dict[str, Any]] = {}
    cells = projection(access)
    for line in lines:
        _apply_line(access, cells, rows.setdefault(line["row_id"], _unchanged(line["row_id"])), line)
    changes.rows = [_without_removed_values(row) for row in rows.values()]
    return changes


def _without_removed_values(row: dict[str, Any]) -> dict[str, Any]:
    """The row, without values where it was removed: those are in the trash, for readers who may see it."""
    return row | {"values": {}, "versions": {}} if row["removed"] else row


def scope_digest(access: Access) -> str:
    """Return a digest of the level and rows that a share gives; it reveals neither."""
    return sha256(f"{access.level}:{access.row_scope}:{access.rows_scope}".encode()).hexdigest()[:16]


def _reassigned(session: Session, access: Access, parameters: dict[str, Any]) -> Sequence[RowMapping]:
    """The rows whose owner changed, with the first owner and the last author; none for a reader who sees all rows."""
    if access.owners is None or access.owner_column is None:
        return ()
    return session.execute(_REASSIGNED, parameters | {"owner": access.owner_column.column_id}).mappings().all()


def _apply_owner(access: Access, rows: dict[int, dict[str, Any]], reassigned: Any, since: int) -> None:
    """Report a row that left the reader's rows as removed, and one that joined them as restored."""
    was_visible = reassigned["before"] in (access.owners or ()) and reassigned["created_version"] <= since
    row = _unchanged(reassigned["row_id"]) | {"by": _author(access, reassigned)}
    if was_visible and not reassigned["is_visible"]:
        rows[reassigned["row_id"]] = row | {"removed": True}
    elif reassigned["is_visible"] and not was_visible and reassigned["created_version"] <= since:
        values = projection(access).wire(reassigned["values"])
        rows[reassigned["row_id"]] = row | {"restored": True, "values": values}


def _unchanged(row_id: int) -> dict[str, Any]:
    row: dict[str, Any] = {"id": row_id, "values": {}, "versions": {}, "by": None}
    return row | {"added": False, "removed": False, "restored": False}


def _author(access: Access, line: Any) -> dict[str, Any] | None:
    """The author of a change; None for a reader who may not see who else works in the sheet."""
    sees_peers = Permission.PEERS_SEE in access.permissions
    return {"id": line["actor_id"], "name": line["name"]} if sees_peers else None


def _apply_line(access: Access, cells: Projection, row: dict[str, Any], line: Any) -> None:
    """Add one line of the log to the changes of its row."""
    row["by"] = _author(access, line)
    if line["kind"] == "edit":
        row["values"][str(line["column_id"])] = logged_wire(access, access.by_id[line["column_id"]], line["new"])
        row["versions"][str(line["column_id"])] = line["version"]
        return
    # A reader of version `since` lacks a row that was in the trash then, but has a row that was deleted after it.
    row["restored"] = row["restored"] or (line["kind"] == "restore" and not row["removed"])
    row["removed"] = line["kind"] == "remove"
    row["added"] = row["added"] or line["kind"] == "add"
    if line["new"]:
        row["values"] |= cells.wire(line["new"])


_LINES_SQL = f"""
    SELECT c.*, u.name
    FROM logged_lines(:sheet, :since, :until, :columns, CASE WHEN CAST(:owners AS text[]) IS NULL THEN :most END) c
    JOIN rows r ON r.sheet_id = :sheet AND r.row_id = c.row_id
    LEFT JOIN users u ON u.user_id = c.actor_id
    WHERE {scope_sql("r")}
      -- A change of a column's type converts deleted rows, too.
      AND (c.column_id = 0 OR r.deleted_version IS NULL OR r.deleted_version >= c.version)
    ORDER BY c.version, c.row_id, c.column_id
    LIMIT :most
"""  # noqa: S608 - the gate of core.access.
_LINES = RawStatement(_LINES_SQL)
_FOLLOWED = RawStatement(f"""
    SELECT now.version AS until, now.valid, line.*
    FROM (
        SELECT s.version, ARRAY(
            SELECT reader.number FROM unnest(CAST(:ids AS uuid[]), CAST(:people AS bigint[])) WITH ORDINALITY
                AS reader (session_id, user_id, number)
            WHERE EXISTS ({ACTOR_SQL.replace(":id", "reader.session_id")} AND u.user_id = reader.user_id)
              AND has_level(:sheet, reader.user_id, :level)
        ) AS valid
        FROM sheets s WHERE s.sheet_id = :sheet AND s.columns_version = :known
    ) now
    LEFT JOIN LATERAL ({_LINES_SQL.replace(":until", "now.version")}) line ON true
    ORDER BY line.version, line.row_id, line.column_id
""")  # noqa: S608 - the gate of core.access, and ACTOR_SQL of core.credentials.sessions.
_REASSIGNED = text(f"""
    SELECT r.row_id, r.created_version, first.old #>> '{{}}' AS before, last.actor_id, u.name,
           {visible_sql("r")} AS is_visible, CASE WHEN {visible_sql("r")} THEN r.values::text END AS values
    FROM (SELECT row_id, min(version) AS first, max(version) AS last FROM changes
          WHERE sheet_id = :sheet AND version > :since AND version <= :until AND column_id = :owner
          GROUP BY row_id) reassigned
    JOIN changes first ON first.sheet_id = :sheet AND first.version = reassigned.first
         AND first.row_id = reassigned.row_id AND first.column_id = :owner
    JOIN changes last ON last.sheet_id = :sheet AND last.version = reassigned.last
         AND last.row_id = reassigned.row_id AND last.column_id = :owner
    JOIN rows r ON r.sheet_id = :sheet AND r.row_id = reassigned.row_id
    LEFT JOIN users u ON u.user_id = last.actor_id
""")  # noqa: S608 - the gate of core.access.

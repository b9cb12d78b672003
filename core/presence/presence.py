"""Presence: who has a sheet open and in which cell. Each process saves its sockets' positions, which expire quickly."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.access.row_gate import scope_sql
from core.base.actor import Actor
from core.base.permissions import Permission

PRESENCE_CHANNEL = "presence_changes"
# Each process refreshes its positions this often; older ones than STALE_AFTER are left over from a process that died.
REFRESH_SECONDS = 4.0
STALE_AFTER = "10 seconds"
MAX_LISTED = 100


@dataclass(frozen=True, slots=True)
class Position:
    """The sheet of a connection, and its selected cell or none."""

    connection_id: UUID
    sheet_id: int
    user_id: int
    row_id: int | None = None
    column_id: int | None = None


def list_present(session: Session, actor: Actor, sheet_id: int) -> list[dict[str, Any]]:
    """Return connection, user, row and column of those on the sheet: at most MAX_LISTED, those in a cell first.

    A cell that this actor may not see is null. People who may no longer see the sheet are left out.
    """
    access = get_access(session, actor, sheet_id, Permission.PEERS_SEE)
    parameters = access.row_gate.parameters() | {"columns": list(access.by_id), "limit": MAX_LISTED}
    rows = session.execute(_PRESENT, parameters).mappings()
    return [{**row, "connection": str(row["connection"])} for row in rows]


def save_positions(session: Session, process_id: UUID, positions: Collection[Position]) -> None:
    """Save or refresh the positions of a process's connections, and notify the sheets where one changed."""
    parameters = {
        "process": process_id,
        "connections": [position.connection_id for position in positions],
        "sheets": [position.sheet_id for position in positions],
        "users": [position.user_id for position in positions],
        "rows": [position.row_id for position in positions],
        "columns": [position.column_id for position in positions],
    }
    session.execute(_SAVE, parameters)


def remove_connections(session: Session, connections: Collection[UUID]) -> None:
    """Remove the positions of closed connections."""
    session.execute(_REMOVE_CONNECTIONS, {"connections": list(connections)})


def remove_process(session: Session, process_id: UUID) -> None:
    """Remove the positions of all connections of a process."""
    session.execute(_REMOVE_PROCESS, {"process": process_id})


def remove_stale(session: Session) -> None:
    """Remove the positions that a process which died left behind."""
    session.execute(_REMOVE_STALE)


_PRESENT = text(f"""
    SELECT p.connection_id AS connection, p.user_id AS "user", r.row_id AS "row",
           CASE WHEN r.row_id IS NOT NULL AND p.column_id = ANY(:columns) THEN p.column_id END AS "column"
    FROM presence p
    JOIN sheet_levels l ON l.sheet_id = p.sheet_id AND l.user_id = p.user_id AND l.level IS NOT NULL
    LEFT JOIN rows r ON r.sheet_id = p.sheet_id AND r.row_id = p.row_id AND {scope_sql("r")}
    WHERE p.sheet_id = :sheet AND p.seen_at > now() - interval '{STALE_AFTER}'
    ORDER BY p.row_id IS NULL, p.since, p.connection_id
    LIMIT :limit
""")  # noqa: S608 - the gate of core.access.
_SAVE = text(f"""
    WITH positions AS (
        SELECT * FROM unnest(CAST(:connections AS uuid[]), CAST(:sheets AS bigint[]), CAST(:users AS bigint[]),
                             CAST(:rows AS integer[]), CAST(:columns AS integer[]))
            AS positions (connection_id, sheet_id, user_id, row_id, column_id)
    ), moved AS (
        SELECT DISTINCT g.sheet_id FROM positions g LEFT JOIN presence p USING (connection_id)
        WHERE p.connection_id IS NULL OR (p.row_id, p.column_id) IS DISTINCT FROM (g.row_id, g.column_id)
           OR p.seen_at < now() - interval '{STALE_AFTER}'
    ), saved AS (
        INSERT INTO presence (connection_id, process_id, sheet_id, user_id, row_id, column_id)
        SELECT connection_id, :process, sheet_id, user_id, row_id, column_id FROM positions
        ON CONFLICT (connection_id) DO UPDATE
        SET row_id = excluded.row_id, column_id = excluded.column_id, seen_at = excluded.seen_at
    )
    SELECT pg_notify('{PRESENCE_CHANNEL}', sheet_id::text) FROM moved
""")  # noqa: S608 - constants of this module.


def _removal(condition: str) -> Any:
    return text(f"""
        WITH removed AS (DELETE FROM presence WHERE {condition} RETURNING sheet_id)
        SELECT pg_notify('{PRESENCE_CHANNEL}', sheet_id::text) FROM (SELECT DISTINCT sheet_id FROM removed) sheets
    """)  # noqa: S608 - constants of this module.


_REMOVE_CONNECTIONS = _removal("connection_id = ANY(:connections)")
_REMOVE_PROCESS = _removal("process_id = :process")
_REMOVE_STALE = _removal(f"""connection_id IN (
    SELECT connection_id FROM presence WHERE seen_at < now() - interval '{STALE_AFTER}' FOR UPDATE SKIP LOCKED)""")  # noqa: S608 - a constant

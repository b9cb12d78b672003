"""Presence: who is on a sheet and in which cell. Every process keeps lines, which live for seconds, of its sockets."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import get_access
from core.access.row_gate import scope_sql
from core.base.actor import Actor
from core.base.permissions import Permission

PRESENCE_CHANNEL = "presence_changes"
# A process says so often that its sockets are there; whose lines are older than the second has died without a word.
REFRESH_SECONDS = 4.0
GONE_AFTER = "10 seconds"
MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where one connection is: on a sheet, and in a cell of it or in none."""

    connection_id: UUID
    sheet_id: int
    user_id: int
    row_id: int | None = None
    column_id: int | None = None


def present(session: Session, actor: Actor, sheet_id: int) -> list[dict[str, Any]]:
    """Who is on the sheet: connection, user, row, column; at most MOST_TOLD, who is in a cell first.

    A cell that this actor may not see is null, and whoever may no longer see the sheet is not there.
    """
    access = get_access(session, actor, sheet_id, Permission.PEERS_SEE)
    parameters = access.row_gate.parameters() | {"columns": list(access.by_id), "most": MOST_TOLD}
    found = session.execute(_PRESENT, parameters).mappings()
    return [{**line, "connection": str(line["connection"])} for line in found]


def keep_places(session: Session, process_id: UUID, places: Collection[Place]) -> None:
    """Note where these connections of a process are, and that they are still there. Only news is noticed."""
    parameters = {
        "process": process_id,
        "connections": [place.connection_id for place in places],
        "sheets": [place.sheet_id for place in places],
        "users": [place.user_id for place in places],
        "rows": [place.row_id for place in places],
        "columns": [place.column_id for place in places],
    }
    session.execute(_KEEP, parameters)


def leave_places(session: Session, connections: Collection[UUID]) -> None:
    """These connections are closed."""
    session.execute(_LEAVE, {"connections": list(connections)})


def leave_process(session: Session, process_id: UUID) -> None:
    """Every connection of this process is closed."""
    session.execute(_LEAVE_PROCESS, {"process": process_id})


def sweep_places(session: Session) -> None:
    """Delete the lines of processes that died without a word."""
    session.execute(_SWEEP)


_PRESENT = text(f"""
    SELECT p.connection_id AS connection, p.user_id AS "user", r.row_id AS "row",
           CASE WHEN r.row_id IS NOT NULL AND p.column_id = ANY(:columns) THEN p.column_id END AS "column"
    FROM presence p
    JOIN sheet_levels l ON l.sheet_id = p.sheet_id AND l.user_id = p.user_id AND l.level IS NOT NULL
    LEFT JOIN rows r ON r.sheet_id = p.sheet_id AND r.row_id = p.row_id AND {scope_sql("r")}
    WHERE p.sheet_id = :sheet AND p.seen_at > now() - interval '{GONE_AFTER}'
    ORDER BY p.row_id IS NULL, p.since, p.connection_id
    LIMIT :most
""")  # noqa: S608 - the gate of core.access.
_KEEP = text(f"""
    WITH given AS (
        SELECT * FROM unnest(CAST(:connections AS uuid[]), CAST(:sheets AS bigint[]), CAST(:users AS bigint[]),
                             CAST(:rows AS integer[]), CAST(:columns AS integer[]))
            AS given (connection_id, sheet_id, user_id, row_id, column_id)
    ), moved AS (
        SELECT DISTINCT g.sheet_id FROM given g LEFT JOIN presence p USING (connection_id)
        WHERE p.connection_id IS NULL OR (p.row_id, p.column_id) IS DISTINCT FROM (g.row_id, g.column_id)
           OR p.seen_at < now() - interval '{GONE_AFTER}'
    ), kept AS (
        INSERT INTO presence (connection_id, process_id, sheet_id, user_id, row_id, column_id)
        SELECT connection_id, :process, sheet_id, user_id, row_id, column_id FROM given
        ON CONFLICT (connection_id) DO UPDATE
        SET row_id = excluded.row_id, column_id = excluded.column_id, seen_at = excluded.seen_at
    )
    SELECT pg_notify('{PRESENCE_CHANNEL}', sheet_id::text) FROM moved
""")  # noqa: S608 - constants of this module.


def _leaving(which: str) -> Any:
    return text(f"""
        WITH gone AS (DELETE FROM presence WHERE {which} RETURNING sheet_id)
        SELECT pg_notify('{PRESENCE_CHANNEL}', sheet_id::text) FROM (SELECT DISTINCT sheet_id FROM gone) gone
    """)  # noqa: S608 - constants of this module.


_LEAVE = _leaving("connection_id = ANY(:connections)")
_LEAVE_PROCESS = _leaving("process_id = :process")
_SWEEP = _leaving(f"""connection_id IN (
    SELECT connection_id FROM presence WHERE seen_at < now() - interval '{GONE_AFTER}' FOR UPDATE SKIP LOCKED)""")  # noqa: S608 - ours

"""Entering a sheet: who acts in a session and what they may see of a sheet, read together as a request begins."""

from uuid import UUID

from sqlalchemy.orm import Session

from core.access import LOAD_SQL, known_version, remember
from core.actor import Actor
from core.sessions import WHO_SQL, actor_from
from db.quick import Quick


def enter(session: Session, session_id: str, sheet_id: int, *, address: str | None) -> Actor | None:
    """Who acts, as core.sessions.actor_of_session tells; what they may see waits for the next get_access()."""
    try:
        key = UUID(session_id)
    except ValueError:
        return None
    parameters = {"id": key, "sheet": sheet_id, "known": known_version(session, sheet_id)}
    found = _ENTER.row(session, parameters)
    if found is None:
        return None
    actor = actor_from({**found, "name": found["user_name"]}, key, address)
    if actor and found["sheet_id"] is not None:
        remember(session, actor, found)
    return actor


_ENTER = Quick(f"""
    SELECT who.user_id, who.name AS user_name, who.email, who.role, entered.*
    FROM ({WHO_SQL}) who LEFT JOIN LATERAL ({LOAD_SQL.replace(":user", "who.user_id")}) entered ON true
""")  # noqa: S608 - constants of the two modules.

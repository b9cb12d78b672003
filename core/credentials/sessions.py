"""Sessions of signed-in users. A session can be ended at any time; only the hash of its token is stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor
from core.base.errors import NotFound
from core.base.permissions import Role
from core.base.pg_notify import notify_user_rights
from core.base.secret_tokens import hash_token, new_token
from core.limits.login_throttle import normalize_address

IDLE_LIFETIME = "12 hours"
MAX_LIFETIME = "30 days"
MAX_AGENT_LENGTH = 300


@dataclass(frozen=True)
class SessionInfo:
    """A live session, as its user sees it in the list."""

    session_id: UUID
    user_id: int
    kind: str
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime


def start_session(
    session: Session, user_id: int, *, kind: str, address: str | None, user_agent: str
) -> tuple[UUID, str]:
    """Create a session for a user; return its id and its secret token."""
    session_id, token = uuid4(), new_token()
    parameters = {
        "id": session_id,
        "user": user_id,
        "token": hash_token(token),
        "kind": kind,
        "address": normalize_address(address),
        "agent": user_agent[:MAX_AGENT_LENGTH],
    }
    session.execute(_START, parameters)
    return session_id, token


def session_of_token(session: Session, token: str) -> SessionInfo | None:
    """Return the live session of this token and mark it as seen. For short transactions: it locks the row."""
    row = session.execute(_BY_TOKEN, {"token": hash_token(token)}).mappings().one_or_none()
    return SessionInfo(**row) if row else None


def actor_of_session(
    session: Session, session_id: str | UUID, *, address: str | None = None, mark_seen: bool = False
) -> Actor | None:
    """Return the actor of a live session whose user is active, else None. One statement, for every run and request.

    `mark_seen` updates last_seen_at. Use it in short transactions only: the session can't be ended before they commit.
    """
    try:
        key = UUID(str(session_id))
    except ValueError:
        return None
    row = session.execute(_ACTOR_MARKING_SEEN if mark_seen else _ACTOR, {"id": key}).mappings().one_or_none()
    return actor_from_row(row, key, address)


def actor_from_row(row: Any, session_id: UUID, address: str | None) -> Actor | None:
    """Return the Actor of a row of ACTOR_SQL, None without a row."""
    if row is None:
        return None
    return Actor(
        user_id=row["user_id"],
        name=row["name"],
        email=row["email"],
        role=Role(row["role"]),
        session_id=session_id,
        address=normalize_address(address) if address else None,
    )


def my_sessions(session: Session, actor: Actor) -> list[SessionInfo]:
    """Return the acting user's live sessions, latest first."""
    return [SessionInfo(**row) for row in session.execute(_MINE, {"user": actor.user_id}).mappings()]


def end_session(session: Session, actor: Actor, session_id: UUID) -> None:
    """End one of the acting user's sessions. Raises NotFound."""
    ended = session.scalar(_END, {"id": session_id, "user": actor.user_id})
    if ended is None:
        raise NotFound("This session has ended already.")
    notify_user_rights(session, actor.user_id)
    audit.record(session, actor, "account:session:end", ended=str(session_id))


def end_other_sessions(session: Session, actor: Actor) -> None:
    """End the acting user's sessions except the current one."""
    end_user_sessions(session, actor.user_id, except_id=actor.session_id)
    audit.record(session, actor, "account:session:end-others", kept=str(actor.session_id))


def end_user_sessions(session: Session, user_id: int, *, except_id: UUID | None = None) -> None:
    """End all sessions of a user except one, with their refresh tokens and login tickets."""
    session.execute(_END_ALL, {"user": user_id, "but": except_id})
    session.execute(text("DELETE FROM sign_in_tickets WHERE user_id = :user"), {"user": user_id})
    notify_user_rights(session, user_id)


LIVE = f"""s.ended_at IS NULL AND s.expires_at > now() AND s.last_seen_at > now() - interval '{IDLE_LIFETIME}'"""
_FIELDS = "s.session_id, s.user_id, s.kind, host(s.address) AS address, s.user_agent, s.created_at, s.last_seen_at"
_START = text(f"""
    INSERT INTO sessions (session_id, user_id, token_hash, kind, address, user_agent, expires_at)
    VALUES (:id, :user, :token, :kind, CAST(:address AS inet), :agent, now() + interval '{MAX_LIFETIME}')
""")  # noqa: S608 - constants of this module.


def _mark_seen(which: str) -> str:
    """Return the CTEs that update last_seen_at at most once per minute, without waiting for a lock."""
    return f"""
    WITH stale AS (
        SELECT s.session_id FROM sessions s
        WHERE {which} AND {LIVE} AND s.last_seen_at < now() - interval '1 minute'
        FOR NO KEY UPDATE SKIP LOCKED
    ), seen AS (
        UPDATE sessions s SET last_seen_at = now() FROM stale WHERE s.session_id = stale.session_id
    )
    """  # noqa: S608 - constants of this module.


_BY_TOKEN = text(f"""
    {_mark_seen("s.token_hash = :token")}
    SELECT {_FIELDS} FROM sessions s JOIN users u ON u.user_id = s.user_id AND u.is_active
    WHERE s.token_hash = :token AND {LIVE}
""")  # noqa: S608 - the same.
ACTOR_SQL = f"""
    SELECT u.user_id, u.name, u.email, u.role
    FROM sessions s JOIN users u ON u.user_id = s.user_id AND u.is_active
    WHERE s.session_id = :id AND {LIVE}
"""  # noqa: S608 - the same.
_ACTOR = text(ACTOR_SQL)
_ACTOR_MARKING_SEEN = text(_mark_seen("s.session_id = :id") + ACTOR_SQL)
_MINE = text(f"""
    SELECT {_FIELDS} FROM sessions s WHERE s.user_id = :user AND {LIVE} ORDER BY s.last_seen_at DESC, s.created_at DESC
""")  # noqa: S608 - the same.
_END = text("""
    UPDATE sessions SET ended_at = now()
    WHERE session_id = :id AND user_id = :user AND ended_at IS NULL RETURNING session_id
""")
_END_ALL = text("""
    UPDATE sessions SET ended_at = now()
    WHERE user_id = :user AND ended_at IS NULL AND session_id IS DISTINCT FROM CAST(:but AS uuid)
""")

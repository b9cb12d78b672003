"""Sessions: who is signed in, from where; a row that can be ended at any time. The token is stored only as a hash."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor
from core.base.errors import NotFound
from core.base.notify import notify_user_rights
from core.base.permissions import Role
from core.base.secret_tokens import hash_token, new_token
from core.limits.login_throttle import normalize_address

IDLE = "12 hours"
ABSOLUTE = "30 days"
LONGEST_AGENT = 300


@dataclass(frozen=True)
class SessionInfo:
    """A live session, as its person sees it in the list."""

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
    """Sign a person in: the session's id and its secret token. Every sign-in makes a new one."""
    session_id, token = uuid4(), new_token()
    parameters = {
        "id": session_id,
        "user": user_id,
        "token": hash_token(token),
        "kind": kind,
        "address": normalize_address(address),
        "agent": user_agent[:LONGEST_AGENT],
    }
    session.execute(_START, parameters)
    return session_id, token


def session_of_token(session: Session, token: str) -> SessionInfo | None:
    """The live session that this cookie belongs to. It counts as seen, so the transaction should be short."""
    found = session.execute(_BY_TOKEN, {"token": hash_token(token)}).mappings().one_or_none()
    return SessionInfo(**found) if found else None


def actor_of_session(
    session: Session, session_id: str | UUID, *, address: str | None = None, seen: bool = False
) -> Actor | None:
    """Who acts in a session, if it still lives and its person is active. One statement; asked on every run and call.

    `seen` says that the session is in use: for short transactions, because it can be ended only after them.
    """
    try:
        key = UUID(str(session_id))
    except ValueError:
        return None
    found = session.execute(_ACTOR_SEEN if seen else _ACTOR, {"id": key}).mappings().one_or_none()
    return actor_from(found, key, address)


def actor_from(found: Any, session_id: UUID, address: str | None) -> Actor | None:
    """An Actor from a row of users, None where there was none."""
    if found is None:
        return None
    return Actor(
        user_id=found["user_id"],
        name=found["name"],
        email=found["email"],
        role=Role(found["role"]),
        session_id=session_id,
        address=normalize_address(address) if address else None,
    )


def my_sessions(session: Session, actor: Actor) -> list[SessionInfo]:
    """Where this person is signed in, the latest first."""
    return [SessionInfo(**found) for found in session.execute(_MINE, {"user": actor.user_id}).mappings()]


def end_session(session: Session, actor: Actor, session_id: UUID) -> None:
    """Sign one of my sessions out."""
    ended = session.scalar(_END, {"id": session_id, "user": actor.user_id})
    if ended is None:
        raise NotFound("This session has ended already.")
    notify_user_rights(session, actor.user_id)
    audit.record(session, actor, "account:session:end", ended=str(session_id))


def end_other_sessions(session: Session, actor: Actor) -> None:
    """Sign me out everywhere but here."""
    end_sessions_of(session, actor.user_id, but=actor.session_id)
    audit.record(session, actor, "account:session:end-others", kept=str(actor.session_id))


def end_sessions_of(session: Session, user_id: int, *, but: UUID | None = None) -> None:
    """End every session of a person (all but one where asked), with refresh tokens and waiting tickets."""
    session.execute(_END_ALL, {"user": user_id, "but": but})
    session.execute(text("DELETE FROM sign_in_tickets WHERE user_id = :user"), {"user": user_id})
    notify_user_rights(session, user_id)


LIVE = f"""s.ended_at IS NULL AND s.expires_at > now() AND s.last_seen_at > now() - interval '{IDLE}'"""
_FIELDS = "s.session_id, s.user_id, s.kind, host(s.address) AS address, s.user_agent, s.created_at, s.last_seen_at"
_START = text(f"""
    INSERT INTO sessions (session_id, user_id, token_hash, kind, address, user_agent, expires_at)
    VALUES (:id, :user, :token, :kind, CAST(:address AS inet), :agent, now() + interval '{ABSOLUTE}')
""")  # noqa: S608 - constants of this module.


def _seen(which: str) -> str:
    """Notes the use at most once a minute, so that a busy page does not write on every run; never waits to do so."""
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
    {_seen("s.token_hash = :token")}
    SELECT {_FIELDS} FROM sessions s JOIN users u ON u.user_id = s.user_id AND u.is_active
    WHERE s.token_hash = :token AND {LIVE}
""")  # noqa: S608 - the same.
WHO_SQL = f"""
    SELECT u.user_id, u.name, u.email, u.role
    FROM sessions s JOIN users u ON u.user_id = s.user_id AND u.is_active
    WHERE s.session_id = :id AND {LIVE}
"""  # noqa: S608 - the same.
_ACTOR = text(WHO_SQL)
_ACTOR_SEEN = text(_seen("s.session_id = :id") + WHO_SQL)
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

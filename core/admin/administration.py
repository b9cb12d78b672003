"""Administration of other people's sessions and passwords, and recent security events."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.accounts import managed_person
from core.audit.kinds import Kind
from core.audit.trail import AuditFilter, AuditLine, audit_events
from core.base import audit
from core.base.actor import Actor, require
from core.base.errors import Invalid, NotFound
from core.base.permissions import Permission
from core.base.pg_notify import notify_user_rights
from core.credentials.revocation import revoke_credentials
from core.credentials.sessions import LIVE
from core.mail.outbox import queue_mail
from core.sign_in.email_links import RESET, reset_link
from db.tables.sheets import User

MAX_SESSIONS = 500
MAX_EVENTS = 50


@dataclass(frozen=True)
class LiveSession:
    """A live session of any user."""

    session_id: UUID
    user_id: int
    name: str
    email: str
    kind: str
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime


def live_sessions(session: Session, actor: Actor) -> list[LiveSession]:
    """Return the live sessions of all users, latest first, at most MAX_SESSIONS. For administrators."""
    require(actor, Permission.PEOPLE_MANAGE)
    rows = session.execute(_SESSIONS, {"most": MAX_SESSIONS}).mappings()
    return [LiveSession(**row) for row in rows]


def revoke_session(session: Session, actor: Actor, session_id: UUID) -> None:
    """End one session of any user. For administrators. Raises NotFound."""
    require(actor, Permission.PEOPLE_MANAGE)
    user_id = session.scalar(_END, {"id": session_id})
    if user_id is None:
        raise NotFound("This session has ended already.")
    notify_user_rights(session, user_id)
    audit.record(session, actor, "account:session:revoke", ended=str(session_id), user=user_id)


def sign_out_person(session: Session, actor: Actor, user_id: int) -> None:
    """Revoke all sessions, API tokens and links of a user. For administrators."""
    managed_person(session, actor, user_id)
    revoke_credentials(session, user_id)
    audit.record(session, actor, "account:session:revoke-all", user=user_id)


def send_reset(session: Session, actor: Actor, user_id: int, *, url: str) -> None:
    """Send a password reset link to a user. For administrators."""
    person = _with_password(session, actor, user_id)
    queue_mail(session, RESET, person.email, url=url, by=actor.user_id)
    audit.record(session, actor, "account:password:reset-link", user=user_id, mailed=True)


def make_reset_link(session: Session, actor: Actor, user_id: int) -> str:
    """Create a password reset link and return its token, for servers without e-mail. For administrators."""
    person = _with_password(session, actor, user_id)
    token = reset_link(session, person.email, made_by=actor.user_id)
    if token is None:
        raise Invalid(NO_PASSWORD)
    audit.record(session, actor, "account:password:reset-link", user=user_id, mailed=False)
    return token


def security_events(session: Session, actor: Actor, *, limit: int = MAX_EVENTS) -> list[AuditLine]:
    """Return the latest audit events of accounts, teams and shares, latest first. For administrators."""
    require(actor, Permission.AUDIT_SEE)
    kinds = tuple(kind for kind in Kind if kind not in {Kind.FILES, Kind.SHEETS, Kind.COMMENTS})
    return audit_events(session, actor, AuditFilter(kinds=kinds), limit=limit)


def _with_password(session: Session, actor: Actor, user_id: int) -> User:
    person = managed_person(session, actor, user_id)
    if not person.is_active or person.password_hash is None:
        raise Invalid(NO_PASSWORD)
    return person


NO_PASSWORD = "This person has no password. Reactivate or invite them instead."  # noqa: S105 no secret
_SESSIONS = text(f"""
    SELECT s.session_id, u.user_id, u.name, u.email, s.kind, coalesce(host(s.address), '') AS address, s.user_agent,
           s.created_at, s.last_seen_at
    FROM sessions s JOIN users u ON u.user_id = s.user_id AND u.is_active
    WHERE {LIVE} ORDER BY s.last_seen_at DESC, s.session_id LIMIT :most
""")  # noqa: S608 - LIVE is a constant of core.credentials.sessions.
_END = text("UPDATE sessions SET ended_at = now() WHERE session_id = :id AND ended_at IS NULL RETURNING user_id")

"""Administration: what whoever manages people sees of everybody's sessions and of what has happened, and ends."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.accounts import managed_person, require
from core.audit.kinds import Kind
from core.audit.trail import AuditFilter, AuditLine, audit_events
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.base.notify import notify_user_rights
from core.base.permissions import Permission
from core.credentials.revocation import end_credentials_of
from core.credentials.sessions import LIVE
from core.mail.outbox import queue_mail
from core.sign_in.email_links import RESET, reset_link
from db.tables.sheets import User

MOST_SESSIONS = 500
MOST_EVENTS = 50


@dataclass(frozen=True)
class LiveSession:
    """Somebody signed in somewhere."""

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
    """Where everybody is signed in, the latest first; at most MOST_SESSIONS. For administrators."""
    require(actor, Permission.PEOPLE_MANAGE)
    found = session.execute(_SESSIONS, {"most": MOST_SESSIONS}).mappings()
    return [LiveSession(**one) for one in found]


def revoke_session(session: Session, actor: Actor, session_id: UUID) -> None:
    """Sign somebody out at one place."""
    require(actor, Permission.PEOPLE_MANAGE)
    user_id = session.scalar(_END, {"id": session_id})
    if user_id is None:
        raise NotFound("This session has ended already.")
    notify_user_rights(session, user_id)
    audit.record(session, actor, "account:session:revoke", ended=str(session_id), user=user_id)


def sign_out_person(session: Session, actor: Actor, user_id: int) -> None:
    """Sign a person out everywhere, programs too: sessions, API tokens and links that were sent to them end."""
    managed_person(session, actor, user_id)
    end_credentials_of(session, user_id)
    audit.record(session, actor, "account:session:revoke-all", user=user_id)


def send_reset(session: Session, actor: Actor, user_id: int, *, url: str) -> None:
    """Have a link for a new password sent to a person."""
    person = _with_password(session, actor, user_id)
    queue_mail(session, RESET, person.email, url=url, by=actor.user_id)
    audit.record(session, actor, "account:password:reset-link", user=user_id, mailed=True)


def make_reset_link(session: Session, actor: Actor, user_id: int) -> str:
    """The token of a link for a new password, to be handed to the person where no mail server is; it is told once."""
    person = _with_password(session, actor, user_id)
    token = reset_link(session, person.email, made_by=actor.user_id)
    if token is None:
        raise Invalid(NO_PASSWORD)
    audit.record(session, actor, "account:password:reset-link", user=user_id, mailed=False)
    return token


def security_events(session: Session, actor: Actor, *, most: int = MOST_EVENTS) -> list[AuditLine]:
    """What happened last to accounts, teams and shares, the latest first. For administrators."""
    require(actor, Permission.AUDIT_SEE)
    kinds = tuple(kind for kind in Kind if kind not in {Kind.FILES, Kind.SHEETS, Kind.COMMENTS})
    return audit_events(session, actor, AuditFilter(kinds=kinds), limit=most)


def _with_password(session: Session, actor: Actor, user_id: int) -> User:
    person = managed_person(session, actor, user_id)
    if not person.is_active or person.password_hash is None:
        raise Invalid(NO_PASSWORD)
    return person


NO_PASSWORD = "This person has no password to be changed. Reactivate or invite them instead."  # noqa: S105 no secret
_SESSIONS = text(f"""
    SELECT s.session_id, u.user_id, u.name, u.email, s.kind, coalesce(host(s.address), '') AS address, s.user_agent,
           s.created_at, s.last_seen_at
    FROM sessions s JOIN users u ON u.user_id = s.user_id AND u.is_active
    WHERE {LIVE} ORDER BY s.last_seen_at DESC, s.session_id LIMIT :most
""")  # noqa: S608 - LIVE is a constant of core.credentials.sessions.
_END = text("UPDATE sessions SET ended_at = now() WHERE session_id = :id AND ended_at IS NULL RETURNING user_id")

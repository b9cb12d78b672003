"""Sign-in tickets: a right password on the page becomes, within a minute and in the same browser, a session cookie."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base import audit
from core.base.secret_tokens import hash_token, new_token
from core.credentials.sessions import actor_of_session, start_session

LIFE = "60 seconds"
LIFE_PENDING = "5 minutes"


def make_ticket(session: Session, user_id: int, *, nonce: str) -> str:
    """A one-time ticket for a person whose password was right, bound to the nonce of their browser."""
    ticket = new_token()
    session.execute(text("DELETE FROM sign_in_tickets WHERE expires_at < now()"))
    session.execute(_MAKE, _hashes(ticket, nonce) | {"user": user_id, "life": LIFE, "pending": False})
    return ticket


def make_pending(session: Session, user_id: int, *, nonce: str) -> str:
    """What a right password gets where a code is asked, too: worth nothing but the asking, in the same browser."""
    pending = new_token()
    session.execute(_MAKE, _hashes(pending, nonce) | {"user": user_id, "life": LIFE_PENDING, "pending": True})
    return pending


def person_of_pending(session: Session, pending: str, *, nonce: str) -> str | None:
    """The address of the person whose code is awaited; None where that is over, or another browser's."""
    found: str | None = session.scalar(_PENDING, _hashes(pending, nonce))
    return found


def end_pending(session: Session, pending: str) -> None:
    """The code came."""
    session.execute(text("DELETE FROM sign_in_tickets WHERE token_hash = :ticket"), {"ticket": hash_token(pending)})


def redeem_ticket(session: Session, ticket: str, *, nonce: str, address: str | None, user_agent: str) -> str | None:
    """The token of a fresh session, once; None for a ticket that is unknown, used, late or another browser's."""
    user_id = session.scalar(_TAKE, _hashes(ticket, nonce))
    if user_id is None:
        return None
    session_id, token = start_session(session, user_id, kind="browser", address=address, user_agent=user_agent)
    actor = actor_of_session(session, session_id, address=address)
    audit.record(session, actor, "account:session:start", kind="browser")
    return token


def _hashes(ticket: str, nonce: str) -> dict[str, Any]:
    return {"ticket": hash_token(ticket), "nonce": hash_token(nonce)}


_MAKE = text("""
    INSERT INTO sign_in_tickets (token_hash, user_id, nonce_hash, expires_at, needs_code)
    VALUES (:ticket, :user, :nonce, now() + CAST(:life AS interval), :pending)
""")
_PENDING = text("""
    SELECT u.email FROM sign_in_tickets t JOIN users u ON u.user_id = t.user_id AND u.is_active
    WHERE t.token_hash = :ticket AND t.nonce_hash = :nonce AND t.expires_at > now() AND t.needs_code
""")
# Deleting is taking: of two requests with one ticket only one gets a row back.
_TAKE = text("""
    DELETE FROM sign_in_tickets t USING users u
    WHERE t.token_hash = :ticket AND t.nonce_hash = :nonce AND t.expires_at > now()
      AND NOT t.needs_code AND u.user_id = t.user_id AND u.is_active
    RETURNING t.user_id
""")

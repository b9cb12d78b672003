"""Login tickets: a page exchanges a correct password for a ticket, and the same browser a ticket for a cookie."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base import audit
from core.base.secret_tokens import hash_token, new_token
from core.credentials.sessions import actor_of_session, start_session

LIFETIME = "60 seconds"
PENDING_LIFETIME = "5 minutes"


def create_ticket(session: Session, user_id: int, *, nonce: str) -> str:
    """Create a one-time ticket for a user with a verified password, bound to the nonce of the browser."""
    ticket = new_token()
    session.execute(text("DELETE FROM sign_in_tickets WHERE expires_at < now()"))
    session.execute(_MAKE, _hashes(ticket, nonce) | {"user": user_id, "life": LIFETIME, "pending": False})
    return ticket


def create_pending_ticket(session: Session, user_id: int, *, nonce: str) -> str:
    """Create a ticket for a user with a verified password who must still enter a code. It grants no session."""
    pending = new_token()
    session.execute(_MAKE, _hashes(pending, nonce) | {"user": user_id, "life": PENDING_LIFETIME, "pending": True})
    return pending


def pending_email(session: Session, pending: str, *, nonce: str) -> str | None:
    """Return the e-mail of the user whose code is pending; None if the ticket is expired or of another browser."""
    email: str | None = session.scalar(_PENDING, _hashes(pending, nonce))
    return email


def delete_pending_ticket(session: Session, pending: str) -> None:
    """Delete a pending ticket after its code was entered."""
    session.execute(text("DELETE FROM sign_in_tickets WHERE token_hash = :ticket"), {"ticket": hash_token(pending)})


def redeem_ticket(session: Session, ticket: str, *, nonce: str, address: str | None, user_agent: str) -> str | None:
    """Exchange a ticket for the token of a new session; None if it is unknown, used, expired or of another browser."""
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
# DELETE … RETURNING: of two requests with one ticket only one gets the row.
_TAKE = text("""
    DELETE FROM sign_in_tickets t USING users u
    WHERE t.token_hash = :ticket AND t.nonce_hash = :nonce AND t.expires_at > now()
      AND NOT t.needs_code AND u.user_id = t.user_id AND u.is_active
    RETURNING t.user_id
""")

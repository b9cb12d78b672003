"""Sign-in tickets: a right password on the page becomes, within a minute and in the same browser, a session cookie."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import audit
from core.secret_tokens import hashed, new_token
from core.sessions import actor_of_session, start_session

LIFE = "60 seconds"


def make_ticket(session: Session, user_id: int, *, nonce: str) -> str:
    """A one-time ticket for a person whose password was right, bound to the nonce of their browser."""
    ticket = new_token()
    session.execute(text("DELETE FROM sign_in_tickets WHERE expires_at < now()"))
    session.execute(_MAKE, {"ticket": hashed(ticket), "user": user_id, "nonce": hashed(nonce)})
    return ticket


def redeem_ticket(session: Session, ticket: str, *, nonce: str, address: str | None, user_agent: str) -> str | None:
    """The token of a fresh session, once; None for a ticket that is unknown, used, late or another browser's."""
    user_id = session.scalar(_TAKE, {"ticket": hashed(ticket), "nonce": hashed(nonce)})
    if user_id is None:
        return None
    session_id, token = start_session(session, user_id, kind="browser", address=address, user_agent=user_agent)
    actor = actor_of_session(session, session_id, address=address)
    audit.record(session, actor, "account:session:start", kind="browser")
    return token


_MAKE = text(f"""
    INSERT INTO sign_in_tickets (token_hash, user_id, nonce_hash, expires_at)
    VALUES (:ticket, :user, :nonce, now() + interval '{LIFE}')
""")  # noqa: S608 - LIFE is the constant above.
# Deleting is taking: of two requests with one ticket only one gets a row back.
_TAKE = text("""
    DELETE FROM sign_in_tickets t USING users u
    WHERE t.token_hash = :ticket AND t.nonce_hash = :nonce AND t.expires_at > now()
      AND u.user_id = t.user_id AND u.is_active
    RETURNING t.user_id
""")

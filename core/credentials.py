"""Credentials: everything that lets somebody in as a person ends here at once, whatever table it lives in."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import audit
from core.actor import Actor
from core.sessions import end_other_sessions, end_sessions_of


def end_credentials_of(session: Session, user_id: int) -> None:
    """End every session, refresh token, ticket, link and API token of a person. Their second factor stays."""
    end_sessions_of(session, user_id)
    end_tokens_of(session, user_id)
    session.execute(_END_LINKS, {"user": user_id})


def sign_out_elsewhere(session: Session, actor: Actor, *, tokens: bool = False) -> None:
    """Sign me out everywhere but here; my API tokens end too where I want that."""
    end_other_sessions(session, actor)
    if tokens:
        end_tokens_of(session, actor.user_id)
        audit.record(session, actor, "account:token:revoke-all")


def end_tokens_of(session: Session, user_id: int) -> None:
    """Revoke every API token of a person."""
    session.execute(_END_TOKENS, {"user": user_id})


_END_TOKENS = text("UPDATE api_tokens SET revoked_at = now() WHERE user_id = :user AND revoked_at IS NULL")
_END_LINKS = text("DELETE FROM account_links WHERE user_id = :user")

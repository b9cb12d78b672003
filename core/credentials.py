"""Credentials: everything that lets somebody in as a person ends here at once, whatever table it lives in."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from core import audit
from core.actor import Actor
from core.sessions import end_other_sessions, end_sessions_of


def end_credentials_of(session: Session, user_id: int) -> None:
    """End every session, refresh token, ticket, link and API token of a person, and what a provider just said of them.

    What they prove themselves with stays: the second factor, and the identity at the provider.
    """
    end_sessions_of(session, user_id)
    end_tokens_of(session, user_id)
    _end_links_of(session, user_id)


def sign_out_elsewhere(session: Session, actor: Actor, *, tokens: bool = False) -> None:
    """Sign me out everywhere but here, links that were sent to me included; my API tokens end too where I want that."""
    end_other_sessions(session, actor)
    _end_links_of(session, actor.user_id)
    if tokens:
        end_tokens_of(session, actor.user_id)
        audit.record(session, actor, "account:token:revoke-all")


def end_tokens_of(session: Session, user_id: int) -> None:
    """Revoke every API token of a person."""
    session.execute(_END_TOKENS, {"user": user_id})


def _end_links_of(session: Session, user_id: int) -> None:
    """End what leads into a person's account without their password: links, invitations, what a provider just said."""
    for statement in (_END_LINKS, _END_INVITATIONS, _END_ARRIVALS):
        session.execute(statement, {"user": user_id})


_END_TOKENS = text("UPDATE api_tokens SET revoked_at = now() WHERE user_id = :user AND revoked_at IS NULL")
_END_LINKS = text("DELETE FROM account_links WHERE user_id = :user")
_END_INVITATIONS = text("""
    UPDATE invitations i SET revoked_at = now() FROM users u
    WHERE u.user_id = :user AND i.email = u.email AND i.used_at IS NULL AND i.revoked_at IS NULL
""")
_END_ARRIVALS = text("""
    DELETE FROM provider_arrivals a USING provider_identities i
    WHERE i.user_id = :user AND i.issuer = a.issuer AND i.subject = a.subject
""")

"""Revokes every credential of a user, and every invitation and link that they issued."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor
from core.credentials.sessions import end_other_sessions, end_user_sessions


def revoke_credentials(session: Session, user_id: int) -> None:
    """Revoke all sessions, refresh tokens, tickets, links, API tokens and pending OpenID Connect sign-ins of a user.

    Also revoke the invitations and password reset links that they issued, even after a change of their own password:
    an intruder may have issued them. The second factor and linked identities are kept.
    """
    end_user_sessions(session, user_id)
    revoke_api_tokens(session, user_id)
    _revoke_links(session, user_id)
    _revoke_issued_by(session, user_id)


def sign_out_elsewhere(session: Session, actor: Actor, *, tokens: bool = True) -> None:
    """Revoke the acting user's other sessions and links and, unless `tokens` is false, their API tokens.

    Also revoke the invitations and links that they issued: another session may have issued them.
    """
    end_other_sessions(session, actor)
    _revoke_links(session, actor.user_id)
    _revoke_issued_by(session, actor.user_id)
    if tokens:
        revoke_api_tokens(session, actor.user_id, except_id=actor.token_id)
        audit.record(session, actor, "account:token:revoke-all")


def revoke_api_tokens(session: Session, user_id: int, *, except_id: int | None = None) -> None:
    """Revoke all API tokens of a user except one."""
    session.execute(_END_TOKENS, {"user": user_id, "but": except_id})


def _revoke_links(session: Session, user_id: int) -> None:
    """Revoke links and invitations to a user, and their pending OpenID Connect sign-ins."""
    for statement in (_END_LINKS, _END_INVITATIONS, _DELETE_OIDC_CLAIMS):
        session.execute(statement, {"user": user_id})


def _revoke_issued_by(session: Session, user_id: int) -> None:
    """Revoke the links and invitations that a user issued. Each revoked invitation is recorded."""
    session.execute(_END_LINKS_BY, {"user": user_id})
    for email in session.scalars(_END_INVITATIONS_BY, {"user": user_id}).all():
        audit.record(session, None, "account:invitation:revoke", email=email, user=user_id)


_END_TOKENS = text("""
    UPDATE api_tokens SET revoked_at = now()
    WHERE user_id = :user AND revoked_at IS NULL AND token_id IS DISTINCT FROM CAST(:but AS bigint)
""")
_END_LINKS = text("DELETE FROM account_links WHERE user_id = :user")
_END_INVITATIONS = text("""
    UPDATE invitations i SET revoked_at = now() FROM users u
    WHERE u.user_id = :user AND i.email = u.email AND i.used_at IS NULL AND i.revoked_at IS NULL
""")
_END_LINKS_BY = text("DELETE FROM account_links WHERE made_by = :user")
_END_INVITATIONS_BY = text("""
    UPDATE invitations SET revoked_at = now()
    WHERE invited_by = :user AND used_at IS NULL AND revoked_at IS NULL AND expires_at > now() RETURNING email
""")
_DELETE_OIDC_CLAIMS = text("""
    DELETE FROM provider_arrivals a USING provider_identities i
    WHERE i.user_id = :user AND i.issuer = a.issuer AND i.subject = a.subject
""")

"""Credentials: all that lets somebody in as a person, or that they gave others to come in by, ends here at once."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor
from core.credentials.sessions import end_other_sessions, end_sessions_of


def end_credentials_of(session: Session, user_id: int) -> None:
    """End every session, refresh token, ticket, link and API token of a person, and what a provider just said of them.

    What they gave others ends too: invitations, and links for a new password. A new password is no exception, for it
    is chosen because somebody else may have been here, who would come back by an invitation of their own making.
    What they prove themselves with stays: the second factor, and the identity at the provider.
    """
    end_sessions_of(session, user_id)
    end_tokens_of(session, user_id)
    _end_links_of(session, user_id)
    _end_given_by(session, user_id)


def sign_out_elsewhere(session: Session, actor: Actor, *, tokens: bool = True) -> None:
    """Sign me out everywhere but here, links that were sent to me included; my API tokens end too unless I spare them.

    Invitations and links that I made for others end as well: whoever was elsewhere may have made them.
    """
    end_other_sessions(session, actor)
    _end_links_of(session, actor.user_id)
    _end_given_by(session, actor.user_id)
    if tokens:
        end_tokens_of(session, actor.user_id, but=actor.token_id)
        audit.record(session, actor, "account:token:revoke-all")


def end_tokens_of(session: Session, user_id: int, *, but: int | None = None) -> None:
    """Revoke every API token of a person, all but one where asked."""
    session.execute(_END_TOKENS, {"user": user_id, "but": but})


def _end_links_of(session: Session, user_id: int) -> None:
    """End what leads into a person's account without their password: links, invitations, what a provider just said."""
    for statement in (_END_LINKS, _END_INVITATIONS, _END_ARRIVALS):
        session.execute(statement, {"user": user_id})


def _end_given_by(session: Session, user_id: int) -> None:
    """End what a person made for others to come in by. The trail tells of each invitation, which others wait for."""
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
_END_ARRIVALS = text("""
    DELETE FROM provider_arrivals a USING provider_identities i
    WHERE i.user_id = :user AND i.issuer = a.issuer AND i.subject = a.subject
""")

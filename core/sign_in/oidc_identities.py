"""Linked identities at OpenID Connect providers, at most one per user and provider."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.config.settings import settings
from core.mail.outbox import queue_mail
from db.tables.sheets import User

IDENTITY_IN_USE = "That account of {label} is linked with another user. Sign in with it, or ask an administrator."
ALREADY_LINKED = "Your account is linked with another account of {label}. Unlink that one on your profile first."
NO_PASSWORD = "You have no password, so you couldn't sign in any more. Choose a password first."  # noqa: S105 no secret


@dataclass(frozen=True)
class IdentityInfo:
    """A linked identity of a user."""

    issuer: str
    created_at: datetime


def my_identities(session: Session, actor: Actor) -> list[IdentityInfo]:
    """Return the linked identities of the acting user."""
    return [IdentityInfo(row.issuer, row.created_at) for row in session.execute(_MINE, {"user": actor.user_id})]


def unlink(session: Session, actor: Actor, issuer: str) -> None:
    """Unlink the acting user's identity at this provider. Raises Invalid if they have no password, and NotFound."""
    if not has_password(session, actor.user_id):
        raise Invalid(NO_PASSWORD)
    if session.scalar(_UNLINK, {"user": actor.user_id, "issuer": issuer}) is None:
        raise NotFound("This account isn't linked any more.")
    audit.record(session, actor, "account:provider:unlink", issuer=issuer)


def add_identity(session: Session, user_id: int, issuer: str, subject: str) -> None:
    """Link an account with an identity. The caller has verified that both belong together. Raises Invalid."""
    values = {"user": user_id, "issuer": issuer, "subject": subject}
    if session.scalar(_LINK, values) is None:
        raise Invalid(
            (ALREADY_LINKED if has_identity(session, user_id, issuer) else IDENTITY_IN_USE).format(
                label=provider_label()
            )
        )
    audit.record(session, None, "account:provider:link", user=user_id, issuer=issuer)
    email = session.scalar(select(User.email).where(User.user_id == user_id))
    queue_mail(session, "notice", str(email), what="provider", label=provider_label())


def has_identity(session: Session, user_id: int, issuer: str) -> bool:
    """Return whether an account has a linked identity at this provider."""
    return bool(session.scalar(_HAS, {"user": user_id, "issuer": issuer}))


def has_password(session: Session, user_id: int) -> bool:
    """Return whether an account has a password."""
    return session.scalar(select(User.password_hash).where(User.user_id == user_id)) is not None


def provider_label() -> str:
    """Return the provider's name for users."""
    provider = settings().provider
    return provider.label if provider else "the provider"


_MINE = text("SELECT issuer, created_at FROM provider_identities WHERE user_id = :user ORDER BY created_at, issuer")
_UNLINK = text("DELETE FROM provider_identities WHERE user_id = :user AND issuer = :issuer RETURNING user_id")
_LINK = text("""
    INSERT INTO provider_identities (issuer, subject, user_id) VALUES (:issuer, :subject, :user)
    ON CONFLICT DO NOTHING RETURNING user_id
""")
_HAS = text("SELECT EXISTS (SELECT FROM provider_identities WHERE user_id = :user AND issuer = :issuer)")

"""Identities: who a person is at an OpenID Connect provider; one at each, linked and unlinked by themselves."""

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

TAKEN = "That account of {label} is linked with another account here. Sign in with it, or ask an administrator."
HAS_ONE = "Your account here is linked with another account of {label}. Unlink that one on your profile first."
NO_PASSWORD = "You have no password, so this is your only way in. Choose a password first."  # noqa: S105 no secret


@dataclass(frozen=True)
class IdentityInfo:
    """That a person signs in by a provider too, and since when."""

    issuer: str
    created_at: datetime


def my_identities(session: Session, actor: Actor) -> list[IdentityInfo]:
    """Where I can sign in by a provider."""
    return [IdentityInfo(found.issuer, found.created_at) for found in session.execute(_MINE, {"user": actor.user_id})]


def unlink(session: Session, actor: Actor, issuer: str) -> None:
    """Sign in by this provider no more. Refused to whom no other way in is left."""
    if not has_password(session, actor.user_id):
        raise Invalid(NO_PASSWORD)
    if session.scalar(_UNLINK, {"user": actor.user_id, "issuer": issuer}) is None:
        raise NotFound("This is not linked any more.")
    audit.record(session, actor, "account:provider:unlink", issuer=issuer)


def add_identity(session: Session, user_id: int, issuer: str, subject: str) -> None:
    """Link an account with who somebody is at a provider. Whether that was proved is decided before. Raises Invalid."""
    given = {"user": user_id, "issuer": issuer, "subject": subject}
    if session.scalar(_LINK, given) is None:
        raise Invalid((HAS_ONE if has_identity(session, user_id, issuer) else TAKEN).format(label=label()))
    audit.record(session, None, "account:provider:link", user=user_id, issuer=issuer)
    email = session.scalar(select(User.email).where(User.user_id == user_id))
    queue_mail(session, "notice", str(email), what="provider", label=label())


def has_identity(session: Session, user_id: int, issuer: str) -> bool:
    """Whether an account is linked with anybody at this provider."""
    return bool(session.scalar(_HAS, {"user": user_id, "issuer": issuer}))


def has_password(session: Session, user_id: int) -> bool:
    """Whether an account has a password."""
    return session.scalar(select(User.password_hash).where(User.user_id == user_id)) is not None


def label() -> str:
    """What people call the provider."""
    found = settings().provider
    return found.label if found else "the provider"


_MINE = text("SELECT issuer, created_at FROM provider_identities WHERE user_id = :user ORDER BY created_at, issuer")
_UNLINK = text("DELETE FROM provider_identities WHERE user_id = :user AND issuer = :issuer RETURNING user_id")
_LINK = text("""
    INSERT INTO provider_identities (issuer, subject, user_id) VALUES (:issuer, :subject, :user)
    ON CONFLICT DO NOTHING RETURNING user_id
""")
_HAS = text("SELECT EXISTS (SELECT FROM provider_identities WHERE user_id = :user AND issuer = :issuer)")

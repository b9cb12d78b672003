"""The tables of accounts: queued e-mails, their links, second factors, personal tokens, settings."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.sheets import EMPTY, NOW, Base


class Mail(Base):
    """A queued e-mail: its kind and facts, never its text. Its link is created when it is sent."""

    __tablename__ = "mails"
    # The waiting e-mails, by the time of their next attempt.
    __table_args__ = (Index("ix_mails_waiting", "next_try_at", postgresql_where=text("done_at IS NULL")),)
    mail_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]
    recipient: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    next_try_at: Mapped[datetime] = mapped_column(server_default=NOW)
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None]  # 'sent', 'not needed', or the reason of the last failure


class AccountLink(Base):
    """A single-use link sent to a person: a new password ('reset') or an address to be confirmed ('address')."""

    __tablename__ = "account_links"
    __table_args__ = (
        CheckConstraint("kind IN ('reset', 'address')", name="kind"),
        Index("ix_account_links_user_id", "user_id"),
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    email: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    # The administrator who issued it for another person; the link works only while they are an administrator.
    made_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.user_id"))


class SecondFactor(Base):
    """The secret of a person's authenticator app, sealed; `last_step` is that of the last code used."""

    __tablename__ = "second_factors"
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    confirmed_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A single-use code that replaces the authenticator app; deleted when it is used."""

    __tablename__ = "recovery_codes"
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class ProviderIdentity(Base):
    """A person's identity at an OpenID Connect provider: its issuer and its subject for them."""

    __tablename__ = "provider_identities"
    # One per provider, so that the next holder of an address there does not become this person.
    __table_args__ = (UniqueConstraint("user_id", "issuer", name="uq_provider_identities_user_id"),)
    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ProviderArrival(Base):
    """A person who has returned from a provider and is not signed in yet; their browser has the token."""

    __tablename__ = "provider_arrivals"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str | None]
    is_verified: Mapped[bool]
    name: Mapped[str]
    expires_at: Mapped[datetime]


class KnownDevice(Base):
    """A browser in which an account has signed in before, by its cookie. The cookie grants no access; it only keeps
    failed sign-ins elsewhere from locking this browser out.
    """

    __tablename__ = "known_devices"
    __table_args__ = (
        UniqueConstraint("token_hash", "user_id", name="uq_known_devices_token_hash"),
        Index("ix_known_devices_user_id", "user_id"),
    )
    device_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    last_used_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ApiToken(Base):
    """A token that a person created for a program. It is shown once; `hint` is its first characters."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        CheckConstraint("scope IN ('read', 'write', 'admin')", name="scope"),
        Index("ix_api_tokens_user_id", "user_id"),
    )
    token_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    name: Mapped[str]
    hint: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scope: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class WorkspaceSetting(Base):
    """A setting of the workspace that administrators change, such as who may register."""

    __tablename__ = "workspace_settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    changed_at: Mapped[datetime] = mapped_column(server_default=NOW)

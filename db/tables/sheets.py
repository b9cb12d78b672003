"""The tables. Every key of a sheet's data begins with sheet_id: its rows, cells and changes stay together."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy import Column as TableColumn
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
NOW = func.now()
EMPTY = text("'{}'::jsonb")
# What a sheet may be shared as, and which of its rows it is shared with: all, the team's, or one's own.
LEVELS = "level IN ('editor', 'commenter', 'viewer')"
ROW_SCOPES = "row_scope IN ('all', 'team', 'own')"


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        str: Text,
        UUID: PG_UUID(as_uuid=True),
    }


# --- people ---------------------------------------------------------------------------------------------------------


class User(Base):
    """A person with an account. The e-mail is stored in lower case and is the name one signs in with."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email) AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$'", name="email"),
        CheckConstraint("role IN ('admin', 'manager', 'member', 'analyst')", name="role"),
        # Only one account may be the first administrator, however many browsers redeem the first-start link at once.
        Index("uq_users_first_admin", "is_first_admin", unique=True, postgresql_where=text("is_first_admin")),
    )
    user_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str] = mapped_column(server_default="member")
    password_hash: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    is_first_admin: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    preferences: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    email_verified_at: Mapped[datetime | None]  # When a link sent to the address was last opened.


class UserSession(Base):
    """A signed-in browser or API client. Deleting or ending the row signs it out everywhere at once."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_user", "user_id"),)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    kind: Mapped[str]  # 'browser' or 'api'
    address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    last_seen_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RefreshToken(Base):
    """One link of a session's chain of refresh tokens. Using a spent one ends the whole session."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index("ix_refresh_tokens_session", "session_id"),)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_address: Mapped[str | None] = mapped_column(INET)  # Which client used it: only that one may repeat itself.
    used_agent: Mapped[str | None]


class SignInTicket(Base):
    """A one-time ticket that turns a successful password into a cookie; lives a minute, bound to a browser's nonce."""

    __tablename__ = "sign_in_tickets"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    nonce_hash: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
    needs_code: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))  # A code is missing yet.


class Invitation(Base):
    """A single-use link by which a person makes an account (kind 'first_admin' for the very first one)."""

    __tablename__ = "invitations"
    invitation_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    kind: Mapped[str] = mapped_column(server_default="member")
    email: Mapped[str | None]
    name: Mapped[str] = mapped_column(server_default="")
    role: Mapped[str] = mapped_column(server_default="member")
    invited_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    is_mailed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))  # Using it proves the address.


class SignInFailure(Base):
    """A failed sign-in, counted per account and per address over a sliding window."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (
        Index("ix_sign_in_failures_account", "account", "failed_at"),
        Index("ix_sign_in_failures_address", "address", "failed_at"),
    )
    failure_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account: Mapped[str]
    address: Mapped[str] = mapped_column(INET)
    failed_at: Mapped[datetime] = mapped_column(server_default=NOW)


class AuditEvent(Base):
    """What happened to accounts, rights and sheets: 'source:subject:action' with the facts copied in. Append-only."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_recorded", "recorded_at"),
        Index("ix_audit_events_sheet", "sheet_id", "recorded_at", postgresql_where=text("sheet_id IS NOT NULL")),
    )
    event_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    action: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    sheet_id: Mapped[int | None] = mapped_column(BigInteger)
    address: Mapped[str | None] = mapped_column(INET)
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


# --- sheets ---------------------------------------------------------------------------------------------------------


class Sheet(Base):
    """A sheet. `version` counts its changes: each command that writes rows takes this row first and adds one."""

    __tablename__ = "sheets"
    __table_args__ = (
        CheckConstraint(f"workspace_{LEVELS}", name="workspace_level"),
        {"postgresql_with": {"fillfactor": "50"}},
    )
    sheet_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    icon: Mapped[str] = mapped_column(server_default="table")
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    workspace_level: Mapped[str | None]  # What everybody of the workspace may do here; NULL: nothing.
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    columns_version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    last_row_id: Mapped[int] = mapped_column(Integer, server_default="0")
    last_column_id: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    archived_at: Mapped[datetime | None]


class Collaborator(Base):
    """Who else may use a sheet, and how."""

    __tablename__ = "collaborators"
    __table_args__ = (
        CheckConstraint(LEVELS, name="level"),
        CheckConstraint(ROW_SCOPES, name="row_scope"),
        Index("ix_collaborators_user", "user_id"),
    )
    sheet_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("sheets.sheet_id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"), primary_key=True)
    level: Mapped[str]
    row_scope: Mapped[str] = mapped_column(server_default="all")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Column(Base):
    """A column. `rules` holds its validation, `options` its choices; both in the shape its type declares.

    `limits` says per audience (a sheet level below owner's, or 'link') whether it is 'hidden' or 'read-only' for them.
    `slot` names the column of `narrow_rows` in which its cells stand a second time; NULL: in none.
    """

    __tablename__ = "columns"
    __table_args__ = (
        # Two live columns of a sheet never share a name, however they are cased.
        Index(
            "uq_columns_name",
            "sheet_id",
            func.lower(text("name")),
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
        # A slot holds the cells of one column, a retired one's too: it may come back.
        Index("uq_columns_slot", "sheet_id", "slot", unique=True),
    )
    sheet_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("sheets.sheet_id", ondelete="CASCADE"), primary_key=True
    )
    column_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str]
    type: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    position: Mapped[int] = mapped_column(Integer)
    rules: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    options: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    limits: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    retired_at: Mapped[datetime | None]
    slot: Mapped[str | None]


class Row(Base):
    """A row: values keyed by column id. A cell's version is versions[column], or created_version where absent.

    `folded` has the cells whose text is not ASCII as `db.folding` folds them; triggers write it.
    """

    __tablename__ = "rows"
    __table_args__ = (
        # The trash, newest first, and how much is in it.
        Index(
            "ix_rows_trash",
            "sheet_id",
            "deleted_version",
            "row_id",
            postgresql_where=text("deleted_version IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": "85"}},
    )
    # No foreign key: the trigger keep_sheet says the same, and is not asked again for every row of an import.
    sheet_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    values: Mapped[dict[str, Any]]
    versions: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    folded: Mapped[dict[str, Any]]
    created_version: Mapped[int] = mapped_column(BigInteger)
    deleted_version: Mapped[int | None] = mapped_column(BigInteger)


# The live rows with the cells by which they are filtered, sorted and grouped, typed: twelve of text, eight of numbers.
# Triggers write it from `rows`; the application's role only reads it. Half as long a look as at the rows themselves.
NARROW_SLOTS = {"t": 12, "n": 8}
narrow_rows = Table(
    "narrow_rows",
    Base.metadata,
    TableColumn("sheet_id", BigInteger, primary_key=True, autoincrement=False),
    TableColumn("row_id", Integer, primary_key=True, autoincrement=False),
    *(TableColumn(f"t{place}", Text(collation="C")) for place in range(1, NARROW_SLOTS["t"] + 1)),
    *(TableColumn(f"n{place}", Numeric) for place in range(1, NARROW_SLOTS["n"] + 1)),
    postgresql_with={"fillfactor": "90"},
)


class Operation(Base):
    """What one user action answered, so that a repeated request is answered again and never applied twice.

    `version` is the one that it wrote (null: it wrote nothing), `undoes` the operation that it took back, `request` a
    digest of what was asked: the same id with other content is refused (null: the operation is older than this).
    """

    __tablename__ = "operations"
    __table_args__ = (
        Index("ix_operations_created", "created_at"),
        # My last actions on a sheet, for undo. Partial, so that a look-up by the key never takes it for its own.
        Index("ix_operations_mine", "sheet_id", "actor_id", "version", postgresql_where=text("version IS NOT NULL")),
    )
    sheet_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("sheets.sheet_id", ondelete="CASCADE"), primary_key=True
    )
    operation_id: Mapped[UUID] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(BigInteger)
    result: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    version: Mapped[int | None] = mapped_column(BigInteger)
    undoes: Mapped[UUID | None]
    request: Mapped[bytes | None] = mapped_column(LargeBinary)


class Change(Base):
    """The change log: one line per changed cell, or per row added, removed or restored (column_id 0). Append-only."""

    __tablename__ = "changes"
    __table_args__ = (
        CheckConstraint("kind IN ('add', 'edit', 'remove', 'restore')", name="kind"),
        # History of one row, newest first.
        Index("ix_changes_row", "sheet_id", "row_id", "version"),
    )
    sheet_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    row_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    column_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str]
    old: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    new: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    actor_id: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str]
    batch: Mapped[UUID]
    recorded_at: Mapped[datetime]
    effective_at: Mapped[datetime]


class SheetLayout(Base):
    """How one person likes one sheet: widths, hidden columns, order, and the filter and sort last used."""

    __tablename__ = "sheet_layouts"
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"), primary_key=True)
    sheet_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("sheets.sheet_id", ondelete="CASCADE"), primary_key=True
    )
    layout: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)


class Presence(Base):
    """An open live connection: who is on which sheet, and in which cell. Unlogged: after a crash nobody is there.

    No foreign keys: a line lives for seconds, and must not lock the sheet that others write to.
    """

    __tablename__ = "presence"
    __table_args__ = (
        Index("ix_presence_sheet_id", "sheet_id"),
        Index("ix_presence_process_id", "process_id"),
        {"prefixes": ["UNLOGGED"]},
    )
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    process_id: Mapped[UUID]
    sheet_id: Mapped[int] = mapped_column(BigInteger)
    user_id: Mapped[int] = mapped_column(BigInteger)
    row_id: Mapped[int | None]
    column_id: Mapped[int | None]
    since: Mapped[datetime] = mapped_column(server_default=NOW)
    seen_at: Mapped[datetime] = mapped_column(server_default=NOW)

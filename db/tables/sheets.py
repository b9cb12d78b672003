"""The tables of people and sheets. Each key of a sheet's data starts with sheet_id, so that its rows stay together."""

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
# The levels at which a sheet can be shared, and the rows that are shared: all, the team's, or the person's own.
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
    """A person with an account. They sign in with the e-mail, which is stored in lower case."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email) AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$'", name="email"),
        CheckConstraint("role IN ('admin', 'manager', 'member', 'analyst')", name="role"),
        # Only one account is the first administrator, even if several browsers open the first link at once.
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
    email_verified_at: Mapped[datetime | None]  # When a link in an e-mail to the address was last used.


class UserSession(Base):
    """A signed-in browser or API client. Deleting or ending the row signs it out immediately."""

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
    """A refresh token of a session. Using it a second time ends the session."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index("ix_refresh_tokens_session", "session_id"),)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.session_id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_address: Mapped[str | None] = mapped_column(INET)  # The client that used it, which may repeat the request.
    used_agent: Mapped[str | None]


class SignInTicket(Base):
    """A single-use ticket between password and cookie. It is valid for a minute, for the browser with its nonce."""

    __tablename__ = "sign_in_tickets"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    nonce_hash: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
    needs_code: Mapped[bool] = mapped_column(
        Boolean, server_default=text("false")
    )  # The code of the second factor is still missing.


class Invitation(Base):
    """A single-use link for creating an account (kind 'first_admin': the account of the first administrator)."""

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
    """An event of accounts, rights or sheets: 'source:subject:action' with a copy of its facts. Append-only."""

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
    """A sheet. `version` counts its changes: each command that writes rows locks this row first and adds one."""

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
    workspace_level: Mapped[str | None]  # The level of everybody in the workspace; NULL: none.
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    columns_version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    last_row_id: Mapped[int] = mapped_column(Integer, server_default="0")
    last_column_id: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    archived_at: Mapped[datetime | None]


class Collaborator(Base):
    """A person with whom a sheet is shared, with level and rows."""

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
    """A column. `rules` contains its validation, `options` its choices, in the format of its type.

    `limits` says per audience (a sheet level below owner's, or 'link') whether it is 'hidden' or 'read-only' for them.
    `slot` names the column of `narrow_rows` that has a copy of its cells; NULL: none. `earlier` has the types that the
    column had before, oldest first, each with the version of the sheet until which it had it. New rows get
    `default_value` (core.sheets.defaults).
    """

    __tablename__ = "columns"
    __table_args__ = (
        # Names of live columns are unique in a sheet, without regard to case.
        Index(
            "uq_columns_name",
            "sheet_id",
            func.lower(text("name")),
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
        # A slot belongs to one column, also while that column is retired, because it can be restored.
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
    earlier: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    default_value: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class Row(Base):
    """A row: values keyed by column id. A cell's version is versions[column], or created_version where absent.

    `folded` has the cells whose text is not ASCII as `db.folding` folds them; triggers write it.
    """

    __tablename__ = "rows"
    __table_args__ = (
        # The trash, newest first, and its number of rows.
        Index(
            "ix_rows_trash",
            "sheet_id",
            "deleted_version",
            "row_id",
            postgresql_where=text("deleted_version IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": "85"}},
    )
    # No foreign key, which would check each row of an import. The trigger keep_sheet keeps sheets that have rows.
    sheet_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    values: Mapped[dict[str, Any]]
    versions: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    folded: Mapped[dict[str, Any]]
    created_version: Mapped[int] = mapped_column(BigInteger)
    deleted_version: Mapped[int | None] = mapped_column(BigInteger)


# Live rows with typed copies of the cells for filters, sorting and groups: twelve of text, eight of numbers.
# Triggers write it from `rows`; the application's role only reads it. Reading takes half the time of `rows`.
NARROW_SLOTS = {"t": 12, "n": 8}
narrow_rows = Table(
    "narrow_rows",
    Base.metadata,
    TableColumn("sheet_id", BigInteger, primary_key=True, autoincrement=False),
    TableColumn("row_id", Integer, primary_key=True, autoincrement=False),
    *(TableColumn(f"t{number}", Text(collation="C")) for number in range(1, NARROW_SLOTS["t"] + 1)),
    *(TableColumn(f"n{number}", Numeric) for number in range(1, NARROW_SLOTS["n"] + 1)),
    postgresql_with={"fillfactor": "90"},
)


class Operation(Base):
    """The answer to a user action, so that a repeated request gets it again and is not applied twice.

    `version` is the one that it wrote (null: it wrote nothing), `undoes` the operation that it undid, `request` a
    digest of the request, because an id with other content is refused (null: older than this column).
    """

    __tablename__ = "operations"
    __table_args__ = (
        Index("ix_operations_created", "created_at"),
        # A person's last actions on a sheet, for undo. Partial, so that look-ups by the key do not use it.
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


class Presence(Base):
    """An open live connection with its person, sheet and cell. Unlogged: the table is empty after a crash.

    No foreign keys: a row exists for seconds, and must not lock a sheet that others write to.
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

"""The tables of sharing: teams, their rights in sheets, public links and comments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.sheets import LEVELS, NOW, ROW_SCOPES, Base

FALSE = text("false")


class Team(Base):
    """People with whom sheets are shared together."""

    __tablename__ = "teams"
    __table_args__ = (Index("uq_teams_name", func.lower(text("name")), unique=True),)
    team_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class TeamMember(Base):
    """A person in a team. A manager of the team sees the team's rows where its members see their own.

    Without `accepted_at` it is an offer by `offered_by`, which grants no rights.
    """

    __tablename__ = "team_members"
    __table_args__ = (Index("ix_team_members_user_id", "user_id"),)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("teams.team_id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"), primary_key=True)
    is_manager: Mapped[bool] = mapped_column(Boolean, server_default=FALSE)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    offered_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    accepted_at: Mapped[datetime | None]


class TeamCollaborator(Base):
    """The rights of a team's members in a sheet, and the rows that they may see."""

    __tablename__ = "team_collaborators"
    __table_args__ = (
        CheckConstraint(LEVELS, name="level"),
        CheckConstraint(ROW_SCOPES, name="row_scope"),
        Index("ix_team_collaborators_team_id", "team_id"),
    )
    sheet_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("sheets.sheet_id", ondelete="CASCADE"), primary_key=True
    )
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("teams.team_id", ondelete="CASCADE"), primary_key=True)
    level: Mapped[str]
    row_scope: Mapped[str] = mapped_column(server_default="all")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class PublicLink(Base):
    """A link for reading a sheet, or one view of it, without an account. `hint` is its first characters.

    `view_id` is not a foreign key: a link whose view is deleted ends, and neither vanishes nor shows the whole sheet.
    """

    __tablename__ = "public_links"
    __table_args__ = (Index("ix_public_links_sheet_id", "sheet_id"),)
    link_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    sheet_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sheets.sheet_id", ondelete="CASCADE"))
    name: Mapped[str]
    hint: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    password_hash: Mapped[str | None]
    may_export: Mapped[bool] = mapped_column(Boolean, server_default=FALSE)
    created_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    view_id: Mapped[int | None] = mapped_column(BigInteger)


class LinkVisit(Base):
    """The visit of a public link by a browser, identified by its cookie. It ends with the link at the latest."""

    __tablename__ = "link_visits"
    __table_args__ = (Index("ix_link_visits_link_id", "link_id"),)
    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    link_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("public_links.link_id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    address: Mapped[str | None] = mapped_column(INET)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    last_seen_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]


class Comment(Base):
    """A comment on a row. A deleted one remains, without its text."""

    __tablename__ = "comments"
    __table_args__ = (
        ForeignKeyConstraint(["sheet_id", "row_id"], ["rows.sheet_id", "rows.row_id"]),
        Index("ix_comments_row", "sheet_id", "row_id", "comment_id"),
    )
    comment_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    sheet_id: Mapped[int] = mapped_column(BigInteger)
    row_id: Mapped[int]
    author_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

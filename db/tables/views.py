"""The tables of stored views of a sheet, and of what each person changed on them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.sheets import EMPTY, NOW, Base


class StoredView(Base):
    """A view of a sheet: everybody's, or with `owner_id` one person's. `version` counts its changes."""

    __tablename__ = "views"
    __table_args__ = (
        CheckConstraint("kind IN ('grid', 'board', 'calendar')", name="kind"),
        # Names are unique among the views of everybody and among those of one person, without regard to case.
        Index(
            "uq_views_name",
            "sheet_id",
            func.coalesce(text("owner_id"), text("0")),
            func.lower(text("name")),
            unique=True,
        ),
    )
    view_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    sheet_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sheets.sheet_id", ondelete="CASCADE"))
    owner_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="grid")
    position: Mapped[int] = mapped_column(Integer)
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    created_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    changed_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.user_id"))


class ViewState(Base):
    """What a person changed on a view for themselves, and when they opened it last.

    `changes` has the settings that differ; `base_version` is the view's version when the first of them was made.
    """

    __tablename__ = "view_states"
    __table_args__ = (Index("ix_view_states_user_id", "user_id"),)
    view_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("views.view_id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"), primary_key=True)
    changes: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    base_version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    opened_at: Mapped[datetime | None]

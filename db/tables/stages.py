"""Stages: what the options of a choice column meant, by time."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.sheets import Base


class StageMeaning(Base):
    """The kind and probability of an option since an instant, -infinity for its first one. Triggers write it.

    `is_assumed`: it was seeded when this began to be recorded, from what the option meant then.
    """

    __tablename__ = "stage_meanings"
    sheet_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    column_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    option_id: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str | None]
    probability: Mapped[int | None] = mapped_column(Integer)
    is_assumed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))

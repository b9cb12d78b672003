"""The tables of the workspace as a whole."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Identity, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.sheets import NOW, Base


class ExchangeRate(Base):
    """From a day on, one unit of `currency` is worth `rate` units of `base`, the currency of the workspace then."""

    __tablename__ = "exchange_rates"
    __table_args__ = (CheckConstraint("rate > 0", name="rate"),)
    base: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Numeric)
    changed_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SheetTemplate(Base):
    """A template of sheets that a person saved: the structure of a sheet (core.copies.structure)."""

    __tablename__ = "sheet_templates"
    template_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    structure: Mapped[dict[str, Any]]
    created_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.user_id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)

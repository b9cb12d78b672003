"""The tables of `verify-audit`: the hash chain over the audit trail, and its last link."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.sheets import Base


class AuditLink(Base):
    """The hash of an event and of the link before it. A trigger writes it when the event's transaction commits."""

    __tablename__ = "audit_chain"
    __table_args__ = (UniqueConstraint("event_id", name="uq_audit_chain_event_id"),)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditHead(Base):
    """The end of the chain, one row. Appending locks it, so the chain cannot fork."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("is_head", name="is_head"),)
    is_head: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    position: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)

"""The tables behind verify-audit: the links of the chain over the audit trail, and where the chain ends."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.sheets import Base


class AuditLink(Base):
    """The hash of one event over the hash before it. Written by a trigger as the event's transaction commits."""

    __tablename__ = "audit_chain"
    __table_args__ = (UniqueConstraint("event_id", name="uq_audit_chain_event_id"),)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditHead(Base):
    """The end of the chain, one row: whoever appends holds it, so the chain has no forks."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("is_head", name="is_head"),)
    is_head: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    position: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)

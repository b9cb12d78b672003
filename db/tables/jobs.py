"""The tables of background work: jobs, and the files that they need until they have ended."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.sheets import EMPTY, NOW, Base


class Job(Base):
    """A piece of background work. One with a period is scheduled: its row waits again after each run."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state"),
        Index("ix_jobs_open", "kind", "run_at", postgresql_where=text("state IN ('waiting', 'running')")),
        Index("ix_jobs_user_id", "user_id"),
        Index("uq_jobs_scheduled", "kind", unique=True, postgresql_where=text("period_seconds IS NOT NULL")),
    )
    job_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.user_id"))  # who enqueued it
    period_seconds: Mapped[int | None] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(server_default="waiting")
    run_at: Mapped[datetime] = mapped_column(server_default=NOW)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    worker_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]  # Another worker may take a running job whose lease has expired.
    cancel_requested_at: Mapped[datetime | None]
    progress_done: Mapped[int] = mapped_column(Integer, server_default="0")
    progress_total: Mapped[int] = mapped_column(Integer, server_default="0")
    outcome: Mapped[str | None]  # A sentence without data of sheets, for all who may see the job.
    result: Mapped[dict[str, Any] | None]  # For the person who enqueued it.
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobFile(Base):
    """A part of the file that a job reads, in order."""

    __tablename__ = "job_files"
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.job_id", ondelete="CASCADE"), primary_key=True)
    part: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)

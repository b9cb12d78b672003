"""Background work: jobs with their leases, and the files that they read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def moment(name: str, *, now: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()") if now else None, nullable=not now
    )


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("period_seconds", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        moment("run_at", now=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker_id", postgresql.UUID(as_uuid=True), nullable=True),
        moment("lease_until"),
        moment("cancel_requested_at"),
        sa.Column("progress_done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("progress_total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        moment("created_at", now=True),
        moment("started_at"),
        moment("finished_at"),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_jobs_user_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
    )
    unfinished = sa.text("state IN ('waiting', 'running')")
    op.create_index("ix_jobs_open", "jobs", ["kind", "run_at"], postgresql_where=unfinished)
    op.create_index("ix_jobs_user_id", "jobs", ["user_id"])
    scheduled = sa.text("period_seconds IS NOT NULL")
    op.create_index("uq_jobs_scheduled", "jobs", ["kind"], unique=True, postgresql_where=scheduled)
    op.create_table(
        "job_files",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_job_files_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "part", name=op.f("pk_job_files")),
    )
    # Files are short-lived: compressing them would take longer than writing them.
    op.execute("ALTER TABLE job_files ALTER COLUMN content SET STORAGE EXTERNAL")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON jobs, job_files TO contrivance_app")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO contrivance_app")


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

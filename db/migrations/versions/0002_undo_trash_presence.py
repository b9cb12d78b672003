"""Undo and restore: operations know their version and what they undid. Presence: who is on a sheet, in which cell."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "sql" / "0002_apply_batch.sql"
VERSIONS_OF_BEFORE = """
    UPDATE operations o SET version = c.version
    FROM (SELECT DISTINCT sheet_id, batch, version FROM changes) c
    WHERE c.sheet_id = o.sheet_id AND c.batch = o.operation_id
"""


def upgrade() -> None:
    op.add_column("operations", sa.Column("version", sa.BigInteger(), nullable=True))
    op.add_column("operations", sa.Column("undoes", sa.UUID(), nullable=True))
    op.execute(VERSIONS_OF_BEFORE)
    op.create_index("ix_operations_mine", "operations", ["sheet_id", "actor_id", "version"], unique=False)
    op.create_index(
        "ix_rows_trash",
        "rows",
        ["sheet_id", "deleted_version", "row_id"],
        unique=False,
        postgresql_where=sa.text("deleted_version IS NOT NULL"),
    )
    op.create_table(
        "presence",
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("process_id", sa.UUID(), nullable=False),
        sa.Column("sheet_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=True),
        sa.Column("column_id", sa.Integer(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_presence")),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_presence_sheet_id", "presence", ["sheet_id"], unique=False)
    op.create_index("ix_presence_process_id", "presence", ["process_id"], unique=False)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON presence TO contrivance_app")
    op.execute(FUNCTIONS.read_text())


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

"""Links: which rows the cells of relations name, derived from the rows by triggers, and indexed both ways."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TRIGGERS = Path(__file__).parents[1] / "sql" / "0023_links.sql"


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("sheet_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("column_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target_row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sheet_id", "column_id", "row_id", "target_row", name=op.f("pk_links")),
    )
    op.create_index("ix_links_target", "links", ["sheet_id", "column_id", "target_row", "row_id"])
    op.execute(TRIGGERS.read_text())


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

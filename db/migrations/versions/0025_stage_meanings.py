"""Stage meanings: the kind and probability of the options of choice columns by time, recorded by triggers from now on."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TRIGGERS = Path(__file__).parents[1] / "sql" / "0025_stage_meanings.sql"


def upgrade() -> None:
    op.create_table(
        "stage_meanings",
        sa.Column("sheet_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("column_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("option_id", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("probability", sa.Integer(), nullable=True),
        sa.Column("is_assumed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("sheet_id", "column_id", "option_id", "since", name=op.f("pk_stage_meanings")),
    )
    op.execute(TRIGGERS.read_text())


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

"""Analysts read and comment, whatever a sheet is shared as."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.execute((SQL / "0005_sheet_levels.sql").read_text())


def downgrade() -> None:
    op.execute((SQL / "0004_sheet_levels.sql").read_text())

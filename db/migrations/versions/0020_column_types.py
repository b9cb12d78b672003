"""A column's type can change; the column knows the types that it had."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "sql" / "0020_column_types.sql"


def upgrade() -> None:
    op.add_column(
        "columns", sa.Column("earlier", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False)
    )
    op.execute(FUNCTIONS.read_text())


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

"""An operation keeps a digest of what was asked, a base from the future is a conflict, and triggers join in linear time."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "sql" / "0014_requests_of_operations.sql"


def upgrade() -> None:
    op.add_column("operations", sa.Column("request", sa.LargeBinary(), nullable=True))
    op.execute(FUNCTIONS.read_text())


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

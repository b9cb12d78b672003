"""Whoever is remembered writes and follows in one statement each, which looks at their rights itself."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "sql" / "0012_remembered.sql"


def upgrade() -> None:
    op.execute(FUNCTIONS.read_text())


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

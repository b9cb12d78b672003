"""Plain edits are written a round at a time, and each is answered with what became of it."""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "sql" / "0019_write_edits.sql"


def upgrade() -> None:
    op.execute(FUNCTIONS.read_text())


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

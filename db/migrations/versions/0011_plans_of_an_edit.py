"""An edit is planned once and looks its operation up by its key, however small the tables were when it was planned."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "sql" / "0011_plans_of_an_edit.sql"


def upgrade() -> None:
    op.execute(FUNCTIONS.read_text())
    op.drop_index("ix_operations_mine", "operations")
    # Partial, so that it is no way to find an operation by its key: with few rows it was taken for as good as the key's.
    op.create_index(
        "ix_operations_mine",
        "operations",
        ["sheet_id", "actor_id", "version"],
        unique=False,
        postgresql_where=sa.text("version IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

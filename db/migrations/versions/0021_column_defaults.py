"""A column has a default, which new rows get."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("columns", sa.Column("default_value", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

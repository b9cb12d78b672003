"""A link for a new password says which administrator had it made, so that it ends with them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account_links", sa.Column("made_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_account_links_made_by", "account_links", "users", ["made_by"], ["user_id"])


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

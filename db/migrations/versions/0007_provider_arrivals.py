"""Who arrives from an OpenID Connect provider; an account has one identity at each."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_arrivals",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("is_verified", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_provider_arrivals")),
    )
    op.drop_index("ix_provider_identities_user_id", "provider_identities")
    op.create_unique_constraint("uq_provider_identities_user_id", "provider_identities", ["user_id", "issuer"])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON provider_arrivals TO contrivance_app")


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

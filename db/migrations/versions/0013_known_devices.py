"""Which browsers an account signed in with before, and which client used a refresh token."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refresh_tokens", sa.Column("used_address", postgresql.INET(), nullable=True))
    op.add_column("refresh_tokens", sa.Column("used_agent", sa.Text(), nullable=True))
    now = sa.text("now()")
    op.create_table(
        "known_devices",
        sa.Column("device_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_known_devices")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_known_devices_user_id_users")),
        sa.UniqueConstraint("token_hash", "user_id", name="uq_known_devices_token_hash"),
    )
    op.create_index("ix_known_devices_user_id", "known_devices", ["user_id"])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON known_devices TO contrivance_app")


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

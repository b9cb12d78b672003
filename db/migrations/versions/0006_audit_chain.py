"""The audit trail is chained: what is changed, taken out or put in afterwards shows."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHAIN = Path(__file__).parents[1] / "sql" / "0006_audit_chain.sql"


def upgrade() -> None:
    # An older process that still runs waits with its events until they are chained, too.
    op.execute("LOCK TABLE audit_events IN SHARE ROW EXCLUSIVE MODE")
    op.create_table(
        "audit_chain",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_chain")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_chain_event_id")),
    )
    op.create_table(
        "audit_head",
        sa.Column("is_head", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("is_head", name=op.f("ck_audit_head_is_head")),
        sa.PrimaryKeyConstraint("is_head", name=op.f("pk_audit_head")),
    )
    op.execute(CHAIN.read_text())


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

"""Templates of sheets that people save."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sheet_templates",
        sa.Column("template_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("structure", postgresql.JSONB(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.user_id"], name=op.f("fk_sheet_templates_created_by")),
        sa.PrimaryKeyConstraint("template_id", name=op.f("pk_sheet_templates")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON sheet_templates TO contrivance_app")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO contrivance_app")


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

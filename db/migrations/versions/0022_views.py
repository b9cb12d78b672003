"""Views of a sheet are stored; a person's layout becomes their changes of the sheet's first view."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

FIRST_VIEWS = """
    INSERT INTO views (sheet_id, name, position, created_by, created_at)
    SELECT sheet_id, 'All rows', 1, owner_id, created_at FROM sheets ORDER BY sheet_id
"""
# What a layout called its view were filter, sort and search, which are settings of their own now.
LAYOUTS = """
    INSERT INTO view_states (view_id, user_id, changes)
    SELECT v.view_id, l.user_id,
           (l.layout - 'view') || CASE WHEN jsonb_typeof(l.layout -> 'view') = 'object' THEN l.layout -> 'view'
                                       ELSE '{}' END
    FROM sheet_layouts l JOIN views v USING (sheet_id)
    WHERE jsonb_typeof(l.layout) = 'object'
"""


def upgrade() -> None:
    op.create_table(
        "views",
        sa.Column("view_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sheet_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="grid", nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('grid', 'board', 'calendar')", name=op.f("ck_views_kind")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheets.sheet_id"], name=op.f("fk_views_sheet_id"), ondelete="CASCADE"),
        *(
            sa.ForeignKeyConstraint([name], ["users.user_id"], name=op.f(f"fk_views_{name}"))
            for name in ("owner_id", "created_by", "changed_by")
        ),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_views")),
    )
    name = [sa.text("sheet_id"), sa.text("coalesce(owner_id, 0)"), sa.text("lower(name)")]
    op.create_index("uq_views_name", "views", name, unique=True)
    op.create_table(
        "view_states",
        sa.Column("view_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("changes", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("base_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["view_id"], ["views.view_id"], name=op.f("fk_view_states_view_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_view_states_user_id")),
        sa.PrimaryKeyConstraint("view_id", "user_id", name=op.f("pk_view_states")),
    )
    op.create_index("ix_view_states_user_id", "view_states", ["user_id"])
    # Not a foreign key: a link whose view is deleted must end, and neither vanish nor show the whole sheet.
    op.add_column("public_links", sa.Column("view_id", sa.BigInteger(), nullable=True))
    op.execute(FIRST_VIEWS)
    op.execute(LAYOUTS)
    op.drop_table("sheet_layouts")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON views, view_states TO contrivance_app")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO contrivance_app")


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

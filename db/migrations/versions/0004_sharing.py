"""Sharing: teams, row scope, column limits, commenters and their comments, public links; identities at a provider."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LEVELS = Path(__file__).parents[1] / "sql" / "0004_sheet_levels.sql"
TABLES = ("teams", "team_members", "team_collaborators", "public_links", "link_visits", "comments", "provider_identities")
LEVEL = "level IN ('editor', 'commenter', 'viewer')"
SCOPE = "row_scope IN ('all', 'team', 'own')"


def moment(name: str, *, now: bool = False, nullable: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()") if now else None, nullable=nullable
    )


def number(name: str, *, counted: bool = False, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), *([sa.Identity(always=False)] if counted else []), nullable=nullable)


def words(name: str, *, default: str | None = None, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default=default, nullable=nullable)


def flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def refers(table: str, column: str, target: str, *, cascade: bool = False) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete="CASCADE" if cascade else None)


def key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def upgrade() -> None:
    op.add_column("collaborators", words("row_scope", default="all"))
    op.create_check_constraint(op.f("ck_collaborators_row_scope"), "collaborators", SCOPE)
    op.drop_constraint(op.f("ck_collaborators_level"), "collaborators")
    op.create_check_constraint(op.f("ck_collaborators_level"), "collaborators", LEVEL)
    op.drop_constraint(op.f("ck_sheets_workspace_level"), "sheets")
    op.create_check_constraint(op.f("ck_sheets_workspace_level"), "sheets", f"workspace_{LEVEL}")
    op.add_column(
        "columns", sa.Column("limits", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False)
    )
    op.create_table("teams", number("team_id", counted=True), words("name"), moment("created_at", now=True), key("teams", "team_id"))
    op.create_index("uq_teams_name", "teams", [sa.text("lower(name)")], unique=True)
    op.create_table(
        "team_members",
        number("team_id"),
        number("user_id"),
        flag("is_manager"),
        moment("created_at", now=True),
        refers("team_members", "team_id", "teams.team_id", cascade=True),
        refers("team_members", "user_id", "users.user_id"),
        key("team_members", "team_id", "user_id"),
    )
    op.create_index("ix_team_members_user_id", "team_members", ["user_id"], unique=False)
    op.create_table(
        "team_collaborators",
        number("sheet_id"),
        number("team_id"),
        words("level"),
        words("row_scope", default="all"),
        moment("created_at", now=True),
        sa.CheckConstraint(LEVEL, name=op.f("ck_team_collaborators_level")),
        sa.CheckConstraint(SCOPE, name=op.f("ck_team_collaborators_row_scope")),
        refers("team_collaborators", "sheet_id", "sheets.sheet_id", cascade=True),
        refers("team_collaborators", "team_id", "teams.team_id", cascade=True),
        key("team_collaborators", "sheet_id", "team_id"),
    )
    op.create_index("ix_team_collaborators_team_id", "team_collaborators", ["team_id"], unique=False)
    op.create_table(
        "public_links",
        number("link_id", counted=True),
        number("sheet_id"),
        words("name"),
        words("hint"),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        words("password_hash", nullable=True),
        flag("may_export"),
        number("created_by"),
        moment("created_at", now=True),
        moment("expires_at", nullable=True),
        moment("revoked_at", nullable=True),
        moment("last_used_at", nullable=True),
        refers("public_links", "sheet_id", "sheets.sheet_id", cascade=True),
        refers("public_links", "created_by", "users.user_id"),
        key("public_links", "link_id"),
        sa.UniqueConstraint("token_hash", name=op.f("uq_public_links_token_hash")),
    )
    op.create_index("ix_public_links_sheet_id", "public_links", ["sheet_id"], unique=False)
    op.create_table(
        "link_visits",
        sa.Column("visit_id", sa.UUID(), nullable=False),
        number("link_id"),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", postgresql.INET(), nullable=True),
        moment("created_at", now=True),
        moment("last_seen_at", now=True),
        moment("expires_at"),
        refers("link_visits", "link_id", "public_links.link_id", cascade=True),
        key("link_visits", "visit_id"),
        sa.UniqueConstraint("token_hash", name=op.f("uq_link_visits_token_hash")),
    )
    op.create_index("ix_link_visits_link_id", "link_visits", ["link_id"], unique=False)
    op.create_table(
        "comments",
        number("comment_id", counted=True),
        number("sheet_id"),
        sa.Column("row_id", sa.Integer(), nullable=False),
        number("author_id"),
        words("body"),
        moment("created_at", now=True),
        moment("edited_at", nullable=True),
        moment("deleted_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["sheet_id", "row_id"], ["rows.sheet_id", "rows.row_id"], name=op.f("fk_comments_sheet_id_row_id")
        ),
        refers("comments", "author_id", "users.user_id"),
        key("comments", "comment_id"),
    )
    op.create_index("ix_comments_row", "comments", ["sheet_id", "row_id", "comment_id"], unique=False)
    op.create_table(
        "provider_identities",
        words("issuer"),
        words("subject"),
        number("user_id"),
        moment("created_at", now=True),
        refers("provider_identities", "user_id", "users.user_id"),
        key("provider_identities", "issuer", "subject"),
    )
    op.create_index("ix_provider_identities_user_id", "provider_identities", ["user_id"], unique=False)
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO contrivance_app")
    op.execute(LEVELS.read_text())


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

"""Functions that act as the owner look among temporary tables last: one named “changes” would catch the log's lines."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Unless it is named, the schema of temporary tables comes first, and the application's role may make some.
    for function in ("log_added_rows", "log_edited_rows", "chain_event"):
        op.execute(f"ALTER FUNCTION {function}() SET search_path = pg_catalog, public, pg_temp")


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

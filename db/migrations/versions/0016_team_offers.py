"""Who is put into a team by its manager is in it once they accept."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

LEVELS = Path(__file__).parents[1] / "sql" / "0016_sheet_levels.sql"
# Whom a manager put into a team, by the last event that says who did, is asked. All others stay: an administrator put
# them there, or they themselves, or nobody knows who.
KEEP = """
    UPDATE team_members m SET accepted_at = m.created_at
    WHERE NOT EXISTS (
        SELECT FROM (
            SELECT e.actor_id FROM audit_events e
            WHERE e.action = 'team:member:add' AND e.facts -> 'team' = to_jsonb(m.team_id)
              AND e.facts -> 'user' = to_jsonb(m.user_id)
            ORDER BY e.event_id DESC LIMIT 1
        ) put JOIN users u ON u.user_id = put.actor_id
        WHERE u.user_id <> m.user_id AND u.role <> 'admin')
"""


def upgrade() -> None:
    op.add_column("team_members", sa.Column("offered_by", sa.BigInteger(), nullable=True))
    op.add_column("team_members", sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_team_members_offered_by"), "team_members", "users", ["offered_by"], ["user_id"]
    )
    op.execute(KEEP)
    op.execute(LEVELS.read_text())


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

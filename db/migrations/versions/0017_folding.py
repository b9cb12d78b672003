"""Texts are compared, searched and sorted by one folding, kept beside the cells whose text is not ASCII."""

import json
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from db.folding import letters

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "sql" / "0017_folding.sql"
ROWS_OF_BEFORE = """
    UPDATE rows SET folded = fold_cells(values) WHERE octet_length(values::text) > char_length(values::text)
"""


def upgrade() -> None:
    op.add_column("rows", sa.Column("folded", JSONB(), nullable=False, server_default=sa.text("'{}'")))
    op.alter_column("rows", "folded", server_default=None)
    table = json.dumps({chr(code): folded for code, folded in letters().items() if code > 127}, ensure_ascii=False)
    statements = FUNCTIONS.read_text().replace("{letters}::jsonb", "'" + table.replace("'", "''") + "'::jsonb")
    op.execute(statements)
    # What the rows say does not change: no line of the log, no new version of a cell.
    op.execute("ALTER TABLE rows DISABLE TRIGGER USER")
    op.execute(ROWS_OF_BEFORE)
    op.execute("ALTER TABLE rows ENABLE TRIGGER USER")


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

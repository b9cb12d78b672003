"""The narrow rows: what rows are filtered, sorted and counted by, typed and beside them, written by triggers alone."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FUNCTIONS = Path(__file__).parents[1] / "sql" / "0009_narrow_rows.sql"
SLOTS = {
    "t": (12, "'choice', 'person', 'checkbox', 'date', 'datetime'"),
    "n": (8, "'number', 'money', 'percent'"),
}
SLOTS_OF_BEFORE = """
    UPDATE columns c SET slot = '{kind}' || k.place
    FROM (SELECT sheet_id, column_id, row_number() OVER (PARTITION BY sheet_id ORDER BY column_id) AS place
          FROM columns WHERE type IN ({types})) k
    WHERE k.sheet_id = c.sheet_id AND k.column_id = c.column_id AND k.place <= {most}
"""
ROWS_OF_BEFORE = """
    INSERT INTO narrow_rows
    SELECT r.sheet_id, r.row_id, c.*
    FROM sheets s CROSS JOIN narrow_keys(s.sheet_id) keys
    JOIN rows r ON r.sheet_id = s.sheet_id AND r.deleted_version IS NULL
    CROSS JOIN LATERAL narrow_cells(r.values, keys) c
"""


def upgrade() -> None:
    op.add_column("columns", sa.Column("slot", sa.Text(), nullable=True))
    op.create_index("uq_columns_slot", "columns", ["sheet_id", "slot"], unique=True)
    cells = [sa.Column(f"t{place}", sa.Text(collation="C"), nullable=True) for place in range(1, 13)]
    cells += [sa.Column(f"n{place}", sa.Numeric(), nullable=True) for place in range(1, 9)]
    op.create_table(
        "narrow_rows",
        sa.Column("sheet_id", sa.BigInteger(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        *cells,
        sa.PrimaryKeyConstraint("sheet_id", "row_id", name=op.f("pk_narrow_rows")),
        postgresql_with={"fillfactor": "90"},
    )
    op.execute(FUNCTIONS.read_text())
    for kind, (most, types) in SLOTS.items():
        op.execute(SLOTS_OF_BEFORE.format(kind=kind, most=most, types=types))
    op.execute(ROWS_OF_BEFORE)
    op.drop_constraint("fk_rows_sheet_id", "rows", type_="foreignkey")
    # The narrow rows are the live rows: their key gives the order of an unsorted sheet.
    op.drop_index("ix_rows_live", "rows")


def downgrade() -> None:
    raise NotImplementedError("There is no way back past this version: restore a backup.")

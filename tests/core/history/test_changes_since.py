"""Catching up costs what has changed, however long the log has become."""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.history import changes_since
from db import engine as db
from tests.conftest import actor, make_deals
from tests.support.core.changes import change_rows

ROWS, ROUNDS = 5_000, 20
PAGES = 40


def change(sheet: int, **what: Any) -> None:
    with db.transaction() as session:
        change_rows(session, actor("Ann"), sheet, **what)


def long_log() -> int:
    """A sheet with a hundred thousand changes, and then one more."""
    with db.transaction() as session:
        sheet = make_deals(session).sheet.sheet_id
    change(sheet, adds=['{"1": "a deal"}'] * ROWS)
    for number in range(ROUNDS):
        change(sheet, edits={row: json.dumps({"1": f"{number}"}) for row in range(1, ROWS + 1)})
    change(sheet, edits={7: '{"1": "the last"}'})
    return sheet


def pages_read(session: Session, access: Access, since: int) -> int:
    """How many pages of the database it takes to tell what changed since a version."""
    explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {changes_since._LINES.statement}"
    parameters = access.row_gate.parameters() | {
        "since": since,
        "until": access.sheet.version,
        "columns": [0, *access.by_id],
        "most": changes_since.MAX_LINES + 1,
    }
    plan = session.connection().exec_driver_sql(explained, parameters).scalar_one()[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_one_change_is_told_by_reading_a_few_pages_of_a_long_log(database: str) -> None:
    sheet = long_log()
    owner = db.make_engine(database, role=None)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE changes, rows"))
    owner.dispose()
    with db.transaction() as session:
        access = get_access(session, actor("Cleo"), sheet)
        found = changes_since.changes_since(session, access, access.sheet.version - 1)
        assert [(row["id"], row["values"]) for row in found.rows] == [(7, {"1": "the last"})]
        assert pages_read(session, access, access.sheet.version - 1) < PAGES
        assert changes_since.changes_since(session, access, 0).reset

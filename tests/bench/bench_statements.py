"""Counts the SQL statements of one run of the grid page and of the dashboard page, with rows and nothing changed."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from core.access.cache import access_cache
from core.accounts.accounts import create_user
from core.credentials.sessions import start_session
from core.edits.batch import Batch, CellInput, Edit
from core.edits.operation import ChangeSource
from core.edits.write import RowEdit, write_round
from core.history.changes_since import changes_for
from core.sheets.sheets import create_sheet
from db import engine as db
from db.raw_sql import RawStatement
from db.start import database, open_engine
from tests.conftest import CAST, actor
from tests.pages.opened import add_deal, open_page

PAGES = {
    "grid page": "work/grid.py",
    "dashboard page": "insight/dashboard.py",
    "changes page": "insight/changes.py",
    "audit page": "insight/audit.py",
}
PASSWORD = "figures of page runs"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cbench-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # As root, the database runs as a user of its own, who must get through.
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        with database(os.environ.get("DATABASE_URL", ""), "", data) as urls:
            engine = open_engine(urls)
            with recorded(engine) as statements:  # Before sessions are bound to the engine, so that they are recorded.
                db.bind(engine)
                with db.transaction() as session:
                    sheet = prepare(session)
                for label, file in PAGES.items():
                    with db.transaction() as session:
                        page = open_page(session, "Ann", file, sheet=sheet)
                    statements.clear()
                    page.run()
                    sys.stdout.write(f"statements of a run of the {label}: {len(statements)}\n")
                for label, count in statements_of_edits(sheet, statements):
                    sys.stdout.write(f"statements of {label}: {count}\n")
            engine.dispose()


def statements_of_edits(sheet: int, statements: list[str]) -> Iterator[tuple[str, int]]:
    """Yield the number of statements, without BEGIN and COMMIT, of edits by a person whose access is cached."""
    with db.transaction() as session:
        session_id, _ = start_session(session, actor("Ann").user_id, kind="api", address=None, user_agent="bench")
    ann = replace(actor("Ann"), session_id=session_id)

    def write(*edits: Edit, partial: bool = True) -> int:
        statements.clear()
        with db.transaction() as session:
            batches = [RowEdit(Batch(edits=(edit,)), uuid4(), ChangeSource.API, partial) for edit in edits]
            assert all(write_round(session, sheet, [(ann, batch) for batch in batches]))
        return len(statements)

    def follow() -> int:
        statements.clear()
        with db.transaction() as session:
            access = access_cache(session).access(session, session_id, sheet)
            assert access
            assert changes_for(session, [access], 1) != [None]
        return len(statements)

    write(Edit(1, 4, CellInput("1")))
    with raw_statements(statements):
        yield "a plain edit", write(Edit(1, 4, CellInput("2")))
        yield "a round of eight edits", write(*(Edit(1 + n % 4, 4 + n // 4 * -3, CellInput(f"{n}")) for n in range(8)))
        yield "an edit in conflict", write(Edit(1, 4, CellInput("5"), 1))
        yield "telling a follower", follow()


@contextmanager
def raw_statements(statements: list[str]) -> Iterator[None]:
    """Collect the statements that go to the driver directly, too."""
    run = RawStatement._run

    def record(statement: RawStatement, session: Session, parameters: Any) -> Any:
        statements.append(statement.statement)
        return run(statement, session, parameters)

    RawStatement._run = record  # type: ignore[method-assign]
    try:
        yield
    finally:
        RawStatement._run = run  # type: ignore[method-assign]


def prepare(session: Session) -> int:
    """Create the cast and a pipeline with a few deals, and return the number of its sheet."""
    for name, role in CAST.items():
        create_user(session, None, email=actor(name).email, name=name, role=role, password=PASSWORD)
    access = create_sheet(session, actor("Ann"), "Deals", template="pipeline")
    for number in range(5):
        add_deal(session, "Ann", access.sheet.sheet_id, {access.columns[0].column_id: f"Deal {number}"})
    return access.sheet.sheet_id


def statements_of_pages(session: Session, name: str, sheet: int) -> dict[str, list[str]]:
    """Return the statements of the second run of each page, in a test's session."""
    runs = {}
    for label, file in PAGES.items():
        page = open_page(session, name, file, sheet=sheet)
        with recorded(session.connection()) as statements:
            page.run()
        runs[label] = [statement for statement in statements if "SAVEPOINT" not in statement]
    return runs


@contextmanager
def recorded(target: Engine | Connection) -> Iterator[list[str]]:
    """Collect the statements on an engine or connection."""
    statements = list[str]()

    def record(_connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(target, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(target, "before_cursor_execute", record)


if __name__ == "__main__":
    main()

"""Staging: read rows into a temporary table, by COPY, while nobody waits for them."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.imports.read import FileReader, Progress


def staged(session: Session, reading: FileReader, progress: Progress | None = None) -> int:
    """Stage the rows of a file, numbered from 1 in the order of the file; how many. Raises Invalid on misfits.

    The database parses the JSON in its own process, while we read the next block.
    """
    session.execute(_DROP)
    session.execute(_CREATE)
    cursor = _cursor(session)
    count = 0
    with cursor.copy("COPY staged_rows (place, is_ascii, values) FROM STDIN") as copy:
        for rows in reading.rows(progress):
            lines = [
                f"{row_number}\t{row_json.isascii()}\t{{{row_json[1:]}}}\n"
                for row_number, row_json in enumerate(rows, count + 1)
            ]
            copy.write("".join(lines))
            count += len(rows)
    reading.refuse_misfits()
    return count


def _cursor(session: Session) -> Any:
    """The driver's own cursor in this session's transaction: only it can COPY."""
    return session.connection().connection.cursor()


_DROP = text("DROP TABLE IF EXISTS pg_temp.staged_rows")
_CREATE = text("""
    CREATE TEMPORARY TABLE staged_rows (
        place integer NOT NULL, is_ascii boolean NOT NULL, values jsonb NOT NULL) ON COMMIT DROP
""")

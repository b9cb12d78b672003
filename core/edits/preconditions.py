"""Preconditions: whether rows have changed since a version, for requests that depend on it."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.row_gate import scope_sql


def moved_rows(session: Session, access: Access, rows: Sequence[int], *, since: int, before: int) -> list[int]:
    """Return those of the rows in which anything changed after version `since` and before version `before`."""
    parameters = access.row_gate.parameters() | {"rows": [*rows], "since": since, "before": before}
    return list(session.scalars(_MOVED, parameters))


_MOVED = text(f"""
    SELECT DISTINCT c.row_id FROM changes c
    JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    WHERE {scope_sql("r")} AND c.sheet_id = :sheet AND c.row_id = ANY(CAST(:rows AS integer[]))
      AND c.version > :since AND c.version < :before
    ORDER BY c.row_id
""")  # noqa: S608 - a condition of core.access.row_gate.

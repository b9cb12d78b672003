"""The difference between two instants of a sheet: its changed cells, and the rows that were added or deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.access.row_gate import scope_sql
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.exact_json import Wire
from core.base.permissions import Permission
from core.history.history import UNKNOWN_AUTHOR, row_title, shown
from core.rows.as_of import as_of, version_at
from core.rows.projection import logged_wire, projection
from core.rows.read import rows_by_id

PAGE = 500
MAX_PAGE = 5000
# A position in the list of differences: row and column (0 for a whole row).
Position = tuple[int, int]


@dataclass(frozen=True)
class DifferenceEntry:
    """A cell that differs (“edited”), or a row (column None) that was “added” or “deleted”; by whom last, and when.

    `before` and `after` are the values of the cell, or of the row by column key, as they travel; `old` and `new` are
    the cell's shown text.
    """

    row: int
    row_title: str
    column: int | None
    kind: str
    before: Wire | dict[str, Wire]
    after: Wire | dict[str, Wire]
    old: str
    new: str
    by: str
    at: datetime
    version: int


@dataclass(frozen=True)
class Difference:
    """How many cells and rows differ from one version to a later one, and one page of them."""

    earlier: int
    later: int
    edited: int
    added: int
    deleted: int
    entries: list[DifferenceEntry]
    next: Position | None


def difference(
    session: Session,
    actor: Actor,
    sheet_id: int,
    earlier: str,
    later: str | None = None,
    *,
    behind: Position | None = None,
    limit: int = PAGE,
) -> Difference:
    """Return the differences from one instant of a sheet to a later one (none: now), by row and column.

    A change that was undone in between is not a difference. `behind` continues after the last position of the previous
    page. Raises Invalid where the instants are in the wrong order or the limit is out of range.
    """
    access = get_access(session, actor, sheet_id, Permission.ROWS_SEE, Permission.HISTORY_SEE)
    first = version_at(session, access, earlier)
    last = access.sheet.version if later is None else version_at(session, access, later)
    if first > last:
        raise Invalid("The first instant is later than the second. Swap them.")
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page has 1 to {MAX_PAGE} differences; you asked for {limit}.")
    row, column = behind or (-1, -1)
    cells = projection(access)
    parameters = access.row_gate.parameters() | {
        "earlier": first,
        "later": last,
        "columns": cells.logged_columns,
        "title": cells.title_key,
        "row": row,
        "column": column,
        "limit": limit + 1,
        "type_changes": [earlier.until for column in access.every_column for earlier in column.earlier],
    }
    edited, added, deleted = session.execute(_COUNTS, parameters).one()
    lines = session.execute(_PAGE, parameters).mappings().all()
    shown_lines = lines[:limit]
    position = (shown_lines[-1]["row_id"], shown_lines[-1]["column_id"]) if len(lines) > limit else None
    entries = _entries(session, access, shown_lines, first, last)
    return Difference(first, last, edited, added, deleted, entries, position)


def _entries(
    session: Session, access: Access, lines: Sequence[RowMapping], first: int, last: int
) -> list[DifferenceEntry]:
    """The entries of these lines. The cells of a whole row are read in the version that had the row."""
    added = _rows(session, as_of(access, last), [line["row_id"] for line in lines if line["kind"] == "added"])
    deleted = _rows(session, as_of(access, first), [line["row_id"] for line in lines if line["kind"] == "deleted"])
    return [_entry(access, line, (first, last), added, deleted) for line in lines]


def _rows(session: Session, access: Access, ids: list[int]) -> dict[int, dict[str, Wire]]:
    rows = rows_by_id(session, access, ids) if ids else []
    return {row["id"]: row["values"] for row in rows if not row.get("deleted")}


def _entry(
    access: Access,
    line: RowMapping,
    versions: tuple[int, int],
    added: dict[int, dict[str, Wire]],
    deleted: dict[int, dict[str, Wire]],
) -> DifferenceEntry:
    row, column = line["row_id"], line["column_id"]
    old, new = line["old"], line["new"]
    before: Any = deleted.get(row) if column == 0 else logged_wire(access, access.column(column), old)
    after: Any = added.get(row) if column == 0 else logged_wire(access, access.column(column), new)
    return DifferenceEntry(
        row=row,
        row_title=row_title(access, row, line["title"]),
        column=column or None,
        kind=line["kind"],
        before=before,
        after=after,
        old=shown(access, column, old, versions[0]) if column else "",
        new=shown(access, column, new, versions[1]) if column else "",
        by=line["name"] or UNKNOWN_AUTHOR,
        at=line["effective_at"],
        version=line["version"],
    )


# From the log lines between the two versions: the first line of a cell has its value before, the last its value after.
# A row whose first line adds or restores it was not live before; one whose last line removes it is not live after.
# Only cells of live rows are edited.
_DIFFERENCES = f"""
    WITH lines AS MATERIALIZED (
        SELECT c.row_id, c.column_id, c.version, c.kind, c.actor_id, c.effective_at,
               CASE WHEN c.column_id > 0 THEN c.old END AS old, CASE WHEN c.column_id > 0 THEN c.new END AS new
        FROM changes c
        JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
        WHERE {scope_sql("r")} AND c.sheet_id = :sheet AND c.version > :earlier AND c.version <= :later
          AND c.column_id = ANY(:columns)
          -- A change of a column's type converts deleted rows, too.
          AND (c.version <> ALL(CAST(:type_changes AS bigint[])) OR c.column_id = 0 OR 'remove' IS DISTINCT FROM (
               SELECT w.kind FROM changes w WHERE w.sheet_id = c.sheet_id AND w.row_id = c.row_id AND w.column_id = 0
               AND w.version < c.version ORDER BY w.version DESC LIMIT 1))
    ), ends AS (
        SELECT row_id, column_id, l.version, l.actor_id, l.effective_at, f.old, l.new,
               f.kind IN ('edit', 'remove') AS was_live, l.kind <> 'remove' AS is_live
        FROM (SELECT DISTINCT ON (row_id, column_id) * FROM lines ORDER BY row_id, column_id, version) f
        JOIN (SELECT DISTINCT ON (row_id, column_id) * FROM lines ORDER BY row_id, column_id, version DESC) l
            USING (row_id, column_id)
    ), differences AS (
        SELECT e.*, CASE WHEN e.column_id > 0 THEN 'edited' WHEN e.is_live THEN 'added' ELSE 'deleted' END AS kind
        FROM ends e
        LEFT JOIN ends whole ON whole.row_id = e.row_id AND whole.column_id = 0
        WHERE CASE WHEN e.column_id = 0 THEN e.was_live <> e.is_live
                   ELSE e.old IS DISTINCT FROM e.new
                        AND coalesce(whole.was_live, true) AND coalesce(whole.is_live, true) END
    )
"""  # noqa: S608 - The gate of core.access.
_COUNTS = text(f"""{_DIFFERENCES}
    SELECT count(*) FILTER (WHERE kind = 'edited'), count(*) FILTER (WHERE kind = 'added'),
           count(*) FILTER (WHERE kind = 'deleted')
    FROM differences
""")  # noqa: S608 - As above.
_PAGE = text(f"""{_DIFFERENCES}
    SELECT f.row_id, f.column_id, f.kind, f.old::text AS old, f.new::text AS new, f.version, f.effective_at, u.name,
           (r.values -> :title)::text AS title
    FROM differences f
    JOIN rows r ON r.sheet_id = :sheet AND r.row_id = f.row_id
    LEFT JOIN users u ON u.user_id = f.actor_id
    WHERE (f.row_id, f.column_id) > (:row, :column)
    ORDER BY f.row_id, f.column_id
    LIMIT :limit
""")  # noqa: S608 - As above.

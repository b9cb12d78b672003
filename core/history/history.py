"""History of a sheet, a row or a cell: who changed which cell from what to what, when, and by which source."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import RowMapping, bindparam, text
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.row_gate import scope_sql
from core.base.errors import Invalid, NotFound
from core.base.exact_json import Value, Wire, loads_stored
from core.base.permissions import Permission
from core.column_types import column_type
from core.rows.projection import projection, wire_value

PAGE = 200
CHANGES_PAGE = 50
MAX_PAGE = 1000
MAX_VERSION = 2**62
UNKNOWN_AUTHOR = "somebody"


@dataclass(frozen=True)
class LoggedChange:
    """A line of the log as a person reads it. `old` and `new` are shown text, empty for an empty cell."""

    version: int
    row: int
    row_title: str
    column_id: int
    column: str
    kind: str
    old: str
    new: str
    by: str
    source: str
    recorded_at: datetime
    effective_at: datetime


@dataclass(frozen=True)
class LastChange:
    """Who changed a sheet last, and when."""

    by: str
    effective_at: datetime


@dataclass(frozen=True)
class CellChange:
    """A change of a cell: its shown text before and after, and its `value` after, as it travels."""

    column_id: int
    column: str
    old: str
    new: str
    value: Wire


@dataclass(frozen=True)
class RowChange:
    """A change of a row: `kind` is add, edit, remove or restore; `cells` are the cells that it wrote."""

    version: int
    kind: str
    by: str
    source: str
    recorded_at: datetime
    effective_at: datetime
    cells: list[CellChange] = field(default_factory=list)


def recent_changes(
    session: Session,
    access: Access,
    *,
    row: int | None = None,
    by: int | None = None,
    before: tuple[int, int, int] | None = None,
    limit: int = PAGE,
) -> list[LoggedChange]:
    """Return the latest changes of the sheet, a row or a person, newest first.

    `before` continues after the (version, row, column) of the last change of the previous page.
    """
    lines = _recent_lines(session, access, row=row, by=by, before=before, limit=limit)
    return [_logged_change(access, line) for line in lines]


def _recent_lines(
    session: Session,
    access: Access,
    *,
    row: int | None = None,
    by: int | None = None,
    before: tuple[int, int, int] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    access.require(Permission.HISTORY_SEE)
    cells = projection(access)
    version, before_row, before_column = before or (MAX_VERSION, 0, 0)
    parameters = access.row_gate.parameters() | {
        "row": row,
        "by": by,
        "version": version,
        "before_row": before_row,
        "before_column": before_column,
        "limit": min(limit, MAX_PAGE),
        "columns": cells.logged_columns,
        "title": cells.title_key,
    }
    filters = [clause for name, clause in _FILTERS.items() if parameters[name] is not None]
    statement = text(_RECENT.format(filters="".join(filters))).bindparams(bindparam("title"))
    return session.execute(statement, parameters).mappings().all()


def last_change(session: Session, access: Access) -> LastChange | None:
    """Return who changed the sheet last, and when; None if nothing has changed that this person may see."""
    lines = _recent_lines(session, access, limit=1)
    return LastChange(lines[0]["name"] or UNKNOWN_AUTHOR, lines[0]["effective_at"]) if lines else None


def row_history(
    session: Session, access: Access, row: int, *, before: int | None = None, limit: int = CHANGES_PAGE
) -> list[RowChange]:
    """Return the changes of a row, newest first, also of a row in the trash. Raises NotFound.

    `before` continues after the version of the last change of the previous page.
    """
    access.require(Permission.HISTORY_SEE)
    lines = _row_lines(session, access, row, projection(access).logged_columns, before=before, limit=limit)
    by_version = groupby(lines, key=lambda line: line["version"])
    return [_row_change(access, list(group)) for _, group in by_version]


def cell_history(
    session: Session,
    access: Access,
    row: int,
    column: int,
    *,
    before: int | None = None,
    limit: int = CHANGES_PAGE,
) -> list[RowChange]:
    """Return the changes of a cell, newest first, the last being that which added the row. Each has one cell."""
    access.require(Permission.HISTORY_SEE)
    column_info = access.column(column)
    lines = _row_lines(session, access, row, [column], before=before, limit=limit, with_add=True)
    return [_change(line, [_cell_change(access, column_info, line)]) for line in lines]


def row_title(access: Access, row: int, logged: str | None) -> str:
    """Return the title of a row: the text of its first written column, from the database's JSON text, or its number."""
    column = access.title_column
    return (shown(access, column.column_id, logged, access.sheet.version) if column else "") or f"#{row}"


def shown(access: Access, column_id: int, logged: str | None, version: int) -> str:
    """Return a value of a version as text: of a whole row (column 0) as “name: value” of each filled visible cell."""
    if logged is None:
        return ""
    if column_id == 0:
        values = projection(access).stored(logged)
        filled = [column.at(version) for column in access.columns if column.key in values]
        return " · ".join(f"{column.name}: {_text(access, column, values[column.key])}" for column in filled)
    return _text(access, access.column(column_id).at(version), loads_stored(logged))


def _row_lines(
    session: Session,
    access: Access,
    row: int,
    columns: list[int],
    *,
    before: int | None,
    limit: int,
    with_add: bool = False,
) -> Sequence[RowMapping]:
    """The log lines of a row's last changes, all lines of each change. Raises NotFound."""
    parameters = access.row_gate.parameters() | {
        "row": row,
        "columns": columns,
        "with_add": with_add,
        "before": MAX_VERSION if before is None else before,
        "limit": min(limit, MAX_PAGE),
    }
    lines = session.execute(_ROW_LINES, parameters).mappings().all()
    if not lines and session.execute(_ROW_EXISTS, parameters).first() is None:
        raise NotFound(f"Row {row} does not exist in this sheet.", row=row)
    return lines


def _row_change(access: Access, lines: Sequence[RowMapping]) -> RowChange:
    """One change of a row from its lines: the line of the whole row first, then its cells in the sheet's order."""
    whole, cells = (lines[0], lines[1:]) if lines[0]["column_id"] == 0 else (None, lines)
    if whole is not None and whole["kind"] == "add":
        return _change(whole, _first_cells(access, whole["new"], whole["version"]))
    by_column = {line["column_id"]: line for line in cells}
    changed = [column for column in access.columns if column.column_id in by_column]
    return _change(whole or lines[0], [_cell_change(access, column, by_column[column.column_id]) for column in changed])


def _first_cells(access: Access, logged: str, version: int) -> list[CellChange]:
    """The cells that a row was added with."""
    cells = projection(access)
    values = cells.stored(logged)
    filled = [column for column in access.columns if column.key in values]
    return [
        CellChange(
            column.column_id,
            column.name,
            "",
            _text(access, column.at(version), values[column.key]),
            _value_now(access, column, values[column.key], version),
        )
        for column in filled
    ]


def _cell_change(access: Access, column: ColumnInfo, line: RowMapping) -> CellChange:
    if line["kind"] == "add":
        first = {cell.column_id: cell for cell in _first_cells(access, line["new"], line["version"])}
        return first.get(column.column_id) or CellChange(column.column_id, column.name, "", "", None)
    version = line["version"]
    old = shown(access, column.column_id, line["old"], version - 1)
    new = shown(access, column.column_id, line["new"], version)
    value = None if line["new"] is None else _value_now(access, column, loads_stored(line["new"]), version)
    return CellChange(column.column_id, column.name, old, new, value)


def _value_now(access: Access, column: ColumnInfo, value: Value, version: int) -> Wire:
    """Return a value of a version as the column takes it now; None where it doesn't convert to the type of now."""
    if version >= column.type_version:
        return wire_value(access, column, value)
    old = column.at(version)
    try:
        convert = column_type(column.type).converter(column_type(old.type), old, column, access.references)
        return wire_value(access, column, convert(value))
    except Invalid:
        return None


def _change(line: RowMapping, cells: list[CellChange]) -> RowChange:
    return RowChange(
        version=line["version"],
        kind=line["kind"],
        by=line["name"] or UNKNOWN_AUTHOR,
        source=line["source"],
        recorded_at=line["recorded_at"],
        effective_at=line["effective_at"],
        cells=cells,
    )


def _logged_change(access: Access, line: Any) -> LoggedChange:
    column = access.by_id.get(line["column_id"])
    return LoggedChange(
        version=line["version"],
        row=line["row_id"],
        row_title=row_title(access, line["row_id"], line["title"]),
        column_id=line["column_id"],
        column=column.name if column else "",
        kind=line["kind"],
        old=shown(access, line["column_id"], line["old"], line["version"] - 1),
        new=shown(access, line["column_id"], line["new"], line["version"]),
        by=line["name"] or UNKNOWN_AUTHOR,
        source=line["source"],
        recorded_at=line["recorded_at"],
        effective_at=line["effective_at"],
    )


def _text(access: Access, column: ColumnInfo, value: Any) -> str:
    return column_type(column.type).text(value, column, access.references)


_FILTERS = {"row": "AND c.row_id = :row ", "by": "AND c.actor_id = :by "}
_LINE = """c.version, c.row_id, c.column_id, c.kind, c.old::text AS old, c.new::text AS new, c.source,
           c.recorded_at, c.effective_at, u.name"""
# The statements below consist of constants: these two, and the gate of core.access.
_RECENT = f"""
    SELECT {_LINE}, (r.values -> :title)::text AS title
    FROM changes c
    JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    LEFT JOIN users u ON u.user_id = c.actor_id
    WHERE {scope_sql("r")} AND c.sheet_id = :sheet AND c.column_id = ANY(:columns)
      AND (c.version, c.row_id, c.column_id) < (:version, :before_row, :before_column)
      {{filters}}
    ORDER BY c.version DESC, c.row_id DESC, c.column_id DESC
    LIMIT :limit
"""  # noqa: S608 - the gate of core.access.
_OF_COLUMNS = "(c.column_id = ANY(:columns) OR (:with_add AND c.column_id = 0 AND c.kind = 'add'))"
_ROW_LINES = text(f"""
    SELECT {_LINE}
    FROM changes c
    JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    LEFT JOIN users u ON u.user_id = c.actor_id
    WHERE {scope_sql("r")} AND c.sheet_id = :sheet AND c.row_id = :row AND {_OF_COLUMNS}
      AND c.version < :before AND c.version >= coalesce((
          SELECT min(v.version) FROM (
              SELECT DISTINCT c.version FROM changes c
              WHERE c.sheet_id = :sheet AND c.row_id = :row AND {_OF_COLUMNS} AND c.version < :before
              ORDER BY c.version DESC LIMIT :limit) v), 0)
    ORDER BY c.version DESC, c.column_id
""")  # noqa: S608 - the gate of core.access.
_ROW_EXISTS = text(f"SELECT 1 FROM rows r WHERE {scope_sql('r')} AND r.row_id = :row")  # noqa: S608 - the gate of core.access.

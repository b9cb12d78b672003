"""Rows: pages of a view, for the grid by offset in an order and for programs by cursor."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Integer, Select, Text, and_, any_, func, literal, select
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base.errors import Invalid, NotFound
from core.base.exact_json import Value
from core.rows.as_of import over
from core.rows.cursor import Cursor, SortKeys
from core.rows.projection import projection
from core.rows.query import View, conditions, ordered, resolve, sort_keys, view_origin
from core.rows.row_order import Order, order_if_requested_again
from core.rows.row_source import ROWS, Origin
from db.tables.sheets import Row

MAX_PAGE = 1000
WireRow = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Rows as {"id": 7, "values": {"3": wire value}}, read at a version of the sheet."""

    version: int
    rows: list[WireRow]
    next_cursor: str | None = None


def first_rows(session: Session, access: Access, view: View, *, limit: int, offset: int = 0) -> Page:
    """Return the rows at an offset of a view without the whole order: quick for the first page."""
    rows = session.execute(_page(access, view, limit=checked_limit(limit), offset=offset))
    return Page(access.sheet.version, _wire_rows(access, rows))


def rows_in_order(session: Session, access: Access, order: Order, *, offset: int, limit: int) -> Page:
    """Return the rows at an offset of a cached order. A row deleted since is {"id": 7, "deleted": true}."""
    ids = order.ids[max(offset, 0) : max(offset, 0) + checked_limit(limit)].tolist()
    return Page(access.sheet.version, rows_by_id(session, access, ids))


def rows_by_id(
    session: Session, access: Access, ids: list[int], columns: Iterable[ColumnInfo] | None = None
) -> list[WireRow]:
    """Return these rows in the order of the ids, with some columns or all; a row that is gone is marked as deleted."""
    lines = session.execute(_of(access, ids, [], columns))
    rows = {row["id"]: row for row in _wire_rows(access, lines, columns)}
    return [rows.get(row_id) or {"id": row_id, "deleted": True} for row_id in ids]


def rows_after(session: Session, access: Access, view: View, *, cursor: str | None, limit: int) -> Page:
    """The next rows behind a cursor. Keyset: nothing is skipped or doubled when rows are added before it."""
    view = resolve(access, view)
    version, behind = access.sheet.version, Cursor.from_text(cursor, view) if cursor else None
    # A cursor's offset is valid for its own version of this sheet alone; for others its keys say where to continue.
    is_valid = behind is not None and behind.version == version and not access.related_sheets
    offset = 0 if behind is None else behind.offset if is_valid else None
    lines = None if offset is None else _rows_of_cached_order(session, access, view, offset, checked_limit(limit) + 1)
    if lines is None:
        lines = _sorted_rows(session, access, view, behind, checked_limit(limit) + 1)
    rows = _wire_rows(access, lines[:limit])
    if len(lines) <= limit:
        return Page(version, rows)
    last = lines[limit - 1]
    next_cursor = Cursor(last[0], tuple(last[2:]), version, None if offset is None else offset + limit)
    return Page(version, rows, next_cursor.as_text(view))


def stored_row(session: Session, access: Access, row_id: int) -> dict[str, Value]:
    """The visible stored values of one row. Raises NotFound."""
    projected = projection(access)
    statement = select(projected.sql()).where(access.row_gate.visible_rows(), Row.row_id == row_id)
    cells = session.scalar(over(access, statement, ids=[row_id]))
    if cells is None:
        raise NotFound(f"Row {row_id} does not exist. It may have been deleted.", row=row_id)
    return projected.stored(cells)


def row_count(session: Session, access: Access, view: View) -> int:
    """How many rows the view has."""
    origin = view_origin(access, view).joining()
    holds = conditions(access, view, origin)
    counted = select(func.count()).select_from(origin.selectable).where(holds)
    return session.scalar(over(access, counted)) or 0


def checked_limit(limit: int) -> int:
    """The limit, or Invalid where it is out of range."""
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page has 1 to {MAX_PAGE} rows; you asked for {limit}.")
    return limit


def _rows_of_cached_order(session: Session, access: Access, view: View, offset: int, count: int) -> list[Any] | None:
    """Id, values and sort keys, as text, of the rows at an offset; None where no order is cached for this version."""
    order = order_if_requested_again(session, access, view)
    ids = order.ids[offset : offset + count].tolist() if order else []
    by_id = {row[0]: row for row in session.execute(_of(access, ids, sort_keys(access, view)))} if ids else {}
    # If rows were deleted after this version was read, the order is not valid any more.
    return [by_id[row_id] for row_id in ids] if order and len(by_id) == len(ids) else None


def _sorted_rows(session: Session, access: Access, view: View, behind: Cursor | None, count: int) -> list[Any]:
    """Return id, values and sort keys, as text, of the rows behind a cursor, sorted by the database."""
    try:
        return list(session.execute(_page(access, view, limit=count, behind=behind)))
    except (DataError, UnicodeError) as error:
        raise Invalid("This cursor is damaged. Start again without one.") from error


def _page(access: Access, view: View, *, limit: int, offset: int = 0, behind: Cursor | None = None) -> Select[Any]:
    """The inner query sorts and cuts; only what is left is turned into text, which costs more than the sorting."""
    origin = view_origin(access, view).joining()
    keys = sort_keys(access, view, origin)
    inner = select(origin.row_id, *(key.label(f"key{n}") for n, (_, key) in enumerate(keys)))
    inner = inner.where(conditions(access, view, origin), *([behind.condition(keys, origin)] if behind else []))
    inner = inner.order_by(*ordered(view, [key for _, key in keys], origin.row_id)).limit(limit).offset(offset)
    inner = inner.select_from(origin.selectable)
    # Of the narrow rows only those that are left are looked up; from the rows their values come along.
    # Computed cells are read of the rows, too: their SQL is prepared for these.
    is_joined = origin.is_narrow or bool(access.computed_columns and not access.is_past)
    cut = (inner if is_joined else inner.add_columns(Row.values, Row.folded, Row.created_version)).subquery()
    cut_keys = [cut.c[f"key{n}"] for n, _ in enumerate(keys)]
    cells = projection(access).sql(ROWS if is_joined else Origin(cut))
    statement = select(cut.c.row_id, cells, *(key.cast(Text) for key in cut_keys)).select_from(cut)
    if is_joined:
        statement = statement.join(Row, and_(Row.row_id == cut.c.row_id, access.row_gate.visible_rows()))
    return over(access, statement.order_by(*ordered(view, cut_keys, cut.c.row_id)))


def _of(access: Access, ids: list[int], keys: SortKeys, columns: Iterable[ColumnInfo] | None = None) -> Select[Any]:
    # One array parameter, however many ids: the statement stays the same text, and below the limit of parameters.
    has_id = Row.row_id == any_(literal(ids, ARRAY(Integer)))
    statement = select(Row.row_id, projection(access, columns).sql()).where(access.row_gate.visible_rows(), has_id)
    return over(access, statement.add_columns(*(key.cast(Text) for _, key in keys)), ids=ids)


def _wire_rows(access: Access, lines: Iterable[Any], columns: Iterable[ColumnInfo] | None = None) -> list[WireRow]:
    """Rows with the cells that the access shows, from lines of an id and JSON text; numbers as decimal strings."""
    rows = [*lines]
    cells = projection(access, columns).wire_rows(line[1] for line in rows)
    return [{"id": line[0], "values": values} for line, values in zip(rows, cells, strict=True)]

"""Rows: pages of a view, for the grid by place in an order and for programs by cursor."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, func, literal, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from core.access import Access, visible_rows
from core.errors import Invalid
from core.order import Order
from core.query import Sort, View, conditions, ordering, sort_keys
from core.values import loads
from db.tables import Row

MAX_PAGE = 1000
WireRow = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Rows as {"id": 7, "values": {"3": wire value}}, read at a version of the sheet."""

    version: int
    rows: list[WireRow]
    next_cursor: str | None = None


def first_rows(session: Session, access: Access, view: View, *, limit: int, offset: int = 0) -> Page:
    """The rows at a place of a view without knowing the whole order: quick for the first page."""
    found = session.execute(_rows(access, view).limit(checked_limit(limit)).offset(offset))
    return Page(access.sheet.version, [_wire(access, row_id, values) for row_id, values in found])


def rows_in_order(session: Session, access: Access, order: Order, *, offset: int, limit: int) -> Page:
    """The rows at a place of a kept order. A row deleted since comes back as {"id": 7, "deleted": true}."""
    ids = order.ids[max(offset, 0) : max(offset, 0) + checked_limit(limit)].tolist()
    return Page(access.sheet.version, rows_by_id(session, access, ids))


def rows_by_id(session: Session, access: Access, ids: list[int]) -> list[WireRow]:
    """These rows, in the order of the ids; a row that is gone is said to be deleted."""
    found = session.execute(select(Row.row_id, Row.values.cast(Text)).where(visible_rows(access), Row.row_id.in_(ids)))
    rows = {row_id: _wire(access, row_id, values) for row_id, values in found}
    return [rows.get(row_id) or {"id": row_id, "deleted": True} for row_id in ids]


def rows_after(session: Session, access: Access, view: View, *, cursor: str | None, limit: int) -> Page:
    """The next rows behind a cursor. Keyset: nothing is skipped or doubled when rows are added before it."""
    keys = sort_keys(access, view)
    statement = _rows(access, view).add_columns(*(key.cast(Text) for _, key in keys)).limit(checked_limit(limit) + 1)
    if cursor:
        statement = statement.where(_behind(keys, *_opened(cursor, view)))
    found = session.execute(statement).all()
    rows = [_wire(access, row[0], row[1]) for row in found[:limit]]
    more = len(found) > limit
    return Page(access.sheet.version, rows, _cursor(view, found[limit - 1]) if more else None)


def row_count(session: Session, access: Access, view: View) -> int:
    """How many rows the view has."""
    return session.scalar(select(func.count()).select_from(Row).where(conditions(access, view))) or 0


def checked_limit(limit: int) -> int:
    """The limit, or Invalid where it is out of range."""
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page has 1 to {MAX_PAGE} rows; you asked for {limit}.")
    return limit


def _rows(access: Access, view: View) -> Select[Any]:
    return select(Row.row_id, Row.values.cast(Text)).where(conditions(access, view)).order_by(*ordering(access, view))


def _wire(access: Access, row_id: int, values: str) -> WireRow:
    """A row's visible cells; numbers as decimal strings."""
    visible = access.visible_keys
    return {"id": row_id, "values": {key: value for key, value in loads(values).items() if key in visible}}


def _cursor(view: View, last: Any) -> str:
    state = [view.fingerprint, last[0], *last[2:]]
    return base64.urlsafe_b64encode(json.dumps(state).encode()).decode()


def _opened(cursor: str, view: View) -> tuple[int, list[str | None]]:
    """The last row's id and sort keys as text."""
    try:
        fingerprint, row_id, *keys = json.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError, TypeError) as error:
        raise Invalid("This cursor is damaged. Start again without one.") from error
    if fingerprint != view.fingerprint or len(keys) != len(view.sort) or not isinstance(row_id, int):
        raise Invalid("This cursor belongs to another filter or sort. Start again without one.")
    return row_id, keys


def _behind(keys: list[tuple[Sort, ColumnElement[Any]]], row_id: int, last: list[str | None]) -> ColumnElement[bool]:
    """Rows that sort behind the last one: behind in the first key, or equal there and behind in the rest."""
    behind: ColumnElement[bool] = Row.row_id > row_id
    for (sort, key), text in reversed(list(zip(keys, last, strict=True))):
        if text is None:  # Empty cells come last: only other empty ones can follow.
            behind = and_(key.is_(None), behind)
            continue
        value = literal(text, Text).cast(Text if isinstance(key.type, NullType) else key.type)
        past = key < value if sort.descending else key > value
        behind = or_(past, key.is_(None), and_(key == value, behind))
    return behind

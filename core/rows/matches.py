"""Matches: which of some rows a view has. The grid asks for new rows, and for those that colour rules apply to."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, any_, literal, select
from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.errors import Invalid
from core.rows.as_of import over
from core.rows.query import View, conditions
from core.rows.row_source import ROWS

MAX_ROWS = 1000
MAX_VIEWS = 30


def matching_rows(session: Session, access: Access, row_ids: Sequence[int], views: Sequence[View]) -> list[list[int]]:
    """Return for each view the rows among these that it has, in one statement. Raises Invalid."""
    if len(row_ids) > MAX_ROWS or len(views) > MAX_VIEWS:
        raise Invalid(f"At most {MAX_ROWS} rows and {MAX_VIEWS} filters can be compared at once.")
    if not row_ids or not views:
        return [[] for _ in views]
    has_id = ROWS.row_id == any_(literal(list(row_ids), ARRAY(Integer)))
    columns: list[ColumnElement[Any]] = [ROWS.row_id, *(conditions(access, view, ROWS) for view in views)]
    statement = select(*columns).where(ROWS.visible(access), has_id).order_by(ROWS.row_id)
    lines = list(session.execute(over(access, statement, ids=row_ids)))
    return [[line[0] for line in lines if line[index]] for index in range(1, len(views) + 1)]

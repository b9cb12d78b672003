"""Related rows for people: those that a cell may name, by a part of their title, and those that name given rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Integer, any_, func, literal, select
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.access.related import title_column
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import Permission
from core.base.text import clean
from core.column_types import column_type
from core.computed.related import related_path
from core.rows.query import MAX_SEARCH
from core.rows.row_source import ROWS
from db.tables.sheets import Row

MAX_CANDIDATES = 50
MAX_ROWS = 10_000


@dataclass(frozen=True)
class Candidates:
    """Rows that a cell may name, with the sheet they are of. `new_title`: the column to fill to add another there."""

    sheet_id: int
    sheet_name: str
    rows: list[dict[str, str]]
    new_title: int | None


@dataclass(frozen=True)
class RelatedCount:
    """How many rows of another sheet are related to some rows by a column."""

    column: int
    sheet_name: str
    count: int


def related_candidates(session: Session, actor: Actor, sheet_id: int, column_id: int, *, search: str) -> Candidates:
    """Return the rows whose title contains a text, those that begin with it first. Raises Invalid."""
    access = _access(session, actor, sheet_id)
    column = access.column(column_id)
    if not column_type(column.type).names_rows:
        raise Invalid(f"“{column.name}” does not point to rows of another sheet.")
    target = access.related(column.rules["sheet"])
    if target is None:
        raise Invalid(f"The sheet that “{column.name}” points to is archived, or not shared with you. Ask its owner.")
    text = clean(search)[:MAX_SEARCH]
    title = title_column(target)
    ids = session.scalars(_candidates(target, title, text))
    titles = access.references.related(target.sheet.sheet_id).titles(map(str, ids))
    rows = [{"id": identity, "title": label} for identity, label in titles.items()]
    may_add = Permission.ROWS_ADD in target.permissions and title is not None and target.may_write(title)
    new_title = title.column_id if title and may_add else None
    return Candidates(target.sheet.sheet_id, target.sheet.name, rows, new_title)


def related_counts(session: Session, actor: Actor, sheet_id: int, rows: Sequence[int]) -> list[RelatedCount]:
    """Return how many rows, which this person sees, are related to these rows: per relation and mirror, if any."""
    access = _access(session, actor, sheet_id)
    if len(rows) > MAX_ROWS:
        raise Invalid(f"At most {MAX_ROWS:,} rows are looked at, and these are {len(rows):,}.")
    counts = []
    for column in access.columns:
        path = related_path(column, access, ROWS) if column_type(column.type).names_rows else None
        if path is not None:
            own = select(Row.row_id).where(
                access.row_gate.visible_rows(), Row.row_id == any_(literal([*rows], ARRAY(Integer)))
            )
            counted = path.select(func.count(path.other.distinct())).where(path.this.in_(own))
            counts.append(RelatedCount(column.column_id, path.target.sheet.name, session.scalar(counted) or 0))
    return [count for count in counts if count.count]


def _access(session: Session, actor: Actor, sheet_id: int) -> Access:
    """Return the access of a person: the visitor of a link sees no related rows. Raises NotFound and NotAllowed."""
    access = get_access(session, actor, sheet_id, Permission.ROWS_SEE)
    _ = access.actor
    return access


def _candidates(target: Access, title: ColumnInfo | None, text: str) -> Any:
    statement = select(Row.row_id).where(target.row_gate.visible_rows()).limit(MAX_CANDIDATES)
    if title is None:
        return statement.where(func.concat("Row ", Row.row_id).ilike(f"%{text}%")).order_by(Row.row_id)
    kind, cell = column_type(title.type), ROWS.cell(title, target)
    by_title = kind.sql(cell, title, target.references)
    if not text:
        return statement.order_by(by_title.nulls_last(), Row.row_id)
    starts = kind.contains(text, cell, title, target.references)
    if "starts_with" in kind.filters:
        begins = kind.condition("starts_with", text, cell, title, target.references)
        return statement.where(starts).order_by(begins.desc(), by_title, Row.row_id)
    return statement.where(starts).order_by(by_title, Row.row_id)

"""Parties of a pipeline: what each owner and each account has open, won and lost, and the views that open it."""

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.column_types import column_type
from core.pipeline.figure_cache import Bar, Party
from core.pipeline.pipeline import LOST, OPEN, WON, Pipeline
from core.rows.query import Condition, View, conditions

MOST_OWNERS = 40
MOST_ACCOUNTS = 10
MOST_LISTED = 500


def by_owner(session: Session, pipeline: Pipeline, view: View) -> list[Party]:
    """Per owner what is open (with its weighted amount), won and lost; the largest open amount first."""
    if pipeline.owner is None:
        return []
    return _parties(session, pipeline, view, pipeline.owner, together=False, most=MOST_OWNERS)


def top_accounts(session: Session, pipeline: Pipeline, view: View) -> list[Party]:
    """The ten accounts with the largest open and won amount together."""
    if pipeline.account is None:
        return []
    named = narrowed(view, Condition(pipeline.account.column_id, "is_not_empty"))
    found = _parties(session, pipeline, named, pipeline.account, together=True, most=MOST_ACCOUNTS)
    return [one for one in found if one.open.count or one.won.count]


def owner_names(session: Session, pipeline: Pipeline) -> dict[str, str]:
    """The owners to filter by: whoever may be one, or of a column of text what stands in it most often."""
    owner, access = pipeline.owner, pipeline.access
    if owner is None:
        return {}
    owner_type = column_type(owner.type)
    if owner_type.groups_by_id:
        return owner_type.labels(owner, access.references)
    value = group_key(pipeline, owner).label("value")
    statement = (
        select(value, func.min(pipeline.cell(owner).text))
        .select_from(pipeline.origin.table)
        .where(conditions(access, View(filter=(Condition(owner.column_id, "is_not_empty"),))))
        .group_by("value")
        .order_by(func.count().desc())
        .limit(MOST_LISTED)
    )
    return dict(sorted((key, written) for key, written in session.execute(statement)))


def is_owned_by(column: ColumnInfo, values: list[str]) -> list[Condition]:
    """The condition that an owner is one of these. A column of text takes one."""
    if column_type(column.type).groups_by_id:
        return [Condition(column.column_id, "is_any_of", values)] if values else []
    return [same_key(column, value) for value in values]


def narrowed(view: View, *more: Condition) -> View:
    """The view with further conditions."""
    return replace(view, filter=(*view.filter, *more))


def group_key(pipeline: Pipeline, column: ColumnInfo) -> ColumnElement[str]:
    """What deals are grouped by: ids as they are, text as it is folded."""
    cell = pipeline.cell(column)
    return cell.text if column_type(column.type).groups_by_id else cell.folded


def same_key(column: ColumnInfo, value: str | None) -> Condition:
    """The condition that a cell belongs to a group."""
    if value is None:
        return Condition(column.column_id, "is_empty")
    if column_type(column.type).groups_by_id:
        return Condition(column.column_id, "is_any_of", [value])
    return Condition(column.column_id, "is", value)


def shown_key(access: Access, column: ColumnInfo, value: str | None, written: str) -> str:
    """A group's name as a person reads it: of text as one of its rows writes it."""
    if value is None:
        return "Nobody"
    group_type = column_type(column.type)
    if not group_type.groups_by_id:
        return written
    label = group_type.labels(column, access.references).get(value)
    return label or group_type.text(value, column, access.references)


def _parties(
    session: Session, pipeline: Pipeline, view: View, column: ColumnInfo, *, together: bool, most: int
) -> list[Party]:
    """The largest by open and won amount together, or by the open one first."""
    pipeline = pipeline.reading(view, column)
    deals = pipeline.deals(view, value=group_key(pipeline, column), written=pipeline.cell(column).text)
    figures: dict[str, ColumnElement[Any]] = {
        f"{kind}_count": func.count().filter(deals.c.kind == kind) for kind in (OPEN, WON, LOST)
    }
    figures |= {
        f"{kind}_amount": func.coalesce(func.sum(deals.c.amount).filter(deals.c.kind == kind), 0)
        for kind in (OPEN, WON)
    }
    weighted = func.coalesce(func.sum(deals.c.weighted).filter(deals.c.kind == OPEN), 0).label("weighted")
    amounts = [figures["open_amount"], figures["won_amount"]]
    alive = figures["open_count"] + figures["won_count"]
    largest = [amounts[0] + amounts[1], alive] if together else amounts
    written = func.min(deals.c.written)
    statement = (
        select(deals.c.value, written.label("written"), weighted, *(one.label(name) for name, one in figures.items()))
        .group_by(deals.c.value)
        .order_by(*(size.desc() for size in largest), written)
        .limit(most)
    )
    return [_party(pipeline, view, column, found) for found in session.execute(statement)]


def _party(pipeline: Pipeline, view: View, column: ColumnInfo, found: Any) -> Party:
    label = shown_key(pipeline.access, column, found.value, found.written)
    mine = same_key(column, found.value)
    is_open, is_won = narrowed(view, *pipeline.is_open(), mine), narrowed(view, *pipeline.is_closed_as(WON), mine)
    return Party(
        label,
        Bar(label, found.open_count, found.open_amount, is_open, weighted=found.weighted),
        Bar(label, found.won_count, found.won_amount, is_won),
        found.lost_count,
    )

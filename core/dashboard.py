"""The pipeline's figures: each is one query over the rows that the reader may see, with the view that opens them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Integer, cast, func, literal, select
from sqlalchemy.orm import Session

from core.access import Access, ColumnInfo
from core.figures import Bar, ClosedPeriod, Figures, Headline, OwnerFigures, kept
from core.pipeline import LOST, OPEN, WON, Pipeline, get_pipeline
from core.query import Condition, View, cell, conditions
from db.tables import Row

AGES = ((0, 30), (31, 60), (61, 90), (91, 180), (181, None))
TOP = 10
Measure = tuple[Any, ...]  # Number of deals, amount, weighted amount.
NOTHING: Measure = (0, Decimal(0), Decimal(0))


def figures(session: Session, access: Access, view: View, *, today: date) -> Figures:
    """All figures of a view of a pipeline; kept while the sheet does not change."""
    key = (access.scope, view.fingerprint, access.sheet.version, today)
    found = kept.get(key)
    if found is None:
        pipeline = get_pipeline(access)
        top = headline(session, pipeline, view, today=today)
        found = Figures(
            version=access.sheet.version,
            total=top.open_count + top.won_count + top.lost_count,
            headline=top,
            stages=by_stage(session, pipeline, view),
            months=closed_by(session, pipeline, view, unit="month"),
            quarters=closed_by(session, pipeline, view, unit="quarter"),
            owners=by_owner(session, pipeline, view),
            ages=by_age(session, pipeline, view, today=today),
            accounts=top_accounts(session, pipeline, view),
        )
        kept.put(key, found)
    return found


def headline(session: Session, pipeline: Pipeline, view: View, *, today: date) -> Headline:
    """Open, won and lost; overdue: open with an expected close before today; cycle: close − created of won deals."""
    kind, amount = pipeline.kind_sql, func.coalesce(pipeline.amount_sql, 0)
    is_open, won = kind == OPEN, kind == WON
    cycle = func.percentile_cont(0.5).within_group(cast(pipeline.close_sql - pipeline.created_sql, Integer).asc())
    found = session.execute(
        select(
            func.count().filter(is_open).label("open_count"),
            func.coalesce(func.sum(amount).filter(is_open), 0).label("open_amount"),
            func.coalesce(func.sum(pipeline.weighted_sql).filter(is_open), 0).label("weighted"),
            func.count().filter(is_open, pipeline.close_sql < today).label("overdue"),
            func.count().filter(won).label("won_count"),
            func.coalesce(func.sum(amount).filter(won), 0).label("won_amount"),
            func.count().filter(kind == LOST).label("lost_count"),
            cycle.filter(won).label("median"),
        )
        .select_from(Row)
        .where(conditions(pipeline.access, view))
    ).one()
    median = found.median
    return Headline(
        open_count=found.open_count,
        open_amount=found.open_amount,
        weighted=found.weighted,
        overdue_count=found.overdue,
        won_count=found.won_count,
        won_amount=found.won_amount,
        lost_count=found.lost_count,
        median_cycle_days=None if median is None else Decimal(str(median)),
    )


def overdue_view(pipeline: Pipeline, view: View, *, today: date) -> View:
    """The open deals whose expected close has passed."""
    if pipeline.close_date is None:
        return view
    late = Condition(pipeline.close_date.column_id, "before", today.isoformat())
    return narrowed(view, *pipeline.is_open(), late)


def by_stage(session: Session, pipeline: Pipeline, view: View) -> list[Bar]:
    """Every stage in its order: deals, amount, weighted. Retired stages only where deals stand there."""
    found = _by_key(session, pipeline, view, pipeline.stage_sql)
    bars = []
    for option in pipeline.stages:
        count, amount, weighted = found.get(option.id, NOTHING)
        if count or not option.retired:
            opened = narrowed(view, Condition(pipeline.stage.column_id, "is_any_of", [option.id]))
            bars.append(Bar(option.label, count, amount, opened, option.color, weighted, option.kind or OPEN))
    if None in found:
        count, amount, weighted = found[None]
        opened = narrowed(view, Condition(pipeline.stage.column_id, "is_empty"))
        bars.append(Bar("No stage", count, amount, opened, "gray", weighted, OPEN))
    return bars


def closed_by(session: Session, pipeline: Pipeline, view: View, *, unit: str) -> list[ClosedPeriod]:
    """Won and lost deals by month or quarter of their close date; deals without one are in no period."""
    if pipeline.close_date is None:
        return []
    start = func.date_trunc(unit, pipeline.close_sql)
    dated = narrowed(view, *_is_closed(pipeline), Condition(pipeline.close_date.column_id, "is_not_empty"))
    periods: dict[date, dict[str, Measure]] = {}
    for begins, kind, *measure in _measured(session, pipeline, dated, start, pipeline.kind_sql):
        periods.setdefault(begins.date(), {})[kind] = tuple(measure)
    return [_period(pipeline, view, begins, unit, closed) for begins, closed in periods.items()]


def _period(pipeline: Pipeline, view: View, start: date, unit: str, closed: dict[str, Measure]) -> ClosedPeriod:
    months = 3 if unit == "quarter" else 1
    end = date(start.year + (start.month - 1 + months) // 12, (start.month - 1 + months) % 12 + 1, 1)
    label = f"{start.year} Q{(start.month + 2) // 3}" if unit == "quarter" else f"{start:%b %Y}"
    column_id = pipeline.close_date.column_id if pipeline.close_date else 0
    within = Condition(column_id, "between", [start.isoformat(), (end - timedelta(days=1)).isoformat()])

    def bar(kind: str) -> Bar:
        count, amount, _ = closed.get(kind, NOTHING)
        return Bar(label, count, amount, narrowed(view, *pipeline.is_closed_as(kind), within))

    return ClosedPeriod(start, label, bar(WON), bar(LOST))


def by_owner(session: Session, pipeline: Pipeline, view: View) -> list[OwnerFigures]:
    """Per owner what is open (with its weighted amount), won and lost; the largest open amount first."""
    if pipeline.owner is None:
        return []
    owner, labels = pipeline.owner, dict[str | None, str]()
    found: dict[str | None, dict[str, Measure]] = {}
    keys = group_key(owner), pipeline.kind_sql
    for value, kind, written, *measure in _measured(session, pipeline, view, *keys, written=cell(owner).text):
        labels[value] = shown_key(pipeline.access, owner, value, written)
        found.setdefault(value, {})[kind] = tuple(measure)
    made = [_owner(pipeline, view, labels[value], same_key(owner, value), kinds) for value, kinds in found.items()]
    return sorted(made, key=lambda one: (-one.open.amount, -one.won.amount, one.label))


def _owner(pipeline: Pipeline, view: View, label: str, mine: Condition, kinds: dict[str, Measure]) -> OwnerFigures:
    count, amount, weighted = kinds.get(OPEN, NOTHING)
    won_count, won_amount, _ = kinds.get(WON, NOTHING)
    return OwnerFigures(
        label,
        Bar(label, count, amount, narrowed(view, *pipeline.is_open(), mine), weighted=weighted),
        Bar(label, won_count, won_amount, narrowed(view, *pipeline.is_closed_as(WON), mine)),
        kinds.get(LOST, NOTHING)[0],
    )


def by_age(session: Session, pipeline: Pipeline, view: View, *, today: date) -> list[Bar]:
    """Open deals by days since they were created; none where no column holds that."""
    if pipeline.created is None:
        return []
    days = cast(literal(today) - pipeline.created_sql, Integer)
    bucket = func.width_bucket(days, [low for low, _ in AGES])
    found = _by_key(session, pipeline, narrowed(view, *pipeline.is_open()), bucket)
    bars = []
    for number, (low, high) in enumerate(AGES, start=1):
        count, amount, weighted = found.get(number, NOTHING)
        newest = (today - timedelta(days=low)).isoformat()
        when = (
            Condition(pipeline.created.column_id, "on_or_before", newest)
            if high is None
            else Condition(pipeline.created.column_id, "between", [(today - timedelta(days=high)).isoformat(), newest])
        )
        label = f"over {low - 1} days" if high is None else f"{low}–{high} days"
        bars.append(Bar(label, count, amount, narrowed(view, *pipeline.is_open(), when), weighted=weighted))
    return bars


def top_accounts(session: Session, pipeline: Pipeline, view: View) -> list[Bar]:
    """The ten accounts with the largest open and won amount together."""
    if pipeline.account is None:
        return []
    account = pipeline.account
    alive = narrowed(view, *_not_lost(pipeline), Condition(account.column_id, "is_not_empty"))
    found = _measured(session, pipeline, alive, group_key(account), written=cell(account).text)
    largest = sorted(found, key=lambda line: (-line[3], -line[2], line[0]))[:TOP]
    return [
        Bar(
            shown_key(pipeline.access, account, value, written),
            count,
            amount,
            narrowed(alive, same_key(account, value)),
        )
        for value, written, count, amount, _ in largest
    ]


def narrowed(view: View, *more: Condition) -> View:
    """The view with further conditions."""
    return replace(view, filter=(*view.filter, *more))


def group_key(column: ColumnInfo) -> ColumnElement[str]:
    """What deals are grouped by: ids as they are, text without regard to case."""
    return cell(column).text if column.type in ("person", "choice") else func.lower(cell(column).text)


def same_key(column: ColumnInfo, value: str | None) -> Condition:
    """The condition that a cell belongs to a group."""
    if value is None:
        return Condition(column.column_id, "is_empty")
    if column.type in ("person", "choice"):
        return Condition(column.column_id, "is_any_of", [value])
    return Condition(column.column_id, "is", value)


def shown_key(access: Access, column: ColumnInfo, value: str | None, written: str) -> str:
    """A group's name as a person reads it: of text as one of its rows writes it."""
    if value is None:
        return "Nobody" if column.type == "person" else "Empty"
    if column.type == "person":
        return access.people.get(value, f"Person {value}")
    if column.type == "choice":
        return next((option.label for option in column.options if option.id == value), value)
    return written


def _is_closed(pipeline: Pipeline) -> list[Condition]:
    return [Condition(pipeline.stage.column_id, "is_any_of", [*pipeline.stage_ids(WON), *pipeline.stage_ids(LOST)])]


def _not_lost(pipeline: Pipeline) -> list[Condition]:
    lost = pipeline.stage_ids(LOST)
    return [Condition(pipeline.stage.column_id, "is_none_of", lost)] if lost else []


def _measured(
    session: Session,
    pipeline: Pipeline,
    view: View,
    *keys: ColumnElement[Any],
    written: ColumnElement[str] | None = None,
) -> Sequence[Any]:
    """Lines of keys, how the group is written (where asked), number of deals, amount and weighted amount."""
    names = [f"key_{place}" for place, _ in enumerate(keys)]
    shown = [] if written is None else [func.min(written)]
    statement = (
        select(*(key.label(name) for key, name in zip(keys, names, strict=True)), *shown, *_measures(pipeline))
        .select_from(Row)
        .where(conditions(pipeline.access, view))
        .group_by(*names)  # By name: an expression with parameters would not be recognised as the selected one.
        .order_by(names[0])
    )
    return session.execute(statement).all()


def _by_key(session: Session, pipeline: Pipeline, view: View, key: ColumnElement[Any]) -> dict[Any, Measure]:
    return {value: tuple(measure) for value, *measure in _measured(session, pipeline, view, key)}


def _measures(pipeline: Pipeline) -> list[ColumnElement[Any]]:
    return [
        func.count(),
        func.coalesce(func.sum(pipeline.amount_sql), 0),
        func.coalesce(func.sum(pipeline.weighted_sql), 0),
    ]

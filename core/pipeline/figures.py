"""The pipeline's figures: each is one query over the rows that the reader may see, with the view that opens them."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, case, cast, func, literal, select
from sqlalchemy.orm import Session

from core.access.access import Access
from core.base import periods
from core.pipeline.breakdowns import by_owner, narrowed, top_accounts
from core.pipeline.figure_cache import Bar, ClosedPeriod, Figures, Headline, kept
from core.pipeline.pipeline import LOST, OPEN, WON, Pipeline, get_pipeline
from core.rows.query import Condition, View, conditions

AGES = ((0, 30), (31, 60), (61, 90), (91, 180), (181, None))
Measure = tuple[Any, ...]  # Number of deals, amount, weighted amount.
NOTHING: Measure = (0, Decimal(0), Decimal(0))


def figures(session: Session, access: Access, view: View, *, today: date) -> Figures:
    """All figures of a view of a pipeline; kept while the sheet does not change."""
    parts = tuple(sorted(access.sheet.pipeline.items()))
    key = (access.scope, view.fingerprint, access.sheet.version, parts, today)
    found = kept.get(key)
    if found is None:
        pipeline = get_pipeline(access)
        top = headline(session, pipeline, view, today=today)
        found = Figures(
            version=access.sheet.version,
            total=top.open_count + top.won_count + top.lost_count,
            headline=top,
            stages=by_stage(session, pipeline, view),
            months=closed_by(session, pipeline, view, unit="month", today=today),
            quarters=closed_by(session, pipeline, view, unit="quarter", today=today),
            owners=by_owner(session, pipeline, view),
            ages=by_age(session, pipeline, view, today=today),
            accounts=top_accounts(session, pipeline, view),
        )
        kept.put(key, found)
    return found


def headline(session: Session, pipeline: Pipeline, view: View, *, today: date) -> Headline:
    """Open, won and lost; overdue: open with an expected close before today; cycle: close − created of won deals."""
    pipeline = pipeline.reading(view)
    deals = pipeline.deals(view, created=pipeline.created_sql)
    kind, amount, close = deals.c.kind, deals.c.amount, deals.c.close
    is_open, won = kind == OPEN, kind == WON
    won_now = won & close.between(*periods.named_period("This quarter", today))
    cycle = func.percentile_cont(0.5).within_group(cast(close - deals.c.created, Integer).asc())
    counting = session.execute(
        select(
            func.count().filter(is_open).label("open_count"),
            func.coalesce(func.sum(amount).filter(is_open), 0).label("open_amount"),
            func.count(amount).filter(is_open).label("open_valued"),
            func.coalesce(func.sum(deals.c.weighted).filter(is_open), 0).label("weighted"),
            func.count().filter(is_open, close < today).label("overdue_count"),
            func.count().filter(won).label("won_count"),
            func.coalesce(func.sum(amount).filter(won), 0).label("won_amount"),
            func.count(amount).filter(won).label("won_valued"),
            func.count().filter(won_now).label("won_now_count"),
            func.coalesce(func.sum(amount).filter(won_now), 0).label("won_now_amount"),
            func.count(amount).filter(won_now).label("won_now_valued"),
            func.count(amount).label("valued_count"),
            func.count().filter(kind == LOST).label("lost_count"),
            cycle.filter(won).label("median"),
        ).select_from(deals)
    )
    found = counting.mappings().one()
    median = None if found["median"] is None else Decimal(str(found["median"]))
    counted = {name: figure for name, figure in found.items() if name != "median"}
    return Headline(**counted, median_cycle_days=median)


def overdue_view(pipeline: Pipeline, view: View, *, today: date) -> View:
    """The open deals whose expected close has passed."""
    if pipeline.close_date is None:
        return view
    late = Condition(pipeline.close_date.column_id, "before", today.isoformat())
    return narrowed(view, *pipeline.is_open(), late)


def by_stage(session: Session, pipeline: Pipeline, view: View) -> list[Bar]:
    """Every stage in its order: deals, amount, weighted. Retired stages only where deals stand there."""
    pipeline = pipeline.reading(view)
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


def closed_by(session: Session, pipeline: Pipeline, view: View, *, unit: str, today: date) -> list[ClosedPeriod]:
    """Won and lost deals by month or quarter of their close date, without gaps; see periods.period_starts for which."""
    if pipeline.close_date is None:
        return []
    closes, pipeline = pipeline.close_date.column_id, pipeline.reading(view)
    start = cast(func.date_trunc(unit, pipeline.close_sql), Date)
    dated = narrowed(view, *_is_closed(pipeline), Condition(closes, "is_not_empty"))
    found: dict[date, dict[str, Measure]] = {}
    for begins, kind, *measure in _measured(session, pipeline, dated, start, pipeline.kind_sql):
        found.setdefault(begins, {})[kind] = tuple(measure)
    made = []
    for begins in periods.period_starts(found, unit, today):
        first, last = periods.period_of(begins, unit)
        within = Condition(closes, "between", [first.isoformat(), last.isoformat()])
        label = periods.period_label(begins, unit)
        made.append(_period(pipeline, narrowed(view, within), begins, label, found.get(begins, {})))
    return made


def _period(pipeline: Pipeline, view: View, start: date, label: str, measures: dict[str, Measure]) -> ClosedPeriod:
    def bar(*kinds: str) -> Bar:
        count, amount, _ = (sum(part) for part in zip(*(measures.get(kind, NOTHING) for kind in kinds), strict=True))
        stages = [stage for kind in kinds for stage in pipeline.stage_ids(kind)]
        return Bar(label, count, amount, narrowed(view, Condition(pipeline.stage.column_id, "is_any_of", stages)))

    return ClosedPeriod(start, label, bar(WON), bar(LOST), bar(WON, LOST))


def by_age(session: Session, pipeline: Pipeline, view: View, *, today: date) -> list[Bar]:
    """Open deals by days since they began. Those without that date stand apart: every open deal is in one bar."""
    pipeline = pipeline.reading(view, pipeline.begun)
    is_open, began = narrowed(view, *pipeline.is_open()), pipeline.begun
    days = func.greatest(cast(literal(today) - cast(pipeline.cell(began).text, Date), Integer), 0)
    bucket = func.width_bucket(days, [low for low, _ in AGES])
    found = _by_key(session, pipeline, is_open, case((pipeline.cell(began).text.is_not(None), bucket)))
    bars = [
        _aged(narrowed(is_open, _began(began.column_id, low, high, today)), _age(low, high), found.get(number, NOTHING))
        for number, (low, high) in enumerate(AGES, start=1)
    ]
    if None in found:
        undated = narrowed(is_open, Condition(began.column_id, "is_empty"))
        bars.append(_aged(undated, "No date", found[None]))
    return bars


def _began(column: int, low: int, high: int | None, today: date) -> Condition:
    """That a deal is between so many days old; one that begins in the future is new."""
    newest = (today - timedelta(days=low)).isoformat()
    if high is None:
        return Condition(column, "on_or_before", newest)
    oldest = (today - timedelta(days=high)).isoformat()
    return Condition(column, "between", [oldest, newest]) if low else Condition(column, "on_or_after", oldest)


def _age(low: int, high: int | None) -> str:
    return f"{low}–{high} days" if high else f"over {low - 1} days"


def _aged(view: View, label: str, measure: Measure) -> Bar:
    count, amount, weighted = measure
    return Bar(label, count, amount, view, weighted=weighted)


def _is_closed(pipeline: Pipeline) -> list[Condition]:
    return [Condition(pipeline.stage.column_id, "is_any_of", [*pipeline.stage_ids(WON), *pipeline.stage_ids(LOST)])]


def _measured(session: Session, pipeline: Pipeline, view: View, *keys: ColumnElement[Any]) -> Sequence[Any]:
    """Lines of keys, number of deals, amount and weighted amount."""
    names = [f"key_{place}" for place, _ in enumerate(keys)]
    statement = (
        select(
            *(key.label(name) for key, name in zip(keys, names, strict=True)),
            func.count(),
            func.coalesce(func.sum(pipeline.amount_sql), 0),
            func.coalesce(func.sum(pipeline.weighted_sql), 0),
        )
        .select_from(pipeline.origin.table)
        .where(conditions(pipeline.access, view, pipeline.origin))
        .group_by(*names)  # By name: an expression with parameters would not be recognised as the selected one.
    )
    return session.execute(statement).all()


def _by_key(session: Session, pipeline: Pipeline, view: View, key: ColumnElement[Any]) -> dict[Any, Measure]:
    return {value: tuple(measure) for value, *measure in _measured(session, pipeline, view, key)}

"""Breakdowns of a pipeline by stage, period, age, owner and account: each bar with the view that opens its deals."""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base import periods
from core.column_types import column_type
from core.pipeline.deals import AGES, Deals, Group, Measure
from core.pipeline.figure_types import ZERO, Bar, Breakdown, ClosedPeriod
from core.pipeline.pipeline import LOST, OPEN, WON, Pipeline
from core.rows.filter_tree import Condition
from core.rows.query import View, conditions, view_origin

MAX_OWNERS = 40
MAX_ACCOUNTS = 10
MAX_OWNER_NAMES = 500


def by_stage(deals: Deals) -> list[Bar]:
    """Return every stage in its order: deals, amount, weighted. Retired stages only where they have deals."""
    pipeline, column_id = deals.pipeline, deals.pipeline.stage.column_id
    bars = []
    for option in pipeline.stages:
        measures = [measure for measure in deals.measures if measure.stage == option.id]
        if measures or not option.retired:
            view = deals.view.where(Condition(column_id, "is_any_of", [option.id]))
            bars.append(_bar(option.label, measures, view, color=option.color, kind=option.kind or OPEN))
    if without_stage := [measure for measure in deals.measures if measure.stage is None]:
        view = deals.view.where(Condition(column_id, "is_empty"))
        bars.append(_bar("No stage", without_stage, view, color="gray", kind=OPEN))
    return bars


def closed_by(deals: Deals, *, unit: str) -> list[ClosedPeriod]:
    """Return won and lost deals by month or quarter of closing, without gaps; periods.period_starts says which."""
    pipeline = deals.pipeline
    if pipeline.close_date is None:
        return []
    year_starts = deals.year_starts
    by_start: dict[date, list[Measure]] = {}
    for measure in [*deals.of_kind(WON), *deals.of_kind(LOST)]:
        if measure.month is not None:
            by_start.setdefault(periods.period_of(measure.month, unit, year_starts=year_starts)[0], []).append(measure)
    closed_periods = []
    for start in periods.period_starts(by_start, unit, deals.today, year_starts=year_starts):
        days = [day.isoformat() for day in periods.period_of(start, unit, year_starts=year_starts)]
        view = deals.view.where(Condition(pipeline.close_date.column_id, "between", days))
        label = periods.period_label(start, unit, year_starts=year_starts)
        closed_periods.append(_closed_period(pipeline, view, start, label, by_start.get(start, [])))
    return closed_periods


def by_age(deals: Deals) -> list[Bar]:
    """Return open deals by days since they began. Deals without that date have a bar of their own."""
    began = deals.pipeline.begun.column_id
    is_open = deals.view.where(*deals.pipeline.is_open())
    measures = deals.open_measures_by_age
    bars = [
        _bar(
            _age_label(low, high),
            [measure for measure in measures if measure.age == number],
            is_open.where(_began(began, low, high, deals.today)),
        )
        for number, (low, high) in enumerate(AGES, start=1)
    ]
    if undated := [measure for measure in measures if measure.age is None]:
        bars.append(_bar("No date", undated, is_open.where(Condition(began, "is_empty"))))
    return bars


def by_owner(deals: Deals) -> list[Breakdown]:
    """Return per owner the open (with its weighted amount), won and lost deals; the largest open amount first."""
    owner = deals.pipeline.owner
    if owner is None:
        return []
    groups = deals.groups(owner, by_open_and_won=False, filled_only=False, limit=MAX_OWNERS)
    return [_breakdown(deals.pipeline, deals.view, owner, group) for group in groups]


def top_accounts(deals: Deals) -> list[Breakdown]:
    """Return the accounts with the largest open and won amount together."""
    account = deals.pipeline.account
    if account is None:
        return []
    view = deals.view.where(Condition(account.column_id, "is_not_empty"))
    groups = deals.groups(account, by_open_and_won=True, filled_only=True, limit=MAX_ACCOUNTS)
    live = [group for group in groups if group.open_count or group.won_count]
    return [_breakdown(deals.pipeline, view, account, group) for group in live]


def owner_names(session: Session, pipeline: Pipeline) -> dict[str, str]:
    """Return the owners to filter by: the possible ones, or of a column of text the most frequent texts."""
    owner, access = pipeline.owner, pipeline.access
    if owner is None:
        return {}
    owner_type = column_type(owner.type)
    if owner_type.groups_by_id:
        return owner_type.labels(owner, access.references)
    filled = View().where(Condition(owner.column_id, "is_not_empty"))
    source = view_origin(access, filled)
    cell = source.cell(owner, access)
    statement = (
        select(cell.folded.label("value"), func.min(cell.text))
        .select_from(source.table)
        .where(conditions(access, filled, source))
        .group_by("value")
        .order_by(func.count().desc())
        .limit(MAX_OWNER_NAMES)
    )
    return dict(sorted((key, written) for key, written in session.execute(statement)))


def is_owned_by(column: ColumnInfo, values: list[str]) -> list[Condition]:
    """Return the condition that an owner is one of these. A column of text takes one value."""
    if column_type(column.type).groups_by_id:
        return [Condition(column.column_id, "is_any_of", values)] if values else []
    return [_is_in_group(column, value) for value in values]


def _is_in_group(column: ColumnInfo, value: str | None) -> Condition:
    if value is None:
        return Condition(column.column_id, "is_empty")
    if column_type(column.type).groups_by_id:
        return Condition(column.column_id, "is_any_of", [value])
    return Condition(column.column_id, "is", value)


def _group_label(access: Access, column: ColumnInfo, group: Group) -> str:
    """A group's name as a person reads it: of text as one of its rows writes it."""
    if group.value is None:
        return "Nobody"
    group_type = column_type(column.type)
    if not group_type.groups_by_id:
        return group.text
    label = group_type.labels(column, access.references).get(group.value)
    return label or group_type.text(group.value, column, access.references)


def _breakdown(pipeline: Pipeline, view: View, column: ColumnInfo, group: Group) -> Breakdown:
    label = _group_label(pipeline.access, column, group)
    is_in_group = _is_in_group(column, group.value)
    open_view, won_view = view.where(*pipeline.is_open(), is_in_group), view.where(*pipeline.is_won(), is_in_group)
    return Breakdown(
        label,
        Bar(label, group.open_count, group.open_amount, open_view, weighted=group.weighted),
        Bar(label, group.won_count, group.won_amount, won_view),
        group.lost_count,
    )


def _closed_period(
    pipeline: Pipeline, view: View, start: date, label: str, measures: Iterable[Measure]
) -> ClosedPeriod:
    by_kind: dict[str, list[Measure]] = {WON: [], LOST: []}
    for measure in measures:
        by_kind[pipeline.kind_of(measure.stage)].append(measure)

    def bar(*kinds: str) -> Bar:
        stages = [stage for kind in kinds for stage in pipeline.stage_ids(kind)]
        opened = view.where(Condition(pipeline.stage.column_id, "is_any_of", stages))
        return _bar(label, [measure for kind in kinds for measure in by_kind[kind]], opened, with_weighted=False)

    return ClosedPeriod(start, label, bar(WON), bar(LOST), bar(WON, LOST))


def _bar(
    label: str, measures: Iterable[Measure], view: View, *, color: str = "", kind: str = "", with_weighted: bool = True
) -> Bar:
    measures = list(measures)
    return Bar(
        label,
        sum(measure.count for measure in measures),
        sum((measure.amount for measure in measures), ZERO),
        view,
        color,
        sum((measure.weighted for measure in measures), ZERO) if with_weighted else ZERO,
        kind,
    )


def _began(column: int, low: int, high: int | None, today: date) -> Condition:
    """The condition that a deal is between so many days old; one that starts in the future is new."""
    newest = (today - timedelta(days=low)).isoformat()
    if high is None:
        return Condition(column, "on_or_before", newest)
    oldest = (today - timedelta(days=high)).isoformat()
    return Condition(column, "between", [oldest, newest]) if low else Condition(column, "on_or_after", oldest)


def _age_label(low: int, high: int | None) -> str:
    return f"{low}–{high} days" if high else f"over {low - 1} days"

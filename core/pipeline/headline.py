"""The headline figures of a pipeline: open, won and lost deals, what is overdue, and how long a won deal took."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from core.base import periods
from core.pipeline.deals import Deals, Measure
from core.pipeline.figure_types import ZERO, Headline
from core.pipeline.pipeline import LOST, OPEN, WON, Pipeline
from core.rows.filter_tree import Condition
from core.rows.query import View


def headline(deals: Deals) -> Headline:
    """Return the headline. Overdue: open with an expected close before today; cycle: close − created of won deals."""
    by_kind = {kind: deals.of_kind(kind) for kind in (OPEN, WON, LOST)}
    first, last = periods.named_period("This quarter", deals.today, year_starts=deals.year_starts)
    won_now = [measure for measure in by_kind[WON] if measure.month and first <= measure.month <= last]
    return Headline(
        open_count=_count(by_kind[OPEN]),
        open_amount=_amount(by_kind[OPEN]),
        open_valued=_valued(by_kind[OPEN]),
        weighted=sum((measure.weighted for measure in by_kind[OPEN]), ZERO),
        overdue_count=sum(measure.overdue for measure in by_kind[OPEN]),
        won_count=_count(by_kind[WON]),
        won_amount=_amount(by_kind[WON]),
        won_valued=_valued(by_kind[WON]),
        won_now_count=_count(won_now),
        won_now_amount=_amount(won_now),
        won_now_valued=_valued(won_now),
        valued_count=_valued(deals.measures),
        lost_count=_count(by_kind[LOST]),
        median_cycle_days=deals.median_cycle_days(),
    )


def overdue_view(pipeline: Pipeline, view: View, *, today: date) -> View:
    """Return the view of the open deals whose expected close has passed."""
    if pipeline.close_date is None:
        return view
    late = Condition(pipeline.close_date.column_id, "before", today.isoformat())
    return view.where(*pipeline.is_open(), late)


def _count(measures: Iterable[Measure]) -> int:
    return sum(measure.count for measure in measures)


def _valued(measures: Iterable[Measure]) -> int:
    return sum(measure.valued for measure in measures)


def _amount(measures: Iterable[Measure]) -> Decimal:
    return sum((measure.amount for measure in measures), ZERO)

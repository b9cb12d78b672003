"""The dashboard's charts as plain dicts in plotly's schema. Each bar carries the view that opens its rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from core.pipeline.figure_types import Bar, Breakdown, ClosedPeriod
from pages.components.dashboard.chart_style import (  # fmt: skip
    HEIGHT,
    LOST,
    OPEN,
    RATE,
    WON,
    Chart,
    escaped,
    faded,
    option_color,
    short_label,
    styled,
    tick_values,
)
from pages.components.dashboard.money_format import MoneyFormat, percent

ROW_HEIGHT = 34
MAX_PERIOD_LABELS = {True: 12, False: 24}  # If there are more quarters, or months, only the years have labels.
MIN_PERIODS = 6  # The time axis has room for at least this many periods, so that the bars of a few stay narrow.


def stages(bars: Sequence[Bar], money_format: MoneyFormat, *, by_count: bool) -> Chart:
    """Return the open pipeline by stage: the amount and, inside it, the weighted amount; or the number of deals."""
    chart, colors = _HorizontalBars(money_format, by_count), [option_color(bar.color) for bar in bars]
    if by_count:
        chart.add("Deals", bars, colors, text=bars)
    else:
        chart.add("Amount", bars, [faded(color) for color in colors], text=bars)
        chart.add("Weighted", bars, colors, sizes=_floats(bars, "weighted"), width=0.34)
    return chart.as_chart([bar.label for bar in bars])


def owners(breakdowns: Sequence[Breakdown], money_format: MoneyFormat, *, by_count: bool) -> Chart:
    """Return the won and open deals of each owner, with the weighted amount, and the win rate below the name."""
    chart = _HorizontalBars(money_format, by_count)
    won_bars, open_bars = [owner.won for owner in breakdowns], [owner.open for owner in breakdowns]
    chart.add("Won", won_bars, WON, text=won_bars, width=0.36, offset=-0.2)
    chart.add("Open", open_bars, OPEN if by_count else faded(OPEN), text=open_bars, width=0.36, offset=0.2)
    if not by_count:
        chart.add("Weighted", open_bars, OPEN, sizes=_floats(open_bars, "weighted"), width=0.16, offset=0.2)
    notes = [f"{percent(owner.win_rate)} won" if owner.win_rate is not None else "" for owner in breakdowns]
    return chart.as_chart([owner.label for owner in breakdowns], notes=notes, rows=1.6 * len(breakdowns))


def accounts(breakdowns: Sequence[Breakdown], money_format: MoneyFormat, *, by_count: bool) -> Chart:
    """Return the won and open deals of each account as one stacked bar; its text is their total."""
    chart = _HorizontalBars(money_format, by_count)
    won_bars, open_bars = [account.won for account in breakdowns], [account.open for account in breakdowns]
    totals = [
        replace(won, count=won.count + still_open.count, amount=won.amount + still_open.amount)
        for won, still_open in zip(won_bars, open_bars, strict=True)
    ]
    chart.add("Won", won_bars, WON)
    chart.add("Open", open_bars, OPEN, text=totals, base=chart.sizes(won_bars))
    return chart.as_chart([account.label for account in breakdowns], rows=0.9 * len(breakdowns))


def ages(bars: Sequence[Bar], money_format: MoneyFormat, *, by_count: bool) -> Chart:
    """Return the open deals by age."""
    chart = _HorizontalBars(money_format, by_count)
    chart.add("Open", bars, OPEN, text=bars)
    return chart.as_chart([bar.label for bar in bars])


def closed(periods: Sequence[ClosedPeriod], money_format: MoneyFormat, *, by_count: bool) -> Chart:
    """Return the won deals above and the lost deals below the zero line, by period."""
    traces: list[dict[str, Any]] = []
    highest = 0.0
    for name, color, sign, bars in (
        ("Won", WON, 1, [period.won for period in periods]),
        ("Lost", LOST, -1, [period.lost for period in periods]),
    ):
        heights = [float(bar.count) for bar in bars] if by_count else _floats(bars, "amount")
        highest = max(highest, *heights)
        hover = [f"{name} {_hover_text(bar, money_format)}" for bar in bars]
        traces.append(
            {
                "type": "bar",
                "x": [*range(len(bars))],
                "y": [sign * height for height in heights],
                "name": name,
                "marker": {"color": color},
                "customdata": _views(bars),
                "hovertext": hover,
                "hoverinfo": "text",
            }
        )
    values = tick_values(highest)
    ticks = [*(-value for value in reversed(values)), 0.0, *values]
    labels = [_tick_label(abs(tick), money_format, by_count=by_count) for tick in ticks]
    axis = {"tickvals": ticks, "ticktext": labels, "zeroline": True}
    return _over_time(traces, periods, yaxis=axis, barmode="relative", bargap=0.25)


def win_rate(periods: Sequence[ClosedPeriod], overall: Decimal | None, money_format: MoneyFormat) -> Chart:
    """Return the win rate per period, and the overall win rate dotted. A period without closed deals is a gap."""
    line = {
        "type": "scatter",
        "x": [*range(len(periods))],
        "y": [None if period.win_rate is None else float(period.win_rate) for period in periods],
        "mode": "lines+markers",
        "line": {"width": 2, "color": RATE},
        "marker": {"size": 8, "color": RATE},
        "customdata": _views([period.closed for period in periods]),
        "hovertext": [f"{escaped(period.label)}: {_rate_text(period, money_format)}" for period in periods],
        "hoverinfo": "text",
        "name": "Win rate",
    }
    axis = {"tickformat": ".0%", "rangemode": "tozero"}
    return _over_time([line], periods, yaxis=axis, shapes=[] if overall is None else [_dotted_line(float(overall))])


@dataclass
class _HorizontalBars:
    """A chart of horizontal bars from top to bottom; lengths and texts are amounts or numbers of deals.

    Bars are placed by number, not by name: two groups may have the same name, or one that looks like a date.
    """

    money_format: MoneyFormat
    by_count: bool
    traces: list[dict[str, Any]] = field(default_factory=list)
    max_length: float = 0

    def add(
        self,
        name: str,
        bars: Sequence[Bar],
        color: str | list[str],
        *,
        text: Sequence[Bar] | None = None,
        sizes: list[float] | None = None,
        base: list[float] | None = None,
        width: float = 0.62,
        offset: float = 0,
    ) -> None:
        """Add one trace. `text`: the bars whose figures are written beside them, `base`: where the bars start."""
        sizes = sizes or self.sizes(bars)
        self.max_length = max([self.max_length, *map(sum, zip(sizes, base or [0.0] * len(sizes), strict=True))])
        self.traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": [number + offset for number in range(len(bars))],
                "x": sizes,
                "base": base,
                "width": width,
                "marker": {"color": color},
                "text": None if text is None else [self._text(bar) for bar in text],
                "textposition": "none" if text is None else "outside",
                "cliponaxis": False,
                "customdata": _views(bars),
                "hovertext": [f"{name}: {_hover_text(bar, self.money_format)}" for bar in bars],
                "hoverinfo": "text",
            }
        )

    def sizes(self, bars: Sequence[Bar]) -> list[float]:
        return [float(bar.count) for bar in bars] if self.by_count else _floats(bars, "amount")

    def as_chart(self, labels: Sequence[str], *, notes: Sequence[str] = (), rows: float | None = None) -> Chart:
        """Return the chart with its labels and a note below each. `rows`: its height in rows, one per label if None."""
        names = [short_label(label) for label in labels]
        ticks = [
            f"{name}<br><i>{note}</i>" if note else name
            for name, note in zip(names, notes or [""] * len(names), strict=True)
        ]
        layout = {
            "barmode": "overlay",
            "xaxis": {"visible": False, "range": [0, (self.max_length or 1) * 1.42]},
            "yaxis": {
                "tickvals": [*range(len(ticks))],
                "ticktext": ticks,
                "range": [len(ticks) - 0.45, -0.55],
                "automargin": True,
                "showgrid": False,
                "zeroline": False,
            },
        }
        height = max(HEIGHT, round(ROW_HEIGHT * (len(ticks) if rows is None else rows)) + 40)
        return styled(self.traces, layout, height=height)

    def _text(self, bar: Bar) -> str:
        if not bar.count:
            return ""
        count = self.money_format.count(bar.count)
        return count if self.by_count else f"{self.money_format.amount(bar.amount)} · {count}"


def _over_time(traces: list[dict[str, Any]], periods: Sequence[ClosedPeriod], **layout: Any) -> Chart:
    """Return a chart with the periods from left to right, and each year below the first label of that year.

    If there are many months, every third has a label; if there are many years, at most eight years have one.
    """
    quarterly = periods[0].label.partition(" ")[2].startswith("Q")
    every_period = quarterly or len(periods) < 7
    labelled = [index for index, period in enumerate(periods) if every_period or period.start.month % 3 == 1]
    starts = [periods[index].start for index in labelled]
    names = [f"Q{(start.month + 2) // 3}" if quarterly else f"{start:%b}" for start in starts]
    is_new_year = [True, *(before.year != start.year for before, start in pairwise(starts))]
    ticks = [
        f"{name}<br>{start.year}" if new_year else name
        for name, start, new_year in zip(names, starts, is_new_year, strict=False)
    ]
    if len(periods) > MAX_PERIOD_LABELS[quarterly]:
        januaries = [index for index, period in enumerate(periods) if period.start.month == 1]
        labelled = januaries[:: len(januaries) // 8 + 1]
        ticks = [str(periods[index].start.year) for index in labelled]
    axis = {
        "tickvals": labelled,
        "ticktext": ticks,
        "tickangle": 0,
        "range": [-0.6, max(len(periods), MIN_PERIODS) - 0.4],
        "showgrid": False,
        "zeroline": False,
    }
    return styled(traces, {"xaxis": axis, **layout})


def _dotted_line(height: float) -> dict[str, Any]:
    """Return a horizontal line across the chart."""
    ends = {"x0": 0, "x1": 1, "xref": "x domain", "y0": height, "y1": height, "yref": "y"}
    return {"type": "line", **ends, "line": {"dash": "dot", "width": 1, "color": OPEN}}


def _hover_text(bar: Bar, money_format: MoneyFormat) -> str:
    text = f"{escaped(bar.label)}: {money_format.deals(bar.count)}"
    if not money_format.has_amounts:
        return text
    text += f", {money_format.amount(bar.amount)}"
    return f"{text}, weighted {money_format.amount(bar.weighted)}" if bar.weighted else text


def _tick_label(height: float, money_format: MoneyFormat, *, by_count: bool) -> str:
    return money_format.count(round(height)) if by_count else money_format.tick(Decimal(height))


def _rate_text(period: ClosedPeriod, money_format: MoneyFormat) -> str:
    won, total = (money_format.count(bar.count) for bar in (period.won, period.closed))
    return f"{percent(period.win_rate)}, {won} won of {total} closed"


def _floats(bars: Sequence[Bar], attribute: str) -> list[float]:
    """Return the lengths of the bars; floats are only drawn, texts are written from the decimals."""
    return [float(getattr(bar, attribute)) for bar in bars]


def _views(bars: Sequence[Bar]) -> list[str]:
    return [json.dumps(bar.view.as_json()) for bar in bars]

"""The dashboard's charts as plotly reads them, in plain dicts: bars that each carry the view that opens their rows."""

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
    color_of,
    faded,
    literal,
    marked,
    money,
    percent,
    short,
    steps,
    styled,
    whole,
)

ROW = 34
MANY = {True: 12, False: 24}  # More quarters, or months, than this are named by their years.
FEWEST = 6  # Periods that a chart has room for, so that the bars of a young pipeline are no walls.


def stages(bars: Sequence[Bar], currency: str, *, by_count: bool) -> Chart:
    """The open pipeline by stage: amount and, within it, the weighted amount; or the number of deals."""
    chart, colors = _Lying(currency, by_count), [color_of(bar.color) for bar in bars]
    if by_count:
        chart.add("Deals", bars, colors, text=bars)
    else:
        chart.add("Amount", bars, [faded(color) for color in colors], text=bars)
        chart.add("Weighted", bars, colors, sizes=_floats(bars, "weighted"), width=0.34)
    return chart.done([bar.label for bar in bars])


def owners(people: Sequence[Breakdown], currency: str, *, by_count: bool) -> Chart:
    """Per owner what is won and, below it, what is open with its weighted amount; the win rate under the name."""
    chart = _Lying(currency, by_count)
    won, still = [one.won for one in people], [one.open for one in people]
    chart.add("Won", won, WON, text=won, width=0.36, place=-0.2)
    chart.add("Open", still, OPEN if by_count else faded(OPEN), text=still, width=0.36, place=0.2)
    if not by_count:
        chart.add("Weighted", still, OPEN, sizes=_floats(still, "weighted"), width=0.16, place=0.2)
    notes = [f"{percent(one.win_rate)} won" if one.win_rate is not None else "" for one in people]
    return chart.done([one.label for one in people], notes=notes, rows=1.6 * len(people))


def accounts(companies: Sequence[Breakdown], currency: str, *, by_count: bool) -> Chart:
    """Per account what is won and, behind it, what is open; the text says both together."""
    chart = _Lying(currency, by_count)
    won, still = [one.won for one in companies], [one.open for one in companies]
    both = [
        replace(one, count=one.count + other.count, amount=one.amount + other.amount)
        for one, other in zip(won, still, strict=True)
    ]
    chart.add("Won", won, WON)
    chart.add("Open", still, OPEN, text=both, base=chart.sizes(won))
    return chart.done([one.label for one in companies], rows=0.9 * len(companies))


def ages(bars: Sequence[Bar], currency: str, *, by_count: bool) -> Chart:
    """Open deals by age."""
    chart = _Lying(currency, by_count)
    chart.add("Open", bars, OPEN, text=bars)
    return chart.done([bar.label for bar in bars])


def closed(periods: Sequence[ClosedPeriod], currency: str, *, by_count: bool) -> Chart:
    """Won above and lost below the line, by period."""
    traces: list[dict[str, Any]] = []
    highest = 0.0
    for name, color, sign, bars in (
        ("Won", WON, 1, [period.won for period in periods]),
        ("Lost", LOST, -1, [period.lost for period in periods]),
    ):
        heights = [float(bar.count) for bar in bars] if by_count else _floats(bars, "amount")
        highest = max(highest, *heights)
        hover = [f"{name} {_said(bar, currency)}" for bar in bars]
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
    marks = steps(highest)
    ticks = [*(-mark for mark in reversed(marks)), 0.0, *marks]
    labels = [_tick(abs(tick), currency, by_count=by_count) for tick in ticks]
    axis = {"tickvals": ticks, "ticktext": labels, "zeroline": True}
    return _over_time(traces, periods, yaxis=axis, barmode="relative", bargap=0.25)


def win_rate(periods: Sequence[ClosedPeriod], overall: Decimal | None, currency: str = "") -> Chart:
    """Won ÷ (won + lost) per period; dotted, that of all closed deals. A period without closed deals is a gap."""
    line = {
        "type": "scatter",
        "x": [*range(len(periods))],
        "y": [None if one.win_rate is None else float(one.win_rate) for one in periods],
        "mode": "lines+markers",
        "line": {"width": 2, "color": RATE},
        "marker": {"size": 8, "color": RATE},
        "customdata": _views([one.closed for one in periods]),
        "hovertext": [f"{literal(one.label)}: {_rate_said(one, currency)}" for one in periods],
        "hoverinfo": "text",
        "name": "Win rate",
    }
    axis = {"tickformat": ".0%", "rangemode": "tozero"}
    return _over_time([line], periods, yaxis=axis, shapes=[] if overall is None else [_dotted_line(float(overall))])


@dataclass
class _Lying:
    """A chart of lying bars, the first one on top; lengths and texts are amounts or numbers of deals.

    The bars stand at numbers, not at names: two groups may have the same name, or one that looks like a date.
    """

    currency: str
    by_count: bool
    traces: list[dict[str, Any]] = field(default_factory=list)
    longest: float = 0

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
        place: float = 0,
    ) -> None:
        """A bar each; `text`: the bars whose figures stand behind them, `base`: where they begin."""
        sizes = sizes or self.sizes(bars)
        self.longest = max([self.longest, *map(sum, zip(sizes, base or [0.0] * len(sizes), strict=True))])
        self.traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": [number + place for number in range(len(bars))],
                "x": sizes,
                "base": base,
                "width": width,
                "marker": {"color": color},
                "text": None if text is None else [self._text(bar) for bar in text],
                "textposition": "none" if text is None else "outside",
                "cliponaxis": False,
                "customdata": _views(bars),
                "hovertext": [f"{name}: {_said(bar, self.currency)}" for bar in bars],
                "hoverinfo": "text",
            }
        )

    def sizes(self, bars: Sequence[Bar]) -> list[float]:
        return [float(bar.count) for bar in bars] if self.by_count else _floats(bars, "amount")

    def done(self, labels: Sequence[str], *, notes: Sequence[str] = (), rows: float | None = None) -> Chart:
        """The figure with its labels, a note under each, and room for the texts."""
        names = [short(label) for label in labels]
        ticks = [
            f"{name}<br><i>{note}</i>" if note else name
            for name, note in zip(names, notes or [""] * len(names), strict=True)
        ]
        layout = {
            "barmode": "overlay",
            "xaxis": {"visible": False, "range": [0, (self.longest or 1) * 1.42]},
            "yaxis": {
                "tickvals": [*range(len(ticks))],
                "ticktext": ticks,
                "range": [len(ticks) - 0.45, -0.55],
                "automargin": True,
                "showgrid": False,
                "zeroline": False,
            },
        }
        height = max(HEIGHT, round(ROW * (len(ticks) if rows is None else rows)) + 40)
        return styled(self.traces, layout, height=height)

    def _text(self, bar: Bar) -> str:
        if not bar.count:
            return ""
        count = whole(bar.count, self.currency)
        return count if self.by_count else f"{money(bar.amount, self.currency)} · {count}"


def _over_time(traces: list[dict[str, Any]], periods: Sequence[ClosedPeriod], **layout: Any) -> Chart:
    """Periods from left to right; of many months each third is named, and the year stands under its first label.

    Of many years only the years are named, eight at most.
    """
    quarterly = periods[0].label.partition(" ")[2].startswith("Q")
    places = [place for place, one in enumerate(periods) if quarterly or len(periods) < 7 or one.start.month % 3 == 1]
    starts = [periods[place].start for place in places]
    names = [f"Q{(start.month + 2) // 3}" if quarterly else f"{start:%b}" for start in starts]
    begins = [True, *(before.year != start.year for before, start in pairwise(starts))]
    ticks = [
        f"{name}<br>{start.year}" if first else name for name, start, first in zip(names, starts, begins, strict=False)
    ]
    if len(periods) > MANY[quarterly]:
        places = [place for place, one in enumerate(periods) if one.start.month == 1]
        places = places[:: len(places) // 8 + 1]
        ticks = [str(periods[place].start.year) for place in places]
    axis = {
        "tickvals": places,
        "ticktext": ticks,
        "tickangle": 0,
        "range": [-0.6, max(len(periods), FEWEST) - 0.4],
        "showgrid": False,
        "zeroline": False,
    }
    return styled(traces, {"xaxis": axis, **layout})


def _dotted_line(height: float) -> dict[str, Any]:
    """A line across the chart."""
    ends = {"x0": 0, "x1": 1, "xref": "x domain", "y0": height, "y1": height, "yref": "y"}
    return {"type": "line", **ends, "line": {"dash": "dot", "width": 1, "color": OPEN}}


def _said(bar: Bar, currency: str) -> str:
    """A bar in words."""
    count = f"{whole(bar.count, currency)} {'deal' if bar.count == 1 else 'deals'}"
    deals = f"{literal(bar.label)}: {count}"
    if not getattr(currency, "has_amounts", True):
        return deals
    deals += f", {money(bar.amount, currency)}"
    return f"{deals}, weighted {money(bar.weighted, currency)}" if bar.weighted else deals


def _tick(height: float, currency: str, *, by_count: bool) -> str:
    """A mark of the axis of amounts or counts."""
    if by_count:
        return whole(round(height), currency)
    return marked(money(Decimal(height), str(currency)).replace(".0 ", " "), currency)


def _rate_said(period: ClosedPeriod, style: str) -> str:
    won, closed = (whole(bar.count, style) for bar in (period.won, period.closed))
    return f"{percent(period.win_rate)}, {won} won of {closed} closed"


def _floats(bars: Sequence[Bar], what: str) -> list[float]:
    """For the length of a bar only; the figures that are read are decimal."""
    return [float(getattr(bar, what)) for bar in bars]


def _views(bars: Sequence[Bar]) -> list[str]:
    return [json.dumps(bar.view.as_json()) for bar in bars]

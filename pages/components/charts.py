"""The dashboard's charts: plain bars in one style; each bar carries the view that opens its rows."""

import html
import json
from collections.abc import Sequence
from decimal import Decimal

import plotly.graph_objects as go

from core.figures import Bar, ClosedPeriod, OwnerFigures

WON, LOST, OPEN, WEIGHTED = "#2f7d4f", "#b3352e", "#9fb8c4", "#0b6b6b"
# The named colours that options may have, as they look on both light and dark ground.
NAMED = {
    "gray": "#8d9ca6",
    "blue": "#4a86c5",
    "violet": "#8a74c9",
    "orange": "#d98a3d",
    "green": "#3f9a63",
    "red": "#c9564d",
    "yellow": "#c9a227",
}
ROW = 38
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}


def stages(bars: Sequence[Bar], currency: str, *, by_count: bool) -> go.Figure:
    """The open pipeline by stage: amount and, within it, the weighted amount; or the number of deals."""
    figure = go.Figure()
    colors = [NAMED.get(bar.color, bar.color or NAMED["gray"]) for bar in bars]
    if by_count:
        figure.add_bar(
            **_across(bars, [bar.count for bar in bars], [str(bar.count) for bar in bars]), marker_color=colors
        )
        return styled(figure, rows=len(bars))
    texts = [f"{money(bar.amount, currency)} · {bar.count}" for bar in bars]
    whole = _across(bars, _floats(bars, "amount"), texts) | {"textposition": "outside"}
    figure.add_bar(**whole, marker_color=colors, opacity=0.45, name="Amount · deals")
    weighted = _across(bars, _floats(bars, "weighted"), None)
    figure.add_bar(**weighted, marker_color=colors, name="Weighted", width=0.4)
    figure.update_xaxes(range=[0, 1.3 * max([float(bar.amount) for bar in bars], default=1)])  # Room for the texts.
    return styled(figure, rows=len(bars), barmode="overlay")


def closed(periods: Sequence[ClosedPeriod], currency: str, *, by_count: bool) -> go.Figure:
    """Won above and lost below the line, by period."""
    figure = go.Figure()
    for name, color, sign, bars in (
        ("Won", WON, 1, [period.won for period in periods]),
        ("Lost", LOST, -1, [period.lost for period in periods]),
    ):
        values = [sign * (bar.count if by_count else float(bar.amount)) for bar in bars]
        texts = [str(bar.count) if by_count else money(bar.amount, currency) for bar in bars]
        hover = [f"{name} {label(bar)}: {bar.count} deals, {money(bar.amount, currency)}" for bar in bars]
        figure.add_bar(
            x=[label(bar) for bar in bars],
            y=values,
            name=name,
            marker_color=color,
            customdata=_views(bars),
            hovertext=hover,
            hoverinfo="text",
            text=texts if len(bars) <= 12 else None,
            textposition="outside",
            cliponaxis=False,
        )
    figure.update_yaxes(showticklabels=False, zeroline=True)
    return styled(figure, barmode="relative", height=320)


def win_rate(periods: Sequence[ClosedPeriod]) -> go.Figure:
    """Won ÷ (won + lost) per period, as a line."""
    known = [period for period in periods if period.win_rate is not None]
    figure = go.Figure()
    figure.add_scatter(
        x=[html.escape(period.label) for period in known],
        y=[float(period.win_rate or 0) for period in known],
        mode="lines+markers",
        line={"color": WEIGHTED, "width": 2},
        customdata=_views([period.won for period in known]),
        hovertemplate="%{x}: %{y:.0%}<extra></extra>",
        name="Win rate",
    )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return styled(figure, height=260)


def owners(people: Sequence[OwnerFigures], currency: str) -> go.Figure:
    """Per owner the open amount and the won amount."""
    figure = go.Figure()
    for name, color, bars in (
        ("Won", WON, [one.won for one in people]),
        ("Open", OPEN, [one.open for one in people]),
    ):
        texts = [f"{money(bar.amount, currency)} · {bar.count}" for bar in bars]
        figure.add_bar(**_across(bars, _floats(bars, "amount"), texts), marker_color=color, name=name)
    return styled(figure, rows=2 * len(people), barmode="group")


def plain(bars: Sequence[Bar], currency: str, *, color: str = WEIGHTED) -> go.Figure:
    """One bar each: amount and number of deals."""
    figure = go.Figure()
    texts = [f"{money(bar.amount, currency)} · {bar.count}" for bar in bars]
    figure.add_bar(**_across(bars, _floats(bars, "amount"), texts), marker_color=color)
    return styled(figure, rows=len(bars))


def styled(figure: go.Figure, *, rows: int = 0, barmode: str = "group", height: int = 0) -> go.Figure:
    """The common look. `uirevision` keeps a reader's zoom when the figures are refreshed."""
    figure.update_layout(
        barmode=barmode,
        height=height or max(140, ROW * rows + 60),
        margin={"l": 4, "r": 24, "t": 8, "b": 4},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "title": ""},
        showlegend=len(figure.data) > 1,
        bargap=0.28,
        uirevision="kept",
        dragmode=False,
        hovermode="closest",
        uniformtext={"minsize": 10, "mode": "show"},
    )
    if rows:
        figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False)
        figure.update_yaxes(automargin=True, autorange="reversed")
    return figure


def money(amount: Decimal, currency: str) -> str:
    """An amount in a glance: € 1.2 M, € 340 k, € 950."""
    sign = SYMBOLS.get(currency, currency)
    for size, mark in ((10**9, "bn"), (10**6, "M"), (10**3, "k")):
        if abs(amount) >= size:
            figure = amount / size
            return f"{sign} {figure:.1f} {mark}" if abs(figure) < 100 else f"{sign} {figure:.0f} {mark}"
    return f"{sign} {amount:.0f}".strip()


def label(bar: Bar) -> str:
    """A label letter by letter: plotly would read markup in it."""
    return html.escape(bar.label, quote=False)


def _across(bars: Sequence[Bar], values: Sequence[float], texts: Sequence[str] | None) -> dict[str, object]:
    """A horizontal bar each, with its text beside it."""
    return {
        "orientation": "h",
        "y": [label(bar) for bar in bars],
        "x": list(values),
        "text": texts,
        "textposition": "auto",
        "customdata": _views(bars),
        "hovertemplate": "%{y}: %{text}<extra></extra>" if texts else "%{y}<extra></extra>",
        "cliponaxis": False,
    }


def _floats(bars: Sequence[Bar], what: str) -> list[float]:
    """For the length of a bar only; the figures that are read are decimal."""
    return [float(getattr(bar, what)) for bar in bars]


def _views(bars: Sequence[Bar]) -> list[str]:
    return [json.dumps(bar.view.as_json()) for bar in bars]

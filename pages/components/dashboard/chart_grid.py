"""The grid of charts below the headline, with its switches. A click on a bar remembers the view of its rows."""

import streamlit as st

from core.base.periods import DEFAULT_PERIODS
from core.pipeline.breakdowns import MAX_OWNERS
from core.pipeline.figure_types import ClosedPeriod, Figures
from core.pipeline.pipeline import OPEN, Pipeline
from pages.components.dashboard import charts
from pages.components.dashboard.chart_style import Chart
from pages.components.dashboard.money_format import MoneyFormat

UNIT, OPENED_VIEW = "dashboard_unit", "dashboard_opened"  # Keys of the session state.
CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def figure_names(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the names of the figures that the charts show."""
    return "stages", f"{_unit(pipeline)}s", "owners", "ages", "accounts"


def show(figures: Figures, pipeline: Pipeline, money_format: MoneyFormat) -> None:
    """Draw the switches and the charts."""
    by_count, unit, all_periods = _switches(figures, pipeline, money_format)
    open_stages = [bar for bar in figures.stages if bar.kind == OPEN]
    closed = figures.closed(unit) if all_periods else figures.closed(unit)[-DEFAULT_PERIODS[unit] :]
    with st.grid(2, min_column_width=340):
        _chart("Pipeline by stage", charts.stages(open_stages, money_format, by_count=by_count), "stages")
        if closed:
            chart = charts.closed(closed, money_format, by_count=by_count)
            _chart("Won and lost", chart, "closed", _omitted_periods(figures, closed, unit, money_format))
        if figures.owners:
            is_truncated = len(figures.owners) == MAX_OWNERS and money_format.has_amounts
            note = f"The {MAX_OWNERS} owners with the largest open amount." if is_truncated else ""
            _chart("By owner", charts.owners(figures.owners, money_format, by_count=by_count), "owners", note)
        if figures.accounts:
            _chart("Top accounts", charts.accounts(figures.accounts, money_format, by_count=by_count), "accounts")
        note = "" if pipeline.created else "Days since the row was added, because the pipeline has no creation date."
        _chart("Age of open deals", charts.ages(figures.ages, money_format, by_count=by_count), "ages", note)
        if closed:
            _chart("Win rate", charts.win_rate(closed, figures.headline.win_rate, money_format), "rate")


def _unit(pipeline: Pipeline) -> str:
    """Return the unit of time that is selected for the charts over time."""
    return "quarter" if pipeline.close_date is not None and st.session_state.get(UNIT) == "Quarter" else "month"


def _switches(figures: Figures, pipeline: Pipeline, money_format: MoneyFormat) -> tuple[bool, str, bool]:
    """Return whether bars count deals, whether time is in months or quarters, and whether to show all periods."""
    with st.container(horizontal=True, vertical_alignment="center"):
        by_count = not money_format.has_amounts or _switch("Measure", "Amount", "Deals", "dashboard_measure")
        if pipeline.close_date is not None:
            _switch("By", "Month", "Quarter", UNIT)
        unit = _unit(pipeline)
        count = len(figures.closed(unit))
        all_periods = count > DEFAULT_PERIODS[unit] and st.toggle(f"All {count} {unit}s", key=f"dashboard_every_{unit}")
        st.caption("Click a bar to open its rows in the grid.")
    return by_count, unit, all_periods


def _switch(label: str, default: str, other: str, key: str) -> bool:
    """Draw a switch between two values; return whether the other one is selected."""
    selected = st.segmented_control(
        label, [default, other], default=default, required=True, key=key, label_visibility="collapsed"
    )
    return selected == other


def _omitted_periods(figures: Figures, closed: list[ClosedPeriod], unit: str, money_format: MoneyFormat) -> str:
    """Return the note on the periods, and on the closed deals, that a chart over time leaves out."""
    count, total = figures.closed_outside(closed), len(figures.closed(unit))
    periods = f"The latest {len(closed)} of {total} {unit}s." if len(closed) < total else ""
    deals = f"{money_format.deals(count)} closed at another time, or without a close date." if count else ""
    return f"{periods} {deals}".strip()


def _chart(title: str, chart: Chart, name: str, note: str = "") -> None:
    key = f"dashboard_chart_{name}"
    with st.container(border=True, height="stretch"):
        st.subheader(title, anchor=False)
        st.plotly_chart(
            chart,
            key=key,
            on_select=lambda: _open_selected(key),
            selection_mode="points",
            config=CONFIG,
            alt=f"{title}: a chart whose bars open their rows",
        )
        if note:
            st.caption(note)


def _open_selected(key: str) -> None:
    """Store the view of the clicked bar; the page then switches to the grid."""
    points = st.session_state[key].selection.points
    if points and (custom := points[0].get("customdata")):
        st.session_state[OPENED_VIEW] = custom[0] if isinstance(custom, list) else custom

"""The pipeline in charts: what is open, what was won and lost, by whom, and how old it is. Every bar opens its rows."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import plotly.graph_objects as go
import streamlit as st

from core.access import Access, ColumnInfo, get_access
from core.actor import Actor
from core.dashboard import figures, overdue_view
from core.figures import Figures
from core.pipeline import OPEN, Pipeline, get_pipeline
from core.query import Condition, View
from core.sheets import ListedSheet, sheets
from db.engine import transaction
from pages.components import charts
from pages.components.errors import shown_errors
from pages.components.format import literal
from pages.components.who import current_actor

REFRESH_SECONDS = 5
OPENED = "dashboard_opened"
PERIODS = ("All time", "This month", "Last month", "This quarter", "Last quarter", "This year", "Last year", "Other…")
CONFIG = {"displayModeBar": False, "scrollZoom": False}


def show() -> None:
    """The page, top to bottom."""
    actor = current_actor()
    with transaction() as session:
        pipelines = [sheet for sheet in sheets(session, actor) if sheet.is_pipeline]
    if not pipelines:
        st.title("Dashboard")
        st.info("There is no pipeline yet. Create one from the template “Sales pipeline”.", icon=":material/info:")
        st.page_link("work/sheets.py", label="Go to the sheets", icon=":material/table_view:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title("Dashboard", width="stretch")
        chosen = _pick(pipelines)
    with transaction() as session:
        access = get_access(session, actor, chosen.sheet_id)
        pipeline = get_pipeline(access)
        view = _filters(access, pipeline)
    _figures(chosen.sheet_id, json.dumps(view.as_json()))


def _pick(pipelines: list[ListedSheet]) -> ListedSheet:
    """Which pipeline, remembered in the address."""
    wanted = st.query_params.get("sheet", "")
    places = [str(sheet.sheet_id) for sheet in pipelines]
    chosen = st.selectbox(
        "Pipeline",
        pipelines,
        index=places.index(wanted) if wanted in places else 0,
        format_func=lambda sheet: sheet.name,
        key="dashboard_sheet",
        label_visibility="collapsed",
        width=260,
    )
    st.query_params["sheet"] = str(chosen.sheet_id)
    return chosen


def _filters(access: Access, pipeline: Pipeline) -> View:
    """Owner, period and any choice column, as the conditions of a view."""
    conditions: list[Condition] = []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if pipeline.close_date:
            conditions += _period(pipeline.close_date)
        if pipeline.owner and pipeline.owner.type == "person":
            conditions += _any_of(access, pipeline.owner, dict(access.people))
        choices = [column for column in access.columns if column.type == "choice"]
        if choices:
            with st.popover("More filters", icon=":material/filter_list:"):
                for column in choices:
                    conditions += _any_of(access, column, {option.id: option.label for option in column.options})
    return View(filter=tuple(conditions))


def _any_of(access: Access, column: ColumnInfo, names: dict[str, str]) -> list[Condition]:
    key = f"dashboard_{access.sheet.sheet_id}_{column.column_id}"
    picked = st.multiselect(
        literal(column.name), list(names), format_func=names.__getitem__, key=key, placeholder="All", width=280
    )
    return [Condition(column.column_id, "is_any_of", picked)] if picked else []


def _period(column: ColumnInfo) -> list[Condition]:
    """Deals whose close date, expected or real, lies in the period."""
    meaning = "the expected date of open deals, the day on which others were won or lost"
    explained = f"Deals whose “{literal(column.name)}” lies in this period: {meaning}."
    name = st.selectbox("Period", PERIODS, key="dashboard_period", width=180, help=explained)
    if name == PERIODS[-1]:
        picked = st.date_input("From and to", value=[], key="dashboard_dates", width=240)
        span = tuple(picked) if isinstance(picked, tuple | list) else ()
        return _between(column, span[0], span[1]) if len(span) == 2 else []
    found = period(name, datetime.now(UTC).date())
    return _between(column, *found) if found else []


def _between(column: ColumnInfo, first: date, last: date) -> list[Condition]:
    return [Condition(column.column_id, "between", [first.isoformat(), last.isoformat()])]


def period(name: str, today: date) -> tuple[date, date] | None:
    """First and last day of a named period, None for all time."""
    which, _, unit = name.partition(" ")
    months = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    if months is None:
        return None
    place = today.year * 12 + today.month - 1
    start = place - place % months - (months if which == "Last" else 0)
    return _first_of(start), _first_of(start + months) - timedelta(days=1)


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


@st.fragment(run_every=REFRESH_SECONDS)
def _figures(sheet_id: int, view_json: str) -> None:
    """The figures, read again every few seconds: while nothing changes that is one look at the sheet's version."""
    with shown_errors():
        actor = current_actor()
        if OPENED in st.session_state:
            query = {"sheet": str(sheet_id), "view": st.session_state.pop(OPENED)}
            st.switch_page("work/grid.py", query_params=query)
        view, today = View.from_json(json.loads(view_json)), datetime.now(UTC).date()
        found, pipeline = _read(actor, sheet_id, view, today)
        currency = str(pipeline.amount.rules.get("currency", "")) if pipeline.amount else ""
        if not found.total:
            st.info("No deals here. Widen the filters, or add deals in the grid.", icon=":material/info:")
            st.page_link(
                "work/grid.py", label="Open the grid", icon=":material/grid_on:", query_params={"sheet": str(sheet_id)}
            )
            return
        _headline(found, currency, lambda: _open(overdue_view(pipeline, view, today=today)))
        _charts(found, currency)


def _read(actor: Actor, sheet_id: int, view: View, today: date) -> tuple[Figures, Pipeline]:
    with transaction() as session:
        access = get_access(session, actor, sheet_id)
        return figures(session, access, view, today=today), get_pipeline(access)


def _headline(found: Figures, currency: str, open_overdue: Callable[[], None]) -> None:
    top = found.headline
    with st.grid(min_column_width=124):
        st.metric("Open", charts.money(top.open_amount, currency), border=True, help="Sum of the open deals' amounts.")
        weighted = "Sum of amount × probability over the open deals."
        st.metric("Weighted", charts.money(top.weighted, currency), border=True, help=weighted)
        st.metric("Open deals", f"{top.open_count:,}", border=True)
        st.metric("Won", charts.money(top.won_amount, currency), border=True, help="Sum of the won deals' amounts.")
        st.metric("Win rate", _percent(top.win_rate), border=True, help="Won ÷ (won + lost), by number of deals.")
        average = "–" if top.average_won is None else charts.money(top.average_won, currency)
        st.metric("Average won", average, border=True, help="Won amount ÷ number of won deals.")
        cycle = "–" if top.median_cycle_days is None else f"{top.median_cycle_days.normalize():f} days"
        st.metric("Median cycle", cycle, border=True, help="Days from created to closed of won deals, the middle one.")
    if top.overdue_count:
        text = f"{top.overdue_count} open deals are past their expected close"
        st.button(text, icon=":material/event_busy:", type="tertiary", on_click=open_overdue, key="dashboard_overdue")


def _charts(found: Figures, currency: str) -> None:
    with st.container(horizontal=True):
        measure = st.segmented_control(
            "Measure", ["Amount", "Deals"], default="Amount", key="dashboard_measure", label_visibility="collapsed"
        )
        unit = st.segmented_control(
            "By", ["Month", "Quarter"], default="Month", key="dashboard_unit", label_visibility="collapsed"
        )
    by_count = measure == "Deals"
    open_stages = [bar for bar in found.stages if bar.kind == OPEN]
    periods = found.quarters if unit == "Quarter" else found.months[-18:]
    with st.grid(min_column_width=420):
        _chart("Pipeline by stage", charts.stages(open_stages, currency, by_count=by_count), "stages")
        if periods:
            _chart("Won and lost", charts.closed(periods, currency, by_count=by_count), "closed")
        if found.owners:
            _chart("By owner", charts.owners(found.owners, currency), "owners")
        if found.accounts:
            _chart("Top accounts, open and won", charts.plain(found.accounts, currency), "accounts")
        if found.ages:
            _chart("Age of open deals", charts.plain(found.ages, currency, color=charts.OPEN), "ages")
        if periods:
            _chart("Win rate", charts.win_rate(periods), "rate")
    st.caption("Click a bar to open its rows.")


def _chart(title: str, figure: go.Figure, key: str) -> None:
    name = f"dashboard_chart_{key}"
    with st.container(border=True, height="stretch"):
        st.subheader(title)
        st.plotly_chart(
            figure, key=name, on_select=lambda: _open_selected(name), selection_mode="points", config=CONFIG
        )


def _open_selected(name: str) -> None:
    """Remember the view of the bar that was clicked; the page then goes to the grid."""
    points = st.session_state[name].selection.points
    if points and (custom := points[0].get("customdata")):
        st.session_state[OPENED] = custom[0] if isinstance(custom, list) else custom


def _open(view: View) -> None:
    st.session_state[OPENED] = json.dumps(view.as_json())


def _percent(rate: Decimal | None) -> str:
    return "–" if rate is None else f"{rate:.0%}"


with shown_errors():
    show()

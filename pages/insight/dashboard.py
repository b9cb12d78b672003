"""The pipeline in charts: what is open, what was won and lost, by whom, and how old it is. Every bar opens its rows."""

import json
from datetime import date
from decimal import Decimal

import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.accounts.locale import Locale, get_locale, today
from core.base.actor import Actor
from core.base.periods import DEFAULT_PERIODS
from core.base.permissions import ROLE_PERMISSIONS, Level, Permission
from core.pipeline.breakdowns import MAX_OWNERS, owner_names
from core.pipeline.figure_types import ClosedPeriod, Figures
from core.pipeline.figures import figures
from core.pipeline.headline import overdue_view
from core.pipeline.pipeline import OPEN, Pipeline, get_pipeline
from core.rows.query import View
from core.sheets.sheets import ListedSheet, sheets
from db.engine import snapshot, transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary
from pages.components.app.format import literal
from pages.components.dashboard import charts, filters
from pages.components.dashboard.chart_style import Chart, Currency, money, percent, whole
from pages.components.sheet import sheet_picker

REFRESH_SECONDS = 5
PICKED, OPENED, UNIT = "dashboard_pipeline", "dashboard_opened", "dashboard_unit"
NONE_TO_SEE = """As soon as somebody who may edit the sheet adds one, it is counted here by itself.
If you miss one, ask the sheet's owner."""
CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def show() -> None:
    """The page, top to bottom."""
    actor = current_actor()
    with transaction() as session:
        listed = sheets(session, actor)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title("Dashboard", width="stretch")
        chosen = _pick(actor, listed)
    if chosen is None:
        return
    with transaction() as session:
        access = get_access(session, actor, chosen, Permission.ROWS_SEE)
        pipeline = get_pipeline(access)
        names = owner_names(session, pipeline)
        day = today(get_locale(session, actor))
    st.query_params.pop("view", None)  # It belongs to the grid, from which one has come back.
    filtered = filters.show(pipeline, names, today=day)
    _figures(chosen, json.dumps(filtered.view.as_json()), by_period=filtered.by_period)


def _pick(actor: Actor, listed: list[ListedSheet]) -> int | None:
    """The pipeline in the address or the first one, else the way to one."""
    names = {sheet.sheet_id: sheet.name for sheet in listed if sheet.is_pipeline}
    asked = st.query_params.get("sheet")
    other = next((sheet for sheet in listed if str(sheet.sheet_id) == asked and not sheet.is_pipeline), None)
    if other:
        choose = "Choose" if other.level is Level.OWNER else "Its owner can choose"
        way = f"{choose} its stage column in the sheet's settings to chart it."
        text = f"“{literal(other.name)}” is a plain table. {way}"
        st.info(text, icon=":material/info:", width=420)
    if not names:
        _no_pipeline(may_create=Permission.SHEETS_CREATE in ROLE_PERMISSIONS[actor.role])
        return None
    known = next((sheet_id for sheet_id in names if str(sheet_id) == asked), None)
    if asked and known is None and other is None:
        st.warning("That sheet is archived, or not shared with you. This is another one.", icon=":material/lock:")
    last = st.session_state.get(sheet_picker.LAST)
    st.session_state[PICKED] = known or (last if last in names else next(iter(names)))
    st.selectbox(
        "Pipeline",
        list(names),
        format_func=names.__getitem__,
        key=PICKED,
        on_change=lambda: st.query_params.from_dict({"sheet": str(st.session_state[PICKED])}),
        label_visibility="collapsed",
        width=260,
    )
    chosen = int(st.session_state[PICKED])
    if other is None:
        st.session_state[sheet_picker.LAST] = chosen
    return chosen


def _no_pipeline(*, may_create: bool) -> None:
    if not may_create:
        text = "There is no pipeline yet. As soon as somebody shares one with you, its figures stand here."
        st.info(text, icon=":material/info:")
        return
    text = (
        "There is no pipeline yet. Create a sheet from the template “Sales pipeline”, or import your deals from a file."
    )
    st.info(text, icon=":material/info:")
    st.page_link("work/sheets.py", label="Create a pipeline", icon=":material/add:")
    st.page_link("work/imports.py", label="Import deals", icon=":material/upload_file:")


@st.fragment(run_every=REFRESH_SECONDS)
def _figures(sheet_id: int, view_json: str, *, by_period: bool) -> None:
    """The figures, read again every few seconds: while nothing changes that is one look at the sheet's version."""
    with error_boundary():
        actor = current_actor()
        if OPENED in st.session_state:
            query = {"sheet": str(sheet_id), "view": st.session_state.pop(OPENED)}
            st.switch_page("work/grid.py", query_params=query)
        view = View.from_json(json.loads(view_json))
        found, pipeline, day, locale = _read(actor, sheet_id, view)
        if not found.total:
            _nothing(pipeline.access, filtered=not view.is_plain)
            return
        named = str(pipeline.amount.rules.get("currency", "")) if pipeline.amount else ""
        # Where no deal has an amount, deals are counted: every sum would be a nought that says nothing.
        currency = Currency.of(named, locale, has_amounts=found.headline.valued_count > 0)
        _uncounted(pipeline)
        _headline(found, pipeline, currency, by_period=by_period)
        _overdue(found, overdue_view(pipeline, view, today=day), currency)
        _charts(found, pipeline, currency)


def _read(actor: Actor, sheet_id: int, view: View) -> tuple[Figures, Pipeline, date, Locale]:
    with snapshot() as session:
        access = get_access(session, actor, sheet_id, Permission.ROWS_SEE)
        locale = get_locale(session, actor)
        day = today(locale)
        pipeline = get_pipeline(access)
        names = ("headline", "stages", f"{_unit(pipeline)}s", "owners", "ages", "accounts")
        return figures(session, access, view, *names, today=day), pipeline, day, locale


def _unit(pipeline: Pipeline) -> str:
    """The unit of time that is chosen for the charts over time."""
    return "quarter" if pipeline.close_date is not None and st.session_state.get(UNIT) == "Quarter" else "month"


def _uncounted(pipeline: Pipeline) -> None:
    """That amounts are not added up, because they may be of several currencies."""
    if column := pipeline.uncounted:
        may_edit = Permission.COLUMNS_EDIT in pipeline.access.permissions
        way = "Choose it on the Columns page." if may_edit else "Ask the sheet's owner to choose it."
        text = f"“{literal(column.name)}” has no currency, so its amounts are not added up. {way}"
        st.warning(text, icon=":material/payments:")


def _nothing(access: Access, *, filtered: bool) -> None:
    """What this person can do about it: who may add no rows waits for those who may."""
    if filtered:
        st.info("No deal fits these filters. Take one away, or choose a longer period.", icon=":material/info:")
        return
    adds, imports = (one in access.permissions for one in (Permission.ROWS_ADD, Permission.ROWS_IMPORT))
    first = "Type the first one into the grid, or import a file."
    st.info(f"There are no deals yet. {first if adds and imports else NONE_TO_SEE}", icon=":material/info:")
    query = {"sheet": str(access.sheet.sheet_id)}
    st.page_link("work/grid.py", label="Open the grid", icon=":material/grid_on:", query_params=query)
    if imports:
        st.page_link("work/imports.py", label="Import deals", icon=":material/upload_file:", query_params=query)


def _headline(found: Figures, pipeline: Pipeline, currency: Currency, *, by_period: bool) -> None:
    """Up to eight figures, each with its formula; none of a column that there is not, or not for this person."""
    with st.grid(4 if currency.has_amounts else 5, min_column_width=140):
        _of_open(found, currency, dated=pipeline.close_date is not None)
        _of_closed(found, currency, lately=pipeline.close_date is not None, by_period=by_period)


def _of_open(found: Figures, currency: Currency, *, dated: bool) -> None:
    top = found.headline
    late = Decimal(top.overdue_count) / max(top.open_count, 1)
    _metric(
        "Open deals",
        whole(top.open_count, currency),
        f"of {_deals(found.total, currency)}",
        "Number of deals whose stage is open.",
    )
    if currency.has_amounts:
        _open_amounts(found, currency)
    if dated:
        formula = "Open deals whose expected close is before today."
        _metric("Overdue", whole(top.overdue_count, currency), f"{percent(late)} of open", formula)


def _open_amounts(found: Figures, currency: Currency) -> None:
    top = found.headline
    known, each = top.open_valued or not top.open_count, top.average_open
    note = _partly(
        "no open deals" if each is None else f"{money(each, currency)} each", top.open_count, top.open_valued
    )
    formula = "Sum of the open deals' amounts; each: that sum ÷ the number of open deals that have an amount."
    _metric("Open", money(top.open_amount, currency) if known else "–", note, formula)
    share = top.weighted / top.open_amount if top.open_amount else None
    formula = "Sum of amount × probability over the open deals; the probability is the deal's own, else its stage's."
    _metric("Weighted", money(top.weighted, currency) if known else "–", f"{percent(share)} of open", formula)


def _partly(note: str, count: int, valued: int) -> str:
    """The note of an amount, with the number of deals that have none: they are no deals over nothing."""
    if valued == count:
        return note
    return f"{note}, {count - valued} without an amount" if valued else "none has an amount"


def _of_closed(found: Figures, currency: Currency, *, lately: bool, by_period: bool) -> None:
    top = found.headline
    when = " in the chosen period" if by_period else " in the present quarter" if lately else ""
    _won(found, currency, when, now=lately and not by_period)
    note = f"{whole(top.won_count, currency)} of {whole(top.won_count + top.lost_count, currency)} closed"
    _metric("Win rate", percent(top.win_rate), note, "Won ÷ (won + lost), by number of deals.")
    if currency.has_amounts:
        average = "–" if top.average_won is None else money(top.average_won, currency)
        of = _partly(f"of {_deals(top.won_valued, currency)}", top.won_count, top.won_valued)
        _metric("Average won", average, of, "Amount of the won deals ÷ the number of those that have an amount.")
    days = "–" if top.median_cycle_days is None else f"{top.median_cycle_days.normalize():f} days"
    _metric("Median cycle", days, "created to won", "Days from created to closed: half of the won deals took longer.")


def _won(found: Figures, currency: Currency, when: str, *, now: bool) -> None:
    """What was won: the sum, or the number of deals where this person is shown no amounts."""
    top = found.headline
    label = "Won this quarter" if now else "Won"
    count, amount = (top.won_now_count, top.won_now_amount) if now else (top.won_count, top.won_amount)
    valued = top.won_now_valued if now else top.won_valued
    if currency.has_amounts:
        formula = f"Sum of the amounts of the deals won{when}."
        note = _partly(_deals(count, currency), count, valued)
        _metric(label, money(amount, currency) if valued or not count else "–", note, formula)
    else:
        _metric(label, whole(count, currency), f"of {_deals(found.total, currency)}", f"Number of deals won{when}.")


def _metric(label: str, value: str, note: str, formula: str) -> None:
    st.metric(label, value, note, delta_color="off", delta_arrow="off", border=True, help=formula)


def _deals(count: int, style: str) -> str:
    return f"{whole(count, style)} {'deal' if count == 1 else 'deals'}"


def _overdue(found: Figures, view: View, currency: str) -> None:
    if count := found.headline.overdue_count:
        text = f"{_deals(count, currency)} past the expected close: open {'it' if count == 1 else 'them'}"
        st.button(text, icon=":material/event_busy:", type="tertiary", on_click=_open, args=(view,), key="overdue")


def _charts(found: Figures, pipeline: Pipeline, currency: Currency) -> None:
    by_count, unit, every = _switches(found, pipeline, currency)
    open_stages = [bar for bar in found.stages if bar.kind == OPEN]
    closed = found.closed(unit) if every else found.closed(unit)[-DEFAULT_PERIODS[unit] :]
    with st.grid(2, min_column_width=340):
        _chart("Pipeline by stage", charts.stages(open_stages, currency, by_count=by_count), "stages")
        if closed:
            _chart(
                "Won and lost",
                charts.closed(closed, currency, by_count=by_count),
                "closed",
                _outside(found, closed, unit, currency),
            )
        if found.owners:
            largest = f"The {MAX_OWNERS} with the largest open amount."
            most = largest if len(found.owners) == MAX_OWNERS and currency.has_amounts else ""
            people = charts.owners(found.owners, currency, by_count=by_count)
            _chart("By owner", people, "owners", most)
        if found.accounts:
            companies = charts.accounts(found.accounts, currency, by_count=by_count)
            _chart("Top accounts", companies, "accounts")
        source = "" if pipeline.created else "Days since the row was added: no column is chosen as the day of creation."
        _chart("Age of open deals", charts.ages(found.ages, currency, by_count=by_count), "ages", source)
        if closed:
            _chart("Win rate", charts.win_rate(closed, found.headline.win_rate, currency), "rate")


def _switches(found: Figures, pipeline: Pipeline, currency: Currency) -> tuple[bool, str, bool]:
    """Whether bars count deals, whether time is in months or quarters, and whether all of them are shown."""
    with st.container(horizontal=True, vertical_alignment="center"):
        by_count = not currency.has_amounts or _either("Measure", "Amount", "Deals", "dashboard_measure")
        if pipeline.close_date is not None:
            _either("By", "Month", "Quarter", UNIT)
        unit = _unit(pipeline)
        count = len(found.closed(unit))
        every = count > DEFAULT_PERIODS[unit] and st.toggle(f"All {count} {unit}s", key=f"dashboard_every_{unit}")
        st.caption("Click a bar to open its rows in the grid.")
    return by_count, unit, every


def _either(label: str, usual: str, other: str, key: str) -> bool:
    """One of two; whether the other one is chosen."""
    chosen = st.segmented_control(
        label, [usual, other], default=usual, required=True, key=key, label_visibility="collapsed"
    )
    return chosen == other


def _outside(found: Figures, closed: list[ClosedPeriod], unit: str, style: str) -> str:
    """That a chart over time leaves periods out, and how many deals with them."""
    count, every = found.closed_outside(closed), len(found.closed(unit))
    left = f"The latest {len(closed)} of {every} {unit}s." if len(closed) < every else ""
    deals = f"{_deals(count, style)} closed at another time, or without a close date." if count else ""
    return f"{left} {deals}".strip()


def _chart(title: str, figure: Chart, key: str, note: str = "") -> None:
    name = f"dashboard_chart_{key}"
    with st.container(border=True, height="stretch"):
        st.subheader(title, anchor=False)
        st.plotly_chart(
            figure,
            key=name,
            on_select=lambda: _open_selected(name),
            selection_mode="points",
            config=CONFIG,
            alt=f"{title}: a chart whose bars open their rows",
        )
        if note:
            st.caption(note)


def _open_selected(name: str) -> None:
    """Remember the view of the bar that was clicked; the page then goes to the grid."""
    points = st.session_state[name].selection.points
    if points and (custom := points[0].get("customdata")):
        st.session_state[OPENED] = custom[0] if isinstance(custom, list) else custom


def _open(view: View) -> None:
    st.session_state[OPENED] = json.dumps(view.as_json())


with error_boundary():
    show()

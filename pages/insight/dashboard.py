"""The pipeline in headline tiles and charts. Every bar opens its rows in the grid."""

import json
from datetime import date

import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.accounts.locale import Locale, get_locale, today
from core.base.actor import Actor
from core.base.permissions import ROLE_PERMISSIONS, Level, Permission
from core.pipeline.breakdowns import owner_names
from core.pipeline.conversion import Conversion
from core.pipeline.figure_types import Figures
from core.pipeline.figures import figures as read_figures
from core.pipeline.headline import overdue_view
from core.pipeline.pipeline import Pipeline, get_pipeline
from core.rows.query import View
from core.sheets.sheets import ListedSheet, sheets
from core.views.views import ViewInfo, views
from core.workspace.settings import workspace_settings
from db.engine import snapshot, transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary
from pages.components.app.format import day as format_day
from pages.components.app.format import literal
from pages.components.app.navigation import LAST_SHEET
from pages.components.dashboard import chart_grid, filters, headline
from pages.components.dashboard.money_format import MoneyFormat

REFRESH_SECONDS = 5
SELECTED = "dashboard_pipeline"
VIEW, EVERY_ROW, MAX_DIGITS = "view", "All deals", 19
NO_DEALS_TO_SEE = "Deals appear here once an editor adds them. Missing one? Ask the sheet's owner."


def show() -> None:
    """Draw the page."""
    actor = current_actor()
    with transaction() as session:
        listed = sheets(session, actor)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title("Dashboard", width="stretch")
        sheet_id = _select(actor, listed)
        view_container = st.container(width="content")
    if sheet_id is None:
        return
    with transaction() as session:
        access = get_access(session, actor, sheet_id, Permission.ROWS_SEE)
        pipeline = get_pipeline(access)
        names = owner_names(session, pipeline)
        day = today(get_locale(session, actor))
        year_starts = workspace_settings(session).fiscal_year_start
        narrowing = [view for view in views(session, access) if view.view.filter or view.view.search]
    with view_container:
        stored_view = _stored_view(sheet_id, narrowing)
    filtered = filters.show(pipeline, names, today=day, year_starts=year_starts)
    view = stored_view.narrowed(filtered.view) if stored_view else filtered.view
    _figures(sheet_id, json.dumps(view.as_json()), by_period=filtered.by_period)


def _select(actor: Actor, listed: list[ListedSheet]) -> int | None:
    """Draw the picker and return the pipeline in the address, else the last or first one; None if there is none."""
    names = {sheet.sheet_id: sheet.name for sheet in listed if sheet.is_pipeline}
    address = st.query_params.get("sheet")
    plain_table = next((sheet for sheet in listed if str(sheet.sheet_id) == address and not sheet.is_pipeline), None)
    if plain_table:
        _plain_table(plain_table)
    if not names:
        _no_pipeline(may_create=Permission.SHEETS_CREATE in ROLE_PERMISSIONS[actor.role])
        return None
    requested = next((sheet_id for sheet_id in names if str(sheet_id) == address), None)
    if address and requested is None and plain_table is None:
        text = "That sheet is archived or isn't shared with you. Another pipeline is shown instead."
        st.warning(text, icon=":material/lock:")
    last = st.session_state.get(LAST_SHEET)
    st.session_state[SELECTED] = requested or (last if last in names else next(iter(names)))
    st.selectbox(
        "Pipeline",
        list(names),
        format_func=names.__getitem__,
        key=SELECTED,
        on_change=lambda: st.query_params.from_dict({"sheet": str(st.session_state[SELECTED])}),
        label_visibility="collapsed",
        width=260,
    )
    selected = int(st.session_state[SELECTED])
    if plain_table is None:
        st.session_state[LAST_SHEET] = selected
    return selected


def _stored_view(sheet_id: int, narrowing: list[ViewInfo]) -> ViewInfo | None:
    """Draw the choice among the views that filter rows, if there are any; return the one in the address."""
    by_id = {view.view_id: view for view in narrowing}
    address = st.query_params.get(VIEW, "")
    view_id = int(address) if address.isdecimal() and len(address) < MAX_DIGITS else None
    if view_id not in by_id:
        view_id = None
        st.query_params.pop(VIEW, None)  # Also that of a sheet's page, if the user comes back from there.
    if not by_id:
        return None
    key = f"dashboard_view_{sheet_id}"
    st.session_state[key] = view_id
    st.selectbox(
        "View",
        [None, *by_id],
        format_func=lambda each: by_id[each].name if each else EVERY_ROW,
        key=key,
        on_change=lambda: _choose_view(st.session_state[key]),
        label_visibility="collapsed",
        width=200,
    )
    return by_id.get(view_id or 0)


def _choose_view(view_id: int | None) -> None:
    if view_id is None:
        st.query_params.pop(VIEW, None)
    else:
        st.query_params[VIEW] = str(view_id)


def _plain_table(sheet: ListedSheet) -> None:
    choose = "Choose" if sheet.level is Level.OWNER else "Its owner can choose"
    next_step = f"{choose} its stage column in the sheet's settings to see it here."
    st.info(f"“{literal(sheet.name)}” is a plain table. {next_step}", icon=":material/info:", width=420)


def _no_pipeline(*, may_create: bool) -> None:
    if not may_create:
        text = "No pipeline yet. Its figures appear here once a pipeline is shared with you."
        st.info(text, icon=":material/info:")
        return
    text = "No pipeline yet. Create a sheet from the template “Sales pipeline”, or import your deals from a file."
    st.info(text, icon=":material/info:")
    st.page_link("work/sheets.py", label="Create a pipeline", icon=":material/add:")
    st.page_link("work/imports.py", label="Import deals", icon=":material/upload_file:")


@st.fragment(run_every=REFRESH_SECONDS)
def _figures(sheet_id: int, view_json: str, *, by_period: bool) -> None:
    """Draw the figures, every few seconds. If nothing has changed, reading them only checks the sheet's version."""
    with error_boundary():
        actor = current_actor()
        if chart_grid.OPENED_VIEW in st.session_state:
            query = {"sheet": str(sheet_id), "view": st.session_state.pop(chart_grid.OPENED_VIEW)}
            st.switch_page("work/grid.py", query_params=query)
        view = View.from_json(json.loads(view_json))
        figures, pipeline, day, locale = _read(actor, sheet_id, view)
        if not figures.total:
            _no_deals(pipeline.access, filtered=not view.is_plain)
            return
        money_format = _money_format(figures, pipeline, locale)
        _no_currency(pipeline)
        headline.show(figures, money_format, has_close_date=pipeline.close_date is not None, by_period=by_period)
        _overdue(figures, overdue_view(pipeline, view, today=day), money_format)
        chart_grid.show(figures, pipeline, money_format)
        if figures.conversion:
            _converted(figures.conversion, locale)


def _read(actor: Actor, sheet_id: int, view: View) -> tuple[Figures, Pipeline, date, Locale]:
    with snapshot() as session:
        access = get_access(session, actor, sheet_id, Permission.ROWS_SEE)
        locale = get_locale(session, actor)
        day = today(locale)
        pipeline = get_pipeline(access)
        names = ("headline", *chart_grid.figure_names(pipeline))
        return read_figures(session, access, view, *names, today=day), pipeline, day, locale


def _money_format(figures: Figures, pipeline: Pipeline, locale: Locale) -> MoneyFormat:
    """Return the user's format. If no deal has an amount, deals are counted: a sum of zero would be misleading."""
    currency = str(pipeline.amount.rules.get("currency", "")) if pipeline.amount else ""
    if figures.conversion:
        currency = figures.conversion.target
    return MoneyFormat(currency, locale.number_format, has_amounts=figures.headline.valued_count > 0)


def _converted(conversion: Conversion, locale: Locale) -> None:
    """Say by which rates amounts are converted, and from which day on they are known."""
    source, target, first = conversion.source, conversion.target, format_day(conversion.first_day, locale)
    st.caption(
        f"Amounts in {source} are converted to {target}: closed deals by the rate of the day they closed, open ones by "
        f"today's. Rates start on {first}; deals that closed before have no amount here."
    )


def _no_currency(pipeline: Pipeline) -> None:
    """Warn that amounts are not added up, because they may be in different currencies."""
    if column := pipeline.uncounted:
        may_edit = Permission.COLUMNS_EDIT in pipeline.access.permissions
        next_step = "Choose it on the Columns page." if may_edit else "Ask the sheet's owner to choose it."
        text = f"“{literal(column.name)}” has no currency, so its amounts are not added up. {next_step}"
        st.warning(text, icon=":material/payments:")


def _no_deals(access: Access, *, filtered: bool) -> None:
    """Show the next steps that the user has permission for."""
    if filtered:
        st.info("No deals match these filters. Remove one, or choose a longer period.", icon=":material/info:")
        return
    may_import = Permission.ROWS_IMPORT in access.permissions
    may_add = Permission.ROWS_ADD in access.permissions and may_import
    next_step = "Type the first one into the grid, or import a file." if may_add else NO_DEALS_TO_SEE
    st.info(f"No deals yet. {next_step}", icon=":material/info:")
    query = {"sheet": str(access.sheet.sheet_id)}
    st.page_link("work/grid.py", label="Open the grid", icon=":material/grid_on:", query_params=query)
    if may_import:
        st.page_link("work/imports.py", label="Import deals", icon=":material/upload_file:", query_params=query)


def _overdue(figures: Figures, view: View, money_format: MoneyFormat) -> None:
    if count := figures.headline.overdue_count:
        text = f"Show {money_format.count(count)} overdue {'deal' if count == 1 else 'deals'}"
        st.button(text, icon=":material/event_busy:", type="tertiary", on_click=_open, args=(view,), key="overdue")


def _open(view: View) -> None:
    st.session_state[chart_grid.OPENED_VIEW] = json.dumps(view.as_json())


with error_boundary():
    show()

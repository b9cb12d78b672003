"""The page of a sheet: its name, the tabs of its views and one line of tools, around a body that draws the rows."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.base.errors import Invalid
from core.base.permissions import Permission
from core.exports.source import chosen_columns
from core.rows.query import View, check_view, without_invalid
from core.sheets.sheets import ListedSheet
from core.views import edit_views
from db.engine import transaction
from pages.components.app import favourite_star
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.as_of import bar
from pages.components.sheet import (
    about,
    columns_menu,
    group_menu,
    sheet_dialogs,
    sheet_picker,
    trash_dialog,
    view_commands,
    view_tabs,
)
from pages.components.sheet.sheet_view import SheetView, open_sheet
from pages.components.sheet.view_bar import ViewBar
from pages.components.sheet.view_commands import VIEW

# The body asks for news itself; this is for changes that nothing announces to it.
CATCH_UP_SECONDS = 60
DAMAGED = "The filter in this link is damaged. All rows are shown."
OUTDATED = "Columns of this view were removed, or you don't see them. What it did with them is left out."
NO_VIEW = "This view does not exist any more, or it is not yours. Another one is shown."

# Draws the rows of a sheet in a view. Runs again on every catch-up, without the page around it.
Body = Callable[[SheetView, View], None]


@dataclass(frozen=True)
class Tool:
    """An entry of the menu: it opens a page about the sheet, or a dialog."""

    icon: str
    permission: Permission
    page: str = ""
    for_pipelines: bool = False


TRASH, PAST = "Trash", "As of…"
MORE = {
    "Dashboard": Tool("monitoring", Permission.ROWS_SEE, "insight/dashboard.py", for_pipelines=True),
    "Changes": Tool("history", Permission.HISTORY_SEE, "insight/changes.py"),
    PAST: Tool("history_toggle_off", Permission.HISTORY_SEE),
    TRASH: Tool("delete", Permission.HISTORY_SEE),
    "Import": Tool("upload_file", Permission.ROWS_IMPORT, "work/imports.py"),
    "Export": Tool("download", Permission.ROWS_EXPORT),
    "Columns": Tool("view_column", Permission.COLUMNS_EDIT, "work/columns.py"),
    "Settings": Tool("settings", Permission.SHEET_CONFIGURE),
}
# What Streamlit has no setting for: the rows get the width beside them, tabs have no panel below them, and on a phone a
# button that has an icon is as wide as the icon, while screen readers read its text.
STYLE = """<style>
[data-testid=stMainBlockContainer] { padding-left: 1rem; padding-right: 1rem; }
.st-key-sheet_tabs [data-testid=stTabPanel] { display: none; }
.st-key-sheet_tabs > [data-testid=stTabs] { flex: 1 1 4rem; min-width: 4rem; width: auto; overflow: hidden; }
@media (max-width: 640px) {
  :is(.st-key-sheet_tools, .st-key-sheet_tabs) button :has(> [data-testid=stIconMaterial]) + span
  > [data-testid=stMarkdownContainer] {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  }
  .st-key-sheet_tools [data-testid=stPopoverButton] div[aria-hidden=true] { display: none; }
  .st-key-sheet_tabs, .st-key-sheet_tools, .st-key-sheet_tools [data-testid=stHorizontalBlock] { gap: 0.375rem; }
  .st-key-sheet_tools [data-testid=stElementContainer]:has(> [data-testid=stTextInput]) {
    flex: 1 1 5rem !important; min-width: 5rem;
  }
  .st-key-sheet_tools [data-testid=stTextInput] { width: 100% !important; }
}
</style>"""


def show(body: Body) -> None:
    """Draw the page of the sheet that is chosen, top to bottom."""
    actor = current_actor()
    listed, sheet_view = open_sheet(actor)
    if sheet_view is None:
        sheet_picker.show(actor, listed, None)
        return
    st.html(STYLE)
    _name_view(sheet_view)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False, key="sheet_tabs"):
        with st.container(width="content"):
            about_container = st.empty()
        favourite_star.show(actor, sheet_view.sheet_id)
        view_tabs.show(sheet_view)
        command = view_tabs.changes(sheet_view) or view_tabs.menu(sheet_view)
    if command:
        command()
    view = _view(sheet_view)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False, key="sheet_tools"):
        columns_menu.show(sheet_view)
        group_menu.show(sheet_view)
        leave = None if _linked() is None else _leave_link
        keep = partial(_set_view, sheet_view)
        ViewBar(sheet_view.access, view, keep, leave, sheet_view.locale).show()
        may_share = Permission.SHEET_SHARE in sheet_view.access.permissions
        if may_share and st.button("Share", icon=":material/group_add:"):
            sheet_dialogs.share(sheet_view.sheet_id)
        with st.container(width="content"):
            more_container = st.empty()
    around = partial(_around, sheet_view, view, listed, about_container, more_container)
    if bar.asked():
        around()
        change_sort = partial(sort, sheet_view, view)
        bar.show(actor, sheet_view.sheet_id, view, sheet_view.layout, change_sort)
    else:
        _body(body, sheet_view, view, around)


def sort(sheet_view: SheetView, view: View, change: Any) -> None:
    """Set the order, the conditions or the search text, which the browser sent."""
    if isinstance(change, dict):
        view_json = view.as_json() | {name: change[name] for name in ("sort", "filter", "search") if name in change}
        run_command(lambda: _change(sheet_view, without_invalid(sheet_view.access, View.from_json(view_json))))


@st.fragment(run_every=CATCH_UP_SECONDS)
def _body(body: Body, sheet_view: SheetView, view: View, around: Callable[[], None]) -> None:
    """Draw the rows, and what says something about the sheet around them."""
    with error_boundary():
        if note := sheet_view.status(view):
            st.caption(note)
        around()
        body(sheet_view, view)


def _around(
    sheet_view: SheetView,
    view: View,
    listed: dict[int, ListedSheet],
    about_container: DeltaGenerator,
    more_container: DeltaGenerator,
) -> None:
    """Draw the sheet's name with what is known of it, and the menu of less frequent commands; both stay up to date."""
    with about_container:
        about.show(sheet_view, listed)
    with more_container:
        _more(sheet_view, view)


def _more(sheet_view: SheetView, view: View) -> None:
    access = sheet_view.access
    tools = {
        name: tool
        for name, tool in MORE.items()
        if tool.permission in access.permissions and (access.sheet.pipeline or not tool.for_pipelines)
    }
    labels = {name: name for name in tools} | {TRASH: trash_dialog.label(sheet_view.trash_count)}
    entry = st.menu_button(
        "More", list(tools), format_func=lambda name: f":material/{tools[name].icon}: {labels[name]}", key="more"
    )
    if entry == "Export":
        columns = chosen_columns(access, sheet_view.view.shown, None)
        sheet_dialogs.export(sheet_view.sheet_id, view, [column.column_id for column in columns], bar.shown_instant())
    elif entry == "Settings":
        sheet_dialogs.settings(sheet_view.sheet_id)
    elif entry == PAST:
        bar.ask(sheet_view.locale)
    elif entry == TRASH:
        trash_dialog.open_trash(sheet_view.sheet_id)
    elif entry:
        query = {"sheet": str(sheet_view.sheet_id)}
        if tools[entry].for_pipelines:
            query[VIEW] = str(sheet_view.view.view_id)
        st.switch_page(tools[entry].page, query_params=query)


def _linked() -> str | None:
    """Return the view that the address has as JSON; None where it names a stored one, or none."""
    address = st.query_params.get(VIEW)
    return None if address is None or address.isdecimal() else address


def _name_view(sheet_view: SheetView) -> None:
    """Name the open view in the address, and remember it as the last one."""
    view_id, address = sheet_view.view.view_id, st.query_params.get(VIEW)
    if address is not None and address.isdecimal() and address != str(view_id):
        st.warning(NO_VIEW, icon=":material/tab_close:")
    if _linked() is None and address != str(view_id):
        view_commands.open_view(view_id)
    if not sheet_view.view.is_last:
        with transaction() as session:
            edit_views.remember_view(session, sheet_view.actor, sheet_view.sheet_id, view_id)


def _view(sheet_view: SheetView) -> View:
    """Return the view in the address, or the rows of the open view, without conditions that do not fit any more."""
    linked = _linked()
    if linked is None:
        if sheet_view.view.is_incomplete:
            _say_once(sheet_view)
        return sheet_view.view.view
    try:
        view = View.from_json(json.loads(linked))
    except (Invalid, ValueError, RecursionError):
        st.warning(DAMAGED, icon=":material/filter_list_off:")
        return View()
    fitting = without_invalid(sheet_view.access, view)
    if fitting != view:
        st.warning(OUTDATED, icon=":material/filter_list_off:")
    return fitting


def _say_once(sheet_view: SheetView) -> None:
    """Say, once in this browser, that the open view is not as it was saved."""
    state = f"said_{sheet_view.view.view_id}_{sheet_view.view.version}_{sheet_view.access.sheet.columns_version}"
    if state not in st.session_state:
        st.session_state[state] = True
        st.toast(OUTDATED, icon=":material/filter_list_off:", duration="long")


def _set_view(sheet_view: SheetView, view: View) -> None:
    """Change the filter, sort and search of the open view; a view in the address is only changed there."""
    run_command(_change, sheet_view, view)


def _change(sheet_view: SheetView, view: View) -> None:
    view = View.from_json(view.as_json())
    check_view(sheet_view.access, view)  # Raises Invalid with the reason if a column cannot read its value.
    if _linked() is not None:
        st.query_params[VIEW] = json.dumps(view.as_json())
        return
    with transaction() as session:
        edit_views.change_settings(
            session, sheet_view.actor, sheet_view.sheet_id, sheet_view.view.view_id, view.as_json()
        )


def _leave_link() -> None:
    del st.query_params[VIEW]

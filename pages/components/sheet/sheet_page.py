"""The page of a sheet: picker, collaborators, tools and view bar, around a body that draws the rows."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.base.errors import Invalid
from core.base.permissions import Permission
from core.rows.query import View, check_view, without_invalid
from core.sheets import layouts
from db.engine import transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.as_of import bar
from pages.components.sharing import collaborators
from pages.components.sheet import sheet_dialogs, sheet_picker, trash_dialog
from pages.components.sheet.sheet_view import SheetView, open_sheet
from pages.components.sheet.view_bar import ViewBar

# The body asks for news itself; this is for changes that nothing announces to it.
CATCH_UP_SECONDS = 60
DAMAGED = "The filter in this link is damaged. All rows are shown."
OUTDATED = "The columns have changed. Conditions that no longer fit were removed from the filter."

# Draws the rows of a sheet in a view. Runs again on every catch-up, without the page around it.
Body = Callable[[SheetView, View], None]


@dataclass(frozen=True)
class Tool:
    """An entry of the menu. It opens a page about the sheet, or a dialog if it has no page."""

    icon: str
    permission: Permission
    page: str = ""


MORE = {
    "Changes": Tool("history", Permission.HISTORY_SEE, "insight/changes.py"),
    "Columns": Tool("view_column", Permission.COLUMNS_EDIT, "work/columns.py"),
    "Import": Tool("upload_file", Permission.ROWS_IMPORT, "work/imports.py"),
    "Export": Tool("download", Permission.ROWS_EXPORT),
    "Settings": Tool("settings", Permission.SHEET_CONFIGURE),
}


def show(body: Body) -> None:
    """Draw the page of the sheet that is chosen, top to bottom."""
    actor = current_actor()
    listed, sheet_view = open_sheet(actor)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        sheet_picker.show(actor, listed, sheet_view.sheet_id if sheet_view else None)
        if sheet_view is None:
            return
        access = sheet_view.access
        collaborators.show(access.level, sheet_view.collaborators, sheet_view.teams, access.sheet.workspace_level)
        st.space("stretch")
        tools = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False, width="content")
    view = _view(sheet_view)
    with tools:
        _tools(sheet_view, view)
    # One line; its conditions scroll sideways if there are many, so that the rows below stay in place.
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        leave = _leave_link if "view" in st.query_params else None
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            ViewBar(access, view, lambda changed: _set_view(sheet_view, changed), leave, sheet_view.locale).show()
        trash_container = st.container(width="content")
    if bar.asked():
        bar.show(actor, sheet_view.sheet_id, view, lambda change: sort(sheet_view, view, change))
    else:
        _body(body, sheet_view, view, trash_container)


def sort(sheet_view: SheetView, view: View, change: Any) -> None:
    """Set the order in `change["sort"]` or the conditions in `change["filter"]`, which the browser sent."""
    if isinstance(change, dict):
        view_json = view.as_json() | {name: change[name] for name in ("sort", "filter") if name in change}
        run_command(lambda: _remember(sheet_view, without_invalid(sheet_view.access, View.from_json(view_json))))


@st.fragment(run_every=CATCH_UP_SECONDS)
def _body(body: Body, sheet_view: SheetView, view: View, trash_container: DeltaGenerator) -> None:
    """Draw the status line, the trash button and the rows."""
    with error_boundary():
        st.caption(sheet_view.status(view))
        with trash_container:
            trash_dialog.button(sheet_view.sheet_id, sheet_view.trash_count)
        body(sheet_view, view)


def _tools(sheet_view: SheetView, view: View) -> None:
    """Draw the commands on the whole sheet: the frequent ones as buttons, the others in a menu that fits a phone."""
    query = {"sheet": str(sheet_view.sheet_id)}
    permissions = sheet_view.access.permissions
    if sheet_view.access.sheet.pipeline:
        st.page_link("insight/dashboard.py", label="Dashboard", icon=":material/monitoring:", query_params=query)
    bar.button(sheet_view.locale)
    if Permission.SHEET_SHARE in permissions and st.button("Share", icon=":material/group_add:"):
        sheet_dialogs.share(sheet_view.sheet_id)
    tools = {name: tool for name, tool in MORE.items() if tool.permission in permissions}
    name = st.menu_button(
        "More", list(tools), format_func=lambda name: f":material/{tools[name].icon}: {name}", key="more"
    )
    if name == "Export":
        sheet_dialogs.export(sheet_view.sheet_id, view, bar.shown_instant())
    elif name == "Settings":
        sheet_dialogs.settings(sheet_view.sheet_id)
    elif name:
        st.switch_page(tools[name].page, query_params=query)


def _view(sheet_view: SheetView) -> View:
    """Return the view in the link, or this person's last one, without conditions that the columns no longer allow."""
    linked = st.query_params.get("view")
    try:
        stored = View.from_json(sheet_view.layout.get("view") if linked is None else json.loads(linked))
    except (Invalid, ValueError, RecursionError):
        st.warning(DAMAGED, icon=":material/filter_list_off:")
        return View()
    view = without_invalid(sheet_view.access, stored)
    if view != stored:
        st.warning(OUTDATED, icon=":material/filter_list_off:")
        if linked is None:
            _set_view(sheet_view, view)
    return view


def _set_view(sheet_view: SheetView, view: View) -> None:
    """Store the view for this person; a view that came with a link is only changed in the address."""
    run_command(_remember, sheet_view, view)


def _remember(sheet_view: SheetView, view: View) -> None:
    view = View.from_json(view.as_json())
    check_view(sheet_view.access, view)  # Raises Invalid with the reason if a column cannot read its value.
    if "view" in st.query_params:
        st.query_params["view"] = json.dumps(view.as_json())
        return
    with transaction() as session:
        layouts.save_layout(session, sheet_view.actor, sheet_view.sheet_id, {"view": view.as_json()})


def _leave_link() -> None:
    del st.query_params["view"]

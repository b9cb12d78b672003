"""The sheet page: a line about the sheet, the view bar, and the live grid for the rest of the window."""

import json
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.access.access import Access, get_access
from core.accounts.preferences import Locale, get_locale
from core.base.actor import Actor
from core.base.errors import Invalid, Refused
from core.base.permissions import Permission
from core.edits import trash
from core.history.history import LoggedChange, recent_changes
from core.rows.query import View, conditions, fitting
from core.sharing import shares
from core.sharing.shares import CollaboratorInfo, TeamShare
from core.sheets import layouts
from core.sheets.serialize import sheet_json
from db.engine import Busy, transaction
from pages.components import grid
from pages.components.app.current_user import current_actor
from pages.components.app.errors import say, shown_errors, told
from pages.components.app.format import grid_formats, literal, moment, shortened
from pages.components.as_of import bar
from pages.components.row import row_detail
from pages.components.sharing import collaborators
from pages.components.sheet import sheet_dialogs, sheet_picker, trash_dialog
from pages.components.sheet.view_bar import ViewBar

# The grid asks for a look after news, and every few seconds while its socket is blocked; this is for what nobody tells.
CATCH_UP_SECONDS = 60
DESCRIPTION = 90
DAMAGED = "The link's filter is damaged; all rows are shown instead."
# What the page around the grid shows of a sheet: once somebody changes one of these, it is drawn anew.
AROUND = ("permissions", "archived_at", "name", "columns_version")
EMPTY = "An empty sheet. Type into its first row, paste rows from a spreadsheet, or bring a file in with “Import”."
READS_AND_COMMENTS = "You read and comment here: open a row for its comments"
OUTDATED = "Columns have changed: what no longer fits them was left out of the filter."


@dataclass(frozen=True)
class Tool:
    """A line of the menu: a page about the sheet, or a dialog where none is named."""

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


@dataclass
class Opened:
    """A sheet as this person sees it; `sheet` is brought up to date while the grid is open."""

    actor: Actor
    access: Access
    sheet: dict[str, Any]
    layout: dict[str, Any]
    people: list[CollaboratorInfo]
    teams: list[TeamShare]
    locale: Locale
    latest: list[LoggedChange]
    trashed: int

    @property
    def sheet_id(self) -> int:
        return self.access.sheet.sheet_id


def show() -> None:
    """The page, top to bottom."""
    actor = current_actor()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chosen = sheet_picker.pick(actor)
        if chosen is None:
            return
        opened = _read(actor, chosen.sheet_id)
        collaborators.show(opened.access.level, opened.people, opened.teams, opened.access.sheet.workspace_level)
        st.space("stretch")
        tools = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False, width="content")
    view = _view(opened)
    with tools:
        _tools(opened, view)
    # One line, of which what is filtered scrolls sideways where it is full: the grid below never jumps.
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        leave = _drop_link if "view" in st.query_params else None
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            ViewBar(opened.access, view, lambda changed: _keep(opened, changed), leave, opened.locale).show()
        trash_place = st.container(width="content")
    if bar.asked():
        bar.show(actor, opened.sheet_id, view, lambda asked: _sort(opened, view, asked))
    else:
        _grid(opened, view, trash_place)


def _read(actor: Actor, sheet_id: int) -> Opened:
    with transaction() as session:
        access = get_access(session, actor, sheet_id)
        return Opened(
            actor,
            access,
            sheet_json(access),
            layouts.layout(session, access),
            shares.collaborators(session, access),
            shares.team_shares(session, access),
            get_locale(session, actor),
            recent_changes(session, access, limit=1),
            trash.trash_size(session, access),
        )


def _tools(opened: Opened, view: View) -> None:
    """What one can do with the whole sheet: what is done most in sight, the rest in a menu, so that a phone has all."""
    query = {"sheet": str(opened.sheet_id)}
    if opened.access.sheet.pipeline:
        st.page_link("insight/dashboard.py", label="Dashboard", icon=":material/monitoring:", query_params=query)
    bar.button(opened.locale)
    if Permission.SHEET_SHARE in opened.access.permissions and st.button("Share", icon=":material/group_add:"):
        sheet_dialogs.share(opened.sheet_id)
    offered = {name: tool for name, tool in MORE.items() if tool.permission in opened.access.permissions}
    chosen = st.menu_button(
        "More", list(offered), format_func=lambda name: f":material/{offered[name].icon}: {name}", key="more"
    )
    if chosen == "Export":
        sheet_dialogs.export(opened.sheet_id, view, bar.shown_instant())
    elif chosen == "Settings":
        sheet_dialogs.settings(opened.sheet_id)
    elif chosen:
        st.switch_page(offered[chosen].page, query_params=query)


def _view(opened: Opened) -> View:
    """The view of the link, or the one this person used last; without what the columns no longer allow."""
    linked = st.query_params.get("view")
    try:
        asked = View.from_json(opened.layout.get("view") if linked is None else json.loads(linked))
    except (Invalid, ValueError, RecursionError):
        st.warning(DAMAGED, icon=":material/filter_list_off:")
        return View()
    view = fitting(opened.access, asked)
    if view != asked:
        st.warning(OUTDATED, icon=":material/filter_list_off:")
        if linked is None:
            _keep(opened, view)
    return view


def _keep(opened: Opened, view: View) -> None:
    """Remember the view for this person; one that began as a link stays in the address only."""
    say(_remember, opened, view)


def _remember(opened: Opened, view: View) -> None:
    view = View.from_json(view.as_json())
    conditions(opened.access, view)  # A value that the column cannot read is refused here, with the reason.
    if "view" in st.query_params:
        st.query_params["view"] = json.dumps(view.as_json())
        return
    with transaction() as session:
        layouts.remember_layout(session, opened.actor, opened.sheet_id, {"view": view.as_json()})


def _drop_link() -> None:
    del st.query_params["view"]


@st.fragment(run_every=CATCH_UP_SECONDS)
def _grid(opened: Opened, view: View, trash_place: DeltaGenerator) -> None:
    """The grid, told the newest version and columns whenever it asks, and now and then unasked."""
    with shown_errors():
        st.caption(_catch_up(opened, view) or _told(opened))
        with trash_place:
            trash_dialog.button(opened.sheet_id, opened.trashed)
        key = f"grid_{opened.sheet_id}"
        asked = grid.show(
            opened.sheet,
            key=key,
            me={"id": opened.actor.user_id, "name": opened.actor.name},
            view=view.as_json(),
            layout={part: opened.layout[part] for part in ("widths", "hidden", "order") if part in opened.layout},
            formats=grid_formats(opened.locale),
            on_view=lambda: _sort(opened, view, st.session_state[key]["view"]),
        )
        if asked.view:
            st.rerun()
        if asked.open is not None:
            _open_row(opened, asked.open)
        if isinstance(asked.columns, dict):
            column = str(asked.columns.get("column", "new"))
            st.switch_page("work/columns.py", query_params={"sheet": str(opened.sheet_id), "column": column})


def _open_row(opened: Opened, asked: Any) -> None:
    """A row, or the history of one of its cells; what the browser sends is looked at first."""
    given = asked if isinstance(asked, dict) else {"row": asked}
    row, column = given.get("row"), given.get("column")
    if isinstance(row, int):
        row_detail.show(opened.sheet_id, row, column=column if isinstance(column, int) else None)


def _catch_up(opened: Opened, view: View) -> str:
    """Read the sheet again; what is the matter where that cannot be done, else nothing.

    While the database is away the grid stays where it is, with everything that is being typed into it.
    """
    try:
        actor = current_actor()
        with transaction() as session:
            access = get_access(session, actor, opened.sheet_id)
            fresh, fits = sheet_json(access), fitting(access, view) == view
            if fresh["version"] != opened.sheet["version"]:
                opened.latest = recent_changes(session, access, limit=1)
                opened.trashed = trash.trash_size(session, access)
    except Refused:
        st.rerun()  # The whole page says what is the matter.
    except Busy as trouble:
        return f":red[:material/cloud_off: {told(trouble)}]"
    if not fits or any(fresh[part] != opened.sheet[part] for part in AROUND):
        st.rerun()  # What stands around the grid is drawn anew; the grid itself is not.
    opened.access, opened.sheet = access, fresh
    return ""


def _told(opened: Opened) -> str:
    """What the sheet is for and who worked on it last; of an empty one, what to do next."""
    if not opened.latest:
        return EMPTY if Permission.ROWS_ADD in opened.access.permissions else "Nothing has been written here yet."
    may = opened.access.permissions
    only_comments = Permission.COMMENTS_WRITE in may and Permission.ROWS_EDIT not in may
    about = [READS_AND_COMMENTS if only_comments else "", literal(shortened(opened.sheet["description"], DESCRIPTION))]
    about += [
        f"Last change by {literal(change.by)}, {moment(change.effective_at, opened.locale)}" for change in opened.latest
    ]
    return " · ".join(filter(None, about))


def _sort(opened: Opened, view: View, asked: Any) -> None:
    """A click on a header asked for another order."""
    if isinstance(asked, dict):
        wanted = {**view.as_json(), "sort": asked.get("sort")}
        say(lambda: _remember(opened, fitting(opened.access, View.from_json(wanted))))


with shown_errors():
    show()

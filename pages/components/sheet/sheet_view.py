"""What a sheet's page shows of its sheet: read at once, and brought up to date while the page is open."""

from dataclasses import dataclass, field
from time import time_ns
from typing import Any

import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.accounts.locale import Locale, get_locale
from core.base.actor import Actor
from core.base.errors import Refused
from core.base.permissions import Permission
from core.edits import trash
from core.history.history import LastChange, last_change
from core.rows.query import View, without_invalid
from core.sharing import shares
from core.sharing.shares import CollaboratorInfo, TeamShare
from core.sheets.serialize import sheet_json
from core.sheets.sheets import ListedSheet, sheets
from core.views.views import ViewInfo, last_view, views
from db.engine import Busy, snapshot
from pages.components import grid
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_text
from pages.components.sheet import sheet_picker

# If one of these changes, the page around the rows is drawn again.
AROUND_ROWS = ("permissions", "archived_at", "name", "columns_version")
EMPTY = "This sheet is empty. Type into its first row, paste rows from a spreadsheet, or use “Import”."
DRAWN = ("grid",)
NOTHING_YET = "This sheet has no rows yet."
COMMENTER = "You can read and comment: open a row to see its comments."


@dataclass
class SheetView:
    """A sheet as this person sees it. `is_fresh` is true until the page has shown what it read."""

    actor: Actor
    access: Access
    sheet: dict[str, Any]
    views: list[ViewInfo]
    view: ViewInfo
    collaborators: list[CollaboratorInfo]
    teams: list[TeamShare]
    locale: Locale
    last_change: LastChange | None
    trash_count: int
    is_fresh: bool = True
    read_at: int = field(default_factory=time_ns)

    @property
    def sheet_id(self) -> int:
        return self.access.sheet.sheet_id

    @property
    def layout(self) -> dict[str, Any]:
        """What the open view says of columns, for the grid."""
        return {key: value for key, value in self.view.shown.items() if key in grid.DEFAULT_LAYOUT}

    def status(self, view: View) -> str:
        """Return the line above the rows, empty if there is nothing to say.

        Reads the sheet again unless this page run has just read it.
        """
        trouble = "" if self.is_fresh else self._catch_up(view)
        self.is_fresh = False
        return trouble or self._summary()

    def _catch_up(self, view: View) -> str:
        """Read the sheet again and return an error text, empty if all went well.

        While the database is away, the rows stay on the page with everything that is being typed into them.
        """
        try:
            actor = current_actor()
            with snapshot() as session:
                access = get_access(session, actor, self.sheet_id)
                sheet = _sheet_json(access, actor, self.collaborators)
                listed = _drawn(views(session, access))
                if sheet["version"] != self.sheet["version"]:
                    self.last_change = last_change(session, access)
                    self.trash_count = trash.trash_size(session, access)
        except Refused:
            st.rerun()  # The whole page shows the reason.
        except Busy as error:
            return f":red[:material/cloud_off: {error_text(error)}]"
        has_new_views = _state(listed) != _state(self.views)
        has_new_sheet = any(sheet[name] != self.sheet[name] for name in AROUND_ROWS)
        if has_new_views or has_new_sheet or without_invalid(access, view) != view:
            st.rerun()
        self.access, self.sheet = access, sheet
        return ""

    def _summary(self) -> str:
        """What to do next in an empty sheet, and what a commenter may do."""
        permissions = self.access.permissions
        if self.last_change is None:
            return EMPTY if Permission.ROWS_ADD in permissions else NOTHING_YET
        only_comments = Permission.COMMENTS_WRITE in permissions and Permission.ROWS_EDIT not in permissions
        return COMMENTER if only_comments else ""


def open_sheet(actor: Actor) -> tuple[dict[int, ListedSheet], SheetView | None]:
    """Return this person's sheets, and the one that the page is about, all of one moment."""
    with snapshot() as session:
        listed = {sheet.sheet_id: sheet for sheet in sheets(session, actor)}
        sheet_id = sheet_picker.requested(listed)
        if sheet_id is None:
            return listed, None
        access = get_access(session, actor, sheet_id)
        collaborators = shares.collaborators(session, access)
        sheet_views = _drawn(views(session, access))
        return listed, SheetView(
            actor=actor,
            access=access,
            sheet=_sheet_json(access, actor, collaborators),
            views=sheet_views,
            view=_open_view(sheet_views),
            collaborators=collaborators,
            teams=shares.team_shares(session, access),
            locale=get_locale(session, actor),
            last_change=last_change(session, access),
            trash_count=trash.trash_size(session, access),
        )


def _drawn(listed: list[ViewInfo]) -> list[ViewInfo]:
    """Return the views of the kinds that the page can draw."""
    return [view for view in listed if view.kind in DRAWN]


def _open_view(listed: list[ViewInfo]) -> ViewInfo:
    """Return the view in the address, else the one that this person opened last."""
    address = st.query_params.get("view")
    return next((view for view in listed if str(view.view_id) == address), None) or last_view(listed)


def _state(listed: list[ViewInfo]) -> list[tuple[object, ...]]:
    """What makes the page around the rows different. Changes of one's own are made on the page itself."""
    return [(view.view_id, view.name, view.is_shared, view.version) for view in listed]


def _sheet_json(access: Access, actor: Actor, collaborators: list[CollaboratorInfo]) -> dict[str, Any]:
    """The sheet with the names that are at hand; the browser reads the others when it meets them."""
    people = {str(person.user_id): person.name for person in collaborators}
    return sheet_json(access, people | {str(actor.user_id): actor.name})

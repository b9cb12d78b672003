"""What a sheet's page shows of its sheet: read at once, and brought up to date while the page is open."""

from dataclasses import dataclass
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
from core.sheets import layouts
from core.sheets.serialize import sheet_json
from core.sheets.sheets import ListedSheet, sheets
from db.engine import Busy, snapshot
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_text
from pages.components.app.format import literal, moment, shortened
from pages.components.sheet import sheet_picker

DESCRIPTION = 90
# If one of these changes, the page around the rows is drawn again.
AROUND_ROWS = ("permissions", "archived_at", "name", "columns_version")
EMPTY = "This sheet is empty. Type into its first row, paste rows from a spreadsheet, or use “Import”."
NOTHING_YET = "This sheet has no rows yet."
COMMENTER = "You can read and comment: open a row to see its comments"


@dataclass
class SheetView:
    """A sheet as this person sees it. `is_fresh` is true until the page has shown what it read."""

    actor: Actor
    access: Access
    sheet: dict[str, Any]
    layout: dict[str, Any]
    collaborators: list[CollaboratorInfo]
    teams: list[TeamShare]
    locale: Locale
    last_change: LastChange | None
    trash_count: int
    is_fresh: bool = True

    @property
    def sheet_id(self) -> int:
        return self.access.sheet.sheet_id

    def status(self, view: View) -> str:
        """Return the line above the rows. Reads the sheet again unless this page run has just read it."""
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
                if sheet["version"] != self.sheet["version"]:
                    self.last_change = last_change(session, access)
                    self.trash_count = trash.trash_size(session, access)
        except Refused:
            st.rerun()  # The whole page shows the reason.
        except Busy as error:
            return f":red[:material/cloud_off: {error_text(error)}]"
        if without_invalid(access, view) != view or any(sheet[name] != self.sheet[name] for name in AROUND_ROWS):
            st.rerun()
        self.access, self.sheet = access, sheet
        return ""

    def _summary(self) -> str:
        """What the sheet is for and its last change; for an empty sheet, what to do next."""
        permissions = self.access.permissions
        if self.last_change is None:
            return EMPTY if Permission.ROWS_ADD in permissions else NOTHING_YET
        only_comments = Permission.COMMENTS_WRITE in permissions and Permission.ROWS_EDIT not in permissions
        texts = [COMMENTER if only_comments else "", literal(shortened(self.sheet["description"], DESCRIPTION))]
        at = moment(self.last_change.effective_at, self.locale)
        texts.append(f"Last change by {literal(self.last_change.by)}, {at}")
        return " · ".join(filter(None, texts))


def open_sheet(actor: Actor) -> tuple[dict[int, ListedSheet], SheetView | None]:
    """Return this person's sheets, and the one that the page is about, all of one moment."""
    with snapshot() as session:
        listed = {sheet.sheet_id: sheet for sheet in sheets(session, actor)}
        sheet_id = sheet_picker.requested(listed)
        if sheet_id is None:
            return listed, None
        access = get_access(session, actor, sheet_id)
        collaborators = shares.collaborators(session, access)
        return listed, SheetView(
            actor=actor,
            access=access,
            sheet=_sheet_json(access, actor, collaborators),
            layout=layouts.layout(session, access),
            collaborators=collaborators,
            teams=shares.team_shares(session, access),
            locale=get_locale(session, actor),
            last_change=last_change(session, access),
            trash_count=trash.trash_size(session, access),
        )


def _sheet_json(access: Access, actor: Actor, collaborators: list[CollaboratorInfo]) -> dict[str, Any]:
    """The sheet with the names that are at hand; the browser reads the others when it meets them."""
    people = {str(person.user_id): person.name for person in collaborators}
    return sheet_json(access, people | {str(actor.user_id): actor.name})

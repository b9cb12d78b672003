"""The table of pages: a page is one row here and one file in its section's folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from core.base.actor import Actor
from core.base.permissions import ROLE_PERMISSIONS, Permission
from core.sheets.favourites import NavigationSheet
from pages.components.app.format import literal, shortened


@dataclass(frozen=True)
class Page:
    """A page: its place in the navigation, what it is called, and which workspace permission it asks for.

    A page of the section SHEET is opened from a sheet: the navigation does not list it.
    """

    section: str
    file: str
    title: str
    icon: str
    url_path: str
    help: str | None
    permission: Permission | None = None
    default: bool = False


WORK, SHEET, ADMINISTRATION, YOU = "Work", "Sheet", "Administration", "You"
LAST_SHEET = "sheet_last"  # In session_state: the number of the sheet that was open last.
LONGEST, KEY = 28, "admin_panel_settings"
GRID = Page(SHEET, "work/grid.py", "Grid", "grid_on", "grid", "Edit a sheet together.")
PAGES = [
    Page(WORK, "work/sheets.py", "Home", "home", "sheets", "Every sheet you may see.", default=True),
    GRID,
    Page(SHEET, "work/columns.py", "Columns", "view_column", "columns", "Columns of a sheet and their rules."),
    Page(SHEET, "work/imports.py", "Import", "upload_file", "import", "Bring a CSV file into a sheet."),
    Page(WORK, "insight/dashboard.py", "Dashboard", "monitoring", "dashboard", "The pipeline in charts."),
    Page(SHEET, "insight/changes.py", "Changes", "history", "changes", "Who changed what, and when."),
    Page(YOU, "account/profile.py", "Profile", "person", "profile", "Your name, password and sessions."),
    Page(YOU, "account/colleagues.py", "Colleagues", "contacts", "colleagues", "Whom you work with."),
    Page(
        ADMINISTRATION,
        "admin/people.py",
        "People",
        "group",
        "people",
        "Accounts, roles and invitations.",
        Permission.PEOPLE_MANAGE,
    ),
    Page(ADMINISTRATION, "admin/teams.py", "Teams", "groups", "teams", "Who works together.", Permission.TEAMS_MANAGE),
    Page(
        ADMINISTRATION,
        "admin/settings.py",
        "Settings",
        "settings",
        "settings",
        "Currency, time zone, week and fiscal year.",
        Permission.PEOPLE_MANAGE,
    ),
    Page(
        ADMINISTRATION,
        "admin/security.py",
        "Security",
        "shield",
        "security",
        "Who is signed in, and what happened.",
        Permission.PEOPLE_MANAGE,
    ),
    Page(
        ADMINISTRATION,
        "admin/system.py",
        "System",
        "dns",
        "system",
        "Database, e-mails and disk.",
        Permission.PEOPLE_MANAGE,
    ),
    Page(
        ADMINISTRATION,
        "insight/audit.py",
        "Audit",
        "policy",
        "audit",
        "Who did what to accounts, shares and sheets.",
        Permission.SHEETS_CREATE,  # Who can own no sheet would find nothing there.
    ),
]


def offered(actor: Actor, sheets: Sequence[NavigationSheet]) -> dict[str, list[StreamlitPage]]:
    """Return the pages that the user may open, by section. The URL of any other page opens the default page."""
    current = _current_sheet(sheets)
    pages = {name: [_entry(each, current) for each in entries] for name, entries in listed(actor, sheets).items()}
    hidden = [*pages_of(SHEET, actor), *pages_of(ADMINISTRATION, actor)[1:]]
    pages[YOU] += [_made(page, is_listed=False) for page in hidden if page is not GRID or current is None]
    return pages


def listed(actor: Actor, sheets: Sequence[NavigationSheet]) -> dict[str, list[Page | NavigationSheet]]:
    """Return what the navigation lists for the user, by section: pages and sheets."""
    administration = [replace(page, title=ADMINISTRATION, icon=KEY) for page in pages_of(ADMINISTRATION, actor)[:1]]
    sections: dict[str, list[Page | NavigationSheet]] = {
        WORK: [*pages_of(WORK, actor)],
        "Favourites": [sheet for sheet in sheets if sheet.is_favourite],
        "Sheets": [sheet for sheet in sheets if not sheet.is_favourite],
        YOU: [*administration, *pages_of(YOU, actor)],
    }
    return {section: entries for section, entries in sections.items() if entries}


def pages_of(section: str, actor: Actor) -> list[Page]:
    """Return the pages of a section of the navigation that the user may open."""
    return [page for page in PAGES if page.section == section and may_open(actor, page)]


def may_open(actor: Actor, page: Page) -> bool:
    """Return whether the user's role permits a page."""
    return page.permission is None or page.permission in ROLE_PERMISSIONS[actor.role]


def page_at(url_path: str) -> Page | None:
    """The page at an address, None where there is none."""
    return next((page for page in PAGES if page.url_path == url_path), None)


def for_strangers(show: Callable[[], None]) -> list[StreamlitPage]:
    """Return the sign-in page at every path, so that the requested page opens after signing in."""
    return [st.Page(show, title="Contrivance", url_path=page.url_path, default=page.default) for page in PAGES]


def for_visitors(show: Callable[[], None]) -> list[StreamlitPage]:
    """Return the only page that visitors of a public link can open."""
    paths = {"start": True, "shared": False}
    return [st.Page(show, title="A shared sheet", url_path=path, default=start) for path, start in paths.items()]


def _current_sheet(sheets: Sequence[NavigationSheet]) -> NavigationSheet | None:
    """Return the sheet in the address, else the one that was open last."""
    address = st.query_params.get("sheet") or str(st.session_state.get(LAST_SHEET))
    return next((sheet for sheet in sheets if str(sheet.sheet_id) == address), None)


def _entry(entry: Page | NavigationSheet, current: NavigationSheet | None) -> StreamlitPage:
    """Return an entry of the navigation: a page, or a sheet, which opens in the grid. The open sheet is the grid."""
    if isinstance(entry, Page):
        return _made(entry)
    if entry is current:
        return _made(replace(GRID, title=_written(entry.name), icon=entry.icon, help=None))

    def open_sheet() -> None:
        st.switch_page(GRID.file, query_params={"sheet": str(entry.sheet_id)})

    icon, url_path = f":material/{entry.icon}:", f"sheet-{entry.sheet_id}"
    return st.Page(open_sheet, title=_written(entry.name), icon=icon, url_path=url_path)


def _made(page: Page, *, is_listed: bool = True) -> StreamlitPage:
    return st.Page(
        page.file,
        title=page.title,
        icon=f":material/{page.icon}:",
        url_path=page.url_path,
        help=page.help,
        default=page.default,
        visibility="visible" if is_listed else "hidden",
    )


def _written(name: str) -> str:
    return literal(shortened(name, LONGEST))

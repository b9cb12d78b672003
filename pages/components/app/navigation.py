"""The table of pages: a page is one row here and one file in its section's folder."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from core.base.actor import Actor
from core.base.permissions import ROLE_PERMISSIONS, Permission


@dataclass(frozen=True)
class Page:
    """A page: where it stands, what it is called, and which workspace permission it asks for."""

    section: str
    file: str
    title: str
    icon: str
    url_path: str
    help: str
    permission: Permission | None = None
    default: bool = False


PAGES = [
    Page("Work", "work/sheets.py", "Sheets", "table_view", "sheets", "Every sheet you may see.", default=True),
    Page("Work", "work/grid.py", "Grid", "grid_on", "grid", "Edit a sheet together."),
    Page("Work", "work/columns.py", "Columns", "view_column", "columns", "Columns of a sheet and their rules."),
    Page("Work", "work/imports.py", "Import", "upload_file", "import", "Bring a CSV file into a sheet."),
    Page("Insight", "insight/dashboard.py", "Dashboard", "monitoring", "dashboard", "The pipeline in charts."),
    Page("Insight", "insight/changes.py", "Changes", "history", "changes", "Who changed what, and when."),
    Page(
        "Insight",
        "insight/audit.py",
        "Audit",
        "policy",
        "audit",
        "Who did what to accounts, shares and sheets.",
        Permission.SHEETS_CREATE,  # Who can own no sheet would find nothing there.
    ),
    Page("You", "account/profile.py", "Profile", "person", "profile", "Your name, password and sessions."),
    Page("You", "account/colleagues.py", "Colleagues", "contacts", "colleagues", "Whom you work with."),
    Page(
        "Workspace",
        "admin/people.py",
        "People",
        "group",
        "people",
        "Accounts, roles and invitations.",
        Permission.PEOPLE_MANAGE,
    ),
    Page("Workspace", "admin/teams.py", "Teams", "groups", "teams", "Who works together.", Permission.TEAMS_MANAGE),
    Page(
        "Workspace",
        "admin/settings.py",
        "Settings",
        "settings",
        "settings",
        "Currency, time zone, week and fiscal year.",
        Permission.PEOPLE_MANAGE,
    ),
    Page(
        "Workspace",
        "admin/security.py",
        "Security",
        "shield",
        "security",
        "Who is signed in, and what happened.",
        Permission.PEOPLE_MANAGE,
    ),
    Page(
        "Workspace",
        "admin/system.py",
        "System",
        "dns",
        "system",
        "Database, e-mails and disk.",
        Permission.PEOPLE_MANAGE,
    ),
]


def offered(actor: Actor) -> dict[str, list[StreamlitPage]]:
    """Return the pages that the user may open, by section. The URL of any other page opens the default page."""
    sections: dict[str, list[StreamlitPage]] = {}
    for page in PAGES:
        if page.permission is None or page.permission in ROLE_PERMISSIONS[actor.role]:
            sections.setdefault(page.section, []).append(_made(page))
    return sections


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


def _made(page: Page) -> StreamlitPage:
    icon = f":material/{page.icon}:"
    return st.Page(page.file, title=page.title, icon=icon, url_path=page.url_path, help=page.help, default=page.default)

"""The navigation: home, one's favourites and sheets, and administration behind one entry."""

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.sheets.favourites import navigation_sheets
from core.sheets.sheets import create_sheet
from pages.components.app import navigation
from tests.conftest import actor
from tests.pages.opened import fine, links, open_page

GRID = "work/grid.py"


@pytest.fixture
def sheet(deals: Access) -> int:
    return deals.sheet.sheet_id


def listed(session: Session, name: str) -> dict[str, list[str]]:
    """The titles in the navigation by section."""
    sections = navigation.listed(actor(name), navigation_sheets(session, actor(name)))
    return {
        section: [entry.title if isinstance(entry, navigation.Page) else entry.name for entry in entries]
        for section, entries in sections.items()
    }


def test_a_member_sees_their_sheets_and_nothing_that_belongs_to_one(session: Session, sheet: int) -> None:
    sections = listed(session, "Ben")
    assert sections == {
        "Work": ["Home", "Dashboard"],
        "Sheets": ["Deals"],
        "You": ["Administration", "Profile", "Colleagues"],
    }


def test_a_star_puts_a_sheet_among_the_favourites_of_its_person(session: Session, sheet: int) -> None:
    create_sheet(session, actor("Ann"), "Accounts")
    page = open_page(session, "Ann", GRID, sheet=sheet)
    page.button(key=f"star_{sheet}").click()
    page = fine(page.run())
    assert page.button(key=f"star_{sheet}").help == "Remove from favourites"
    assert listed(session, "Ann")["Favourites"] == ["Deals"]
    assert listed(session, "Ann")["Sheets"] == ["Accounts"]
    assert "Favourites" not in listed(session, "Ben")


def test_the_pages_of_the_administration_stand_beside_each_other(session: Session, sheet: int) -> None:
    pages = ["People", "Teams", "Settings", "Security", "System", "Audit"]
    assert links(open_page(session, "Ada", "admin/teams.py"))[: len(pages)] == pages
    assert "People" not in links(open_page(session, "Ada", GRID, sheet=sheet))


def test_the_name_of_a_sheet_is_not_read_as_formatting() -> None:
    assert navigation._written("**bold** :red[x]").startswith("\\*\\*bold")

"""Views of a sheet as two people see them: one saves for everyone, and the other keeps what is their own."""

from collections.abc import Callable

from playwright.sync_api import expect

from core.access.load import get_access
from core.views.views import first_view
from db import engine as db
from tests.browser.people import Person
from tests.conftest import actor

PATIENCE = 15_000
Seat = Callable[..., Person]
Make = Callable[..., int]


def changes_of(name: str, sheet: int) -> dict[str, object]:
    with db.transaction() as session:
        return first_view(session, get_access(session, actor(name), sheet)).changes


def choose(person: Person, button: str, entry: str) -> None:
    person.page.get_by_role("button", name=button, exact=True).click()
    person.page.get_by_role("menuitem", name=entry).click()


def hide(person: Person, column: str) -> None:
    """By the list of columns, which stays open for the next."""
    person.page.get_by_role("button", name="Columns").first.click()
    person.page.get_by_test_id("stPopoverBody").get_by_text(column, exact=True).click()


def test_one_saves_for_everyone_and_the_other_keeps_own_changes(person: Seat, make_sheet: Make) -> None:
    sheet = make_sheet(12)
    ann, ben = person("Ann").known().open_sheet(sheet), person("Ben").known().open_sheet(sheet)
    hide(ben, "Account")
    expect(ben.page.get_by_role("button", name="Columns · 1 hidden")).to_be_visible(timeout=PATIENCE)
    hide(ann, "Stage")
    choose(ann, "Changed for you", "Save for everyone")
    expect(ann.page.get_by_role("button", name="Changed for you")).to_have_count(0, timeout=PATIENCE)
    expect(ann.page.get_by_role("button", name="Columns · 1 hidden")).to_be_visible(timeout=PATIENCE)
    # Ben's page reads the views anew by itself, and his own columns stay as he has them.
    ben.until(lambda: bool(changes_of("Ben", sheet)), "Ben lost his changes")
    choose(ben, "Changed for you", "Save for everyone")
    ben.says("Ann has saved “All rows” for everyone since you changed it")
    ben.page.get_by_role("button", name="Keep mine as a view of my own").click()
    tabs = ben.page.get_by_role("tab", name="All rows")
    expect(tabs).to_have_count(2, timeout=PATIENCE)
    expect(tabs.last).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    assert changes_of("Ben", sheet) == {}


def test_a_view_is_made_opened_by_its_address_and_opened_again(person: Seat, make_sheet: Make) -> None:
    sheet = make_sheet(12)
    ann = person("Ann").known().open_sheet(sheet)
    choose(ann, "View", "New view")
    dialog = ann.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("Big deals")
    dialog.get_by_role("button", name="Create", exact=True).click()
    tab = ann.page.get_by_role("tab", name="Big deals")
    expect(tab).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    address = ann.page.url
    ann.page.get_by_role("tab", name="All rows").click()
    expect(tab).to_have_attribute("aria-selected", "false", timeout=PATIENCE)
    ann.page.goto(address)
    expect(tab).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    ann.open_sheet(sheet)
    expect(tab).to_have_attribute("aria-selected", "true", timeout=PATIENCE)

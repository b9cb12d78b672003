"""What was deleted or overwritten comes back, in every open grid, and nobody's newer value is lost by it."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, expect

from core.edits.batch import Batch, CellInput, Edit
from core.edits.operation import ChangeSource
from core.edits.write import write
from db import engine as db
from tests.browser.people import HEADER, MARKERS, ROW, WIDTHS, Person
from tests.browser.test_together import stored
from tests.conftest import actor

DEAL, ACCOUNT, STAGE, AMOUNT = 0, 1, 2, 3
PATIENCE = 30_000
Together = Callable[..., tuple[Person, Person, int]]


def delete_line(person: Person, line: int) -> None:
    """Tick the row on this line, and delete it as everybody does."""
    box = person.page.get_by_test_id("data-grid-canvas").bounding_box()
    assert box
    person.page.mouse.click(box["x"] + 20, box["y"] + HEADER + ROW * line + ROW / 2)
    person.page.get_by_test_id("grid-delete").click()
    person.page.get_by_test_id("grid-confirm").get_by_role("button", name="Delete").click()


def edit(who: str, sheet: int, row: int, column: int, given: str) -> None:
    """An edit from elsewhere."""
    batch = Batch((Edit(row, column, CellInput(given)),))
    with db.transaction() as session:
        write(session, actor(who), sheet, batch, operation_id=uuid4(), source=ChangeSource.API)


def open_trash(person: Person, count: int) -> Locator:
    person.page.get_by_role("button", name="More", exact=True).click()
    entry = person.page.get_by_role("menuitem", name=f"Trash ({count})")
    expect(entry).to_be_visible(timeout=PATIENCE)
    entry.click()
    return person.page.get_by_role("dialog")


def close(dialog: Locator) -> None:
    """By its cross: Escape is lost while the button that had the focus goes away."""
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


def open_history(person: Person, column: int, line: int) -> Locator:
    """By the menu of the cell."""
    person.select(column, line)
    person.page.keyboard.press("Escape")
    box = person.page.get_by_test_id("data-grid-canvas").bounding_box()
    left = sum(WIDTHS[:column])
    assert box
    place = box["x"] + MARKERS + left + 40, box["y"] + HEADER + ROW * line + ROW / 2
    person.page.mouse.click(*place, button="right")
    person.page.get_by_role("menuitem", name="History of this cell").click()
    return person.page.get_by_role("dialog")


def past(drawer: Locator) -> Locator:
    return drawer.get_by_role("tabpanel", name="History")


def test_what_one_deletes_the_other_restores_and_both_see_it_in_its_place(together: Together) -> None:
    ann, ben, _ = together()
    delete_line(ann, 3)
    ann.until(lambda: ann.row_count.startswith("11 "))
    ben.until(lambda: ben.row_count.startswith("11 "))
    dialog = open_trash(ben, 1)
    expect(dialog.get_by_text("Deal 4", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(dialog.get_by_text("Deleted by")).to_contain_text("Ann")
    dialog.get_by_role("button", name="Restore", exact=True).click()
    expect(dialog.get_by_text("Row 4 is back")).to_be_visible(timeout=PATIENCE)
    expect(dialog.get_by_text("The trash is empty")).to_be_visible()
    close(dialog)
    ann.until(lambda: ann.row_count.startswith("12 "), "the row is counted again")
    ben.until(lambda: ben.row_count.startswith("12 "), "the row is counted again")
    ann.sees(DEAL, 3, "Deal 4")
    ben.sees(DEAL, 3, "Deal 4")
    ann.select(ACCOUNT, 3).type("Alive again").saved()
    ben.sees(ACCOUNT, 3, "Alive again")


@pytest.mark.exhaustive
def test_a_restored_row_appears_to_who_came_after_it_was_deleted(
    person: Callable[..., Person], make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet()
    with db.transaction() as session:
        write(session, actor("Ann"), sheet, Batch(deletes=(2, 3)), operation_id=uuid4(), source=ChangeSource.API)
    ben = person("Ben").known().open_sheet(sheet)
    dialog = open_trash(ben, 2)
    dialog.get_by_role("button", name="Select all").click()
    dialog.get_by_role("button", name="Restore 2 selected").click()
    expect(dialog.get_by_text("2 rows are back")).to_be_visible(timeout=PATIENCE)
    close(dialog)
    ben.until(lambda: ben.row_count.startswith("12 "))
    ben.page.get_by_test_id("grid-stale").click()
    ben.sees(DEAL, 1, "Deal 2").sees(DEAL, 2, "Deal 3")
    ben.page.get_by_role("button", name="More", exact=True).click()
    expect(ben.page.get_by_role("menuitem", name="Trash", exact=True)).to_be_visible(timeout=PATIENCE)


def test_an_older_value_comes_back_and_the_history_says_so(together: Together) -> None:
    ann, ben, sheet = together()
    ben.select(ACCOUNT, 4).type("A mistake").saved()
    ann.sees(ACCOUNT, 4, "A mistake")
    drawer = open_history(ann, ACCOUNT, 4)
    expect(past(drawer).get_by_text("A mistake", exact=True)).to_be_visible(timeout=PATIENCE)
    drawer.get_by_role("button", name="Restore this value").first.click()
    expect(past(drawer).get_by_text("restored")).to_be_visible(timeout=PATIENCE)
    assert stored(sheet, 5, 2) == "Account 2"
    ann.sees(ACCOUNT, 4, "Account 2")
    ben.sees(ACCOUNT, 4, "Account 2")


def test_a_value_that_somebody_has_just_changed_is_not_overwritten_by_an_older_one(together: Together) -> None:
    ann, _, sheet = together()
    edit("Ann", sheet, 5, 2, "Second")
    ann.sees(ACCOUNT, 4, "Second")
    drawer = open_history(ann, ACCOUNT, 4)
    expect(past(drawer).get_by_text("Second", exact=True)).to_be_visible(timeout=PATIENCE)
    edit("Ben", sheet, 5, 2, "Third, by Ben")
    drawer.get_by_role("button", name="Restore this value").first.click()
    expect(drawer.get_by_text("Ben changed this cell meanwhile")).to_be_visible(timeout=PATIENCE)
    expect(past(drawer).get_by_text("Third, by Ben", exact=True)).to_be_visible()
    assert stored(sheet, 5, 2) == "Third, by Ben"
    ann.sees(ACCOUNT, 4, "Third, by Ben")

"""Undo and redo at the keyboard: my own actions go back and forth in every open grid, and after a reload."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.people import Person
from tests.browser.test_history import delete_line

DEAL, ACCOUNT, STAGE, AMOUNT = 0, 1, 2, 3
Together = Callable[..., tuple[Person, Person, int]]


def undo_says(person: Person, text: str) -> None:
    expect(person.page.get_by_test_id("grid-undo")).to_have_attribute("title", text, timeout=15_000)


def test_a_typed_cell_goes_back_and_comes_again_by_key_in_both_grids(together: Together) -> None:
    ann, ben, _ = together()
    expect(ben.page.get_by_test_id("grid-undo")).to_be_disabled()
    before = ben.cell(ACCOUNT, 2)
    ben.select(ACCOUNT, 2).type("Typed wrong").saved()
    ann.sees(ACCOUNT, 2, "Typed wrong")
    undo_says(ben, "Undo: Change of a cell (Ctrl+Z)")
    ben.page.keyboard.press("Control+z")
    ben.sees(ACCOUNT, 2, before)
    ann.sees(ACCOUNT, 2, before)
    ben.page.keyboard.press("Control+Shift+Z")
    ann.sees(ACCOUNT, 2, "Typed wrong")
    before_both = ann.version
    ben.page.keyboard.press("Control+z")
    ben.page.keyboard.press("Control+y")
    ann.until(lambda: ann.version == before_both + 2)
    ann.sees(ACCOUNT, 2, "Typed wrong")


def test_a_paste_is_taken_back_as_one_with_the_button_also_after_a_reload(together: Together) -> None:
    ann, ben, sheet = together()
    ann.select(DEAL, 10).paste("p1\tq1\np2\tq2\np3\tq3\np4\tq4")
    ann.saved()
    ben.until(lambda: ben.row_count.startswith("14 "))
    ann.open_sheet(sheet)
    undo_says(ann, "Undo: Adding of 2 rows (Ctrl+Z)")
    ann.page.get_by_test_id("grid-undo").click()
    ann.says("Undone: Adding of 2 rows.")
    for who in (ann, ben):
        who.until(lambda who=who: who.row_count.startswith("12 "))
        who.sees(DEAL, 10, "Deal 11")
    ann.page.get_by_test_id("grid-redo").click()
    ben.sees(DEAL, 10, "p1")


def test_deleted_rows_come_back_with_one_key(together: Together) -> None:
    ann, ben, _ = together()
    delete_line(ann, 3)
    ben.until(lambda: ben.row_count.startswith("11 "))
    ann.page.get_by_test_id("grid-undo").click()
    ben.until(lambda: ben.row_count.startswith("12 "))
    ann.sees(DEAL, 3, "Deal 4")


def test_what_somebody_changed_since_is_left_alone_and_named(together: Together) -> None:
    ann, ben, _ = together()
    before = [ann.cell(ACCOUNT, line) for line in range(12)]
    ann.select(ACCOUNT, 4).paste("one\ntwo\nthree")
    ann.saved()
    ben.sees(ACCOUNT, 5, "two")
    ben.select(ACCOUNT, 5).type("Ben's own").saved()
    ann.sees(ACCOUNT, 5, "Ben's own")
    ann.select(DEAL, 0)
    ann.page.keyboard.press("Control+z")
    ann.sees(ACCOUNT, 4, before[4])
    ann.sees(ACCOUNT, 6, before[6])
    left = ann.page.get_by_test_id("grid-left-alone")
    expect(left).to_contain_text("1 change was skipped")
    expect(left).to_contain_text("Ben")
    assert ann.cell(ACCOUNT, 5) == "Ben's own"
    left.get_by_role("button", name="Close").click()
    expect(left).to_have_count(0)


def test_the_keys_belong_to_the_editor_while_somebody_types(together: Together) -> None:
    ann, ben, _ = together()
    ann.select(ACCOUNT, 1).type("Kept").saved()
    ann.select(DEAL, 2).type("half", then="")
    ann.page.keyboard.press("Control+z")
    ann.page.keyboard.press("Escape")
    ann.page.wait_for_timeout(800)
    ben.sees(ACCOUNT, 1, "Kept")
    assert ann.cell(ACCOUNT, 1) == "Kept"

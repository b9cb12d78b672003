"""Typing over a cell: what is typed replaces what stood there, and lands in the cell that was clicked."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from core.sheets.columns import NewColumn, add_column
from db import engine as db
from tests.browser.people import HEADER, MARKERS, ROW, Person
from tests.conftest import actor

NAME, AMOUNT, DONE = 0, 3, 11
LATE_FRAMES = (
    "const frame = requestAnimationFrame; window.requestAnimationFrame = act => frame(() => setTimeout(act, 400))"
)


@pytest.fixture
def ann(person: Callable[..., Person], make_sheet: Callable[..., int]) -> Person:
    return person("Ann").known().open_sheet(make_sheet(6))


def press(one: Person, row: int) -> None:
    """Press the mouse on a row's first cell, and wait for nothing."""
    box = one.page.get_by_test_id("data-grid-canvas").bounding_box()
    assert box
    one.page.mouse.click(box["x"] + MARKERS + 60, box["y"] + HEADER + ROW * row + ROW / 2)


def test_space_types_over_an_amount(ann: Person) -> None:
    ann.select(AMOUNT, 0).type(" 50").sees(AMOUNT, 0, "50").saved()


def test_what_is_typed_right_after_a_click_lands_in_the_clicked_cell(ann: Person) -> None:
    before = ann.cell(NAME, 0)
    ann.select(NAME, 0)
    ann.page.keyboard.press("F2")
    expect(ann.page.get_by_test_id("grid-editor")).to_be_visible()
    ann.page.evaluate(LATE_FRAMES)
    press(ann, 2)
    ann.page.keyboard.type("New", delay=5)
    # The frames of the click are over: none of them has taken the keyboard from the editor.
    ann.page.evaluate("() => new Promise(done => requestAnimationFrame(done))")
    ann.page.keyboard.type(" name")
    ann.page.keyboard.press("Enter")
    ann.saved().sees(NAME, 2, "New name")
    # The keyboard went on to the next row with Enter.
    ann.type("Next").saved().sees(NAME, 3, "Next")
    assert ann.cell(NAME, 0) == before


def test_space_ticks_a_check_box_and_letters_do_not(
    person: Callable[..., Person], make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet(3)
    with db.transaction() as session:
        add_column(session, actor("Ann"), sheet, NewColumn("Done", "checkbox"))
    ann = person("Ann").known().open_sheet(sheet)
    ann.select(DONE, 0).type("yes", then="Space").sees(DONE, 0, "true").saved()
    ann.type("", then="Space").sees(DONE, 0, "false").saved()


def test_control_and_space_select_the_column(ann: Person) -> None:
    ann.select(AMOUNT, 1)
    ann.page.keyboard.press("Control+Space")
    ann.page.keyboard.press("Control+c")
    copied = ann.page.evaluate("() => navigator.clipboard.readText()")
    assert copied.split("\n") == ["100", "200", "300", "400", "500", "600"]

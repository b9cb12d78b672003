"""The clipboard and the editor: what they show is read back as the value that it was; nothing is left out unseen."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect

from core.access.load import get_access
from core.rows.read import stored_row
from core.sheets.columns import NewColumn, add_column
from db import engine as db
from tests.browser.conftest import add
from tests.browser.people import Person
from tests.conftest import actor

NAME, ACCOUNT, LAST = 0, 1, 10
PASTE = """([text, html]) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    data.setData("text/html", html);
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""


def stored(sheet: int, row: int) -> dict[str, Any]:
    with db.transaction() as session:
        return dict(stored_row(session, get_access(session, actor("Ann"), sheet), row))


def columns_of(sheet: int) -> list[str]:
    with db.transaction() as session:
        return [column.name for column in get_access(session, actor("Ann"), sheet).columns]


@pytest.fixture
def numbers(make_sheet: Callable[..., int]) -> int:
    """A sheet whose last three columns are numbers of each format, with three decimals in the second row."""
    sheet = make_sheet(1)
    with db.transaction() as session:
        made = [
            add_column(session, actor("Ann"), sheet, NewColumn(name, "number", rules)).column_id
            for name, rules in (
                ("Comma", {"number_format": "1.234,56"}),
                ("Dot", {"number_format": "1,234.56"}),
                ("Auto", {}),
            )
        ]
    add(sheet, [{1: "First", **dict.fromkeys(made, "1.0850")}, {1: "Second"}])
    return sheet


def test_the_last_digit_is_changed_and_nothing_else(person: Callable[..., Person], numbers: int) -> None:
    ann = person("Ann").known().open_sheet(numbers)
    for place, typed in ((LAST + 1, "6"), (LAST + 2, "6"), (LAST + 3, "60")):
        ann.select(place, 1).page.keyboard.press("F2")
        editor = ann.page.get_by_test_id("grid-editor")
        expect(editor).to_have_value({LAST + 1: "1,085", LAST + 2: "1.085", LAST + 3: "1.0850"}[place])
        for _ in typed:
            ann.page.keyboard.press("Backspace")
        ann.type(typed).sees(place, 1, "1.086").saved()
    assert set(stored(numbers, 2).values()) == {"First", Decimal("1.086")}


@pytest.mark.exhaustive
def test_a_number_is_copied_exactly_between_columns_of_every_format(
    person: Callable[..., Person], numbers: int
) -> None:
    ann = person("Ann").known().open_sheet(numbers)
    for source in range(LAST + 1, LAST + 4):
        for target in range(LAST + 1, LAST + 4):
            ann.select(source, 1).page.keyboard.press("Control+c")
            ann.select(target, 2).page.keyboard.press("Control+v")
            ann.sees(target, 2, "1.085")
            ann.page.keyboard.press("Delete")
            ann.sees(target, 2, "").saved()


def test_a_block_of_libreoffice_lands_cell_by_cell(
    person: Callable[..., Person], make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet(4)
    ann = person("Ann").known().open_sheet(sheet)
    ann.select(NAME, 0)
    html = "<table><tr><td>Acme<br>Ltd</td><td>&quot;quoted&quot;</td></tr></table>"
    ann.page.evaluate(PASTE, ['Acme\nLtd\t"quoted"', html])
    ann.sees(NAME, 0, "Acme Ltd").sees(ACCOUNT, 0, '"quoted"').saved()
    assert ann.cell(NAME, 1) == "Deal 2"


def test_what_is_wider_than_the_sheet_is_said_before_anything_is_written(
    together: Callable[..., tuple[Person, Person, int]],
) -> None:
    ann, ben, sheet = together(3)
    before = stored(sheet, 1)
    ben.select(LAST, 0).paste("1\t2\t3")
    asked = ben.page.get_by_test_id("grid-too-large")
    expect(asked).to_contain_text("no room for its last 2 columns")
    expect(asked.get_by_role("button", name="Add 2 columns and paste")).to_have_count(0)
    asked.get_by_role("button", name="Cancel").click()
    expect(asked).to_have_count(0)
    assert stored(sheet, 1) == before

    ann.select(LAST, 0).paste("a\tb\tc")
    asked = ann.page.get_by_test_id("grid-too-large")
    asked.get_by_role("button", name="Add 2 columns and paste").click()
    ann.until(lambda: list(stored(sheet, 1).values())[-3:] == ["a", "b", "c"], lambda: ann.told(LAST, 0))
    assert columns_of(sheet)[-2:] == ["Column 12", "Column 13"]
    # The page may have drawn the grid anew for the new columns, from its first column on.
    ann.settled().select(LAST, 0).sees(LAST, 0, "a").saved()

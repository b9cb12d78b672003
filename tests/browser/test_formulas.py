"""Formulas at the keyboard: one is made with its preview, follows what is typed, and shows the reason of an error."""

from collections.abc import Callable

from playwright.sync_api import expect

from core.sheets.columns import NewColumn, add_column, reorder_columns
from db import engine as db
from tests.browser.people import Person
from tests.conftest import actor

DEAL, HALF, ACCOUNT, STAGE, AMOUNT = range(5)
AMOUNT_ID = 4


def with_formula(sheet: int) -> None:
    with db.transaction() as session:
        new = NewColumn("Half", "formula", {"formula": "100 / {Amount}"})
        column = add_column(session, actor("Ann"), sheet, new)
        reorder_columns(session, actor("Ann"), sheet, [1, column.column_id])


def test_a_formula_follows_what_is_typed_and_shows_its_error(
    person: Callable[..., Person], make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet()
    with_formula(sheet)
    ann, ben = (person(name).known().go_to_sheet(sheet) for name in ("Ann", "Ben"))
    for who in (ann, ben):
        who.has_rows()
    ann.select(AMOUNT, 0).type("50").saved()
    for who in (ann, ben):
        who.sees(HALF, 0, "2")
    ann.select(AMOUNT, 0).type("0").saved()
    for who in (ann, ben):
        who.sees(HALF, 0, "#ERROR The divisor is 0.")
    ann.select(HALF, 0)
    ann.page.keyboard.press("Enter")
    expect(ann.page.get_by_text("“Half” is computed. Change the cells that it is computed from.")).to_be_visible()


def test_a_formula_is_made_in_the_drawer_with_its_preview(
    person: Callable[..., Person], make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet()
    ann = person("Ann").known()
    ann.page.goto(f"{ann.url}/columns?sheet={sheet}&column=new")
    drawer = ann.page.get_by_role("dialog")
    drawer.get_by_label("Name", exact=True).fill("Double")
    drawer.get_by_role("combobox", name="Type").click()
    ann.page.get_by_role("option", name="Formula", exact=True).click()
    formula = drawer.get_by_label("Formula", exact=True)
    formula.fill("{Amount} * {Del}")
    formula.press("Control+Enter")
    expect(drawer.get_by_text("There is no column “Del” that you can see.")).to_be_visible()
    formula.fill("{Amount} * 2")
    formula.press("Control+Enter")
    expect(drawer.get_by_text("The first rows")).to_be_visible()
    drawer.get_by_role("button", name="Add this column").click()
    expect(ann.page.get_by_role("button", name="Double")).to_be_visible()

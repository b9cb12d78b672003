"""What a team does with the grid all day: totals, groups, new rows, several rows at once, and the grid on a phone."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.people import HEADER, MARKERS, ROW, WIDTHS, Person

Seat = Callable[..., Person]
Make = Callable[..., int]
DEAL, ACCOUNT, STAGE, AMOUNT, OWNER = range(5)


def choose(one: Person, column_left: int, entry: str) -> None:
    """An entry of the menu of a header, whose column begins at this pixel behind the row markers."""
    box = one.page.get_by_test_id("data-grid-canvas").bounding_box()
    assert box
    one.page.mouse.click(box["x"] + MARKERS + column_left + 40, box["y"] + HEADER / 2, button="right")
    one.page.get_by_role("menuitem", name=entry, exact=True).click()


def tick(one: Person, row: int) -> None:
    box = one.page.get_by_test_id("data-grid-canvas").bounding_box()
    assert box
    one.page.mouse.click(box["x"] + MARKERS / 2, box["y"] + HEADER + ROW * row + ROW / 2)


def test_groups_have_counts_and_sums_that_follow_the_edits_of_others(person: Seat, make_sheet: Make) -> None:
    sheet = make_sheet()
    ann, ben = person("Ann").signed_in().open_sheet(sheet), person("Ben").signed_in().open_sheet(sheet)
    expect(ann.page.get_by_test_id("grid-total-4")).to_contain_text("7,800")
    choose(ann, sum(WIDTHS[:STAGE]), "Group by this column")
    ann.sees(DEAL, 0, "Lead, 2 rows, open").until(lambda: "1,800" in ann.cell(AMOUNT, 0))
    assert ann.cell(DEAL, 1) == "Deal 6"
    ben.select(AMOUNT, 5).type("1600").saved()
    ann.until(lambda: "2,800" in ann.cell(AMOUNT, 0))
    expect(ann.page.get_by_test_id("grid-total-4")).to_contain_text("8,800")
    ann.select(DEAL, 0).sees(DEAL, 0, "Lead, 2 rows, folded").sees(DEAL, 1, "Qualified, 2 rows, open")


def test_a_new_row_takes_what_the_filter_implies_and_stays_until_it_is_left(person: Seat, make_sheet: Make) -> None:
    view = {"filter": [{"column": 2, "op": "is", "value": "Account 1"}]}
    ann = person("Ann").signed_in().open_sheet(make_sheet(), view)
    ann.until(lambda: ann.row_count == "4 of 12 rows")
    ann.page.get_by_test_id("grid-add").click()
    expect(ann.page.get_by_test_id("grid-editor")).to_be_visible()
    ann.type("Fresh deal").saved().sees(DEAL, 4, "Fresh deal").sees(ACCOUNT, 4, "Account 1").sees(OWNER, 4, "Ann")
    ann.select(ACCOUNT, 4).type("Elsewhere", then="Tab").saved().sees(ACCOUNT, 4, "Elsewhere")
    expect(ann.page.get_by_test_id("grid-outside")).to_be_visible()
    ann.select(DEAL, 0).until(lambda: ann.cell(DEAL, 4) != "Fresh deal")


def test_a_value_for_several_rows_is_one_step_to_undo_and_a_column_is_added_in_place(
    person: Seat, make_sheet: Make
) -> None:
    ann = person("Ann").signed_in().open_sheet(make_sheet())
    tick(ann, 1)
    tick(ann, 3)
    ann.page.get_by_test_id("bulk-set").click()
    ann.page.get_by_test_id("bulk-column").select_option(label="Account")
    ann.page.get_by_test_id("bulk-value").fill("Merged")
    ann.page.get_by_role("button", name="Set 2 cells").click()
    ann.sees(ACCOUNT, 1, "Merged").sees(ACCOUNT, 3, "Merged").saved()
    ann.page.get_by_role("button", name="Deselect").click()
    ann.page.get_by_test_id("grid-undo").click()
    ann.sees(ACCOUNT, 1, "Account 2").sees(ACCOUNT, 3, "Account 1")
    ann.page.get_by_test_id("grid-add-column").evaluate("button => button.click()")
    ann.page.get_by_test_id("column-name").fill("Region")
    ann.page.get_by_role("button", name="Add column").click()
    expect(ann.page.get_by_title("Add a total of Region")).to_be_visible()


def test_on_a_phone_rows_are_cards_in_which_everything_is_edited(person: Seat, make_sheet: Make) -> None:
    sheet = make_sheet()
    ann, ben = person("Ann").signed_in().open_sheet(sheet), person("Ben").signed_in().open_sheet(sheet)
    ann.page.set_viewport_size({"width": 390, "height": 844})
    ann.page.get_by_test_id("grid-card-1").click()
    ann.page.get_by_test_id("row-field-1").click()
    ann.page.keyboard.press("Control+a")
    ann.type("Called from the train")
    ann.page.get_by_test_id("row-field-3").click()
    ann.page.get_by_role("option", name="Won").click()
    ben.sees(DEAL, 0, "Called from the train").sees(STAGE, 0, "Won")
    ann.page.get_by_test_id("row-close").click()
    expect(ann.page.get_by_test_id("grid-card-1")).to_contain_text("Called from the train")

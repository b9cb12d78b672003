"""The pages around the grid in a real browser: what a person presses, and that the grid is never disturbed by it."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Request, expect

from core.sharing.shares import unshare_sheet
from core.sheets.columns import NewColumn, add_column, change_column
from core.sheets.sheets import describe_sheet, rename_sheet
from db import engine as db
from tests.browser.conftest import add
from tests.browser.people import Person
from tests.conftest import actor

Seat = Callable[..., Person]
Make = Callable[..., int]
EXHAUSTIVE = pytest.mark.exhaustive
PATIENCE = 15_000
NASTY = "<img src=https://evil.example/a.png> ![i](https://evil.example/b.png) **b** :red[c] www.evil.example"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def choose_more(page: Page, name: str) -> None:
    """From the menu of what one can do with the whole sheet."""
    press(page, "More")
    page.get_by_role("menuitem", name=name).click()


@pytest.mark.exhaustive
def test_a_sheet_is_made_named_and_shared(person: Seat, make_sheet: Make) -> None:
    ann = person("Ann").signed_in()
    press(ann.page, "New sheet")
    name = f"Partners {uuid4().hex[:6]}"
    ann.page.get_by_role("textbox", name="Name").fill(name)
    ann.page.get_by_text("Companies you sell to").click()
    press(ann.page, "Create")
    ann.says("This sheet is empty")
    choose_more(ann.page, "Settings")
    ann.page.get_by_role("textbox", name="Description").fill("Whom we sell with")
    press(ann.page, "Save")
    expect(ann.page.get_by_role("dialog")).to_be_hidden(timeout=PATIENCE)
    press(ann.page, "Share")
    dialog = ann.page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Share with").click()
    ann.page.get_by_role("option", name=re.compile("Ben")).click()
    dialog.get_by_role("button", name="Share").click()
    expect(dialog.get_by_text("ben@example.com").first).to_be_visible(timeout=PATIENCE)
    ben = person("Ben").signed_in()
    ben.says(name)
    ben.says("Whom we sell with")


def test_a_filter_is_built_shown_kept_over_a_reload_and_taken_away(person: Seat, make_sheet: Make) -> None:
    ben = person("Ben").known().open_sheet(make_sheet(12))
    press(ben.page, "Filter")
    press(ben.page, "Add condition")
    ben.page.get_by_role("combobox", name="Column").click()
    ben.page.get_by_role("option", name="Stage", exact=True).click()
    ben.page.get_by_role("combobox", name="Values").click()
    ben.page.get_by_role("option", name="Won", exact=True).click()
    ben.until(lambda: ben.row_count.startswith("2 "), "two deals are won")
    ben.page.keyboard.press("Escape")
    ben.page.keyboard.press("Escape")
    top = ben.page.get_by_test_id("live-grid").bounding_box()
    ben.page.reload()
    ben.until(lambda: ben.row_count.startswith("2 "), "the filter is remembered")
    ben.page.get_by_role("button", name="Stage is any of Won").press("Enter")
    ben.page.get_by_role("combobox", name="Condition").click()
    ben.page.get_by_role("option", name="is none of").click()
    ben.until(lambda: ben.row_count.startswith("10 "), "the chip has changed its condition")
    ben.page.get_by_role("button", name="close icon").click()
    ben.until(lambda: ben.row_count.startswith("12 "), "all rows are back")
    assert ben.page.get_by_test_id("live-grid").bounding_box() == top


def test_columns_change_under_an_open_editor_without_disturbing_it(person: Seat, make_sheet: Make) -> None:
    sheet = make_sheet(5)
    ben = person("Ben").known().open_sheet(sheet)
    ben.select(0, 1).type("half of a na", then="")
    with db.transaction() as session:
        change_column(session, actor("Ann"), sheet, 2, name="Customer")
        add_column(session, actor("Ann"), sheet, NewColumn("Region", "text"))
        rename_sheet(session, actor("Ann"), sheet, "Deals, renamed")
    expect(ben.page.get_by_role("button", name="Deals, renamed").first).to_be_visible(timeout=PATIENCE)
    expect(ben.page.get_by_test_id("live-grid").get_by_text("Customer").first).to_be_attached(timeout=PATIENCE)
    ben.type("me")
    ben.saved().sees(0, 1, "half of a name")


def test_a_row_opens_beside_the_grid_and_stays_open(person: Seat, make_sheet: Make) -> None:
    sheet = make_sheet(3)
    cleo = person("Cleo").known().open_sheet(sheet)
    cleo.select(0, 0)
    cleo.page.get_by_text("Open row").first.click()
    drawer = cleo.page.get_by_role("dialog")
    expect(drawer.get_by_text("2026-03-10").first).to_be_visible(timeout=PATIENCE)
    expect(drawer.get_by_text("100.00 EUR").first).to_be_visible()
    drawer.get_by_role("tab", name="History").click()
    expect(drawer.get_by_text(re.compile("row added"))).to_be_visible(timeout=PATIENCE)
    add(sheet, [{1: "Meanwhile"}])
    cleo.page.wait_for_timeout(5500)  # Longer than a timed run of the page.
    expect(drawer).to_be_visible()


def test_who_is_shut_out_while_looking_is_told_so(person: Seat, make_sheet: Make) -> None:
    sheet = make_sheet(3)
    ben = person("Ben").known().open_sheet(sheet)
    with db.transaction() as session:
        unshare_sheet(session, actor("Ann"), sheet, actor("Ben").user_id)
    ben.says("not shared with you")
    expect(ben.page.get_by_test_id("live-grid")).to_have_count(0, timeout=PATIENCE)


@pytest.mark.parametrize(
    "kind", ["CSV", *(pytest.param(kind, marks=EXHAUSTIVE) for kind in ("Excel (XLSX)", "Parquet"))]
)
def test_what_is_shown_is_what_is_exported(person: Seat, make_sheet: Make, kind: str) -> None:
    won = {"filter": [{"column": 3, "op": "is_any_of", "value": ["o5"]}]}
    cleo = person("Cleo").known().open_sheet(make_sheet(12), won)
    choose_more(cleo.page, "Export")
    link = cleo.page.get_by_role("link", name=kind)
    expect(link).to_be_visible(timeout=PATIENCE)
    # The link is followed in the page itself: a tab of its own closes as soon as the download begins.
    link.evaluate("link => link.removeAttribute('target')")
    with cleo.page.expect_download() as started:
        link.click()
    content = Path(started.value.path()).read_bytes()
    if kind == "CSV":
        lines = content.decode("utf-8-sig").splitlines()
        assert [line.split(",")[0] for line in lines] == ["Deal", "Deal 4", "Deal 10"]
    assert content


@pytest.mark.parametrize(
    "path", ["grid", *(pytest.param(path, marks=EXHAUSTIVE) for path in ("", "columns", "changes"))]
)
def test_markup_in_names_is_shown_and_fetches_nothing(person: Seat, make_sheet: Make, path: str) -> None:
    sheet = make_sheet(1)
    with db.transaction() as session:
        rename_sheet(session, actor("Ann"), sheet, NASTY)
        describe_sheet(session, actor("Ann"), sheet, NASTY)
        change_column(session, actor("Ann"), sheet, 2, name=NASTY, description=NASTY)
    add(sheet, [{1: NASTY, 2: NASTY}])
    ann = person("Ann").signed_in()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    ann.page.on("request", note)
    ann.page.goto(f"{ann.url}/{path}?sheet={sheet}")
    expect(ann.page.get_by_text(re.compile(r"\*\*b\*\*")).first).to_be_attached(timeout=PATIENCE)
    ann.settled().page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith((ann.url, "data:", "blob:"))] == []
    assert ann.page.locator("a[href*=evil], img[src*=evil]").count() == 0

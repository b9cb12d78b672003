"""The sheet page around the grid: which sheet, which view, what one may do with it."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access.access import Access
from core.access.load import get_access
from core.column_types.base import Option
from core.sheets.columns import change_column, retire_column
from core.sheets.sheets import archive_sheet, create_sheet, rename_sheet
from core.views.edit_views import change_settings
from core.views.views import first_view
from tests.conftest import actor
from tests.pages.filtering import add_filter, chips
from tests.pages.opened import add_deal, fine, labels, links, open_page, press, said

GRID = "work/grid.py"
DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
LEADS = {"filter": [{"column": STAGE, "op": "is_any_of", "value": ["o1"]}]}


@pytest.fixture
def sheet(deals: Access) -> int:
    return deals.sheet.sheet_id


def given_to_grid(page: AppTest, sheet: int) -> dict[str, Any]:
    """What the page hands to the grid."""
    data: dict[str, Any] = json.loads(page.get_by_key(f"grid_{sheet}").proto.json)
    return data


def remembered(session: Session, name: str, sheet: int) -> dict[str, Any]:
    """What this person changed on the first view."""
    return first_view(session, get_access(session, actor(name), sheet)).changes


def change(session: Session, name: str, sheet: int, settings: dict[str, Any]) -> None:
    """Change the first view for this person."""
    view = first_view(session, get_access(session, actor(name), sheet))
    change_settings(session, actor(name), sheet, view.view_id, settings)


# --- which sheet, and what one may do


@pytest.mark.parametrize(
    ("name", "level", "may_share", "more"),
    [
        (
            *("Ann", "Owner", True),
            ["Dashboard", "Changes", "As of…", "Trash", "Import", "Export", "Columns", "Settings"],
        ),
        ("Ben", "Editor", False, ["Dashboard", "Changes", "As of…", "Trash", "Import", "Export"]),
        ("Cleo", "Viewer", False, ["Dashboard", "Changes", "As of…", "Trash", "Export"]),
    ],
)
def test_each_level_is_offered_what_it_may_do(
    session: Session, sheet: int, name: str, level: str, may_share: bool, more: list[str]
) -> None:
    page = open_page(session, name, GRID, sheet=sheet)
    assert level in said(page)
    assert ("Share" in labels(page)) is may_share
    assert [option.partition(" ")[2] for option in page.menu_button(key="more").options] == more


@pytest.mark.parametrize(("chosen", "title"), [("Changes", "Changes"), ("Columns", "Columns"), ("Import", "Import")])
def test_the_menu_leads_to_the_pages_about_this_sheet(session: Session, sheet: int, chosen: str, title: str) -> None:
    page = fine(open_page(session, "Ann", GRID, sheet=sheet).menu_button(key="more").click(chosen).run())
    assert page.title[0].value == title
    assert page.query_params["sheet"] in (str(sheet), [str(sheet)])


def test_the_menu_opens_the_settings(session: Session, sheet: int) -> None:
    page = fine(open_page(session, "Ann", GRID, sheet=sheet).menu_button(key="more").click("Settings").run())
    assert "Archive this sheet" in labels(page)


def test_the_people_of_the_sheet_are_there_by_their_initials(session: Session, sheet: int) -> None:
    page = open_page(session, "Cleo", GRID, sheet=sheet)
    assert [one.proto.help for one in page.markdown if one.proto.help][1:4] == [
        "Ann, owner",
        "Ben, editor",
        "Cleo, viewer",
    ]


def test_the_grid_knows_the_rights_of_the_person(session: Session, sheet: int) -> None:
    assert given_to_grid(open_page(session, "Ben", GRID, sheet=sheet), sheet)["can_edit"] is True
    assert given_to_grid(open_page(session, "Cleo", GRID, sheet=sheet), sheet)["can_edit"] is False


@pytest.mark.parametrize("asked", ["999999", "abc", "-1", "1 OR 1=1"])
def test_a_sheet_that_is_not_there_gets_one_sentence_and_a_choice(session: Session, sheet: int, asked: str) -> None:
    page = open_page(session, "Ann", GRID, sheet=asked)
    assert "archived, or it is not shared with you" in said(page)
    page.selectbox(key="sheet_picked").set_value(sheet)
    assert "Owner" in said(fine(page.run()))


def test_a_strangers_sheet_looks_like_one_that_is_not_there(session: Session, sheet: int) -> None:
    create_sheet(session, actor("Dan"), "Of Dan")
    page = open_page(session, "Dan", GRID, sheet=sheet)
    assert "archived, or it is not shared with you" in said(page)
    assert "Deals" not in said(page) + str(page.selectbox(key="sheet_picked").options)


def test_an_archived_sheet_is_not_opened(session: Session, sheet: int) -> None:
    archive_sheet(session, actor("Ann"), sheet)
    create_sheet(session, actor("Ann"), "Another")
    assert "archived, or it is not shared" in said(open_page(session, "Ann", GRID, sheet=sheet))


def test_without_any_sheet_the_way_to_the_first_is_shown(session: Session) -> None:
    page = open_page(session, "Dan", GRID)
    assert "Create a sheet first" in said(page)
    assert "Go to the sheets" in links(page)


def test_the_sheet_looked_at_last_is_still_there_on_the_next_page(session: Session, sheet: int) -> None:
    other = create_sheet(session, actor("Ann"), "Z, the last one").sheet.sheet_id
    page = open_page(session, "Ann", GRID, sheet=other)
    page.query_params.clear()
    page.switch_page("insight/changes.py")
    fine(page.run())
    assert page.selectbox(key="sheet_picked").value == other


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "**bold** :red[x]"])
def test_names_and_descriptions_are_shown_letter_by_letter(session: Session, sheet: int, name: str) -> None:
    rename_sheet(session, actor("Ann"), sheet, name)
    change_column(session, actor("Ann"), sheet, DEAL, name=name)
    change(session, "Ann", sheet, {"sort": [{"column": DEAL}]})
    (chip,) = chips(open_page(session, "Ann", GRID, sheet=sheet))
    assert "\\*\\*" in chip or "\\<" in chip


# --- the view


def test_a_search_is_remembered_and_cleared(session: Session, sheet: int) -> None:
    page = open_page(session, "Ben", GRID, sheet=sheet)
    page.text_input(key=f"search_{sheet}").set_value("  acme ")
    fine(page.run())
    assert given_to_grid(page, sheet)["view"]["search"] == "acme"
    assert page.text_input(key=f"search_{sheet}").value == "acme"
    assert open_page(session, "Ben", GRID, sheet=sheet).text_input(key=f"search_{sheet}").value == "acme"


def test_a_view_from_a_link_is_shown_not_remembered_and_left(session: Session, sheet: int) -> None:
    mine = {"sort": [{"column": AMOUNT, "descending": True}]}
    change(session, "Ben", sheet, mine)
    page = open_page(session, "Ben", GRID, sheet=sheet, view=json.dumps(LEADS))
    assert chips(page) == ["Stage is any of Lead"]
    page = add_filter(page, AMOUNT, "gt", "5")
    assert len(json.loads(page.query_params["view"])["filter"]) == 2
    assert remembered(session, "Ben", sheet) == mine
    page = press(page, "Back to my view")
    assert chips(page) == ["Amount ↓"]
    assert page.query_params["view"] == str(first_view(session, get_access(session, actor("Ben"), sheet)).view_id)


@pytest.mark.parametrize(
    "damaged",
    ["{", "5.5", "[" * 3000, '{"filter": 5}', '{"sort": [{"column": Infinity}]}', '{"filter": [{"column": {}}]}'],
)
def test_a_damaged_link_says_so_and_shows_all_rows(session: Session, sheet: int, damaged: str) -> None:
    page = open_page(session, "Ben", GRID, sheet=sheet, view=damaged)
    assert "damaged" in said(page)
    assert given_to_grid(page, sheet)["view"] == {"filter": [], "sort": [], "search": ""}


def test_what_no_longer_fits_the_columns_leaves_the_view_once(session: Session, sheet: int) -> None:
    change(session, "Ben", sheet, {"filter": [{"column": 11, "op": "contains", "value": "x"}, *LEADS["filter"]]})
    retire_column(session, actor("Ann"), sheet, 11)
    page = open_page(session, "Ben", GRID, sheet=sheet)
    assert "is left out" in page.toast[0].value
    assert chips(page) == ["Stage is any of Lead"]
    assert not fine(page.run()).toast


def test_a_retired_option_is_named_as_such_in_a_filter(session: Session, deals: Access, sheet: int) -> None:
    kept: list[Option] = [option for option in deals.column(STAGE).options if option.id != "o1"]
    change_column(session, actor("Ann"), sheet, STAGE, options=tuple(kept))
    page = open_page(session, "Ben", GRID, sheet=sheet, view=json.dumps(LEADS))
    assert chips(page) == ["Stage is any of Lead (retired)"]


def test_a_forged_value_of_any_shape_shows_a_page(session: Session, sheet: int) -> None:
    for value in ({"a": 1}, [[1]], 5, None, "x" * 10000, ["o1"] * 5000):
        view = {"filter": [{"column": STAGE, "op": "is_any_of", "value": value}]}
        assert given_to_grid(open_page(session, "Ben", GRID, sheet=sheet, view=json.dumps(view)), sheet)


# --- while it is open


def test_the_page_says_who_worked_here_last(session: Session, sheet: int) -> None:
    add_deal(session, "Ben", sheet, {DEAL: "Acme"})
    page = open_page(session, "Cleo", GRID, sheet=sheet)
    assert "Last change by Ben" in said(page)
    add_deal(session, "Ann", sheet, {DEAL: "Bolt"})
    assert "Last change by Ann" in said(fine(page.run()))


def test_a_right_that_was_withdrawn_shows_at_the_next_run(session: Session, sheet: int) -> None:
    page = open_page(session, "Ben", GRID, sheet=sheet)
    session.execute(text("DELETE FROM collaborators WHERE user_id = :ben"), {"ben": actor("Ben").user_id})
    assert "Create a sheet first" in said(fine(page.run()))


def test_an_empty_sheet_says_what_to_do_next_to_those_who_can(session: Session, sheet: int) -> None:
    assert "Type into its first row" in said(open_page(session, "Ben", GRID, sheet=sheet))
    assert "This sheet has no rows yet" in said(open_page(session, "Cleo", GRID, sheet=sheet))

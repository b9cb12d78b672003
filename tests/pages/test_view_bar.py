"""The view bar: filters and sorts are built, changed and removed in place, and each change is the view at once."""

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access.access import Access
from core.access.load import get_access
from core.views.edit_views import change_settings
from core.views.views import first_view
from tests.conftest import actor
from tests.pages.filtering import add_filter, chips, choose, fields, open_chip, open_editor
from tests.pages.opened import fine, labels, open_page, press, said

GRID = "work/grid.py"
DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)


@pytest.fixture
def sheet(deals: Access) -> int:
    return deals.sheet.sheet_id


def view_of(page: AppTest, sheet: int) -> dict[str, Any]:
    """The view that the page hands to the grid."""
    view: dict[str, Any] = json.loads(page.get_by_key(f"grid_{sheet}").proto.json)["view"]
    return view


def remembered(session: Session, name: str, sheet: int) -> dict[str, Any]:
    """What this person changed on the first view."""
    return first_view(session, get_access(session, actor(name), sheet)).changes


def condition(column: int, op: str, value: Any = None) -> dict[str, Any]:
    return {"column": column, "op": op, "value": value}


def with_filter(session: Session, name: str, sheet: int, body: Any) -> AppTest:
    view = first_view(session, get_access(session, actor(name), sheet))
    change_settings(session, actor(name), sheet, view.view_id, {"filter": body})
    return open_page(session, name, GRID, sheet=sheet)


def test_a_filter_is_added_shown_remembered_and_taken_away(session: Session, sheet: int) -> None:
    page = add_filter(open_page(session, "Ben", GRID, sheet=sheet), STAGE, "is_any_of", ["o1", "o2"])
    assert chips(page) == ["Stage is any of Lead, Qualified"]
    assert view_of(page, sheet)["filter"] == [condition(STAGE, "is_any_of", ["o1", "o2"])]
    assert chips(open_page(session, "Ben", GRID, sheet=sheet)) == ["Stage is any of Lead, Qualified"]
    assert chips(open_page(session, "Ann", GRID, sheet=sheet)) == []
    assert chips(press(page, ":material/close:")) == []
    assert remembered(session, "Ben", sheet) == {}


def test_several_conditions_hold_together_with_values_by_type(session: Session, sheet: int) -> None:
    page = add_filter(open_page(session, "Ben", GRID, sheet=sheet), AMOUNT, "between", "1.000,50", "€ 3 500")
    page = add_filter(page, CLOSE, "on_or_before")
    page = choose(page, "Day", date(2026, 12, 31))
    page = add_filter(page, OWNER, "is_empty")
    assert chips(page) == [
        "Amount is between 1.000,50 and € 3 500",
        "Expected close is on or before 2026-12-31",
        "Owner is empty",
    ]
    assert chips(press(page, "Clear all")) == []


def test_a_relative_date_and_me_are_chosen_by_name(session: Session, sheet: int) -> None:
    page = add_filter(open_page(session, "Ben", GRID, sheet=sheet), OWNER, "is_any_of", ["me"])
    assert fields(page, "Values")[-1].options[0] == "Me"
    page = add_filter(page, CLOSE, "on", "this_quarter")
    assert chips(page) == ["Owner is any of Me", "Expected close is on this quarter"]
    page = choose(page, "Value", "next_N_days")
    page = choose(page, "Days", 45)
    assert view_of(page, sheet)["filter"][1] == condition(CLOSE, "on", "next_45_days")
    assert chips(page)[1] == "Expected close is on next 45 days"


def test_conditions_are_joined_by_any_and_stand_in_groups(session: Session, sheet: int) -> None:
    page = add_filter(open_page(session, "Ben", GRID, sheet=sheet), OWNER, "is_empty")
    page = add_filter(page, CLOSE, "is_empty")
    page = choose(page, "Rows where", "any")
    owner, close = condition(OWNER, "is_empty"), condition(CLOSE, "is_empty")
    assert view_of(page, sheet)["filter"] == {"any": [owner, close]}
    assert chips(page) == ["Owner is empty or Expected close is empty"]
    page = press(page, "Add group")
    page = choose(choose(page, "Column", STAGE), "Condition", "is_empty")
    assert view_of(page, sheet)["filter"] == {"any": [owner, close, {"all": [condition(STAGE, "is_empty")]}]}


def test_a_chip_opens_its_condition_for_editing(session: Session, sheet: int) -> None:
    page = with_filter(session, "Ben", sheet, [condition(AMOUNT, "gt", "5"), condition(STAGE, "is_any_of", ["o1"])])
    page = open_chip(page, "Stage is any of Lead")
    assert [field.value for field in fields(page, "Column")] == [STAGE]
    page = choose(page, "Condition", "is_none_of")
    assert chips(page) == ["Amount > 5.00 EUR", "Stage is none of Lead"]
    assert chips(press(page, ":material/close:")) == ["Amount > 5.00 EUR"]


def test_a_chip_of_any_opens_all_its_conditions(session: Session, sheet: int) -> None:
    page = with_filter(session, "Ben", sheet, {"any": [condition(AMOUNT, "gt", "5"), condition(STAGE, "is_empty")]})
    page = open_chip(page, "Amount > 5.00 EUR or Stage is empty")
    assert [field.value for field in fields(page, "Column")] == [AMOUNT, STAGE]


def test_a_value_that_the_column_cannot_read_stays_with_the_reason_and_is_not_applied(
    session: Session, sheet: int
) -> None:
    page = add_filter(open_page(session, "Ben", GRID, sheet=sheet), AMOUNT, "gt", "many")
    assert "Filter on “Amount”" in said(page)
    assert fields(page, "Value")[-1].value == "many"
    assert chips(page) == []
    assert remembered(session, "Ben", sheet) == {}
    page = choose(page, "Value", "5")
    assert chips(page) == ["Amount > 5.00 EUR"]
    assert "Filter on “Amount”" not in said(page)


def test_a_condition_without_a_value_is_not_applied(session: Session, sheet: int) -> None:
    page = press(open_editor(open_page(session, "Ben", GRID, sheet=sheet)), "Add condition")
    assert chips(page) == []
    assert view_of(page, sheet)["filter"] == []
    assert len(fields(page, "Column")) == 1


def test_several_sorts_stand_in_order_with_their_directions(session: Session, sheet: int) -> None:
    page = open_editor(open_page(session, "Ben", GRID, sheet=sheet), "sort")
    page = choose(page, "Sort by", STAGE)
    page = choose(page, "Then by", AMOUNT)
    page.selectbox(key=f"view_{sheet}_sort_1_{AMOUNT}_False_direction").set_value(True)
    page = fine(page.run())
    assert chips(page) == ["Stage ↑", "Amount ↓"]
    page.button(key=f"view_{sheet}_sort_1_{AMOUNT}_True_up").click()
    page = fine(page.run())
    assert view_of(page, sheet)["sort"] == [
        {"column": AMOUNT, "descending": True},
        {"column": STAGE, "descending": False},
    ]
    assert chips(press(page, "Clear")) == []


def test_a_group_deep_in_a_filter_of_a_program_is_shown_and_can_be_removed(session: Session, sheet: int) -> None:
    deep = {
        "any": [
            condition(STAGE, "is_empty"),
            {"all": [condition(AMOUNT, "gt", "5"), {"any": [condition(OWNER, "is_empty")]}]},
        ]
    }
    page = with_filter(session, "Ben", sheet, deep)
    assert chips(page) == ["Stage is empty or (Amount > 5.00 EUR and (Owner is empty))"]
    page = open_editor(page)
    assert [field.value for field in fields(page, "Column")] == [STAGE, AMOUNT, OWNER]
    removers = [button for button in page.button if button.label == ":material/close:"]
    removers[2].click()
    page = fine(page.run())
    assert view_of(page, sheet)["filter"] == {
        "any": [condition(STAGE, "is_empty"), {"all": [condition(AMOUNT, "gt", "5")]}]
    }
    assert "Add condition" in labels(page)

"""Settings of a view: what is stored is checked once, and what a column that went had to say is left out."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.sheets.columns import limit_column, retire_column
from core.sheets.sheets import configure_pipeline
from core.views.settings import MAX_CHARACTERS, checked_settings, fitting_settings
from tests.conftest import actor

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
BIG = {"column": AMOUNT, "op": "gt", "value": "1000"}
SETTINGS: dict[str, Any] = {
    "filter": [BIG],
    "sort": [{"column": AMOUNT, "descending": True}],
    "search": "acme",
    "groups": [{"column": STAGE, "descending": False}],
    "hidden": [ACCOUNT, AMOUNT],
    "order": [AMOUNT, DEAL],
    "widths": {str(AMOUNT): 120, str(DEAL): 300},
    "totals": {str(AMOUNT): "sum", str(DEAL): None},
    "frozen": 1,
    "colors": [{"filter": [BIG], "color": "green", "column": AMOUNT}],
}


def test_settings_of_every_kind_are_stored_as_they_are(deals: Access) -> None:
    assert checked_settings(deals, "grid", SETTINGS) == SETTINGS
    assert checked_settings(deals, "board", SETTINGS | {"column": STAGE})["column"] == STAGE
    assert checked_settings(deals, "calendar", SETTINGS | {"column": CLOSE})["column"] == CLOSE


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"color": []}, "“color” is not a setting of this view"),
        ({"column": STAGE}, "“column” is not a setting of this view"),
        ({"filter": [{"column": 99, "op": "is", "value": "x"}]}, "does not exist in the sheet"),
        ({"filter": [{"column": DEAL, "op": "gt", "value": "x"}]}, "Filter on “Deal”"),
        ({"filter": "x"}, "looks like this"),
        ({"sort": [{"column": 99}]}, "does not exist in the sheet"),
        ({"groups": [{"column": 99}]}, "does not exist in the sheet"),
        ({"groups": [{"column": DEAL}] * 3}, "at most 2"),
        ({"groups": [5]}, "A group of a view"),
        ({"hidden": [99]}, "does not exist in the sheet"),
        ({"hidden": ["1"]}, "by their numbers"),
        ({"hidden": 1}, "a list"),
        ({"order": [True]}, "by their numbers"),
        ({"widths": {"99": 100}}, "does not exist in the sheet"),
        ({"widths": {"1": 5}}, "pixels"),
        ({"widths": {"x": 100}}, "pixels"),
        ({"widths": []}, "pixels"),
        ({"totals": {"1": "median"}}, "Totals name a function"),
        ({"frozen": -1}, "freezes 0 to 20"),
        ({"frozen": True}, "freezes 0 to 20"),
        ({"search": "x" * 300}, "at most 200"),
        ({"search": "a\x00b"}, "NUL"),
        ({"colors": [{"filter": [BIG], "color": "<b>"}]}, "A colour rule"),
        ({"colors": [{"filter": [{"column": 99, "op": "is_empty"}], "color": "red"}]}, "does not exist"),
        ({"hidden": [DEAL] * 50_000}, f"at most {MAX_CHARACTERS:,} characters"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(deals: Access, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        checked_settings(deals, "grid", settings)


@pytest.mark.parametrize(("kind", "column"), [("board", AMOUNT), ("calendar", STAGE), ("board", 99)])
def test_a_board_and_a_calendar_need_a_column_that_can_carry_them(deals: Access, kind: str, column: int) -> None:
    with pytest.raises(Invalid):
        checked_settings(deals, kind, {"column": column})


def test_a_kind_that_does_not_exist_is_refused(deals: Access) -> None:
    with pytest.raises(Invalid, match="The kinds are grid, board, calendar"):
        checked_settings(deals, "gantt", {})


def test_what_a_column_that_was_removed_had_to_say_is_left_out_and_said(
    session: Session, deals: Access, ann: Actor
) -> None:
    configure_pipeline(session, ann, deals.sheet.sheet_id, {})
    retire_column(session, ann, deals.sheet.sheet_id, AMOUNT)
    access = get_access(session, ann, deals.sheet.sheet_id)
    left, is_incomplete = fitting_settings(access, "grid", SETTINGS)
    assert left == {
        "filter": [],
        "sort": [],
        "search": "acme",
        "groups": SETTINGS["groups"],
        "hidden": [ACCOUNT],
        "order": [DEAL],
        "widths": {str(DEAL): 300},
        "totals": {str(DEAL): None},
        "frozen": 1,
        "colors": [],
    }
    assert is_incomplete


def test_settings_that_fit_are_complete_in_whatever_form_they_came(deals: Access) -> None:
    assert fitting_settings(deals, "grid", SETTINGS) == (SETTINGS, False)
    assert not fitting_settings(deals, "grid", {"sort": [{"column": AMOUNT}], "filter": None})[1]


def test_a_hidden_column_is_to_a_view_as_one_that_was_removed(session: Session, deals: Access, ann: Actor) -> None:
    limit_column(session, ann, deals.sheet.sheet_id, AMOUNT, {"viewer": "hidden"})
    cleo = get_access(session, actor("Cleo"), deals.sheet.sheet_id)
    left, is_incomplete = fitting_settings(cleo, "grid", SETTINGS)
    assert str(AMOUNT) not in str(left["filter"]) + str(left["sort"]) + str(left["colors"])
    assert is_incomplete


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, [{}], [[1]], {"1": None}, [{"column": "x"}], {"all": 5}])
def test_whatever_stands_in_the_database_is_read(deals: Access, value: Any) -> None:
    for kind in ("grid", "board", "calendar"):
        for key in (*SETTINGS, "column", "unknown"):
            fitting_settings(replace(deals), kind, {key: value})

"""The columns page: what the owner sets, and what others see of it."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.accounts.locale import set_locale
from core.column_types import TYPES
from core.column_types.base import Option
from core.sheets.columns import NewColumn, add_column, change_column, retire_column
from core.sheets.sheets import create_sheet
from tests.conftest import actor
from tests.pages.opened import add_deal, fine, labels, open_page, press, said

COLUMNS = "work/columns.py"
DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
NOTES = 11


@pytest.fixture
def sheet(deals: Access) -> int:
    return deals.sheet.sheet_id


def opened(session: Session, sheet: int, column: int | str) -> AppTest:
    """The page with one column open."""
    return open_page(session, "Ann", COLUMNS, sheet=sheet, column=column)


def now(session: Session, sheet: int, column: int) -> ColumnInfo:
    return get_access(session, actor("Ann"), sheet).column(column)


def field(page: AppTest, label: str) -> Any:
    fields = [*page.text_input, *page.number_input, *page.checkbox, *page.date_input, *page.selectbox]
    return next(one for one in fields if one.label == label)


def edit_choices(page: AppTest, **changes: Any) -> AppTest:
    """As the table of choices sends it: edited_rows, added_rows, deleted_rows."""
    (key,) = [one.key for one in page.data_editor]
    page.session_state[key] = {"edited_rows": {}, "added_rows": [], "deleted_rows": []} | changes
    return fine(page.run())


def test_every_column_is_listed_with_its_type_and_rules(session: Session, sheet: int) -> None:
    page = open_page(session, "Cleo", COLUMNS, sheet=sheet)
    assert "**Deal**" in labels(page)
    told = said(page)
    assert "A value is required" in told
    assert "Currency EUR" in told
    assert "Lead, Qualified, Proposal" in told
    assert "Only the owner" in told


def test_every_column_is_opened_by_a_button_that_says_so(session: Session, sheet: int) -> None:
    page = open_page(session, "Ann", COLUMNS, sheet=sheet)
    assert labels(page).count("Change") == len(get_access(session, actor("Ann"), sheet).columns)
    page.button(f"change_{ACCOUNT}").click()
    fine(page.run())
    assert field(page, "Name").value == "Account"
    assert "Who sees it" in said(page)


def test_who_may_not_change_columns_has_nothing_to_press(session: Session, sheet: int) -> None:
    page = open_page(session, "Ben", COLUMNS, sheet=sheet, column=DEAL)
    assert [one.label for one in page.main.button if not one.disabled] == []
    assert not page.text_input


def test_the_owner_hides_a_column_and_makes_one_read_only(session: Session, sheet: int) -> None:
    for column, level, limit in ((AMOUNT, "Viewers", "hidden"), (ACCOUNT, "Editors", "read-only")):
        page = opened(session, sheet, column)
        field(page, level).set_value(limit)
        press(page, "Save")
    assert now(session, sheet, AMOUNT).limits == {"viewer": "hidden"}
    assert now(session, sheet, ACCOUNT).limits == {"editor": "read-only"}
    told = said(open_page(session, "Ann", COLUMNS, sheet=sheet))
    assert "Hidden from viewers" in told
    assert "Read-only for editors" in told
    assert "Read-only for you" in said(open_page(session, "Ben", COLUMNS, sheet=sheet))
    assert "Amount" not in said(open_page(session, "Cleo", COLUMNS, sheet=sheet))


def test_hiding_a_column_says_who_still_sees_it_and_offers_to_hide_it_from_public_links(
    session: Session, sheet: int
) -> None:
    page = opened(session, sheet, AMOUNT)
    assert "Still seen by" not in said(page)
    field(page, "Viewers").set_value("hidden").run()
    assert "Still seen by: editors, commenters, public links." in said(page)
    next(one for one in page.checkbox if one.label == "Hide it from public links, too").check()
    press(page, "Save")
    assert now(session, sheet, AMOUNT).limits == {"viewer": "hidden", "link": "hidden"}
    last = session.execute(text("SELECT action FROM audit_events ORDER BY event_id DESC LIMIT 2")).scalars().all()
    assert last[0] == "sheet:column:limit"
    assert "sheet:column:change" not in last, "Nothing but who sees it was changed."
    assert "Still seen by" not in said(opened(session, sheet, AMOUNT))


@pytest.mark.parametrize("kind", TYPES)
def test_a_column_of_every_type_is_added_with_the_rules_that_it_takes(session: Session, sheet: int, kind: str) -> None:
    page = opened(session, sheet, "new")
    field(page, "Name").set_value("Brand new")
    field(page, "Type").set_value(kind)
    fine(page.run())
    for rule in TYPES[kind].takes:
        assert field(page, rule.label)
    if page.data_editor:
        page = edit_choices(page, added_rows=[{"Label": "One"}])
    field(page, "A value is required").check()
    page = press(page, "Add this column")
    added = get_access(session, actor("Ann"), sheet).columns[-1]
    assert (added.name, added.type, added.rules.get("required")) == ("Brand new", kind, True)
    assert "New column" not in said(page)


def test_a_new_column_of_times_goes_by_the_clock_of_who_adds_it(session: Session, sheet: int) -> None:
    set_locale(session, actor("Ann"), time_zone="Europe/Oslo")
    page = opened(session, sheet, "new")
    field(page, "Name").input("Call")
    field(page, "Type").select("datetime")
    press(page.run(), "Add this column")
    (added,) = [one for one in get_access(session, actor("Ann"), sheet).columns if one.name == "Call"]
    assert added.rules == {"time_zone": "Europe/Oslo"}


def test_a_name_that_is_taken_is_refused_and_what_was_put_in_stays(session: Session, sheet: int) -> None:
    page = opened(session, sheet, "new")
    field(page, "Name").set_value("deal")
    page = press(page, "Add this column")
    assert "already" in page.error[0].value
    assert field(page, "Name").value == "deal"


def test_name_description_and_rules_are_changed(session: Session, sheet: int) -> None:
    page = opened(session, sheet, AMOUNT)
    field(page, "Name").set_value("Value")
    field(page, "Description").set_value("Without tax")
    field(page, "Smallest value").set_value("10")
    field(page, "Decimals").set_value(0)
    field(page, "Currency").set_value("USD")
    press(page, "Save")
    changed = now(session, sheet, AMOUNT)
    assert (changed.name, changed.description) == ("Value", "Without tax")
    assert changed.rules == {"currency": "USD", "decimals": 0, "min": "10"}


@pytest.mark.parametrize("kind", TYPES)
def test_saving_without_a_change_changes_nothing(session: Session, sheet: int, kind: str) -> None:
    rules = {rule.key: SET[rule.kind] for rule in TYPES[kind].takes if rule.kind in SET}
    if "min_length" in rules:
        rules["max_length"] = 9
    options = [Option("", "One", "blue")] if TYPES[kind].has_options else []
    added = add_column(session, actor("Ann"), sheet, NewColumn("Untouched", kind, rules, options))
    press(opened(session, sheet, added.column_id), "Save")
    assert now(session, sheet, added.column_id) == added


SET: dict[str, Any] = {"flag": True, "whole": 0, "number": "0", "date": "2026-12-31", "currency": "JPY"}


def test_a_rule_that_cannot_be_is_refused_with_the_reason(session: Session, sheet: int) -> None:
    page = opened(session, sheet, AMOUNT)
    field(page, "Smallest value").set_value("a lot")
    page = press(page, "Save")
    assert "Smallest value" in page.error[0].value
    assert now(session, sheet, AMOUNT).rules["min"] == "0"


# --- type and default


def test_a_type_is_changed_after_a_preview(session: Session, sheet: int) -> None:
    add_deal(session, "Ann", sheet, {DEAL: "A", NOTES: "12"})
    add_deal(session, "Ann", sheet, {DEAL: "B", NOTES: "many"})
    page = opened(session, sheet, NOTES)
    field(page, "Type").select("number")
    page = fine(page.run())
    assert "1 of 2 values convert." in said(page)
    page = press(page, "Change the type")
    changed = get_access(session, actor("Ann"), sheet)
    assert changed.column(NOTES).type == "number"
    assert changed.columns[-1].name == "Notes (long text)"


def test_a_type_that_a_column_cannot_have_is_said_before_it_is_chosen(session: Session, sheet: int) -> None:
    page = opened(session, sheet, STAGE)
    field(page, "Type").select("text")
    page = fine(page.run())
    assert "pipeline's stage" in page.error[0].value
    assert "Change the type" not in labels(page)


@pytest.mark.parametrize(
    ("column", "way", "value", "stored"),
    [
        (OWNER, "me", None, {"relative": "me"}),
        (CREATED, "today", None, {"relative": "today"}),
        (STAGE, "value", "Proposal", {"value": "o3"}),
        (AMOUNT, "value", "1500", {"value": "1500"}),
    ],
)
def test_a_default_is_set_and_removed(
    session: Session, sheet: int, column: int, way: str, value: str | None, stored: dict[str, str]
) -> None:
    page = opened(session, sheet, column)
    field(page, "Default of new rows").set_value(way)
    page = fine(page.run())
    if value:
        field(page, "Value").set_value(value)
    press(page, "Save")
    assert now(session, sheet, column).default_value == stored
    page = press(opened(session, sheet, column), "Save")
    assert now(session, sheet, column).default_value == stored
    page = opened(session, sheet, column)
    field(page, "Default of new rows").set_value("")
    press(fine(page.run()), "Save")
    assert now(session, sheet, column).default_value is None


# --- choices


def test_a_choice_is_renamed_coloured_and_a_stage_weighed(session: Session, sheet: int) -> None:
    edited = {0: {"Label": "First contact", "Colour": "orange", "Probability": 8}}
    press(edit_choices(opened(session, sheet, STAGE), edited_rows=edited), "Save")
    first = now(session, sheet, STAGE).options[0]
    assert (first.id, first.label, first.color, first.probability, first.kind) == (
        "o1", "First contact", "orange", 8, "open",
    )  # fmt: skip


def test_a_new_choice_gets_an_id_and_a_colour_of_its_own(session: Session, sheet: int) -> None:
    added = [{"Label": "On hold", "Kind": "open", "Probability": 30}]
    press(edit_choices(opened(session, sheet, STAGE), added_rows=added), "Save")
    last = now(session, sheet, STAGE).options[-1]
    assert (last.id, last.label, last.probability) == ("o7", "On hold", 30)
    assert last.color


def test_a_choice_that_is_deleted_is_retired_not_lost(session: Session, sheet: int) -> None:
    press(edit_choices(opened(session, sheet, STAGE), deleted_rows=[1]), "Save")
    options = now(session, sheet, STAGE).options
    assert [option.label for option in options if not option.retired] == [
        "Lead", "Proposal", "Negotiation", "Won", "Lost",
    ]  # fmt: skip
    assert next(option for option in options if option.id == "o2").retired


@pytest.mark.parametrize(
    ("place", "to", "order"),
    [
        (5, 1, ["o6", "o1", "o2", "o3", "o4", "o5"]),
        (0, 3, ["o2", "o3", "o1", "o4", "o5", "o6"]),
        (2, 2, ["o1", "o3", "o2", "o4", "o5", "o6"]),
        (0, 99, ["o2", "o3", "o4", "o5", "o6", "o1"]),
    ],
)
def test_a_choice_is_moved_to_the_place_that_is_typed(
    session: Session, sheet: int, place: int, to: int, order: list[str]
) -> None:
    press(edit_choices(opened(session, sheet, STAGE), edited_rows={place: {"Place": to}}), "Save")
    assert [option.id for option in now(session, sheet, STAGE).options] == order


def test_two_choices_of_one_name_are_refused(session: Session, sheet: int) -> None:
    page = press(edit_choices(opened(session, sheet, STAGE), added_rows=[{"Label": "LEAD"}]), "Save")
    assert "cannot be the same" in page.error[0].value
    assert len(now(session, sheet, STAGE).options) == 6


# --- order, retiring, links


def test_columns_move_up_and_down(session: Session, sheet: int) -> None:
    page = open_page(session, "Ann", COLUMNS, sheet=sheet)
    page.button(key=f"up_{STAGE}").click()
    fine(page.run())
    assert [column.column_id for column in get_access(session, actor("Ann"), sheet).columns[:3]] == [1, 3, 2]
    page.button(key="down_1").click()
    fine(page.run())
    assert [column.column_id for column in get_access(session, actor("Ann"), sheet).columns[:3]] == [3, 1, 2]


def test_a_column_is_retired_and_restored(session: Session, sheet: int) -> None:
    page = press(opened(session, sheet, NOTES), "Retire")
    assert "Retired · 1" in [one.label for one in page.expander]
    page.button(key=f"restore_{NOTES}").click()
    fine(page.run())
    assert now(session, sheet, NOTES).name == "Notes"


def test_a_column_of_the_pipeline_says_why_it_cannot_be_retired(session: Session, sheet: int) -> None:
    page = press(opened(session, sheet, STAGE), "Retire")
    assert "Choose another column for it first" in page.error[0].value


@pytest.mark.parametrize("linked", ["new", "99", "abc", "²"])
def test_a_link_to_no_column_offers_a_new_one(session: Session, sheet: int, linked: str) -> None:
    page = opened(session, sheet, linked)
    assert "Add this column" in labels(page)
    assert "column" not in page.query_params


def test_a_column_that_goes_while_it_is_open_leaves_the_page_whole(session: Session, sheet: int) -> None:
    page = opened(session, sheet, NOTES)
    retire_column(session, actor("Ann"), sheet, NOTES)
    fine(page.run())
    assert "Save" not in labels(page)


@pytest.mark.parametrize("name", ["<b>x</b>", "**b** :red[x]", "![i](https://evil.example/a.png)"])
def test_names_and_labels_are_shown_letter_by_letter(session: Session, sheet: int, name: str) -> None:
    change_column(session, actor("Ann"), sheet, ACCOUNT, name=name, description=name)
    page = open_page(session, "Ann", COLUMNS, sheet=sheet)
    assert not [label for label in labels(page) if name in label]
    assert name not in said(page)


def test_a_formula_is_typed_previewed_and_added(session: Session, sheet: int) -> None:
    page = opened(session, sheet, "new")
    field(page, "Name").set_value("Double")
    field(page, "Type").set_value("formula").run()
    page.text_area[0].set_value("{Amount} * {Del}").run()
    assert "There is no column “Del” that you can see" in page.error[0].value
    page.text_area[0].set_value("{Amount} * 2").run()
    assert not page.error
    field(page, "Shown as").set_value("formula_money").run()
    press(page, "Add this column")
    fine(page)
    column = get_access(session, actor("Ann"), sheet).columns[-1]
    assert (column.name, column.type) == ("Double", "formula_money")
    assert column.rules == {"formula": f"{{#{AMOUNT}}} * 2", "currency": "EUR"}
    page = opened(session, sheet, column.column_id)
    assert page.text_area[0].value == "{Amount} * 2"
    page.text_area[0].set_value("{Amount} * 3").run()
    press(page, "Save")
    fine(page)
    assert now(session, sheet, column.column_id).rules["formula"] == f"{{#{AMOUNT}}} * 3"


def test_the_sales_columns_of_a_pipeline_are_added_by_one_button(session: Session, sheet: int) -> None:
    page = press(open_page(session, "Ann", COLUMNS, sheet=sheet), "Add sales columns")
    assert "Weighted amount" in [column.name for column in get_access(session, actor("Ann"), sheet).columns]
    assert "Add sales columns" not in labels(page)


def test_a_relation_and_a_lookup_over_it_are_added_in_the_drawer(session: Session, sheet: int) -> None:
    accounts = create_sheet(session, actor("Ann"), "Companies", template="accounts").sheet.sheet_id
    page = opened(session, sheet, "new")
    field(page, "Type").set_value("relation").run()
    field(page, "Name").set_value("Company")
    field(page, "Related sheet").set_value(accounts).run()
    press(page, "Add this column")
    page = opened(session, sheet, "new")
    field(page, "Type").set_value("lookup").run()
    field(page, "Name").set_value("City of the company")
    field(page, "Column").set_value(4).run()
    press(page, "Add this column")
    added = get_access(session, actor("Ann"), sheet).columns[-2:]
    assert [(column.name, column.type) for column in added] == [
        ("Company", "relation"),
        ("City of the company", "lookup_text"),
    ]

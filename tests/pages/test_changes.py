"""Recent changes: who changed which cell from what to what, when and from where; by person, by row, page by page."""

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.accounts.locale import set_locale
from tests.conftest import actor
from tests.pages.opened import add_deal, edit, fine, labels, open_page, press, said

CHANGES = "insight/changes.py"
DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)


@pytest.fixture
def sheet(session: Session, deals: Access) -> int:
    sheet = deals.sheet.sheet_id
    add_deal(session, "Ann", sheet, {DEAL: "Acme", AMOUNT: "5"})
    add_deal(session, "Ann", sheet, {DEAL: "Bolt"})
    edit(session, "Ben", sheet, 1, {STAGE: "Lead", CLOSE: "2026-12-31"})
    edit(session, "Ann", sheet, 1, {STAGE: "Won", AMOUNT: "1234.5"})
    return sheet


def test_each_change_is_told_with_old_and_new(session: Session, sheet: int) -> None:
    page = open_page(session, "Cleo", CHANGES, sheet=sheet)
    told = said(page)
    assert "**Ann**" in told
    assert "grid" in told
    assert "**\\#1** Acme" in labels(page)
    assert "Stage: Lead :gray[→] Won" in told
    assert "5.00 EUR :gray[→] 1,234.50 EUR" in told
    assert "row added" in told


def test_dates_are_told_as_the_person_likes_them(session: Session, sheet: int) -> None:
    set_locale(session, actor("Cleo"), date_format="day first")
    assert "31.12.2026" in said(open_page(session, "Cleo", CHANGES, sheet=sheet))


def test_one_person_or_one_row_can_be_asked_for(session: Session, sheet: int) -> None:
    page = open_page(session, "Ann", CHANGES, sheet=sheet)
    page.text_input[0].set_value("Ben")
    told = said(fine(page.run()))
    assert "Lead" in told
    assert "Won" not in told
    page.text_input[0].set_value("")
    page.number_input[0].set_value(2)
    page = fine(page.run())
    told = "\n".join([said(page), *labels(page)])
    assert "Bolt" in told
    assert "Acme" not in told


def test_a_row_without_changes_says_so(session: Session, sheet: int) -> None:
    page = open_page(session, "Ann", CHANGES, sheet=sheet)
    page.number_input[0].set_value(77)
    assert "Nothing has changed here yet" in said(fine(page.run()))


def test_older_changes_are_a_page_away_and_back(session: Session, sheet: int) -> None:
    for number in range(120):
        edit(session, "Ben", sheet, 2, {ACCOUNT: f"Account {number}"})
    page = open_page(session, "Ann", CHANGES, sheet=sheet)
    assert "Account 119" in said(page)
    assert "row added" not in said(page)
    page = press(page, "Older")
    assert "row added" in said(page)
    assert "Account 119" not in said(page)
    assert "Older" not in labels(page)
    assert "Account 119" in said(press(page, "Newer"))


@pytest.mark.parametrize("typed", ["<script>1</script>", "**b** :red[x] [l](http://x)", "![i](https://evil.example/a)"])
def test_what_was_typed_is_told_letter_by_letter(session: Session, sheet: int, typed: str) -> None:
    edit(session, "Ben", sheet, 1, {ACCOUNT: typed, DEAL: typed})
    told = said(open_page(session, "Ann", CHANGES, sheet=sheet))
    assert typed not in told
    assert "\\<script" in told or "\\[" in told


def test_a_line_leads_to_the_history_of_its_row(session: Session, sheet: int) -> None:
    page = press(open_page(session, "Cleo", CHANGES, sheet=sheet), "**\\#2** Bolt")
    assert page.session_state[f"row_{sheet}_2_tab"] == "History"
    assert "Ann" in said(page)


def test_the_history_of_a_strangers_sheet_is_not_shown(session: Session, sheet: int) -> None:
    told = said(open_page(session, "Dan", CHANGES, sheet=sheet))
    assert "Acme" not in told

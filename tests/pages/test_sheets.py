"""The list of sheets: what one sees first, and how one goes on from there."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.copies.saved_templates import save_template, saved_templates
from core.demo.seed import DEMO_KIND
from core.jobs.queue import enqueue
from core.rows.query import View
from core.rows.read import first_rows
from core.sheets.sheets import archive_sheet, rename_sheet, sheets
from tests.conftest import actor
from tests.pages.opened import add_deal, fine, labels, links, open_page, open_piece, press, said

HOME = "work/sheets.py"


def test_each_sheet_is_a_card_with_what_one_is_to_it(session: Session, deals: Access) -> None:
    page = open_page(session, "Ben", HOME)
    assert "**Deals**" in links(page)
    assert "Editor" in said(page)
    assert "Pipeline" in said(page)
    assert "of Ann" in said(page)
    assert "Dashboard" in links(page)


def test_a_stranger_to_every_sheet_is_told_what_to_do_next(session: Session, deals: Access) -> None:
    page = open_page(session, "Dan", HOME)
    assert "No sheets yet" in said(page)
    assert "New sheet" in said(page)
    assert "Deals" not in said(page)


def test_who_cannot_create_sheets_is_not_offered_it(session: Session) -> None:
    page = open_page(session, "Cleo", HOME)
    assert "New sheet" not in labels(page)
    assert "when a colleague shares them with you" in said(page)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "**bold** :red[x]", "![i](https://evil.example/a.png)"])
def test_a_name_is_shown_letter_by_letter(session: Session, deals: Access, name: str) -> None:
    rename_sheet(session, actor("Ann"), deals.sheet.sheet_id, name)
    (link, *_) = links(open_page(session, "Ann", HOME))
    assert "\\[" in link or "\\<" in link


def test_a_new_sheet_begins_with_a_template(session: Session) -> None:
    page = press(open_page(session, "Ann", HOME), "New sheet")
    assert page.radio[0].options == ["Sales pipeline", "Accounts", "Contacts", "Blank"]


def test_an_archived_sheet_is_brought_back_by_its_owner_alone(session: Session, deals: Access) -> None:
    archive_sheet(session, actor("Ann"), deals.sheet.sheet_id)
    assert "Restore" not in labels(open_page(session, "Ben", HOME))
    page = open_page(session, "Ann", HOME)
    assert "Deals" in said(page)
    press(page, "Restore")
    assert [sheet.name for sheet in sheets(session, actor("Ann"))] == ["Deals"]


def test_the_demo_says_how_far_it_is(session: Session) -> None:
    enqueue(session, DEMO_KIND, {})
    session.execute(text("UPDATE jobs SET state = 'running', progress_done = 3, progress_total = 10"))
    assert open_page(session, "Ann", HOME).get("progress")


@pytest.mark.parametrize(("start", "has_rows"), [("Our deals", False), ("A copy of a sheet", True)])
def test_a_sheet_starts_from_a_saved_template_or_as_a_copy(
    session: Session, deals: Access, ann: Actor, start: str, *, has_rows: bool
) -> None:
    add_deal(session, "Ann", deals.sheet.sheet_id, {1: "Acme"})
    save_template(session, ann, deals.sheet.sheet_id, "Our deals")
    page = open_piece(session, "Ann", "sheet.new_sheet.show()")
    assert start in page.radio[0].options
    page.radio[0].set_value("copy" if has_rows else saved_key(session, ann))
    page = fine(page.run())
    page.text_input[0].set_value("North")
    if has_rows:
        page.checkbox[0].check()
    next(button for button in page.button if button.label == "Create").click()
    page.run()
    made = next(sheet.sheet_id for sheet in sheets(session, ann) if sheet.name == "North")
    access = get_access(session, ann, made)
    assert [column.name for column in access.columns] == [column.name for column in deals.columns]
    assert len(first_rows(session, access, View(), limit=10).rows) == int(has_rows)


def saved_key(session: Session, actor: Actor) -> str:
    """How the dialog names the only saved template."""
    return f"saved {saved_templates(session, actor)[0].template_id}"

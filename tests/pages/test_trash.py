"""The trash beside the grid: what was deleted by whom, found by its text, and brought back one by one or together."""

from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access.access import Access
from core.edits.batch import Batch
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.sheets.columns import change_column
from tests.conftest import actor
from tests.pages.opened import add_deal, edit, fine, labels, open_page, open_piece, press, said

GRID = "work/grid.py"
DEAL, ACCOUNT, STAGE, AMOUNT = range(1, 5)


@pytest.fixture
def sheet(session: Session, deals: Access) -> int:
    """Three deals, two of them deleted by Ben and one more by Ann."""
    sheet = deals.sheet.sheet_id
    for name in ("Acme", "Bolt", "Cord", "Dune"):
        add_deal(session, "Ann", sheet, {DEAL: name, AMOUNT: "1234.5"})
    delete(session, "Ben", sheet, 1, 2)
    delete(session, "Ann", sheet, 3)
    return sheet


def delete(session: Session, name: str, sheet: int, *rows: int) -> None:
    write(session, actor(name), sheet, Batch(deletes=rows), operation_id=uuid4(), source=ChangeSource.GRID)


def alive(session: Session, sheet: int) -> list[int]:
    query = "SELECT row_id FROM rows WHERE sheet_id = :sheet AND deleted_version IS NULL ORDER BY row_id"
    return list(session.scalars(text(query), {"sheet": sheet}))


def opened(session: Session, name: str, sheet: int) -> AppTest:
    return open_piece(session, name, f"sheet.trash_dialog.show({sheet})")


def offered(page: AppTest) -> list[str]:
    return [one.label for one in page.checkbox]


def test_the_menu_says_how_much_is_in_the_trash_and_opens_it(session: Session, sheet: int) -> None:
    page = open_page(session, "Cleo", GRID, sheet=sheet)
    assert ":material/delete: Trash (3)" in page.menu_button(key="more").options
    page = fine(page.menu_button(key="more").click("Trash").run())
    assert "Deleted by **Ben**" in said(page)


def test_what_was_deleted_is_told_with_who_and_its_cells(session: Session, sheet: int) -> None:
    page = opened(session, "Ann", sheet)
    assert offered(page) == ["Cord", "Bolt", "Acme"]
    assert "Deleted by **Ann**" in said(page)
    assert "Deleted by **Ben**" in said(page)
    assert "Amount\\: 1,234.50 EUR" in said(page)


def test_one_row_comes_back(session: Session, sheet: int) -> None:
    page = opened(session, "Ben", sheet)
    page.button(key="trash_restore_3_6").click()
    page = fine(page.run())
    assert "Row 3 is back" in said(page)
    assert offered(page) == ["Bolt", "Acme"]
    assert alive(session, sheet) == [3, 4]


def test_several_come_back_as_one_change(session: Session, sheet: int) -> None:
    page = opened(session, "Ben", sheet)
    assert page.button(key="trash_restore_selected").disabled
    page.checkbox[0].check()
    page.checkbox[2].check()
    page = press(fine(page.run()), "Restore 2 selected")
    assert "2 rows are back" in said(page)
    assert alive(session, sheet) == [1, 3, 4]
    assert session.scalar(text("SELECT count(DISTINCT version) FROM changes WHERE kind = 'restore'")) == 1


def test_all_that_is_shown_can_be_selected(session: Session, sheet: int) -> None:
    page = press(press(opened(session, "Ben", sheet), "Select all"), "Restore 3 selected")
    assert alive(session, sheet) == [1, 2, 3, 4]
    assert "The trash is empty" in said(page)


def test_a_row_that_cannot_come_back_says_why_and_the_others_do(session: Session, sheet: int) -> None:
    edit(session, "Ann", sheet, 4, {DEAL: "Acme"})
    change_column(session, actor("Ann"), sheet, DEAL, rules={"unique": True})
    page = press(press(opened(session, "Ben", sheet), "Select all"), "Restore 3 selected")
    assert "must be unique" in said(page)
    assert "2 rows are back" in said(page)
    assert offered(page) == ["Acme"]


def test_a_row_that_somebody_restored_meanwhile_is_said(session: Session, sheet: int) -> None:
    page = opened(session, "Ben", sheet)
    press(press(opened(session, "Ann", sheet), "Select all"), "Restore 3")
    page.button(key="trash_restore_3_6").click()
    assert "Row 3 is not in the trash" in said(fine(page.run()))


def test_the_trash_is_searched(session: Session, sheet: int) -> None:
    page = opened(session, "Ann", sheet)
    page.text_input(key="trash_search").set_value("bol")
    page = fine(page.run())
    assert offered(page) == ["Bolt"]
    page.text_input(key="trash_search").set_value("nowhere")
    assert "Nothing in the trash has this text" in said(fine(page.run()))


def test_an_empty_trash_says_so(session: Session, deals: Access) -> None:
    page = opened(session, "Ben", deals.sheet.sheet_id)
    assert "The trash is empty" in said(page)


def test_a_full_trash_is_read_page_by_page(session: Session, sheet: int) -> None:
    for number in range(30):
        add_deal(session, "Ann", sheet, {DEAL: f"Deal {number}"})
    delete(session, "Ann", sheet, *range(5, 35))
    page = opened(session, "Ann", sheet)
    assert len(offered(page)) == 20
    page = press(page, "Older")
    assert offered(page)[-3:] == ["Cord", "Bolt", "Acme"]
    assert len(offered(page)) == 13
    assert len(offered(press(page, "Newer"))) == 20


def test_a_reader_looks_and_restores_nothing(session: Session, sheet: int) -> None:
    page = opened(session, "Cleo", sheet)
    assert "Acme" in said(page)
    assert offered(page) == []
    assert "Restore" not in str(labels(page))


@pytest.mark.parametrize("typed", ["<script>1</script>", "**b** :red[x] [l](http://x)", "![i](https://evil.example/a)"])
def test_what_was_deleted_is_told_letter_by_letter(session: Session, sheet: int, typed: str) -> None:
    edit(session, "Ben", sheet, 4, {DEAL: typed, ACCOUNT: typed})
    delete(session, "Ben", sheet, 4)
    page = opened(session, "Ann", sheet)
    assert typed not in said(page) + str(offered(page))

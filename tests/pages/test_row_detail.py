"""The row's drawer: its fields, what happened to it, what each cell held, and the way back to an older value."""

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.access.access import Access
from core.access.load import get_access
from core.base.exact_json import Value
from core.base.permissions import Level
from core.comments.comments import add_comment, comments
from core.history.history import cell_history
from core.rows.read import stored_row
from core.sharing.shares import share_sheet
from core.sheets.columns import change_column
from tests.conftest import actor
from tests.pages.opened import add_deal, edit, fine, labels, open_piece, press, said
from tests.pages.test_trash import alive, delete

DEAL, ACCOUNT, STAGE, AMOUNT = range(1, 5)


@pytest.fixture
def sheet(session: Session, deals: Access) -> int:
    """A deal whose amount and stage changed."""
    sheet = deals.sheet.sheet_id
    add_deal(session, "Ann", sheet, {DEAL: "Acme", AMOUNT: "5"})
    edit(session, "Ben", sheet, 1, {AMOUNT: "1234.5", STAGE: "Lead"})
    edit(session, "Ann", sheet, 1, {AMOUNT: ""})
    return sheet


def opened(session: Session, name: str, sheet: int) -> AppTest:
    """The drawer of row 1, at its history."""
    return at_history(open_piece(session, name, f"row.row_detail.contents({sheet}, 1, 'drawer')"))


def at_history(page: AppTest) -> AppTest:
    """The next run of the drawer; the test, unlike a browser, does not remember which tab is open."""
    page.session_state["drawer_tab"] = "History"
    return fine(page.run())


def at_cell(page: AppTest, column: int) -> AppTest:
    page.selectbox(key="drawer_field").set_value(column)
    return at_history(page)


def held(session: Session, sheet: int) -> dict[str, Value]:
    return stored_row(session, get_access(session, actor("Ann"), sheet), 1)


def restore(page: AppTest, version: int) -> AppTest:
    page.button(key=f"drawer_restore_{version}").click()
    return at_history(page)


def test_the_fields_are_shown_as_the_person_reads_them(session: Session, sheet: int) -> None:
    page = open_piece(session, "Cleo", f"row.row_detail.contents({sheet}, 1, 'drawer')")
    assert [one.value for one in page.text][:4] == ["Acme", "–", "Lead", "–"]


def test_a_field_leads_to_the_history_of_its_cell(session: Session, sheet: int) -> None:
    page = open_piece(session, "Cleo", f"row.row_detail.contents({sheet}, 1, 'drawer')")
    page.button(key=f"drawer_past_{AMOUNT}").click()
    assert "5.00 EUR" in [one.value for one in fine(page.run()).text]


def test_each_change_of_the_row_is_told_with_its_cells(session: Session, sheet: int) -> None:
    told = said(opened(session, "Cleo", sheet))
    assert "Amount: 1,234.50 EUR :gray[→] :gray[empty]" in told
    assert "- Stage: :gray[empty] :gray[→] Lead\n- Amount: 5.00 EUR :gray[→] 1,234.50 EUR" in told
    assert "- :gray[row added]\n- Deal: Acme\n- Amount: 5.00 EUR" in told


def test_a_cell_tells_what_it_held(session: Session, sheet: int) -> None:
    page = at_cell(opened(session, "Cleo", sheet), AMOUNT)
    assert [one.value for one in page.tabs[2].text] == ["(empty)", "1,234.50 EUR", "5.00 EUR"]
    assert "row added" in said(page)


def test_an_older_value_comes_back_as_a_change_of_its_own(session: Session, sheet: int) -> None:
    restore(at_cell(opened(session, "Ben", sheet), AMOUNT), 2)
    assert str(held(session, sheet)[str(AMOUNT)]) == "1234.5"
    newest, *_ = cell_history(session, get_access(session, actor("Ann"), sheet), 1, AMOUNT)
    assert (newest.by, newest.source, newest.cells[0].old, newest.cells[0].new) == ("Ben", "restore", "", "1234.5")


def test_what_was_restored_can_be_restored_from_again(session: Session, sheet: int) -> None:
    page = restore(at_cell(opened(session, "Ben", sheet), AMOUNT), 2)
    page = restore(page, 1)
    assert not page.error
    assert str(held(session, sheet)[str(AMOUNT)]) == "5"


def test_an_emptied_cell_can_be_restored_empty(session: Session, sheet: int) -> None:
    edit(session, "Ann", sheet, 1, {AMOUNT: "7"})
    restore(at_cell(opened(session, "Ben", sheet), AMOUNT), 3)
    assert str(AMOUNT) not in held(session, sheet)


def test_a_value_that_somebody_has_just_changed_is_not_overwritten(session: Session, sheet: int) -> None:
    page = at_cell(opened(session, "Ben", sheet), AMOUNT)
    edit(session, "Ann", sheet, 1, {AMOUNT: "99"})
    page = restore(page, 1)
    assert "Ann changed this cell meanwhile" in said(page)
    assert "Nothing was restored" in said(page)
    assert str(held(session, sheet)[str(AMOUNT)]) == "99"
    assert "99.00 EUR" in [one.value for one in page.text]
    restore(page, 1)
    assert str(held(session, sheet)[str(AMOUNT)]) == "5"


def test_a_value_that_the_column_takes_no_longer_is_refused_with_the_reason(
    session: Session, deals: Access, sheet: int
) -> None:
    edit(session, "Ann", sheet, 1, {STAGE: "Won"})
    others = tuple(option for option in deals.column(STAGE).options if option.label != "Lead")
    change_column(session, actor("Ann"), sheet, STAGE, options=others)
    page = restore(at_cell(opened(session, "Ben", sheet), STAGE), 2)
    assert "Lead" in str(page.error[0].value)
    assert held(session, sheet)[str(STAGE)] == "o5"


def test_the_value_that_a_cell_has_is_not_offered(session: Session, sheet: int) -> None:
    edit(session, "Ann", sheet, 1, {AMOUNT: "5"})
    page = at_cell(opened(session, "Ben", sheet), AMOUNT)
    assert labels(page).count("Restore this value") == 2


def test_a_reader_is_offered_no_value_to_restore(session: Session, sheet: int) -> None:
    page = at_cell(opened(session, "Cleo", sheet), AMOUNT)
    assert "Restore this value" not in labels(page)


def test_a_row_in_the_trash_tells_its_history_and_comes_back(session: Session, sheet: int) -> None:
    delete(session, "Ann", sheet, 1)
    page = opened(session, "Ben", sheet)
    assert "This row is in the trash" in said(page)
    assert "row deleted" in said(page)
    page = press(page, "Restore this row")
    assert alive(session, sheet) == [1]
    assert "This row is in the trash" not in said(page)


def test_a_reader_finds_a_row_in_the_trash_and_leaves_it_there(session: Session, sheet: int) -> None:
    delete(session, "Ann", sheet, 1)
    page = opened(session, "Cleo", sheet)
    assert "This row is in the trash" in said(page)
    assert "Restore this row" not in labels(page)


def test_a_long_history_is_read_bit_by_bit(session: Session, sheet: int) -> None:
    for number in range(40):
        edit(session, "Ann", sheet, 1, {ACCOUNT: f"Account {number}"})
    page = opened(session, "Cleo", sheet)
    assert "row added" not in said(page)
    page.button(key="drawer_older").click()
    assert "row added" in said(at_history(page))


def test_a_viewer_reads_comments_and_is_told_how_to_write(session: Session, sheet: int) -> None:
    add_comment(session, actor("Ann"), sheet, 1, "Call them :red[soon]")
    page = open_piece(session, "Cleo", f"row.row_detail.contents({sheet}, 1, 'drawer')")
    page.session_state["drawer_tab"] = "Comments"
    fine(page.run())
    assert "Call them :red[soon]" in [one.value for one in page.text]
    assert "ask the owner" in said(page)
    assert not page.text_area


def test_a_row_in_the_trash_shows_its_comments_and_says_what_to_do_before_commenting(
    session: Session, sheet: int
) -> None:
    add_comment(session, actor("Ann"), sheet, 1, "Lost to a cheaper offer")
    delete(session, "Ann", sheet, 1)
    page = open_piece(session, "Ben", f"row.row_detail.contents({sheet}, 1, 'drawer')")
    page.session_state["drawer_trash_tab"] = "Comments"
    fine(page.run())
    assert "Lost to a cheaper offer" in [one.value for one in page.text]
    assert "restore the row first" in said(page)
    assert not page.text_area
    assert "Edit" not in labels(page)


def test_who_is_made_a_commenter_while_they_read_may_write_at_the_next_look(session: Session, sheet: int) -> None:
    page = open_piece(session, "Cleo", f"row.row_detail.contents({sheet}, 1, 'drawer')")
    page.session_state["drawer_tab"] = "Comments"
    assert not fine(page.run()).text_area
    share_sheet(session, actor("Ann"), sheet, actor("Cleo").user_id, level=Level.COMMENTER)
    page.session_state["drawer_tab"] = "Comments"
    assert fine(page.run()).text_area


def test_the_fields_tell_how_many_comments_there_are_and_lead_to_them(session: Session, sheet: int) -> None:
    page = open_piece(session, "Cleo", f"row.row_detail.contents({sheet}, 1, 'drawer')")
    assert not any("comment" in label for label in labels(page))
    for body in ("One", "Two"):
        add_comment(session, actor("Ann"), sheet, 1, body)
    press(fine(page.run()), "2 comments")
    assert "Two" in [one.value for one in page.text]


def test_an_editor_says_something_changes_it_and_takes_it_back(session: Session, sheet: int) -> None:
    def at_comments() -> AppTest:
        page = open_piece(session, "Ben", f"row.row_detail.contents({sheet}, 1, 'drawer')")
        page.session_state["drawer_tab"] = "Comments"
        return fine(page.run())

    def bodies() -> list[str]:
        return [one.body for one in comments(session, actor("Ann"), sheet, 1)]

    # What follows a click is a run of the fragment alone, which a test cannot do: it looks at a page opened anew.
    page = at_comments()
    page.text_area[0].set_value("Frist")
    next(one for one in page.button if one.label == "Comment").click().run()
    assert bodies() == ["Frist"]
    (comment,) = comments(session, actor("Ben"), sheet, 1)
    page = at_comments()
    page.button(key=f"drawer_{comment.comment_id}_edit").click()
    page.session_state["drawer_tab"] = "Comments"
    fine(page.run())
    page.text_area[0].set_value("First")
    page.session_state["drawer_tab"] = "Comments"
    page.button(key=f"drawer_{comment.comment_id}_save").click().run()
    assert bodies() == ["First"]
    page = at_comments()
    page.session_state["drawer_tab"] = "Comments"
    page.button(key=f"drawer_{comment.comment_id}_delete").click().run()
    assert "This comment has been deleted." in said(at_comments())

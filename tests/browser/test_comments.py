"""Two people talk about a row: what one says appears at the other, who goes on typing; payloads are only text."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from core.base.permissions import Level
from core.comments.comments import add_comment, comments
from core.sharing.shares import share_sheet
from db import engine as db
from tests.browser.people import Person
from tests.browser.test_history import open_history
from tests.conftest import actor

Together = Callable[..., tuple[Person, Person, int]]
ASKING = "What should the others know?"
PAYLOADS = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) :red[no] $x$ **b**\nsecond line"


def open_comments(who: Person) -> Locator:
    """The drawer of the first row, at its comments."""
    drawer = open_history(who, 0, 0)
    drawer.get_by_role("tab", name="Comments").click()
    drawer.get_by_placeholder(ASKING).wait_for()
    return drawer


def test_a_comment_appears_at_the_other_who_goes_on_typing(together: Together) -> None:
    ann, ben, sheet = together(deals=3)
    anns, bens = open_comments(ann), open_comments(ben)
    field = bens.get_by_placeholder(ASKING)
    field.press_sequentially("Half a thou", delay=40)
    anns.get_by_placeholder(ASKING).fill(PAYLOADS)
    anns.get_by_role("button", name="Comment", exact=True).click()
    said = bens.get_by_text("<img src=x onerror=alert(1)>")
    expect(said).to_be_visible(timeout=15_000)
    assert said.inner_text() == PAYLOADS
    expect(field).to_have_value("Half a thou")
    ben.page.keyboard.type("ght", delay=40)
    bens.get_by_role("button", name="Comment", exact=True).click()
    expect(anns.get_by_text("Half a thought")).to_be_visible(timeout=15_000)
    with db.transaction() as session:
        assert [one.body for one in comments(session, actor("Ann"), sheet, 1)] == [PAYLOADS, "Half a thought"]
    assert ann.errors == []


@pytest.mark.exhaustive
def test_a_commenter_reads_the_grid_is_told_where_to_write_and_writes_there(
    person: Callable[[str], Person], make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet(deals=3)
    with db.transaction() as session:
        share_sheet(session, actor("Ann"), sheet, actor("Cleo").user_id, level=Level.COMMENTER)
        add_comment(session, actor("Ann"), sheet, 1, "Who calls them?")
    cleo = person("Cleo").known().open_sheet(sheet)
    expect(cleo.page.get_by_text("open a row to see its comments")).to_be_visible()
    expect(cleo.page.get_by_test_id("grid-saving")).to_have_text("Read only")
    cleo.select(0, 0).type("Mine")
    assert cleo.cell(0, 0) == "Deal 1"
    cleo.page.get_by_test_id("grid-open").click()
    drawer = cleo.page.get_by_role("dialog")
    drawer.get_by_role("tab", name="Comments").click()
    expect(drawer.get_by_text("Who calls them?")).to_be_visible(timeout=15_000)
    drawer.get_by_placeholder(ASKING).fill("I do")
    drawer.get_by_role("button", name="Comment", exact=True).click()
    expect(drawer.get_by_role("button", name="Edit", exact=True)).to_have_count(1, timeout=15_000)
    with db.transaction() as session:
        assert [one.body for one in comments(session, actor("Ann"), sheet, 1)] == ["Who calls them?", "I do"]


def test_what_is_being_changed_is_kept_while_others_write(together: Together) -> None:
    ann, _, sheet = together(deals=3)
    with db.transaction() as session:
        add_comment(session, actor("Ann"), sheet, 1, "Frist")
    drawer = open_comments(ann)
    drawer.get_by_role("button", name="Edit", exact=True).click()
    field = drawer.get_by_role("textbox", name="Your comment")
    field.fill("First, and")
    with db.transaction() as session:
        add_comment(session, actor("Ben"), sheet, 1, "Second")
    expect(drawer.get_by_text("Second", exact=True)).to_be_visible(timeout=15_000)
    expect(field).to_have_value("First, and")
    ann.page.keyboard.type(" best", delay=40)
    drawer.get_by_role("button", name="Save", exact=True).click()
    expect(drawer.get_by_text("First, and best")).to_be_visible(timeout=15_000)

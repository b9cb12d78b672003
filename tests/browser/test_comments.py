"""Two people talk about a row: what one says appears at the other, who goes on typing; payloads are only text."""

from collections.abc import Callable

from playwright.sync_api import Locator, expect

from core.comments import comments
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

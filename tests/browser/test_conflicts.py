"""Two people in the same cells: whoever types is not disturbed, both values are shown, and no typed value goes away."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page

from core.base.permissions import Level
from core.edits.batch import Batch, CellInput, Edit
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.sharing.shares import share_sheet, unshare_sheet
from core.sheets.columns import restore_column, retire_column
from core.sheets.sheets import archive_sheet
from db import engine as db
from tests.browser.conftest import add
from tests.browser.people import Person
from tests.browser.test_together import stored
from tests.conftest import actor

DEAL, ACCOUNT, STAGE, AMOUNT = 0, 1, 2, 3
NEXT_STEP = 9
ANN, BEN = actor("Ann"), actor("Ben")
Together = Callable[..., tuple[Person, Person, int]]


def as_program(sheet: int, *edits: tuple[int, int, str], deletes: tuple[int, ...] = (), who: str = "Ben") -> None:
    """Ben from another program: cells as (row, column number, text), without a base."""
    batch = Batch(edits=tuple(Edit(row, column, CellInput(text)) for row, column, text in edits), deletes=deletes)
    with db.transaction() as session:
        write(session, actor(who), sheet, batch, operation_id=uuid4(), source=ChangeSource.API)


def in_sheet(command: Callable[..., Any], sheet: int, *what: Any, **how: Any) -> None:
    """A command of Ann's, who owns the sheet."""
    with db.transaction() as session:
        command(session, ANN, sheet, *what, **how)


def editor(person: Person) -> Locator:
    return person.page.get_by_test_id("grid-editor")


def note(person: Person) -> str:
    return person.text_of("grid-meanwhile")


def text_of(person: Person, testid: str) -> str:
    found = person.page.get_by_test_id(testid).first
    found.wait_for()
    return found.inner_text()


def clipboard(page: Page) -> str:
    copied: str = page.evaluate("navigator.clipboard.readText()")
    return copied


def test_typing_goes_on_undisturbed_while_another_adds_deletes_sorts_and_edits(together: Together) -> None:
    ann, ben, sheet = together()
    ann.select(ACCOUNT, 4).type("one ", then="")
    add(sheet, [{1: "Added by Ben"}], who="Ben")
    ann.type("two ", then="")
    as_program(sheet, deletes=(2, 3))
    ben.open_sheet(sheet, {"sort": [{"column": 4, "descending": True}]})
    ann.type("three ", then="")
    as_program(sheet, (5, 1, "Renamed"), (5, 4, "77"), (1, 1, "First"))
    ann.sees(DEAL, 4, "Renamed")
    assert editor(ann).input_value() == "one two three "
    assert ann.page.evaluate("document.activeElement.dataset.testid") == "grid-editor"
    assert note(ann) == ""
    ann.type("four").saved()
    assert stored(sheet, 5, 2) == "one two three four"
    assert stored(sheet, 5, 1) == "Renamed"


def test_who_types_is_told_what_became_of_the_cell_and_decides_afterwards(together: Together) -> None:
    ann, _, sheet = together()
    ann.select(AMOUNT, 5).type("450", then="")
    as_program(sheet, (6, 4, "500"))
    ann.until(lambda: note(ann) == "Ben changed this to “€500.00” meanwhile.", lambda: note(ann))
    assert editor(ann).input_value() == "450"
    ann.page.keyboard.press("Enter")
    ann.until(lambda: "attention" in ann.saving)
    ann.page.keyboard.press("ArrowUp")
    told = text_of(ann, "grid-conflict")
    assert all(part in told for part in ("Ben changed this cell meanwhile", "450", "€500.00", "€600.00"))
    assert stored(sheet, 6, 4) == "500"
    ann.page.get_by_test_id("grid-conflict").get_by_text("Take theirs").click()
    ann.saved().sees(AMOUNT, 5, "500")


def test_a_value_typed_again_over_an_undecided_one_does_not_pass_unseen(together: Together) -> None:
    ann, _, sheet = together()
    ann.select(DEAL, 5).type("Mine", then="")
    as_program(sheet, (6, 1, "Theirs"))
    ann.until(lambda: "Theirs" in note(ann))
    ann.page.keyboard.press("Enter")
    ann.until(lambda: "attention" in ann.saving)
    as_program(sheet, (6, 1, "Theirs again"))
    ann.until(lambda: ann.version >= 3)
    ann.page.keyboard.press("ArrowUp")
    ann.type("Mine again")
    ann.until(lambda: "attention" in ann.saving)
    ann.page.keyboard.press("ArrowUp")
    ann.until(lambda: "Theirs again" in text_of(ann, "grid-conflict"))
    assert stored(sheet, 6, 1) == "Theirs again"


def test_a_paste_over_cells_that_somebody_changed_gives_a_list_to_decide(together: Together) -> None:
    ann, ben, sheet = together()
    ann.page.route("**/rows", lambda route: route.abort() if route.request.method == "PATCH" else route.continue_())
    ann.select(DEAL, 0).paste("P1\tQ1\nP2\tQ2\nP3\tQ3\nP4\tQ4")
    ann.until(lambda: "waiting" in ann.saving)
    as_program(sheet, (1, 1, "B1"), (2, 2, "B2"), (3, 1, "B3"))
    ann.until(lambda: ann.version >= 2)
    ann.page.unroute("**/rows")
    attention = ann.page.get_by_test_id("grid-attention")
    attention.wait_for()
    told = attention.inner_text()
    assert all(part in told for part in ("3 cells were changed meanwhile", "P1", "B1", "Deal 1", "Ben", "Q2", "P3"))
    assert [stored(sheet, row, 1) for row in (1, 2, 3, 4)] == ["B1", "P2", "B3", "P4"]
    ann.select(DEAL, 8).type("Goes ", then="")
    attention.locator("li").first.get_by_text("Take theirs").click()
    ann.sees(DEAL, 0, "B1")
    ann.type("on", then="")
    assert editor(ann).input_value() == "Goes on"
    ann.page.keyboard.press("Escape")
    attention.get_by_text("Keep all mine").click()
    ann.saved()
    assert [stored(sheet, row, 1) for row in (1, 2, 3, 4)] == ["B1", "P2", "P3", "P4"]
    assert stored(sheet, 2, 2) == "Q2"
    ben.sees(DEAL, 2, "P3")


@pytest.mark.parametrize("seconds", [5, 40, 300])
def test_an_editor_left_open_is_judged_by_what_was_on_the_screen_when_it_opened(
    person: Callable[..., Person], make_sheet: Callable[..., int], seconds: int
) -> None:
    sheet = make_sheet()
    ann = person("Ann")
    if seconds > 5:
        # The page's clock is put forward: its timers run, its sockets and the server live in real time.
        ann.leaves_context = False
        ann.page.clock.install()
    ann.known().open_sheet(sheet).select(ACCOUNT, 2)
    ann.type("Half", then="")
    as_program(sheet, (3, 2, "Changed by Ben"))
    if seconds > 5:
        ann.page.clock.fast_forward(seconds * 1000)
    else:
        ann.page.wait_for_timeout(seconds * 1000)
    ann.until(lambda: "Changed by Ben" in note(ann))
    ann.type(" a word")
    ann.until(lambda: "attention" in ann.saving)
    assert stored(sheet, 3, 2) == "Changed by Ben"
    ann.page.keyboard.press("ArrowUp")
    told = text_of(ann, "grid-conflict")
    assert all(part in told for part in ("Half a word", "Changed by Ben", "Account 0"))


def test_a_value_typed_into_a_row_that_was_deleted_can_be_copied(together: Together) -> None:
    ann, _, sheet = together()
    ann.select(ACCOUNT, 3).type("Typed for nothing", then="")
    as_program(sheet, deletes=(4,))
    ann.until(lambda: "This row was deleted meanwhile" in note(ann))
    ann.page.keyboard.press("Enter")
    ann.until(lambda: "attention" in ann.saving)
    ann.page.keyboard.press("ArrowUp")
    gone = ann.page.get_by_test_id("grid-gone").first
    assert "This row has been deleted meanwhile." in gone.inner_text()
    gone.get_by_text("Copy value").click()
    ann.until(lambda: clipboard(ann.page) == "Typed for nothing")
    gone.get_by_text("Drop it").click()
    ann.saved()


def test_a_value_typed_into_a_column_that_was_deleted_can_be_copied(together: Together) -> None:
    ann, _, sheet = together()
    ann.select(ACCOUNT, 3)
    for _ in range(NEXT_STEP - 2):
        ann.page.keyboard.press("ArrowRight")
    ann.type("Call them", then="")
    in_sheet(retire_column, sheet, NEXT_STEP)
    ann.until(lambda: "This column was deleted meanwhile" in note(ann))
    assert editor(ann).input_value() == "Call them"
    ann.page.keyboard.press("Enter")
    ann.until(lambda: "attention" in ann.saving)
    ann.page.get_by_test_id("grid-saving").click()
    attention = ann.page.get_by_test_id("grid-attention")
    assert all(
        part in attention.inner_text() for part in ("Next step · Deal 4", "Call them", "column has been deleted")
    )


def test_a_right_withdrawn_while_one_types_gives_the_value_back(together: Together) -> None:
    _, ben, sheet = together()
    ben.select(ACCOUNT, 3).type("Nearly do", then="")
    in_sheet(share_sheet, sheet, BEN.user_id, level=Level.VIEWER)
    ben.until(lambda: "You may no longer write into this sheet" in note(ben))
    ben.type("ne")
    ben.until(lambda: "attention" in ben.saving)
    ben.page.get_by_test_id("grid-saving").click()
    attention = ben.page.get_by_test_id("grid-attention")
    assert "Nearly done" in attention.inner_text()
    attention.get_by_text("Copy value").click()
    ben.until(lambda: clipboard(ben.page) == "Nearly done")
    assert stored(sheet, 4, 2) == "Account 1"


@pytest.mark.parametrize("how", ["unshared", "archived"])
def test_what_was_typed_into_a_sheet_that_goes_away_stays_until_it_is_dropped(together: Together, how: str) -> None:
    _, ben, sheet = together()
    ben.select(ACCOUNT, 3).type("Half a sentence", then="")
    if how == "unshared":
        in_sheet(unshare_sheet, sheet, BEN.user_id)
    else:
        in_sheet(archive_sheet, sheet)
    ben.says("This sheet is archived, or it is not shared with you.")
    left = ben.page.get_by_test_id("grid-left")
    left.get_by_text("Half a sentence").wait_for()
    left.get_by_text("Copy value").click()
    ben.until(lambda: clipboard(ben.page) == "Half a sentence")
    left.get_by_text("Drop").click()
    left.wait_for(state="detached")


def test_values_that_wait_are_sent_though_one_has_left_the_page(together: Together) -> None:
    ann, _, sheet = together()
    ann.context.set_offline(True)
    ann.select(ACCOUNT, 3).type("Typed, and gone")
    ann.context.set_offline(False)
    ann.page.get_by_role("link", name="Home").first.click()
    ann.until(lambda: stored(sheet, 4, 2) == "Typed, and gone")
    ann.page.get_by_test_id("grid-left").wait_for(state="detached")


def test_a_column_that_comes_back_shows_its_values_in_an_open_grid(together: Together) -> None:
    ann, _, sheet = together()
    as_program(sheet, (1, NEXT_STEP, "Write to them"))
    in_sheet(retire_column, sheet, NEXT_STEP)
    ann.open_sheet(sheet)
    in_sheet(restore_column, sheet, NEXT_STEP)
    ann.select(DEAL, 0)

    def arrived() -> bool:
        # Only what is in sight can be read: go right until the column is there.
        ann.page.keyboard.press("ArrowRight")
        return ann.cell(NEXT_STEP - 1, 0) == "Write to them"

    ann.until(arrived)

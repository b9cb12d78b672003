"""Two people in one sheet: nothing is lost, nothing jumps, nobody is interrupted."""

from collections.abc import Callable

from sqlalchemy import text

from db import engine as db
from tests.browser.conftest import add
from tests.browser.people import Person

DEAL, ACCOUNT, STAGE, AMOUNT = 0, 1, 2, 3
Together = Callable[..., tuple[Person, Person, int]]


def stored(sheet: int, row: int, column: int) -> str | None:
    with db.transaction() as session:
        query = text("SELECT values ->> :column FROM rows WHERE sheet_id = :sheet AND row_id = :row")
        return session.scalar(query, {"column": str(column), "sheet": sheet, "row": row})


def test_an_edit_appears_at_the_other_while_their_typing_goes_on(together: Together) -> None:
    ann, ben, sheet = together()
    ben.select(ACCOUNT, 4).type("Half a wo", then="")
    ann.select(DEAL, 0).type("Renamed by Ann").saved()
    ben.sees(DEAL, 0, "Renamed by Ann")
    ben.type("rd").saved()
    ann.sees(ACCOUNT, 4, "Half a word")
    assert stored(sheet, 5, 2) == "Half a word"
    assert stored(sheet, 1, 1) == "Renamed by Ann"


def test_what_one_changes_is_told_to_the_other_who_need_not_ask(together: Together) -> None:
    ann, ben, _ = together()
    ann.select(DEAL, 0).type("Before").saved()
    ben.sees(DEAL, 0, "Before")
    asked: list[str] = []
    ben.page.on("request", lambda request: asked.append(request.url))
    for value in ("One", "Two", "Three"):
        ann.select(DEAL, 1).type(value).saved()
        ben.sees(DEAL, 1, value)
    assert [url for url in asked if "/changes" in url] == []


def test_a_paste_beyond_the_last_row_makes_rows_as_one_change(together: Together) -> None:
    ann, ben, sheet = together()
    before = ann.version
    ann.select(DEAL, 10).paste("A\tx\tLead\t1,50\nB\ty\tWon\t20\nC\tz\tLost\t€ 3 500\nD\tw\t\t").saved()
    ann.until(lambda: ann.row_count.startswith("14 "))
    ann.sees(DEAL, 13, "D")
    ben.sees(DEAL, 13, "D")
    assert ann.version == before + 1
    assert [stored(sheet, row, 1) for row in range(11, 15)] == ["A", "B", "C", "D"]
    assert [stored(sheet, row, 4) for row in range(11, 15)] == ["1.5", "20", "3500", None]


def test_a_value_typed_while_another_sorts_and_edits_lands_in_the_right_deal(together: Together) -> None:
    ann, ben, sheet = together()
    ann.open_sheet(sheet, {"sort": [{"column": 4, "descending": True}], "filter": [], "search": ""})
    ann.sees(DEAL, 0, "Deal 12")
    ann.select(ACCOUNT, 0).type("For deal twel", then="")
    ben.select(AMOUNT, 0).type("99999").saved()
    ann.until(lambda: ann.version >= 2)
    ann.type("ve").saved()
    assert stored(sheet, 12, 2) == "For deal twelve"
    assert stored(sheet, 1, 2) == "Account 1"
    assert ann.cell(DEAL, 0) == "Deal 12"


def test_a_refused_value_stays_with_its_reason_until_it_is_mended(together: Together) -> None:
    ann, _, sheet = together()
    ann.select(AMOUNT, 2).type("about a thousand")
    ann.until(lambda: "attention" in ann.saving)
    ann.page.keyboard.press("ArrowUp")
    refusal = ann.page.get_by_test_id("grid-refused").first
    refusal.wait_for()
    assert "about a thousand" in (refusal.text_content() or "")
    assert stored(sheet, 3, 4) == "300"
    ann.type("1000").saved()
    assert stored(sheet, 3, 4) == "1000"


def test_two_edits_of_one_cell_are_a_conflict_that_the_second_decides(together: Together) -> None:
    ann, ben, sheet = together()
    ann.select(DEAL, 5).type("Mine", then="")
    ben.select(DEAL, 5).type("Theirs").saved()
    ann.until(lambda: ann.version >= 2)
    ann.page.keyboard.press("Enter")
    ann.until(lambda: "attention" in ann.saving)
    assert stored(sheet, 6, 1) == "Theirs"
    ann.page.keyboard.press("ArrowUp")
    conflict = ann.page.get_by_test_id("grid-conflict").first
    conflict.wait_for()
    told = conflict.text_content() or ""
    assert all(part in told for part in ("Mine", "Theirs", "Deal 6", "Ben"))
    conflict.get_by_text("Keep mine").click()
    ann.saved()
    assert stored(sheet, 6, 1) == "Mine"
    ben.sees(DEAL, 5, "Mine")


def test_the_timed_fragment_catches_up_when_the_socket_is_blocked(
    person: Callable[..., Person], make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet()
    ann = person("Ann")
    ann.page.route_web_socket("**/live", lambda socket: socket.close())
    ann.known().open_sheet(sheet)
    add(sheet, [{1: "From a program"}], who="Ben")
    ann.until(lambda: ann.version >= 2, "the version arrives by the fragment")
    ann.until(lambda: ann.row_count.startswith("13 "))


def test_edits_typed_while_offline_arrive_when_the_network_is_back(together: Together) -> None:
    ann, ben, sheet = together()
    ann.context.set_offline(True)
    ann.select(DEAL, 1).type("Typed offline")
    ann.until(lambda: "All changes saved" not in ann.saving)
    ann.page.wait_for_timeout(1500)
    ann.context.set_offline(False)
    ann.saved()
    ben.sees(DEAL, 1, "Typed offline")
    assert stored(sheet, 2, 1) == "Typed offline"


def test_deleted_rows_ask_first_and_leave_both_screens(together: Together) -> None:
    ann, ben, _ = together()
    box = ann.page.get_by_test_id("data-grid-canvas").bounding_box()
    assert box
    ann.page.mouse.click(box["x"] + 20, box["y"] + 38 + 34 * 3 + 17)
    ann.page.get_by_test_id("grid-delete").click()
    ann.page.get_by_test_id("grid-confirm").get_by_role("button", name="Delete").click()
    ann.until(lambda: ann.row_count.startswith("11 "))
    ben.until(lambda: ben.row_count.startswith("11 "))


def test_a_viewer_sees_edits_and_cannot_make_any(person: Callable[..., Person], make_sheet: Callable[..., int]) -> None:
    sheet = make_sheet()
    cleo = person("Cleo").known().open_sheet(sheet)
    cleo.select(DEAL, 0).type("Not mine to change")
    cleo.page.wait_for_timeout(500)
    assert cleo.cell(DEAL, 0) == "Deal 1"
    add(sheet, [{1: "Seen by Cleo"}], who="Ben")
    cleo.until(lambda: cleo.row_count.startswith("13 "))
    assert stored(sheet, 1, 1) == "Deal 1"

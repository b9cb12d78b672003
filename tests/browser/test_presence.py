"""Who else is on the sheet: seen in the cell and in the line below the grid, and gone when they are."""

from collections.abc import Callable

import pytest

from tests.browser.people import Person

DEAL, ACCOUNT, AMOUNT = 0, 1, 3
Together = Callable[..., tuple[Person, Person, int]]


def others(person: Person) -> list[tuple[str, str]]:
    """The letters of everybody else, with the row and column they are in."""
    # In one go: whoever is counted may be gone when asked.
    found = person.page.get_by_test_id("grid-person").evaluate_all(
        "found => found.map(one => [one.textContent, one.dataset.cell || ''])"
    )
    return [(letter, cell) for letter, cell in found]


def test_two_people_see_in_which_cell_the_other_is(together: Together) -> None:
    ann, ben, _ = together()
    ann.until(lambda: others(ann) == [("B", "")], lambda: f"{others(ann)}")
    ben.select(ACCOUNT, 2)
    ann.until(lambda: others(ann) == [("B", "3:2")], lambda: f"{others(ann)}")
    ann.select(AMOUNT, 4)
    ben.until(lambda: others(ben) == [("A", "5:4")], lambda: f"{others(ben)}")
    ben.page.keyboard.press("ArrowDown")
    ann.until(lambda: others(ann) == [("B", "4:2")], lambda: f"{others(ann)}")
    told = ann.page.get_by_test_id("grid-person").get_attribute("title")
    assert told == "Ben · row #4, Account"


@pytest.mark.exhaustive
def test_the_disc_of_somebody_leads_to_their_cell(together: Together) -> None:
    ann, ben, _ = together()
    ben.select(ACCOUNT, 6)
    ann.until(lambda: others(ann) == [("B", "7:2")])
    ann.page.get_by_test_id("grid-person").click()
    ann.page.wait_for_timeout(100)
    ann.type("Found by following").saved()
    ben.sees(ACCOUNT, 6, "Found by following")


def test_whoever_closes_the_tab_is_gone(together: Together) -> None:
    ann, ben, _ = together()
    ann.until(lambda: len(others(ann)) == 1)
    ben.page.close()
    ann.until(lambda: others(ann) == [], "gone long before fifteen seconds are over")


@pytest.mark.exhaustive
def test_a_viewer_is_seen_too(person: Callable[..., Person], make_sheet: Callable[..., int]) -> None:
    sheet = make_sheet()
    ann = person("Ann").known().open_sheet(sheet)
    cleo = person("Cleo").known().open_sheet(sheet)
    cleo.select(DEAL, 1)
    ann.until(lambda: others(ann) == [("C", "2:1")], lambda: f"{others(ann)}")
    cleo.until(lambda: others(cleo) == [("A", "")], lambda: f"{others(cleo)}")


def test_without_a_socket_nobody_is_shown_and_the_grid_works(
    person: Callable[..., Person], make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet()
    ann, ben = person("Ann"), person("Ben")
    ann.page.route_web_socket("**/live", lambda socket: socket.close())
    ann.known().open_sheet(sheet)
    ben.known().open_sheet(sheet)
    ann.select(DEAL, 0).type("Without a socket").saved()
    ben.sees(DEAL, 0, "Without a socket")
    assert others(ann) == others(ben) == []
    assert ann.page.get_by_test_id("grid-here").count() == 0

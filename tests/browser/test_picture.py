"""A cell that changed is drawn alone: the picture is the same as if all of it had been drawn."""

from collections.abc import Callable

import pytest

from tests.browser.people import Person

DEAL, ACCOUNT, AMOUNT = 0, 1, 3
GLOW_MS = 2400
Together = Callable[..., tuple[Person, Person, int]]


def picture(person: Person) -> str:
    """What is on the canvas, with the mouse and the glow gone."""
    person.page.mouse.move(5, 5)
    person.page.wait_for_timeout(GLOW_MS)
    return str(person.page.get_by_test_id("data-grid-canvas").evaluate("canvas => canvas.toDataURL()"))


def drawn_whole(person: Person) -> str:
    """The same picture, drawn from nothing."""
    for height in (760, 860):
        person.page.set_viewport_size({"width": 1400, "height": height})
        person.page.wait_for_timeout(300)
    return picture(person)


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.exhaustive)])
def test_cells_that_change_alone_leave_the_same_picture(together: Together, scheme: str) -> None:
    ann, ben, _ = together()
    for person in (ann, ben):
        person.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    ben.select(AMOUNT, 2).type("about a thousand")  # Refused: a corner in its cell.
    ben.select(DEAL, 5).type("Mine", then="")
    ben.page.mouse.move(5, 5)  # A cell under the mouse is drawn alone by Glide itself.
    ann.select(DEAL, 5).type("Theirs").saved()
    ben.until(lambda: ben.version >= 2)
    ben.page.keyboard.press("Enter")  # In conflict.
    ben.until(lambda: "2 need" in ben.saving)
    ann.select(ACCOUNT, 1).type("Longer than its column, so that it is cut off at the end of it").saved()
    ann.select(DEAL, 8).type("Somewhere else").saved()
    ben.sees(DEAL, 8, "Somewhere else")
    before = picture(ben)
    assert before == drawn_whole(ben)
    ann.select(ACCOUNT, 1).type("Short").saved()
    ben.sees(ACCOUNT, 1, "Short")
    assert picture(ben) == drawn_whole(ben) != before

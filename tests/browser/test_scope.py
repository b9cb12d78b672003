"""Somebody with rows of their own, and columns that are not for them, in the browser while others decide about it."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from core.base.permissions import Level, RowScope
from core.sharing.shares import share_sheet
from core.sheets.columns import limit_column
from db import engine as db
from tests.browser.people import Person
from tests.conftest import actor

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER = range(5)
Together = Callable[..., tuple[Person, Person, int]]


def given(sheet: int, rows: RowScope) -> None:
    with db.transaction() as session:
        share_sheet(session, actor("Ann"), sheet, actor("Ben").user_id, level=Level.EDITOR, row_scope=rows)


def limited(sheet: int, column: int, limit: str | None) -> None:
    with db.transaction() as session:
        limit_column(session, actor("Ann"), sheet, column + 1, {"editor": limit})


def test_rows_come_and_go_as_they_are_given_to_somebody(together: Together) -> None:
    ann, ben, sheet = together(deals=3)
    given(sheet, RowScope.OWN)
    ben.until(lambda: ben.row_count.startswith("0 "))
    ann.select(OWNER, 1).type("Ben").saved()
    ben.until(lambda: ben.row_count.startswith("1 "))
    ben.sees(DEAL, 0, "Deal 2")
    ben.select(ACCOUNT, 0).type("By its owner").saved()
    ann.sees(ACCOUNT, 1, "By its owner")
    ann.select(OWNER, 1).type("Ann").saved()
    # It stands in its place, struck out, until Ben orders anew; it is counted no more.
    ben.until(lambda: ben.row_count.startswith("0 "))
    given(sheet, RowScope.ALL)
    ben.until(lambda: ben.row_count.startswith("3 "))


def test_a_new_row_of_mine_stays_mine(together: Together) -> None:
    ann, ben, sheet = together(deals=2)
    given(sheet, RowScope.OWN)
    ben.until(lambda: ben.row_count.startswith("0 "))
    ben.select(DEAL, 0).type("Found by Ben").saved()
    ben.until(lambda: ben.row_count.startswith("1 "))
    ann.until(lambda: ann.row_count.startswith("3 "))
    ann.sees(DEAL, 2, "Found by Ben")
    ann.sees(OWNER, 2, "Ben")


def test_a_column_leaves_and_returns_while_its_reader_looks(together: Together) -> None:
    _, ben, sheet = together(deals=2)
    assert ben.cell(ACCOUNT, 0) == "Account 1"
    limited(sheet, ACCOUNT, "hidden")
    ben.until(lambda: "Account 1" not in ben.page.get_by_test_id("data-grid-canvas").inner_text())
    limited(sheet, ACCOUNT, None)
    ben.sees(ACCOUNT, 0, "Account 1")


@pytest.mark.parametrize("how", ["type", "paste"])
def test_a_read_only_column_says_so_and_keeps_its_value(together: Together, how: str) -> None:
    _, ben, sheet = together(deals=2)
    limited(sheet, ACCOUNT, "read-only")
    ben.until(lambda: ben.page.get_by_test_id(f"glide-cell-{ACCOUNT + 1}-0").get_attribute("aria-readonly") == "true")
    ben.select(ACCOUNT, 0)
    if how == "type":
        ben.type("Mine now", then="")
        ben.says("“Account” is read-only for you. Ask the sheet's owner.")
    else:
        ben.paste("Mine now")
        ben.until(lambda: "attention" in ben.saving)
    ben.until(lambda: ben.version >= 1)
    kept = text("SELECT values ->> '2' FROM rows WHERE sheet_id = :sheet AND row_id = 1")
    with db.transaction() as session:
        assert session.scalar(kept, {"sheet": sheet}) == "Account 1"

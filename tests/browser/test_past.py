"""The morning after: what the sheet looked like on Friday, what has changed since, and back to now."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.sheets.sheets import create_sheet
from db import engine as db
from tests.browser.people import HEADER, MARKERS, ROW, Person
from tests.conftest import actor


@pytest.fixture
def sheet(database_url: str) -> int:
    """Three deals of three weeks ago; yesterday one was changed, one deleted and one added."""
    engine = db.make_engine(database_url, role=None)
    ann = actor("Ann")
    with Session(engine) as session:
        sheet_id = create_sheet(session, ann, "Last week").sheet.sheet_id
        names = ("Acme", "Bolt", "Cord")
        happen(
            session,
            sheet_id,
            21,
            Batch(adds=tuple(NewRow(name, {1: CellInput(name), 2: CellInput("old")}) for name in names)),
        )
        happen(
            session, sheet_id, 0, Batch((Edit(1, 2, CellInput("new")),), (NewRow("d", {1: CellInput("Dune")}),), (2,))
        )
        session.commit()
    engine.dispose()
    return sheet_id


def happen(session: Session, sheet_id: int, days_ago: int, batch: Batch) -> None:
    """Write it as of some days ago, as history is imported."""
    at = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    session.execute(text("SELECT set_config('contrivance.effective_at', :at, true)"), {"at": at})
    write(session, actor("Ann"), sheet_id, batch, operation_id=uuid4(), source=ChangeSource.GRID)


def colour(one: Person, column_left: int, row: int) -> tuple[int, ...]:
    """The background of a cell, near its left edge."""
    return tuple(
        one.page.evaluate(
            """([x, y]) => {
              const canvas = document.querySelector('[data-testid="data-grid-canvas"]')
              const scale = canvas.width / canvas.getBoundingClientRect().width
              return [...canvas.getContext("2d").getImageData(x * scale, y * scale, 1, 1).data]
            }""",
            [MARKERS + column_left + 4, HEADER + ROW * row + 6],
        )
    )


def test_friday_is_shown_compared_and_left_again(person: Callable[..., Person], sheet: int) -> None:
    ann = person("Ann").known().open_sheet(sheet)
    ann.sees(1, 0, "new")
    page = ann.page
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="As of…").click()
    page.get_by_role("button", name="Last Friday, 18:00").click()
    ann.says("The sheet as it was on")
    ann.until(lambda: page.get_by_test_id("past-grid").count() == 1 and ann.row_count == "3 rows")
    ann.sees(1, 0, "old").sees(0, 1, "Bolt")

    ann.select(1, 0).type("scribble")
    page.keyboard.press("Delete")
    ann.paste("pasted")
    page.wait_for_timeout(500)
    ann.sees(1, 0, "old").select(0, 2)
    plain = colour(ann, 200, 0)

    page.get_by_role("button", name="Compare with…").click()
    page.get_by_role("button", name="Now", exact=True).click()
    for told in ("1 changed cell", "1 added row", "1 deleted row"):
        ann.says(told)
    page.keyboard.press("Escape")
    ann.until(lambda: colour(ann, 200, 0) != plain, "the changed cell is not tinted")
    assert colour(ann, 200, 2) == plain
    assert len({colour(ann, 200, row) for row in (0, 1, 2)}) == 3, "changed, deleted and as it was look different"

    page.get_by_text("Now", exact=True).last.click()
    ann.sees(1, 0, "new").sees(0, 2, "Dune")
    page.get_by_role("button", name="List the differences").click()
    expect(page.get_by_role("dialog").get_by_text("row deleted")).to_be_visible()
    page.keyboard.press("Escape")

    page.reload()
    ann.says("The sheet as it is now, compared with").sees(1, 0, "new")
    page.get_by_role("button", name="Back to now").click()
    page.get_by_test_id("live-grid").wait_for()
    ann.sees(1, 0, "new").select(1, 0).type("typed").saved().sees(1, 0, "typed")

"""The page of a sheet as it was: its banner, its comparison and the way back, as they stand in the address."""

from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.accounts.locale import Locale
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from pages.components.as_of.instants import choices, spoken, written
from tests.conftest import actor, make_deals
from tests.pages.opened import fine, labels, open_page, press


@pytest.fixture
def sheet(session: Session) -> int:
    """Two deals at version 1; the second is deleted and a third added since, the first has another name."""
    sheet_id = make_deals(session).sheet.sheet_id
    for batch in (
        Batch(adds=(NewRow("a", {1: CellInput("Acme")}), NewRow("b", {1: CellInput("Bolt")}))),
        Batch((Edit(1, 1, CellInput("Acme Ltd")),), (NewRow("c", {1: CellInput("Cord")}),), (2,)),
    ):
        write(session, actor("Ann"), sheet_id, batch, operation_id=uuid4(), source=ChangeSource.GRID)
    return sheet_id


def test_the_banner_says_which_moment_is_shown_and_leads_back(session: Session, sheet: int) -> None:
    page = open_page(session, "Ann", "work/grid.py", sheet=sheet, as_of="2026-11-20T18:00Z")
    assert any("Fri 20 Nov 2026, 18:00 UTC" in one.value for one in page.markdown)
    press(page, "Back to now")
    assert "as_of" not in page.query_params
    assert "Back to now" not in labels(page)


def test_a_comparison_counts_what_differs(session: Session, sheet: int) -> None:
    page = open_page(session, "Cleo", "work/grid.py", sheet=sheet, as_of="version:1", versus="now")
    told = " ".join(one.value for one in page.markdown)
    assert "1 changed cell" in told
    assert "1 added row" in told
    assert "1 deleted row" in told
    press(page, "Do not compare")
    assert "versus" not in page.query_params


def test_the_other_side_of_a_comparison_is_said_and_exported(session: Session, sheet: int) -> None:
    address: dict[str, str | int] = {"sheet": sheet, "as_of": "version:1", "versus": "now"}
    then = open_page(session, "Ann", "work/grid.py", **address)
    assert any("as it was at **version 1**" in one.value for one in then.markdown)
    assert all("as_of=version%3A1" in link for link in exports(then))
    now = open_page(session, "Ann", "work/grid.py", **address, side="other")
    assert any("as it is now, compared with **version 1**" in one.value for one in now.markdown)
    assert not any("as_of" in link for link in exports(now))


def exports(page: AppTest) -> list[str]:
    fine(page.menu_button(key="more").click("Export").run())
    urls = [link.proto.url for link in page.get("link_button")]
    exported = [url for url in urls if "/export" in url]
    assert exported, urls
    return exported


def test_a_quick_choice_leads_into_the_past(session: Session, sheet: int) -> None:
    page = fine(open_page(session, "Ann", "work/grid.py", sheet=sheet).menu_button(key="more").click("As of…").run())
    page = press(page, "Last Friday")
    assert str(page.query_params["as_of"]).endswith("T18:00Z")
    assert "Back to now" in labels(page)


def test_a_damaged_moment_in_the_address_is_said_and_leads_back(session: Session, sheet: int) -> None:
    page = open_page(session, "Ann", "work/grid.py", sheet=sheet, as_of="last week")
    assert "is not an instant" in page.error[0].value
    assert not press(page, "Back to now").error


@pytest.mark.parametrize(
    "now",
    [datetime(2026, 11, day, hour, 30, tzinfo=UTC) for day in range(16, 23) for hour in (0, 17, 18, 23)]
    + [datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC)],
)
def test_every_quick_choice_is_past(now: datetime) -> None:
    found = choices(now)
    assert all(instant <= now for instant in found.values())
    friday = found["Last Friday, 18:00"]
    assert (friday.weekday(), friday.hour, (now - friday).days < 7) == (4, 18, True)


def test_an_instant_is_spoken_as_it_was_written() -> None:
    given = written(datetime(2026, 11, 20, 18, tzinfo=UTC))
    assert spoken(given, Locale()) == "Fri 20 Nov 2026, 18:00 UTC"
    assert spoken(given, Locale(time_zone="Asia/Kolkata")) == "Fri 20 Nov 2026, 23:30 IST"
    assert [spoken(one, Locale()) for one in ("now", "version:3", "x")] == ["now", "version 3", "x"]


def test_evenings_are_those_of_who_asks() -> None:
    now = datetime(2026, 11, 21, 3, tzinfo=ZoneInfo("America/New_York"))
    assert written(choices(now)["Yesterday, 18:00"]) == "2026-11-20T23:00Z"
    assert written(choices(now)["Start of the month"]) == "2026-11-01T04:00Z"

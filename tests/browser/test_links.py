"""A partner opens a public link in a browser of their own: they read along, live, until the link ends."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from core.sharing.public_links import create_link, revoke_link
from core.sheets.columns import limit_column
from db import engine as db
from tests.browser.people import PATIENCE, Person
from tests.conftest import actor

DEAL, ACCOUNT, STAGE = 0, 1, 2
PASSWORD = "partners only 2026"
Seat = Callable[..., Person]


def make_link(sheet: int, **wishes: object) -> tuple[int, str]:
    with db.transaction() as session:
        return create_link(session, actor("Ann"), sheet, **wishes)  # type: ignore[arg-type]


def opened(partner: Person, token: str, password: str = "") -> Person:
    partner.page.goto(f"{partner.url}/l/{token}")
    if password:
        partner.page.get_by_label("Password").fill(password)
        partner.page.get_by_role("button", name="Open the sheet").click()
    return partner.has_rows()


def test_a_partner_reads_along_until_the_link_is_revoked(person: Seat, make_sheet: Callable[..., int]) -> None:
    sheet = make_sheet()
    with db.transaction() as session:
        limit_column(session, actor("Ann"), sheet, ACCOUNT + 1, {"link": "hidden"})
    number, token = make_link(sheet, name="Partner", password=PASSWORD)
    ben, partner = person("Ben").known().open_sheet(sheet), person("Partner")
    partner.page.goto(f"{partner.url}/l/{token}")
    partner.page.get_by_label("Password").fill("not this one")
    partner.page.get_by_role("button", name="Open the sheet").click()
    partner.says("Wrong password.")
    opened(partner, token, PASSWORD)
    assert token not in partner.page.url
    partner.sees(DEAL, 0, "Deal 1")
    assert "Account" not in (partner.page.get_by_test_id("data-grid-canvas").text_content() or "")
    ben.select(DEAL, 0).type("Renamed while they look").saved()
    partner.sees(DEAL, 0, "Renamed while they look")
    partner.select(DEAL, 1).type("Not by me")
    assert "Read only" in partner.saving
    links = [link.get_attribute("href") or "" for link in partner.page.get_by_role("link").all()]
    assert links == ["#stMain"]  # “Skip to main content”: there is no way from here into the app.
    whole = partner.page.locator("body").inner_text()
    assert not [word for word in ("Sheets", "Dashboard", "Ann", "Ben", "Sign", "Account") if word in whole]
    with db.transaction() as session:
        revoke_link(session, actor("Ann"), sheet, number)
    expect(partner.page.get_by_text("This link is not open")).to_be_visible(timeout=6000)
    expect(partner.page.get_by_test_id("live-grid")).to_have_count(0)
    ben.sees(DEAL, 0, "Renamed while they look")


@pytest.mark.exhaustive
def test_who_is_signed_in_sees_what_the_link_shows_and_the_way_to_their_own(
    person: Seat, make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet()
    _, token = make_link(sheet, name="Partner")
    ben, dan = person("Ben").known(), person("Dan").known()
    for somebody in (ben, dan):
        opened(somebody, token).says("Shared with you to read")
        expect(somebody.page.get_by_test_id("stSidebar")).to_have_count(0)
        assert "Read only" in somebody.saving
    expect(dan.page.get_by_text("Open it as yourself")).to_have_count(0)
    own = ben.page.get_by_role("link", name="Open it as yourself")
    assert (own.get_attribute("href") or "").endswith(f"/grid?sheet={sheet}")
    ben.open_sheet(sheet).select(DEAL, 0).type("As myself").saved()


@pytest.mark.exhaustive
def test_search_filter_and_sort_of_a_visitor_stand_in_the_address(person: Seat, make_sheet: Callable[..., int]) -> None:
    _, token = make_link(make_sheet(), name="Partner", may_export=True)
    partner = opened(person("Partner"), token)
    partner.page.get_by_placeholder("Search").or_(partner.page.get_by_label("Search")).first.fill("Deal 12")
    partner.page.keyboard.press("Enter")
    partner.until(lambda: partner.row_count.startswith("1 "))
    partner.page.reload()
    partner.until(lambda: partner.row_count.startswith("1 "))
    partner.page.get_by_role("button", name="Export").click()
    with partner.page.expect_download(timeout=PATIENCE * 1000) as download:
        partner.page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 2
    assert "Deal 12" in lines[1]


def test_what_never_was_and_what_is_no_more_look_the_same(person: Seat, make_sheet: Callable[..., int]) -> None:
    sheet = make_sheet()
    number, token = make_link(sheet, name="Partner")
    partner = person("Partner")
    with db.transaction() as session:
        revoke_link(session, actor("Ann"), sheet, number)
    pages = [httpx.get(f"{partner.url}/l/{token}"), httpx.get(f"{partner.url}/l/never-was")]
    assert [page.status_code for page in pages] == [404, 404]
    assert pages[0].text == pages[1].text
    assert [set(page.headers) for page in pages] == [set(pages[0].headers)] * 2


def test_the_owner_makes_copies_changes_and_revokes_a_link_in_the_sharing_dialog(
    person: Seat, make_sheet: Callable[..., int]
) -> None:
    sheet = make_sheet()
    ann = person("Ann").known().open_sheet(sheet)
    ann.page.get_by_role("button", name="Share").click()
    dialog = ann.page.get_by_role("dialog")
    dialog.get_by_role("tab", name="Public links").click()
    dialog.get_by_text("Make a public link").click()
    ann.page.wait_for_timeout(700)  # Until it has opened: a click at what still slides goes past it.
    dialog.get_by_label("For whom").fill("Agency North")
    dialog.get_by_role("button", name="Make the link").click()
    ann.says("Copy the link now")
    url = dialog.locator("code").inner_text().strip()
    partner = person("Partner")
    partner.page.goto(url)
    partner.until(lambda: "row" in partner.row_count)
    dialog.get_by_role("button", name="I have copied it").click()
    expect(dialog.get_by_text("Agency North")).to_have_count(1)  # While the dialog runs anew it shows what was, too.
    expect(dialog.get_by_text("Agency North")).to_be_visible()
    dialog.get_by_role("button", name="Change").click()
    ann.page.get_by_role("textbox", name="New password").fill(PASSWORD)
    ann.page.get_by_role("button", name="Save the link").click()
    expect(dialog.get_by_text("· password")).to_be_visible()
    expect(ann.page.get_by_role("button", name="Save the link")).to_have_count(0)
    expect(partner.page.get_by_text("This link is not open")).to_be_visible(timeout=6000)
    partner.page.goto(url)
    expect(partner.page.get_by_label("Password")).to_be_visible()
    dialog.get_by_role("button", name="Revoke").click()
    expect(dialog.get_by_text("Agency North")).to_have_count(0)
    assert httpx.get(url).status_code == 404

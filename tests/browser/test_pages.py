"""Pages as a person meets them: the way in and out, an import, a chart that opens its rows, an ended session."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from core.accounts.invitations import invite
from core.base.permissions import Role
from db import engine as db
from tests.browser.people import Person
from tests.conftest import actor

Seat = Callable[..., Person]


@pytest.mark.exhaustive
def test_a_wrong_password_says_one_sentence_and_the_right_one_leads_to_the_page_asked_for(person: Seat) -> None:
    ann = person("Ann").sign_in("/changes", password="not the password")
    ann.says("E-mail or password is wrong")
    ann.page.get_by_role("textbox", name="Password").fill("correct horse battery")
    ann.page.get_by_role("button", name="Sign in").click()
    expect(ann.page.get_by_role("heading", name="Changes")).to_be_visible(timeout=15000)
    (cookie,) = [one for one in ann.context.cookies() if one["name"] == "contrivance_session"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"


@pytest.mark.exhaustive
def test_a_session_that_is_ended_elsewhere_is_over_on_the_open_page(person: Seat, database_url: str) -> None:
    ben = person("Ben").signed_in()
    ben.page.get_by_role("link", name="Profile").click()
    expect(ben.page.get_by_role("heading", name="Profile")).to_be_visible(timeout=15000)
    engine = db.make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE sessions SET ended_at = now() WHERE user_id = :ben"), {"ben": actor("Ben").user_id}
        )
    engine.dispose()
    ben.page.get_by_role("link", name="Home").first.click()
    ben.says("Sign in")


@pytest.mark.exhaustive
def test_signing_out_needs_the_password_again(person: Seat) -> None:
    ann = person("Ann").signed_in()
    ann.page.get_by_role("button", name="Sign out").first.click()
    expect(ann.page.get_by_label("E-mail")).to_be_visible(timeout=15000)
    ann.page.goto(ann.url + "/profile")
    expect(ann.page.get_by_label("E-mail")).to_be_visible(timeout=15000)


@pytest.mark.exhaustive
def test_a_deep_link_as_the_very_first_request_meets_the_gate(person: Seat) -> None:
    dan = person("Dan")
    for path in ("/grid?sheet=1", "/people", "/dashboard", "/columns"):
        dan.page.goto(dan.url + path)
        expect(dan.page.get_by_label("E-mail")).to_be_visible(timeout=15000)
        assert dan.page.get_by_test_id("live-grid").count() == 0


@pytest.mark.exhaustive
def test_an_invited_person_makes_an_account_and_is_in(person: Seat, make_sheet: Callable[..., int]) -> None:
    with db.transaction() as session:
        token = invite(session, actor("Ada"), email="eve@example.com", role=Role.MEMBER)
    eve = person("Eve")
    eve.page.goto(f"{eve.url}/?invite={token}")
    eve.page.get_by_role("textbox", name="Your name").fill("Eve")
    eve.page.get_by_role("textbox", name="Password", exact=True).fill("a fine password")
    eve.page.get_by_role("textbox", name="Password again").fill("a fine password")
    eve.page.get_by_role("button", name="Create my account").click()
    expect(eve.page.get_by_role("heading", name="Sheets", exact=True)).to_be_visible(timeout=15000)
    eve.says("No sheets yet")
    assert token not in eve.page.url


def test_a_bar_opens_the_rows_that_it_counts(person: Seat, make_sheet: Callable[..., int]) -> None:
    sheet = make_sheet(24)
    ann = person("Ann").signed_in()
    ann.page.goto(f"{ann.url}/dashboard?sheet={sheet}")
    ann.says("Pipeline by stage")
    bars = ann.page.locator(".js-plotly-plot").first.locator(".barlayer .point path")
    expect(bars.first).to_be_visible(timeout=15000)
    bars.first.click(force=True)
    ann.page.wait_for_url(re.compile(r"/grid\?.*view="), timeout=15000)
    ann.until(lambda: ann.row_count.startswith("4 "))
    ann.until(lambda: {ann.cell(2, row) for row in range(4)} == {"Lead"}, "four leads")


def test_the_dashboard_follows_an_edit_without_a_reload(person: Seat, make_sheet: Callable[..., int]) -> None:
    from tests.browser.conftest import add

    sheet = make_sheet(6)
    ann = person("Ann").signed_in()
    ann.page.goto(f"{ann.url}/dashboard?sheet={sheet}")
    ann.says("Open deals")
    metric = ann.page.get_by_test_id("stMetric").filter(has_text="Open deals").get_by_test_id("stMetricValue")
    before = int(metric.inner_text())
    add(sheet, [{1: "One more", 3: "Lead", 4: "100"}], who="Ben")
    ann.until(lambda: int(metric.inner_text()) == before + 1, "the open deals are counted anew")


FRENCH = """sep=;
Affaire;Étape;Montant;Clôture
Alpha;Gagné;1 234,50;31/12/2025
Bêta;Perdu;99,90;05/01/2026
Gamma;Ouvert;10 000,00;20/02/2026
"""


@pytest.mark.exhaustive
def test_a_file_becomes_a_sheet_with_its_types(person: Seat, tmp_path: Path, make_sheet: Callable[..., int]) -> None:
    file = tmp_path / "affaires.csv"
    file.write_bytes(b"\xef\xbb\xbf" + FRENCH.replace(" ", "\u202f", 1).encode())
    ann = person("Ann").signed_in("/import")
    ann.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    ann.says("Preview")
    ann.page.get_by_role("button", name="Import 3 rows").click()
    ann.says("3 rows are in")
    with db.transaction() as session:
        rows = "SELECT r.values FROM rows r JOIN sheets s USING (sheet_id) WHERE s.name ILIKE 'affaires%'"
        found = session.execute(text(rows)).scalars()
        amounts = sorted(float(row["3"]) for row in found)
    assert amounts == [99.9, 1234.5, 10000]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.exhaustive)])
def test_every_page_opens_without_an_error_at_phone_width(
    person: Seat, make_sheet: Callable[..., int], scheme: str
) -> None:
    sheet = make_sheet()
    ada = person("Ada", color_scheme=scheme)
    ada.page.set_viewport_size({"width": 390, "height": 844})
    ada.sign_in("/people")
    expect(ada.page.get_by_role("heading", name="People", exact=True)).to_be_visible(timeout=15000)
    for path in ("", "profile", "changes", "columns", "import", "dashboard"):
        ada.page.goto(f"{ada.url}/{path}")
        expect(ada.page.locator("h1").first).to_be_visible(timeout=15000)
        assert ada.page.get_by_test_id("stException").count() == 0
        width = ada.page.evaluate("document.scrollingElement.scrollWidth")
        assert width <= 390, f"{path} is {width} pixels wide"
    assert sheet

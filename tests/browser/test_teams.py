"""A sales team of five is invited, becomes a team with a manager, and is given a sheet, each member their own rows,
nobody but the manager its margin; a partner reads along by a link; a leaver loses the sheet while they look at it.

Nobody types an address of ours: every step is found from the page before it, by what stands on it.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import Browser, Error, Response, expect
from sqlalchemy import text

from db import engine as db
from tests.browser.conftest import add
from tests.browser.people import Person
from tests.browser.test_walk import PASSWORD, make_account
from tests.support.server.started import Started

Seat = Callable[..., Person]
PATIENCE = 20_000
TEAM = ["Mia", "Noah", "Olga", "Pete", "Quinn"]
OWNER, MARGIN = 5, 12
SECRET = "41.73"  # The margin of every deal: it must not come through to members and visitors.


@pytest.fixture(scope="module")
def database_url(own_database: str) -> str:
    return own_database


@pytest.fixture(scope="module")
def server_at(own_server: Started) -> Started:
    return own_server


@contextmanager
def within_a_minute() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 60


def go(person: Person, page: str) -> None:
    """By the navigation, as people do; pages of the administration are behind one entry."""
    if page in ("People", "Teams"):
        person.page.get_by_role("link", name="Administration", exact=True).first.click()
    person.page.get_by_role("link", name=page, exact=True).first.click()
    expect(person.page.get_by_role("heading", name=page, exact=True)).to_be_visible(timeout=PATIENCE)


def press(person: Person, label: str) -> None:
    person.page.get_by_role("button", name=label, exact=True).first.click()


def choose(person: Person, field: str, option: str) -> None:
    """By typing the beginning, which opens the list."""
    person.page.get_by_role("combobox", name=field).fill(option)
    person.page.get_by_role("option", name=re.compile(option)).first.click()


def invite(ada: Person, names: list[str]) -> list[str]:
    """Links for all of them, in one go."""
    go(ada, "People")
    field = ada.page.get_by_role("textbox", name="E-mail")
    field.fill("\n".join(f"{name.lower()}@example.com" for name in names))
    press(ada, "Make an invitation link")
    links = ada.page.locator("code").filter(has_text="?invite=")
    expect(links).to_have_count(1, timeout=PATIENCE)
    lines = links.inner_text().split("\n")
    assert [line.split()[0] for line in lines] == [f"{name.lower()}@example.com" for name in names]
    return [line.split()[1] for line in lines]


def accept(browser: Browser, url: str, name: str, link: str) -> None:
    """Each at a browser of their own."""
    newcomer = Person(browser, url, name)
    newcomer.page.goto(link)
    make_account(newcomer.page, name, None)
    assert newcomer.errors == []
    newcomer.leaves_context = False
    newcomer.context.close()


def make_team(ada: Person, team: str, members: list[str], manager: str) -> None:
    go(ada, "Teams")
    ada.page.get_by_role("textbox", name="New team").fill(team)
    press(ada, "Create the team")
    expect(ada.page.get_by_role("heading", name=team)).to_be_visible(timeout=PATIENCE)
    for name in members:
        choose(ada, "Add people", name)
    ada.page.keyboard.press("Escape")
    press(ada, "Add")
    switches = ada.page.get_by_role("switch", name="Manages the team").or_(
        ada.page.get_by_role("checkbox", name="Manages the team")
    )
    expect(switches).to_have_count(len(members), timeout=PATIENCE)
    ada.page.get_by_text("Manages the team").nth(members.index(manager)).click()
    ada.says(f"{manager} manages {team}.")


def make_sheet(ada: Person, name: str) -> int:
    ada.page.get_by_role("link", name="Home").first.click()
    press(ada, "New sheet")
    ada.page.get_by_role("textbox", name="Name").fill(name)
    ada.page.get_by_text("Sales pipeline", exact=True).first.click()
    press(ada, "Create")
    ada.says("This sheet is empty")
    found = re.search(r"sheet=(\d+)", ada.page.url)
    assert found
    return int(found[1])


def share_own_rows(ada: Person, team: str) -> None:
    press(ada, "Share")
    dialog = ada.page.get_by_role("dialog")
    choose(ada, "Share with", f"Team {team}")
    choose(ada, "As", "Editor")
    choose(ada, "Which rows", "Their own rows")
    dialog.get_by_role("button", name="Share", exact=True).last.click()
    expect(dialog.get_by_text("its managers see the team's rows")).to_be_visible(timeout=PATIENCE)


def add_hidden_margin(ada: Person) -> None:
    """A column that is for those who lead: neither for members with their own rows nor behind links."""
    ada.page.goto(ada.page.url.replace("/grid?", "/columns?"))
    press(ada, "Add a column")
    ada.page.get_by_role("textbox", name="Name").first.fill("Margin")
    choose(ada, "Type", "Percent")
    press(ada, "Add this column")
    expect(ada.page.get_by_role("button", name="Margin", exact=True)).to_be_visible(timeout=PATIENCE)
    ada.page.get_by_role("button", name="Change", exact=True).last.click()
    expect(ada.page.get_by_text("Who sees it", exact=True)).to_be_visible(timeout=PATIENCE)
    for audience in ("People with their own rows", "Public links"):
        field = ada.page.get_by_role("combobox", name=audience)
        field.scroll_into_view_if_needed()
        ada.page.wait_for_timeout(600)  # An open list closes when the page scrolls.
        field.click()
        ada.page.wait_for_timeout(600)
        ada.page.get_by_role("option", name="Hidden").first.click()
    press(ada, "Save")
    expect(ada.page.get_by_text("Hidden from people with their own rows, public links")).to_be_visible(timeout=PATIENCE)


def share_link(ada: Person, partner: str) -> str:
    """The address of a public link, as the dialog shows it once."""
    dialog = ada.page.get_by_role("dialog")
    ada.page.wait_for_timeout(1500)  # The dialog still draws what was shared.
    dialog.get_by_role("tab", name="Public links").click()
    dialog.get_by_text("Make a public link").click()
    ada.page.wait_for_timeout(700)  # Until it has opened: a click at what still slides goes past it.
    dialog.get_by_label("For whom").fill(partner)
    send = dialog.get_by_role("button", name="Make the link")
    send.scroll_into_view_if_needed()
    ada.page.wait_for_timeout(600)
    send.click()
    ada.says("Copy the link now")
    return dialog.locator("code").inner_text().strip()


class Ear:
    """Whatever a browser is sent from now on: answers of the API, and what the page's own socket says."""

    def __init__(self, person: Person) -> None:
        self.said: list[bytes] = []
        self.person = person
        person.page.on("response", self._answered)
        person.page.on("websocket", lambda socket: socket.on("framereceived", self._framed))

    def heard(self, word: str) -> bool:
        """Whether the word was sent, or stands on the page now."""
        body = self.person.page.locator("body").inner_text()
        return word in body or any(word.encode() in said for said in self.said)

    def _answered(self, response: Response) -> None:
        if "/api/" in response.url and response.status == 200:
            with suppress(Error):  # Of an answer that came as the page went away.
                self.said.append(response.body())

    def _framed(self, frame: bytes | str) -> None:
        self.said.append(frame.encode() if isinstance(frame, str) else frame)


ASKED = (
    "rows",
    "rows/{row}",
    "rows?search=41.73",
    "changes?since=0",
    "history",
    "rows/{row}/history",
    "columns",
    "export",
)


def hears_of_deals_and_no_margin(person: Person, sheet: int, row: int) -> None:
    """On every page of the sheet and in every answer about it."""
    ear = Ear(person)
    for page in ("grid", "dashboard", "changes", "columns"):
        person.page.goto(f"{person.url}/{page}?sheet={sheet}")
        person.settled().page.wait_for_load_state("networkidle")
        assert not ear.heard("Margin"), page
        assert not ear.heard(SECRET), page
    person.page.evaluate(
        "paths => Promise.all(paths.map(path => fetch(path).then(answer => answer.text())))",
        [f"/api/v1/sheets/{sheet}/{path.format(row=row)}" for path in [*ASKED, "export?format=csv"]],
    )
    person.open_sheet(sheet).select(0, 0)
    person.page.get_by_text("Open row").first.click()
    drawer = person.page.get_by_role("dialog")
    drawer.get_by_role("tab", name="History").click()
    expect(drawer.get_by_text(re.compile("row added"))).to_be_visible(timeout=PATIENCE)
    assert ear.heard(f"Deal of {person.name}"), "what is theirs came through"
    assert not ear.heard("Margin")
    assert not ear.heard(SECRET)


def add_deal_of_each(database_url: str, sheet: int, names: list[str]) -> None:
    """A row for each, as another program would write them."""
    engine = db.make_engine(database_url)
    db.bind(engine, join_transaction_mode="conditional_savepoint")
    with db.transaction() as session:
        numbers = {one.name: one.user_id for one in session.execute(text("SELECT name, user_id FROM users"))}
    add(
        sheet,
        [{1: f"Deal of {name}", OWNER: str(numbers[name]), MARGIN: SECRET} for name in names],
        who="Ada",
    )
    engine.dispose()
    db.bind(None)


@pytest.mark.exhaustive
def test_a_sales_team_of_five_is_invited_led_and_given_its_own_rows(
    person: Seat, browser: Browser, server_at: Started, database_url: str
) -> None:
    ada = person("Ada").signed_in()
    with within_a_minute():
        links = invite(ada, TEAM)
    for name, link in zip(TEAM, links, strict=True):
        accept(browser, ada.url, name, link)
    with within_a_minute():
        make_team(ada, "North", TEAM, manager="Mia")
    sheet = make_sheet(ada, "Northern deals")
    with within_a_minute():
        add_hidden_margin(ada)
    ada.open_sheet(sheet)
    with within_a_minute():
        share_own_rows(ada, "North")
    with within_a_minute():
        link = share_link(ada, "Partner of the North")

    add_deal_of_each(database_url, sheet, TEAM)
    mia, noah = (person(name) for name in ("Mia", "Noah"))
    for one in (mia, noah):
        one.sign_in(password=PASSWORD)
        one.says("Northern deals")
        one.open_sheet(sheet)
    for row, name in enumerate(TEAM):
        mia.sees(0, row, f"Deal of {name}")
    hers = mia.page.evaluate("path => fetch(path).then(answer => answer.text())", f"/api/v1/sheets/{sheet}/rows")
    assert hers.count(SECRET) == len(TEAM), "who leads the team sees its margin"
    noah.sees(0, 0, "Deal of Noah")
    assert noah.row_count == "1 row"

    told = ada.page.evaluate("path => fetch(path).then(answer => answer.text())", f"/api/v1/sheets/{sheet}/rows")
    assert told.count(SECRET) == len(TEAM), "there is a margin to be hidden"
    hears_of_deals_and_no_margin(noah, sheet, 2)
    partner = person("Partner")
    ear = Ear(partner)
    partner.page.goto(link)
    partner.until(lambda: partner.row_count.startswith(f"{len(TEAM)} "))
    partner.settled().page.wait_for_load_state("networkidle")
    assert ear.heard("Deal of Mia")
    assert not [word for word in ("Margin", SECRET, "example.com", "North ") if ear.heard(word)]
    noah.open_sheet(sheet)

    ada.page.keyboard.press("Escape")
    go(ada, "Teams")
    # Mia, the manager, stands first; Noah's line is the next one.
    ada.page.get_by_role("button", name="Remove").nth(1).click()
    noah.says("not shared with you")
    mia.sees(0, 3, "Deal of Quinn")  # What is his is not the team's any more.

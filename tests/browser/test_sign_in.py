"""Signing in and out in a real browser: what the cookie, the sockets and the address bar do."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import Engine, text

from core.accounts.invitations import invitation_url, invite
from core.base.permissions import Role
from db import engine as db
from tests.conftest import PASSWORD, actor
from tests.support.server.started import Started

SESSION = "contrivance_session"
NEW = "another good password"


@pytest.fixture(scope="module")
def database_url(own_database: str) -> str:
    return own_database


@pytest.fixture(scope="module")
def server_at(own_server: Started) -> Started:
    return own_server


@dataclass
class Visitor:
    """A browser of its own, opened on the product."""

    context: BrowserContext
    page: Page
    url: str

    def open(self, path: str = "/") -> "Visitor":
        self.page.goto(path if "://" in path else self.url + path)
        return self

    def fill(self, **fields: str) -> "Visitor":
        for label, value in fields.items():
            self.page.get_by_role("textbox", name=label.replace("_", " "), exact=True).fill(value)
        return self

    def press(self, name: str) -> "Visitor":
        self.page.get_by_role("button", name=name, exact=True).click()
        return self

    def sign_in(self, name: str, password: str = PASSWORD) -> "Visitor":
        self.page.get_by_role("textbox", name="E-mail").fill(f"{name.lower()}@example.com")
        return self.fill(Password=password).press("Sign in")

    def is_in(self) -> "Visitor":
        expect(self.page.get_by_role("button", name="Sign out", exact=True)).to_be_visible(timeout=15_000)
        return self

    def reads(self, words: str) -> "Visitor":
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=15_000)
        return self

    def cookie(self) -> Any:
        return next((one for one in self.context.cookies() if one["name"] == SESSION), None)


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, server_at: Started) -> Iterator[Visit]:
    opened: list[BrowserContext] = []

    def come(**options: Any) -> Visitor:
        context = browser.new_context(**options)
        opened.append(context)
        return Visitor(context, context.new_page(), server_at.url)

    yield come
    for context in opened:
        context.close()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The server's own database; what was counted or ended there is forgotten after the test."""
    made = db.make_engine(database_url)
    yield made
    with made.begin() as connection:
        connection.execute(text("DELETE FROM sign_in_failures"))
    made.dispose()


def do(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_signing_in_gives_a_cookie_that_no_script_reads_and_signing_out_takes_it_back(visit: Visit) -> None:
    ann = visit().open().sign_in("Ann").is_in()
    cookie = ann.cookie()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert SESSION not in ann.page.evaluate("document.cookie")
    ann.press("Sign out").reads("The sales pipeline that your team edits together.")
    assert ann.cookie() is None
    ann.context.add_cookies([cookie])
    ann.open("/profile").reads("The sales pipeline that your team edits together.")


@pytest.mark.exhaustive
def test_a_wrong_password_says_so_and_the_right_one_then_works(visit: Visit, engine: Engine) -> None:
    ben = visit().open().sign_in("Ben", "wrong password").reads("E-mail or password is wrong.")
    assert ben.cookie() is None
    ben.sign_in("Ben").is_in()


@pytest.mark.exhaustive
def test_who_signed_in_here_before_comes_in_while_others_guess(visit: Visit, engine: Engine) -> None:
    """All of them at one address, as in an office or behind a proxy."""
    dan = visit().open().sign_in("Dan").is_in().press("Sign out").reads("The sales pipeline that your team edits")
    wrong = {"email": "dan@example.com", "password": "a wrong guess"}
    assert {httpx.post(f"{dan.url}/api/v1/auth/login", json=wrong).status_code for _ in range(6)} == {401}
    visit().open().sign_in("Dan").reads("E-mail or password is wrong.")
    dan.sign_in("Dan").is_in()


def test_an_address_deep_in_the_product_leads_in_and_is_still_there_after(visit: Visit) -> None:
    cleo = visit().open("/profile?from=mail").sign_in("Cleo").is_in().reads("Where you are signed in")
    assert cleo.page.url.endswith("/profile?from=mail")


def test_a_session_that_ends_while_a_page_is_open_leads_back_to_where_one_was(visit: Visit, engine: Engine) -> None:
    ann = visit().open("/profile").sign_in("Ann").is_in().reads("Where you are signed in")
    do(engine, "UPDATE sessions SET ended_at = now()")
    ann.press("Save").reads("Your session has ended. Sign in again to continue.")
    expect(ann.page.get_by_test_id("stSidebar")).to_be_hidden()
    ann.sign_in("Ann").is_in().reads("Where you are signed in")


def test_signing_out_in_one_window_ends_the_other(visit: Visit) -> None:
    ann = visit().open("/profile").sign_in("Ann").is_in().reads("Where you are signed in")
    other = Visitor(ann.context, ann.context.new_page(), ann.url).open().is_in()
    other.press("Sign out").reads("The sales pipeline that your team edits together.")
    ann.press("Save").reads("Your session has ended.")


@pytest.mark.exhaustive
def test_two_windows_on_the_form_can_both_sign_in(visit: Visit) -> None:
    first = visit().open()
    second = Visitor(first.context, first.context.new_page(), first.url).open()
    expect(second.page.get_by_role("textbox", name="E-mail")).to_be_visible(timeout=15_000)
    first.sign_in("Ann").is_in()
    second.sign_in("Ann").is_in()


@pytest.mark.exhaustive
def test_an_invitation_becomes_an_account_once_and_leaves_the_address_bar(visit: Visit, engine: Engine) -> None:
    db.bind(engine, join_transaction_mode="conditional_savepoint")
    with db.transaction() as session:
        address = invitation_url("", invite(session, actor("Ada"), email="eve@example.com", role=Role.MEMBER))
    db.bind(None)
    eve = visit(viewport={"width": 390, "height": 844}).open(address).reads("You are invited as member.")
    eve.fill(Your_name="Eve", Password=NEW, Password_again=NEW).press("Create my account")
    expect(eve.page).not_to_have_url(re.compile("invite"), timeout=15_000)
    expect(eve.page.get_by_test_id("stExpandSidebarButton")).to_be_visible(timeout=15_000)
    assert eve.cookie()
    visit().open(address).reads("This invitation has been used").press("Go to sign-in").sign_in("Eve", NEW).is_in()


def test_a_ticket_stolen_from_the_page_is_worth_nothing_elsewhere(visit: Visit, server_at: Started) -> None:
    stolen: list[str] = []

    def keep(route: Route) -> None:
        stolen.append(route.request.post_data or "")
        route.abort()

    ann = visit()
    ann.page.route("**/session/redeem", keep)
    ann.open().sign_in("Ann").reads("The server does not answer.")
    thief = visit().open()
    headers = {"Origin": server_at.url, "Content-Type": "application/json"}
    answer = thief.context.request.post(server_at.url + "/session/redeem", data=stolen[0], headers=headers)
    assert answer.status == 401
    assert thief.cookie() is None

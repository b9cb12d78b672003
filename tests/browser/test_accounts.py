"""A forgotten password and an authenticator app, the whole way: real browser, real mail server, real clock."""

import re
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pyotp
import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, expect

from tests.browser.people import Person
from tests.conftest import PASSWORD
from tests.core.mail.test_outbox import Inbox
from tests.support.server.started import Started, free_port

NEW = "another good password"
PATIENCE = 20_000


@pytest.fixture(scope="module")
def inbox() -> Iterator[tuple[Inbox, int]]:
    """A mail server, and where it listens."""
    letters = Inbox()
    controller = Controller(letters, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield letters, controller.port
    controller.stop()


@pytest.fixture(scope="module")
def database_url(own_database: str) -> str:
    return own_database


@pytest.fixture(scope="module")
def server_at(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, inbox: tuple[Inbox, int]
) -> Iterator[Started]:
    """The product with a mail server."""
    folder: Path = tmp_path_factory.mktemp("accounts") / "data"
    mail = {"CONTRIVANCE_SMTP_HOST": "127.0.0.1", "CONTRIVANCE_SMTP_PORT": str(inbox[1])}
    mail |= {"CONTRIVANCE_SMTP_SECURITY": "none", "CONTRIVANCE_SMTP_FROM": "Contrivance <sales@example.com>"}
    with Started(folder, DATABASE_URL=database_url, **mail) as started:
        yield started


def letter_to(inbox: Inbox, address: str, subject: str) -> EmailMessage:
    """The letter, as soon as it has arrived."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        for letter in inbox.letters:
            if (letter["To"], letter["Subject"]) == (address, subject):
                return letter
        time.sleep(0.1)
    raise AssertionError(f"{subject!r} did not reach {address}")


def link_in(letter: EmailMessage) -> str:
    plain = letter.get_body(("plain",))
    assert plain
    found = re.search(r"http\S+", plain.get_content())
    assert found
    return found[0]


def field(person: Person, label: str) -> Any:
    return person.page.get_by_role("textbox", name=label, exact=True)


def press(person: Person, label: str) -> None:
    person.page.get_by_role("button", name=label, exact=True).click()


def is_in(person: Person) -> None:
    expect(person.page.get_by_role("button", name="Sign out", exact=True)).to_be_visible(timeout=PATIENCE)


@pytest.mark.exhaustive
def test_a_forgotten_password_the_whole_way(person: Callable[..., Person], inbox: tuple[Inbox, int]) -> None:
    elsewhere = person("Ben").signed_in()
    ben = person("Ben")
    ben.page.goto(ben.url)
    press(ben, "Forgot your password?")
    ben.says("We'll e-mail you a link")  # The sign-in form has a field of the same name.
    field(ben, "E-mail").fill("ben@example.com")
    press(ben, "Send me the link")
    ben.says("an e-mail with a link is on its way.")
    ben.page.goto(link_in(letter_to(inbox[0], "ben@example.com", "Choose a new password")))
    ben.says("For ben@example.com.")
    field(ben, "New password").fill(NEW)
    field(ben, "New password again").fill(NEW)
    press(ben, "Save the new password")
    ben.says("Your password is changed, and you are signed out everywhere.")
    expect(ben.page).not_to_have_url(re.compile("reset"), timeout=PATIENCE)
    field(ben, "E-mail").fill("ben@example.com")
    field(ben, "Password").fill(NEW)
    press(ben, "Sign in")
    is_in(ben)
    elsewhere.page.reload()
    expect(field(elsewhere, "E-mail")).to_be_visible(timeout=PATIENCE)
    letter_to(inbox[0], "ben@example.com", "Your password was changed")


@pytest.mark.exhaustive
def test_an_authenticator_app_the_whole_way(person: Callable[..., Person], browser: Browser) -> None:
    ann = person("Ann").signed_in("/profile")
    ann.page.get_by_role("tab", name="Sign-in").click()
    field(ann, "Your password").fill(PASSWORD)
    press(ann, "Set up an app")
    picture = ann.page.get_by_alt_text("QR code of your key")
    expect(picture).to_be_visible(timeout=PATIENCE)
    assert picture.evaluate("picture => picture.naturalWidth") > 100
    key = ann.page.locator("code").first.text_content() or ""
    app = pyotp.TOTP(key.replace(" ", ""))
    field(ann, "2. The six digits that the app shows now").fill(app.now())
    press(ann, "Switch on")
    ann.says("Keep these recovery codes somewhere safe.")
    codes = (ann.page.locator("code").first.text_content() or "").split()
    assert len(codes) == 10
    press(ann, "I have kept them")
    ann.says("10 recovery codes left")

    again = person("Ann").sign_in()
    expect(field(again, "Code")).to_be_visible(timeout=PATIENCE)
    field(again, "Code").fill("000000")
    press(again, "Continue")
    again.says("This code is wrong.")
    field(again, "Code").fill(app.at(int(time.time()) + 30))
    press(again, "Continue")
    is_in(again)

    lost = person("Ann").sign_in()
    expect(field(lost, "Code")).to_be_visible(timeout=PATIENCE)
    field(lost, "Code").fill(codes[0])
    press(lost, "Continue")
    is_in(lost)

"""My account and the ways around a forgotten password, as a person goes through their pages."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.accounts.locale import own_time_zone
from core.accounts.registration import Registration, set_registration_policy
from core.base.actor import Actor
from core.base.permissions import Scope
from core.config.settings import settings
from core.credentials import passwords
from core.mail import smtp
from core.sign_in.api_tokens import create_token
from core.sign_in.email_links import address_link, reset_link
from core.sign_in.second_factor import confirm_second_factor, create_pending_factor, pending_secret
from pages.components.app import zone_offer
from tests.conftest import PASSWORD
from tests.pages.opened import fine, labels, open_page, press, said
from tests.pages.test_sign_in import fill

MAIN = Path(__file__).parents[2] / "pages" / "main.py"
NEW = "another good password"
Way = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A data folder of the test's own, hashes that it can afford, and a browser that keeps cookies."""
    monkeypatch.setenv("CONTRIVANCE_DATA", str(tmp_path / "data"))
    monkeypatch.setitem(passwords.hash_password.__kwdefaults__, "cost", 4)
    monkeypatch.setattr("pages.components.app.current_user.sign_in_nonce", lambda: "mine")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def stranger(session: Session) -> Way:
    """Somebody who is not signed in, at an address of ours."""

    def come(**query: str) -> AppTest:
        page = AppTest.from_file(str(MAIN), default_timeout=30)
        page.user = {}
        page.query_params.update(query)
        return fine(page.run())

    return come


def waiting(session: Session) -> list[tuple[str, str]]:
    """The letters that wait."""
    return [tuple(row) for row in session.execute(text("SELECT kind, recipient FROM mails ORDER BY mail_id"))]


def app_of(session: Session, who: Actor) -> pyotp.TOTP:
    create_pending_factor(session, who.user_id)
    found = pending_secret(session, who)
    assert found
    return pyotp.TOTP(found[0])


# --- around a forgotten password


@pytest.mark.parametrize("email", ["ann@example.com", "nobody@example.com"])
def test_who_forgot_their_password_hears_the_same_whoever_they_are(stranger: Way, session: Session, email: str) -> None:
    page = press(stranger(), "Forgot your password?")
    fill(page, {"E-mail": email})
    press(page, "Send me the link")
    assert "If there is an account for" in said(page)
    assert "No mail server is configured" in said(page)
    assert waiting(session) == [("reset", email)]
    assert "Forgot your password?" in labels(press(page, "Back to sign-in"))


def test_a_link_for_a_new_password_is_used_by_a_press_and_leads_to_the_form(stranger: Way, session: Session) -> None:
    token = reset_link(session, "ann@example.com")
    assert token
    page = stranger(reset=token)
    assert "For ann@example.com." in said(page)
    fill(page, {"New password": NEW, "New password again": NEW + "!"})
    press(page, "Save the new password")
    assert "The two passwords differ" in said(page)
    fill(page, {"New password": NEW, "New password again": NEW})
    press(page, "Save the new password")
    assert "Your password is changed" in said(page)
    assert "reset" not in page.query_params


@pytest.mark.parametrize("query", [{"reset": "x"}, {"confirm": "x"}, {"reset": "\x00"}, {"confirm": ""}])
def test_a_link_that_is_worth_nothing_says_so(stranger: Way, query: dict[str, str]) -> None:
    page = stranger(**query)
    assert "This link has been used or has expired" in said(page)
    press(page, "Go to sign-in")
    assert "Forgot your password?" in labels(page)


def test_an_address_is_confirmed_by_a_press_also_by_who_is_signed_in(session: Session, ann: Actor) -> None:
    token = address_link(session, ann.user_id, "ann.smith@example.com")
    assert token
    page = open_page(session, "Ann", "work/sheets.py", confirm=token)
    assert session.scalar(text("SELECT email FROM users WHERE name = 'Ann'")) == "ann@example.com"
    press(page, "This is my address")
    assert session.scalar(text("SELECT email FROM users WHERE name = 'Ann'")) == "ann.smith@example.com"
    assert "Your address is confirmed." in said(page)
    assert "Sign out" in labels(page)


def test_strangers_make_an_account_only_where_that_is_allowed(stranger: Way, session: Session, ada: Actor) -> None:
    assert "No account yet? Create one" not in labels(stranger())
    set_registration_policy(session, ada, Registration.DOMAINS, domains=("example.com",))
    page = press(stranger(), "No account yet? Create one")
    fill(page, {"E-mail": "eve@example.org"})
    press(page, "Send me the link")
    assert "may register" in said(page)
    fill(page, {"E-mail": "eve@example.com"})
    press(page, "Send me the link")
    assert waiting(session) == [("register", "eve@example.com")]


# --- the second step


def test_a_code_is_asked_after_the_right_password(
    stranger: Way, session: Session, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("sign_in", "second_step"):
        monkeypatch.setattr(f"pages.components.sign_in.{place}.sign_in_nonce", lambda: "mine")
        monkeypatch.setattr(f"pages.components.sign_in.{place}.device", str)
    app = app_of(session, ann)
    codes = confirm_second_factor(session, ann, app.now())
    page = stranger()
    fill(page, {"E-mail": "ann@example.com", "Password": PASSWORD})
    press(page, "Sign in")
    assert [one.label for one in page.text_input] == ["Code"]
    fill(page, {"Code": "000000"})
    press(page, "Continue")
    assert "This code is wrong" in said(page)
    fill(page, {"Code": codes[0]})
    press(page, "Continue")
    assert session.scalar(text("SELECT count(*) FROM sign_in_tickets WHERE NOT needs_code")) == 1


# --- my profile


def profile(session: Session, name: str = "Ann") -> AppTest:
    return open_page(session, name, "account/profile.py")


def setting_up(session: Session, password: str = PASSWORD) -> AppTest:
    page = profile(session)
    page.text_input("set_up_password").set_value(password)
    return press(page, "Set up an app")


def test_an_app_is_set_up_by_its_first_code(session: Session) -> None:
    page = setting_up(session)
    key = page.code[0].value.replace(" ", "")
    assert not any(key in str(one.value) for one in page.markdown)
    fill(page, {"2. The six digits that the app shows now": pyotp.TOTP(key).now()})
    press(page, "Switch on")
    assert len(page.code[0].value.split()) == 10
    press(page, "I have kept them")
    assert "10 recovery codes left" in said(page)
    page.text_input("factor_password").set_value(PASSWORD)
    press(page, "Switch off")
    assert "Set up an app" in labels(page)


def test_an_app_that_is_not_set_up_after_all_is_forgotten(session: Session) -> None:
    page = press(setting_up(session), "Not now")
    assert "Set up an app" in labels(page)
    assert session.scalar(text("SELECT count(*) FROM second_factors")) == 0


def test_no_app_is_set_up_at_an_open_browser_without_the_password(session: Session) -> None:
    page = setting_up(session, "a guess at it")
    assert "The current password is wrong" in said(page)
    assert "Set up an app" in labels(page)
    session.execute(text("UPDATE users SET password_hash = NULL WHERE name = 'Ann'"))
    page = profile(session)
    assert "Set up an app" not in labels(page)
    assert "choose a password first" in said(page)


def test_a_token_is_shown_once_and_can_be_revoked(session: Session) -> None:
    page = profile(session)
    fill(page, {"What for": "Weekly report"})
    press(page, "Make a token")
    token = page.code[0].value
    assert re.fullmatch(r"ctv_[\w-]{43}", token)
    assert f"Weekly report · {token[:8]}…" in said(page)
    press(page, "I have copied it")
    assert not page.code
    press(page, "Revoke")
    assert "Weekly report" not in said(page)


def test_tokens_that_administer_are_offered_to_administrators(session: Session) -> None:
    def offered(name: str) -> list[str]:
        return next(one for one in profile(session, name).selectbox if one.label == "May").options

    assert offered("Ann") == ["Read", "Read and write"]
    assert offered("Ada") == ["Read", "Read and write", "Read, write and administer"]


def test_signing_out_everywhere_else_ends_tokens_unless_they_are_spared(session: Session, ann: Actor) -> None:
    create_token(session, ann, name="Report", scope=Scope.READ, days=1)
    page = profile(session)
    page.checkbox[0].uncheck()
    press(page, "Sign out everywhere else")
    assert "Report" in said(page)
    page.checkbox[0].check()
    press(page, "Sign out everywhere else")
    assert "Report" not in said(page)


def test_signing_out_everywhere_else_ends_tokens_as_it_stands(session: Session, ann: Actor) -> None:
    create_token(session, ann, name="Report", scope=Scope.READ, days=1)
    assert "Report" not in said(press(profile(session), "Sign out everywhere else"))


def test_a_new_address_is_written_to(session: Session) -> None:
    page = profile(session)
    fill(page, {"New address": "ann.smith@example.com"})
    page.text_input("address_password").set_value(PASSWORD)
    press(page, "Change address")
    assert "An e-mail is on its way" in said(page)
    assert waiting(session) == [("address", "ann.smith@example.com")]


def test_moments_stand_in_my_time_zone_and_numbers_in_my_way(session: Session) -> None:
    page = profile(session)
    next(one for one in page.selectbox if one.label == "Time zone").set_value("Asia/Tokyo")
    next(one for one in page.radio if one.label == "Numbers").set_value("1.234,5")
    press(page, "Save")
    page = profile(session)
    assert " JST" in said(page)


# --- people


def test_an_invitation_is_sent_where_there_is_a_mail_server(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTRIVANCE_SMTP_HOST", "localhost")
    monkeypatch.setenv("CONTRIVANCE_SMTP_FROM", "sales@example.com")
    smtp.mail_transport.cache_clear()
    try:
        page = open_page(session, "Ada", "admin/people.py")
        fill(page, {"E-mail": "eve@example.com"})
        press(page, "Send an invitation")
    finally:
        smtp.mail_transport.cache_clear()
    assert "An invitation is on its way" in said(page)
    assert waiting(session) == [("invitation", "eve@example.com")]
    assert not page.code


def test_an_administrator_says_who_may_register(session: Session) -> None:
    page = open_page(session, "Ada", "admin/people.py")
    next(one for one in page.radio if one.label == "Who may make an account").set_value(Registration.DOMAINS)
    press(page, "Save rule")
    assert "Enter at least one domain" in said(page)
    fill(page, {"Domains": "example.com, Example.org"})
    press(page, "Save rule")
    kept = session.scalar(text("SELECT value FROM workspace_settings WHERE name = 'registration'"))
    assert kept == {"who": "domains", "domains": ["example.com", "example.org"]}


def test_an_administrator_resets_a_lost_second_factor(session: Session, ann: Actor) -> None:
    confirm_second_factor(session, ann, app_of(session, ann).now())
    page = open_page(session, "Ada", "admin/people.py")
    assert "Member · two-factor sign-in" in said(page)
    press(page, "Reset two-factor sign-in")
    assert "two-factor" not in said(page)


def test_everybody_finds_whom_they_work_with(session: Session) -> None:
    page = open_page(session, "Cleo", "account/colleagues.py")
    assert {"Ann", "Ben", "Cleo (you)"} <= {one.value for one in page.text}
    page.text_input(key="colleagues_search").set_value("ben@").run()
    assert "Ben" in {one.value for one in page.text}
    assert "Ann" not in {one.value for one in page.text}
    fine(page.text_input(key="colleagues_search").set_value("zzz").run())
    assert any("Nobody here" in one.value for one in page.caption)


def test_the_zone_of_the_browser_is_offered_once(session: Session, ann: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_offer, "browser_zone", lambda: "Europe/Berlin")
    page = open_page(session, "Ann", "work/sheets.py")
    assert "Your browser is in **Europe/Berlin**; times are shown in UTC." in said(page)
    page = press(page, "Use Europe/Berlin")
    assert "Your browser" not in said(page)
    assert own_time_zone(session, ann) == "Europe/Berlin"
    assert "Your browser" not in said(open_page(session, "Ann", "work/sheets.py"))


def test_a_kept_zone_is_not_offered_again(session: Session, ann: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_offer, "browser_zone", lambda: "Europe/Berlin")
    press(open_page(session, "Ann", "work/sheets.py"), "Keep UTC")
    assert own_time_zone(session, ann) == "UTC"
    assert "Your browser" not in said(open_page(session, "Ann", "work/sheets.py"))

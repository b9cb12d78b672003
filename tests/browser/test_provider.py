"""Signing in by an OpenID Connect provider, in a real browser against one that runs beside the server."""

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from sqlalchemy import Engine, text
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value, decode_signed_value

from core.accounts.accounts import deactivate
from core.accounts.invitations import invite
from core.accounts.registration import Registration, set_registration_policy
from core.base.permissions import Role
from db import engine as db
from tests.browser.test_sign_in import SESSION, Visitor
from tests.conftest import PASSWORD, actor
from tests.support.oidc_provider import SECRET, LocalProvider, running_provider
from tests.support.server.started import Started

PHONE = {"width": 390, "height": 844}
THERE = "Sign in with Northwind ID"


@pytest.fixture(scope="module")
def provider() -> Iterator[LocalProvider]:
    with running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def database_url(own_database: str) -> str:
    return own_database


@pytest.fixture(scope="module")
def server_at(
    database_url: str, provider: LocalProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    folder: Path = tmp_path_factory.mktemp("provider") / "data"
    with Started(folder, DATABASE_URL=database_url, **provider.environment) as started:
        yield started


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The server's own database."""
    made = db.make_engine(database_url)
    db.bind(made)
    yield made
    db.bind(None)
    made.dispose()


@pytest.fixture
def visit(browser: Browser, server_at: Started) -> Iterator[Callable[..., Visitor]]:
    opened: list[BrowserContext] = []

    def come() -> Visitor:
        context = browser.new_context(viewport={"width": 1400, "height": 860})
        opened.append(context)
        return Visitor(context, context.new_page(), server_at.url.replace("127.0.0.1", "localhost"))

    yield come
    for context in opened:
        context.close()


Visit = Callable[[], Visitor]


def there(visitor: Visitor, who: str) -> Visitor:
    """To the provider and back as one of its people."""
    visitor.press(THERE)
    visitor.page.get_by_role("link", name=who, exact=True).click(timeout=15_000)
    return visitor


def cookies(visitor: Visitor) -> set[str]:
    return {str(one["name"]) for one in visitor.context.cookies()}


def test_a_first_sign_in_asks_for_the_password_once_and_later_ones_for_nothing(
    visit: Visit, provider: LocalProvider, engine: Engine
) -> None:
    provider.people["s-ann"] = {"email": "ann@example.com", "email_verified": True, "name": "Ann at Northwind"}
    first = there(visit().open(), "s-ann").reads("Is this account yours?")
    shown(first, "confirm")
    first.fill(Password="a wrong password").press("Link and sign in").reads("is wrong")
    first.fill(Password=PASSWORD).press("Link and sign in").is_in().reads("Ann")
    assert SESSION in cookies(first)
    assert not [name for name in cookies(first) if name.startswith(("_streamlit_user", "contrivance_arrival"))]
    first.press("Sign out").reads(THERE)
    there(first, "s-ann").is_in()
    second = there(visit().open(), "s-ann").is_in()
    expect(second.page.get_by_text("Ann", exact=True).first).to_be_visible()


@pytest.mark.exhaustive
def test_who_is_unknown_hears_how_to_get_in_and_an_invitation_or_the_rule_lets_them(
    visit: Visit, provider: LocalProvider, engine: Engine
) -> None:
    provider.people["s-eve"] = {"email": "eve@example.com", "email_verified": True, "name": "Eve"}
    provider.people["s-finn"] = {"email": "finn@example.com", "email_verified": True, "name": "Finn"}
    eve = there(visit().open(), "s-eve").reads("no account has this address").reads("Ask an administrator")
    shown(eve, "stranger")
    shown(eve.press("Continue").reads(THERE), "sign-in")
    with db.transaction() as session:
        invite(session, actor("Ada"), email="eve@example.com", role=Role.ANALYST)
    there(eve, "s-eve").is_in()
    there(visit().open(), "s-finn").reads("no account has this address")
    with db.transaction() as session:
        set_registration_policy(session, actor("Ada"), Registration.DOMAINS, domains=("example.com",))
    there(visit().open(), "s-finn").is_in()
    with db.transaction() as session:
        roles = text("SELECT role FROM users WHERE email IN ('eve@example.com', 'finn@example.com') ORDER BY email")
        assert list(session.scalars(roles)) == ["analyst", "member"]
        set_registration_policy(session, actor("Ada"), Registration.INVITED)


@pytest.mark.exhaustive
def test_an_address_that_the_provider_does_not_confirm_opens_nothing(visit: Visit, provider: LocalProvider) -> None:
    provider.people["s-mallory"] = {"email": "ben@example.com", "email_verified": False, "name": "Ben"}
    visitor = there(visit().open(), "s-mallory").reads("hasn't verified your e-mail address")
    assert SESSION not in cookies(visitor)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "spoiled", [{"aud": "another"}, {"nonce": "another"}, {"exp": 1}, {"iss": "https://evil.example"}]
)
def test_a_token_of_another_sign_in_is_worth_nothing(
    visit: Visit, provider: LocalProvider, spoiled: dict[str, object]
) -> None:
    provider.people["s-ann"] = {"email": "ann@example.com", "email_verified": True}
    provider.spoil = spoiled
    visitor = there(visit().open(), "s-ann").reads("failed or took too long")
    assert SESSION not in cookies(visitor)


@pytest.mark.exhaustive
def test_who_is_let_in_by_nobody_is_told_so(visit: Visit, provider: LocalProvider) -> None:
    there(visit().open(), "nobody").reads("failed or took too long")


@pytest.mark.exhaustive
def test_a_deactivated_person_is_refused_at_the_door(visit: Visit, provider: LocalProvider, engine: Engine) -> None:
    provider.people["s-cleo"] = {"email": "cleo@example.com", "email_verified": True}
    visitor = there(visit().open(), "s-cleo").fill(Password=PASSWORD).press("Link and sign in").is_in()
    with db.transaction() as session:
        deactivate(session, actor("Ada"), actor("Cleo").user_id)
    visitor.open("/profile").reads("Your session has ended")
    there(visitor, "s-cleo").reads("Your account here is deactivated")


@pytest.mark.exhaustive
def test_one_links_and_unlinks_on_the_profile_page(visit: Visit, provider: LocalProvider, engine: Engine) -> None:
    provider.people["s-ben"] = {"email": "b@private.example", "email_verified": False, "name": "Benedict"}
    ben = visit().open("/profile").sign_in("Ben").is_in().open("/profile")
    ben.page.get_by_role("tab", name="Sign-in").click()
    shown(ben, "profile-unlinked")
    ben.press("Link Northwind ID")
    ben.page.get_by_role("link", name="s-ben").click()
    shown(ben.reads("b@private.example at Northwind ID will sign in as Ben"), "link")
    ben.fill(Your_password_here=PASSWORD).press("Link it").reads("Your account is linked with Northwind ID.").is_in()
    other = there(visit().open(), "s-ben").is_in()
    other.open("/profile").page.get_by_role("tab", name="Sign-in").click()
    shown(other.reads("Signs you in here"), "profile-linked")
    other.press("Unlink").reads("Link your account there")
    shown(there(visit().open(), "s-ben").reads("hasn't verified your e-mail address"), "refused")


def test_streamlits_own_cookie_is_no_way_in(visit: Visit, provider: LocalProvider, server_at: Started) -> None:
    """Not even one that is signed with the right key, as an earlier version or a thief might have kept it."""
    key = hmac.new((server_at.data / "token.key").read_bytes(), b"streamlit", hashlib.sha256).hexdigest()
    origin = f"http://localhost:{server_at.port}"
    said = {"iss": provider.url, "sub": "s-ann", "origin": origin, "is_logged_in": True, "email": "ann@example.com"}
    value = create_signed_value(key, "_streamlit_user", json.dumps(said)).decode()
    assert decode_signed_value(key, "_streamlit_user", value)
    visitor = visit()
    visitor.context.add_cookies([{"name": "_streamlit_user", "value": value, "url": origin}])
    visitor.open("/profile").reads(THERE)
    assert SESSION not in cookies(visitor)


@pytest.mark.exhaustive
def test_a_provider_that_is_away_is_told_of_and_the_password_still_works(visit: Visit, provider: LocalProvider) -> None:
    with provider.away():
        visit().open().press(THERE).reads("failed or took too long").sign_in("Dan").is_in()


def test_the_log_holds_nothing_that_the_provider_and_we_told_each_other(
    visit: Visit, provider: LocalProvider, server_at: Started
) -> None:
    provider.people["s-ada"] = {"email": "ada@example.com", "email_verified": True, "name": "Ada"}
    there(visit().open(), "s-ada").reads("Is this account yours?")
    provider.spoil = {"aud": "another"}
    there(visit().open(), "s-ada").reads("failed or took too long")
    assert provider.told
    log = server_at.text()
    assert "oauth2callback" in log
    assert [secret for secret in (SECRET, "code=", "state=", *provider.told) if secret in log] == []


def shown(visitor: Visitor, name: str) -> None:
    """A picture for whoever wants to look: SCREENSHOTS=folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        visitor.page.wait_for_timeout(500)
        visitor.page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.mark.exhaustive
@pytest.mark.parametrize("looks", [{"color_scheme": "light"}, {"color_scheme": "dark", "viewport": PHONE}])
def test_colleagues_are_found(browser: Browser, server_at: Started, looks: dict[str, Any]) -> None:
    context = browser.new_context(**({"viewport": {"width": 1400, "height": 860}} | looks))
    ann = Visitor(context, context.new_page(), server_at.url.replace("127.0.0.1", "localhost"))
    ann.open("/colleagues").sign_in("Ann").reads("ben@example.com")
    shown(ann, f"colleagues-{looks['color_scheme']}")
    ann.page.get_by_label("Find a person").fill("ben@")
    ann.page.keyboard.press("Enter")
    expect(ann.page.get_by_text("ada@example.com", exact=False)).to_have_count(0)
    context.close()

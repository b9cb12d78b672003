"""The cookie: given once for a ticket, to the browser that earned it, and taken back; only our own pages may ask."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api.auth.session_routes import NO_DATABASE, routes
from core.base.actor import Actor
from core.config.settings import Settings
from core.credentials.login_tickets import create_ticket
from core.credentials.sessions import session_of_token, start_session
from core.limits.known_devices import known_client
from db import engine as db
from db.engine import transaction
from tests.conftest import actor

ORIGIN = "http://localhost:8501"
OWN_PAGE = {"Origin": ORIGIN, "Content-Type": "application/json"}
OURS = Settings(data=Path("/nowhere"))
HTTPS = Settings(data=Path("/nowhere"), public_url="https://sales.example.com", cookie_secure=True)
Redeem = Callable[..., httpx.Response]


def browser(settings: Settings = OURS, nonce: str = "mine") -> TestClient:
    made = TestClient(Starlette(routes=routes(settings)), base_url=settings.public_url or ORIGIN)
    made.cookies.set(settings.nonce_cookie, nonce)
    return made


def redeem(client: TestClient, ticket: Any, **headers: str) -> httpx.Response:
    return client.post("/session/redeem", json={"ticket": ticket}, headers=OWN_PAGE | headers)


@pytest.fixture
def ticket(database: str, ann: Actor) -> str:
    with transaction() as session:
        return create_ticket(session, ann.user_id, nonce="mine")


def test_a_ticket_becomes_a_cookie_that_scripts_cannot_read(ticket: str, ann: Actor) -> None:
    client = browser()
    answer = redeem(client, ticket)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=2592000"))
    assert answer.headers["cache-control"] == "no-store"
    with transaction() as session:
        found = session_of_token(session, client.cookies["contrivance_session"])
    assert found
    assert found.user_id == ann.user_id


def test_on_https_the_cookie_belongs_to_the_host_alone(ticket: str) -> None:
    answer = redeem(browser(HTTPS), ticket, Origin="https://sales.example.com")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-contrivance_session=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_a_browser_that_signs_in_is_known_there_from_then_on(ticket: str, ann: Actor) -> None:
    client = browser(HTTPS)
    answer = redeem(client, ticket, Origin="https://sales.example.com")
    device = answer.headers.get_list("set-cookie")[1]
    assert device.startswith("__Host-contrivance_device=")
    assert all(part in device for part in ("HttpOnly", "SameSite=strict", "Secure", "Max-Age=15552000"))
    with transaction() as session:
        token = client.cookies[HTTPS.device_cookie]
        assert known_client(session, ann.email, "192.0.2.1", device=token)
        again = create_ticket(session, ann.user_id, nonce="mine")
    redeem(client, again, Origin="https://sales.example.com")
    client.post("/session/sign-out", json={}, headers=OWN_PAGE | {"Origin": "https://sales.example.com"})
    assert client.cookies[HTTPS.device_cookie] == token  # It outlives the session, and stays one.


def test_a_ticket_works_once(ticket: str) -> None:
    assert [redeem(browser(), ticket).status_code for _ in range(2)] == [200, 401]


def test_a_ticket_of_another_browser_is_worth_nothing_here(ticket: str) -> None:
    assert redeem(browser(nonce="another's"), ticket).status_code == 401
    assert redeem(browser(nonce=""), ticket).status_code == 401
    assert redeem(browser(), ticket).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
@pytest.mark.parametrize("path", ["/session/redeem", "/session/sign-out"])
def test_what_another_site_could_send_is_refused(ticket: str, path: str, headers: dict[str, str]) -> None:
    client = browser()
    answer = client.post(path, json={"ticket": ticket}, headers=OWN_PAGE | headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/session/redeem", "/session/sign-out"])
def test_a_get_never_acts(path: str) -> None:
    assert browser().get(path).status_code == 405


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"ticket": 1}', b'{"ticket": "' + b"x" * 2000 + b'"}'])
def test_a_body_without_a_ticket_signs_nobody_in(database: str, body: bytes) -> None:
    answer = browser().post("/session/redeem", content=body, headers=OWN_PAGE)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Your sign-in has expired. Sign in again."


def test_every_sign_in_is_a_new_session(database: str, ann: Actor) -> None:
    client, tokens = browser(), set()
    for _ in range(2):
        with transaction() as session:
            ticket = create_ticket(session, ann.user_id, nonce="mine")
        assert redeem(client, ticket).status_code == 200
        tokens.add(client.cookies["contrivance_session"])
    assert len(tokens) == 2


def test_a_planted_session_is_not_the_one_that_follows(database: str, ann: Actor, ticket: str) -> None:
    with transaction() as session:
        _, planted = start_session(session, actor("Ben").user_id, kind="browser", address=None, user_agent="")
    client = browser()
    client.cookies.set("contrivance_session", planted)
    token = re.search("contrivance_session=([^;]+)", redeem(client, ticket).headers["set-cookie"])
    assert token
    with transaction() as session:
        whose = [session_of_token(session, one) for one in (planted, token[1])]
    assert [one and one.user_id for one in whose] == [actor("Ben").user_id, ann.user_id]


def test_signing_out_ends_the_session_and_takes_the_cookie_back(database: str, ann: Actor) -> None:
    with transaction() as session:
        _, token = start_session(session, ann.user_id, kind="browser", address=None, user_agent="")
    client = browser()
    client.cookies.set("contrivance_session", token)
    answer = client.post("/session/sign-out", json={}, headers=OWN_PAGE)
    assert answer.status_code == 200
    assert 'contrivance_session=""' in answer.headers["set-cookie"]
    with transaction() as session:
        assert session_of_token(session, token) is None


def test_while_the_database_is_away_a_sentence_says_so(database: str) -> None:
    gone, here = db.make_engine("postgresql://owner@127.0.0.1:9/sales"), db.bound_engine()
    db.bind(gone)
    try:
        client = browser()
        client.cookies.set("contrivance_session", "somebody's")
        answers = [redeem(client, "a ticket"), client.post("/session/sign-out", json={}, headers=OWN_PAGE)]
    finally:
        db.bind(here)
    assert [(one.status_code, one.json()["detail"]) for one in answers] == [(503, NO_DATABASE)] * 2
    assert not any("set-cookie" in one.headers for one in answers)


@pytest.mark.parametrize("token", ["", "made up", "x" * 5000])
def test_signing_out_without_a_session_is_no_error(database: str, token: str) -> None:
    client = browser()
    client.cookies.set("contrivance_session", token)
    assert client.post("/session/sign-out", json={}, headers=OWN_PAGE).status_code == 200

"""Signing in by program: tokens for a password, the same answer to everything else, and an end that is an end."""

import time
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.actor import Actor
from core.sign_in.password import SIGN_IN_FAILED
from core.sign_in.second_factor import confirm_second_factor, create_pending_factor, pending_secret
from tests.api.conftest import People
from tests.conftest import PASSWORD

ANN = {"email": "ann@example.com", "password": PASSWORD}


@pytest.fixture
def client(people: People) -> httpx.Client:
    return people("nobody").client


def login(client: httpx.Client, **changed: Any) -> httpx.Response:
    return client.post("/api/v1/auth/login", json=ANN | changed)


def me(client: httpx.Client, token: str) -> httpx.Response:
    return client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


def refreshed(client: httpx.Client, token: str, agent: str = "one") -> httpx.Response:
    return client.post("/api/v1/auth/refresh", json={"refresh_token": token}, headers={"User-Agent": agent})


def test_a_password_becomes_tokens_that_say_who_i_am(client: httpx.Client) -> None:
    answer = login(client).json()
    assert set(answer) == {"access_token", "refresh_token", "expires_in", "token_type"}
    assert answer["expires_in"] == 600
    assert me(client, answer["access_token"]).json() == {
        "id": 2,
        "name": "Ann",
        "email": "ann@example.com",
        "role": "member",
        "date_format": "iso",
        "number_format": "1,234.5",
        "time_zone": "UTC",
    }


def test_whatever_is_wrong_the_answer_is_the_same(client: httpx.Client, session: Session) -> None:
    session.execute(text("UPDATE users SET is_active = false WHERE name = 'Dan'"))
    wrong = [
        {"password": "not this one"},
        {"email": "nobody@example.com"},
        {"email": "dan@example.com"},
        {"email": "no address"},
        {"email": "ann@example.com\n"},
        {"password": ""},
        {"password": "x" * 73},
        {"password": "nul\x00nul"},
    ]
    answers = [login(client, **one) for one in wrong]
    assert {(one.status_code, one.json()["detail"]) for one in answers} == {(401, SIGN_IN_FAILED)}
    assert all(one.headers["content-type"] == "application/problem+json" for one in answers)


@pytest.mark.parametrize("password", ["x" * 10**7, "x" * 73, "nul\x00", " a fine password ", "🔑" * 30])
def test_an_odd_password_is_answered_at_once(client: httpx.Client, password: str) -> None:
    began = time.monotonic()
    assert login(client, password=password).status_code in {401, 413, 422}
    assert time.monotonic() - began < 3


def test_after_five_failures_the_right_password_gets_the_same_answer_too(client: httpx.Client) -> None:
    for _ in range(5):
        login(client, password="not this one")
    late = login(client)
    assert (late.status_code, late.json()["detail"]) == (401, SIGN_IN_FAILED)
    assert login(client, email="ben@example.com").status_code == 200


def test_a_claimed_forwarding_address_changes_nothing(client: httpx.Client) -> None:
    for number in range(30):
        forged = {"X-Forwarded-For": f"198.51.100.{number}"}
        client.post("/api/v1/auth/login", json=ANN | {"email": f"guess{number}@example.com"}, headers=forged)
    assert login(client).status_code == 401


@pytest.mark.parametrize(
    "body", [{}, {"email": "ann@example.com"}, ANN | {"role": "admin"}, ANN | {"password": 1}, [], "x", None]
)
def test_a_body_of_another_shape_is_malformed(client: httpx.Client, body: Any) -> None:
    answer = client.post("/api/v1/auth/login", json=body)
    assert answer.status_code == 422
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "Bearer", "é"])
def test_a_made_up_token_is_nobody(client: httpx.Client, token: str) -> None:
    answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}".encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_five_requests_with_one_refresh_token_keep_the_session_and_another_client_ends_it(
    client: httpx.Client,
) -> None:
    first = login(client).json()
    answers = [refreshed(client, first["refresh_token"]) for _ in range(5)]
    assert [one.status_code for one in answers] == [200] * 5
    assert len({one.json()["refresh_token"] for one in answers}) == 1
    second = answers[0].json()
    assert me(client, second["access_token"]).status_code == 200
    assert refreshed(client, first["refresh_token"], "another").status_code == 401
    assert me(client, second["access_token"]).status_code == 401
    assert refreshed(client, second["refresh_token"]).status_code == 401


def test_one_kind_of_token_does_not_serve_as_the_other(client: httpx.Client) -> None:
    pair = login(client).json()
    assert me(client, pair["refresh_token"]).status_code == 401
    assert refreshed(client, pair["access_token"]).status_code == 401


def test_after_logout_both_tokens_are_worth_nothing(client: httpx.Client) -> None:
    pair = login(client).json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert client.post("/api/v1/auth/logout", headers=headers).status_code == 204
    assert client.post("/api/v1/auth/logout", headers=headers).status_code == 401
    assert refreshed(client, pair["refresh_token"]).status_code == 401


def test_a_session_that_is_ended_elsewhere_ends_its_tokens(client: httpx.Client, session: Session) -> None:
    pair = login(client).json()
    session.execute(text("UPDATE sessions SET ended_at = now()"))
    assert me(client, pair["access_token"]).status_code == 401


def test_a_code_is_asked_after_the_right_password_only(client: httpx.Client, session: Session, ann: Actor) -> None:
    create_pending_factor(session, ann.user_id)
    waiting = pending_secret(session, ann)
    assert waiting
    codes = confirm_second_factor(session, ann, pyotp.TOTP(waiting[0]).now())
    answer = login(client)
    assert (answer.status_code, answer.json()["code_required"]) == (401, True)
    assert "needs a code from its authenticator app" in answer.json()["detail"]
    wrong = login(client, password="wrong password", code=codes[0])
    assert (wrong.status_code, wrong.json()["detail"]) == (401, SIGN_IN_FAILED)
    assert "code_required" not in wrong.json()
    assert login(client, code="000000").json()["detail"] == SIGN_IN_FAILED
    assert me(client, login(client, code=codes[0]).json()["access_token"]).status_code == 200

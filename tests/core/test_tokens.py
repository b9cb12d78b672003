"""Tokens of the API: refused for anything that is wrong with them, and betraying whoever uses one twice."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actor import Actor
from core.sessions import actor_of_session
from core.tokens import TokenPair, end_api_session, grant_tokens, refresh_tokens, session_of_access_token
from db.engine import transaction
from tests.core.signing_in import HOME, KEY, actions


def claims(**changed: Any) -> dict[str, Any]:
    good = {"iss": "contrivance", "aud": "contrivance-api", "sub": "2", "iat": 1, "exp": 2**33, "jti": "x"}
    return good | {"sid": str(uuid4()), "typ": "access"} | changed


def unsigned(algorithm: str) -> str:
    """A token that says how it is signed, and is not."""
    parts = ({"alg": algorithm, "typ": "JWT"}, claims())
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def test_an_access_token_is_refused_for_anything_that_is_wrong_with_it() -> None:
    def sid(token: str) -> UUID | None:
        return session_of_access_token(token, key=KEY)

    assert sid(jwt.encode(claims(), KEY, "HS256"))
    without = {name: value for name, value in claims().items() if name != "exp"}
    wrong = [
        jwt.encode(claims(), KEY, "HS512"),
        jwt.encode(claims(), None, "none"),
        jwt.encode(claims(), KEY + "x", "HS256"),
        jwt.encode(claims(exp=1), KEY, "HS256"),
        jwt.encode(without, KEY, "HS256"),
        jwt.encode(claims(aud="another"), KEY, "HS256"),
        jwt.encode(claims(iss="another"), KEY, "HS256"),
        jwt.encode(claims(typ="refresh"), KEY, "HS256"),
        jwt.encode(claims(sid="no uuid"), KEY, "HS256"),
        *(unsigned(alg) for alg in ("none", "None", "nOnE", "", "HS256")),
        jwt.encode(claims(), KEY, "HS256", headers={"alg": "HS384"}),
        jwt.encode(claims(), KEY, "HS256").rpartition(".")[0] + ".",
        "",
        "a.b.c",
    ]
    assert [sid(token) for token in wrong] == [None] * len(wrong)


def test_a_refresh_token_works_once_and_using_it_twice_ends_the_family(session: Session, ann: Actor) -> None:
    first = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    second = refresh_tokens(session, first.refresh_token, key=KEY)
    assert second
    assert refresh_tokens(session, first.refresh_token, key=KEY) is None
    assert refresh_tokens(session, second.refresh_token, key=KEY) is None
    assert refresh_tokens(session, second.access_token, key=KEY) is None
    sid = session_of_access_token(second.access_token, key=KEY)
    assert sid
    assert actor_of_session(session, sid) is None


def test_a_reused_refresh_token_is_told_in_the_audit_trail(session: Session, ann: Actor) -> None:
    first = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    for _ in range(2):
        refresh_tokens(session, first.refresh_token, key=KEY)
    assert actions(session) == ["account:session:start", "account:session:reuse"]
    assert session.scalar(text("SELECT max((facts->>'user')::int) FROM audit_events")) == ann.user_id


def test_of_two_who_refresh_at_once_one_wins_and_the_session_ends(database: str, ann: Actor) -> None:
    with transaction() as session:
        pair = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")

    def refresh(_: int) -> TokenPair | None:
        with transaction() as session:
            return refresh_tokens(session, pair.refresh_token, key=KEY)

    with ThreadPoolExecutor(4) as pool:
        won = [one for one in pool.map(refresh, range(4)) if one]
    assert len(won) == 1
    with transaction() as session:
        assert refresh_tokens(session, won[0].refresh_token, key=KEY) is None


@pytest.mark.parametrize("late", ["UPDATE refresh_tokens SET expires_at = now()", "UPDATE users SET is_active = false"])
def test_a_late_refresh_token_or_one_of_a_closed_account_gives_nothing(session: Session, ann: Actor, late: str) -> None:
    pair = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    session.execute(text(late))
    assert refresh_tokens(session, pair.refresh_token, key=KEY) is None


def test_signing_a_program_out_ends_both_of_its_tokens(session: Session, ann: Actor) -> None:
    pair = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    sid = session_of_access_token(pair.access_token, key=KEY)
    assert sid
    program = actor_of_session(session, sid)
    assert program
    end_api_session(session, program)
    assert actor_of_session(session, sid) is None
    assert refresh_tokens(session, pair.refresh_token, key=KEY) is None

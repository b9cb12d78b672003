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

from core.base.actor import Actor
from core.credentials.access_tokens import TokenPair, end_api_session, grant_tokens, session_of_access_token
from core.credentials.sessions import actor_of_session
from db.engine import transaction
from tests.support.core.signing_in import HOME, KEY, actions, refreshed


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


ELSEWHERE = "198.51.100.9"


def used_before(session: Session) -> None:
    """So much time passes that the client of a refresh token may not repeat itself any more."""
    session.execute(text("UPDATE refresh_tokens SET used_at = used_at - interval '11 seconds'"))


@pytest.mark.parametrize(
    ("later", "thief"), [(True, {}), (False, {"address": ELSEWHERE}), (False, {"user_agent": "curl"})]
)
def test_a_refresh_token_used_again_after_the_grace_or_by_another_client_ends_the_family(
    session: Session, ann: Actor, later: bool, thief: dict[str, str]
) -> None:
    first = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    second = refreshed(session, first)
    assert second
    if later:
        used_before(session)
    assert refreshed(session, first, **thief) is None
    assert refreshed(session, second) is None
    sid = session_of_access_token(second.access_token, key=KEY)
    assert sid
    assert actor_of_session(session, sid) is None
    assert actions(session) == ["account:session:start", "account:session:reuse"]
    assert session.scalar(text("SELECT max((facts->>'user')::int) FROM audit_events")) == ann.user_id


def test_five_tabs_that_refresh_at_once_get_one_successor_and_keep_their_session(database: str, ann: Actor) -> None:
    with transaction() as session:
        pair = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")

    def refresh(_: int) -> TokenPair | None:
        with transaction() as session:
            return refreshed(session, pair)

    with ThreadPoolExecutor(5) as pool:
        got = [one for one in pool.map(refresh, range(5)) if one]
    assert len(got) == 5
    assert len({one.refresh_token for one in got}) == 1
    with transaction() as session:
        sids = {session_of_access_token(one.access_token, key=KEY) for one in got}
        assert [actor_of_session(session, sid) is not None for sid in sids if sid] == [True]
        assert refreshed(session, got[0])


def test_a_tab_that_was_slow_gets_the_newest_token_of_the_chain(session: Session, ann: Actor) -> None:
    first = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    second = refreshed(session, first)
    assert second
    third = refreshed(session, second)
    slow = refreshed(session, first)
    assert slow
    assert third
    assert slow.refresh_token == third.refresh_token


def test_who_shares_a_token_within_the_grace_is_found_at_the_next_refresh(session: Session, ann: Actor) -> None:
    """Even a thief behind the same address with the same user agent has the one successor that the person has, too."""
    first = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    mine, stolen = refreshed(session, first), refreshed(session, first)
    assert mine
    assert stolen
    used_before(session)
    assert refreshed(session, mine)
    used_before(session)
    assert refreshed(session, stolen) is None
    sid = session_of_access_token(mine.access_token, key=KEY)
    assert sid
    assert actor_of_session(session, sid) is None


@pytest.mark.parametrize("late", ["UPDATE refresh_tokens SET expires_at = now()", "UPDATE users SET is_active = false"])
def test_a_late_refresh_token_or_one_of_a_closed_account_gives_nothing(session: Session, ann: Actor, late: str) -> None:
    pair = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    session.execute(text(late))
    assert refreshed(session, pair) is None


def test_signing_a_program_out_ends_both_of_its_tokens(session: Session, ann: Actor) -> None:
    pair = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    sid = session_of_access_token(pair.access_token, key=KEY)
    assert sid
    program = actor_of_session(session, sid)
    assert program
    end_api_session(session, program)
    assert actor_of_session(session, sid) is None
    assert refreshed(session, pair) is None

"""Tickets and sessions: over at once when they are over, and nothing of a person outlives what ends it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session

from core.account_links import account_of_reset, address_link, address_of_link, reset_link, reset_password
from core.accounts import change_role, deactivate, reactivate
from core.actor import Actor
from core.api_tokens import actor_of_token, make_token
from core.credentials import sign_out_elsewhere
from core.errors import NotFound
from core.invitations import invite
from core.permissions import Role, Scope
from core.sessions import (
    actor_of_session,
    end_other_sessions,
    end_session,
    my_sessions,
    session_of_token,
)
from core.sign_in import change_password
from core.tickets import make_pending, make_ticket, person_of_pending, redeem_ticket
from core.tokens import TokenPair, grant_tokens, refresh_tokens, session_of_access_token
from db.engine import transaction
from tests.conftest import PASSWORD
from tests.core.signing_in import HOME, KEY, actions, attempt, signed_in


def test_a_ticket_works_once_in_the_browser_that_earned_it(session: Session, ann: Actor) -> None:
    ticket = make_ticket(session, ann.user_id, nonce="mine")

    def redeem(nonce: str) -> str | None:
        return redeem_ticket(session, ticket, nonce=nonce, address=HOME, user_agent="x")

    assert redeem("another browser's") is None
    token = redeem("mine")
    assert token
    assert redeem("mine") is None
    found = session_of_token(session, token)
    assert found
    assert found.user_id == ann.user_id


def test_a_late_ticket_is_worth_nothing(session: Session, ann: Actor) -> None:
    ticket = make_ticket(session, ann.user_id, nonce="mine")
    session.execute(text("UPDATE sign_in_tickets SET expires_at = now() - interval '1 second'"))
    assert redeem_ticket(session, ticket, nonce="mine", address=HOME, user_agent="x") is None


def test_every_sign_in_is_a_new_session(session: Session, ann: Actor) -> None:
    assert signed_in(session, ann) != signed_in(session, ann)


@pytest.mark.parametrize(
    "column", ["expires_at = now()", "last_seen_at = now() - interval '13 hours'", "ended_at = now()"]
)
def test_a_session_that_is_over_is_nobody(session: Session, ann: Actor, column: str) -> None:
    session_id, token = signed_in(session, ann)
    assert actor_of_session(session, session_id) is not None
    session.execute(text(f"UPDATE sessions SET {column}"))
    assert actor_of_session(session, session_id) is None
    assert session_of_token(session, token) is None


def test_only_hashes_of_secrets_are_stored(session: Session, ann: Actor, ada: Actor) -> None:
    _, token = signed_in(session, ann)
    ticket = make_ticket(session, ann.user_id, nonce="the nonce")
    invitation = invite(session, ada, email="eve@example.com", role=Role.MEMBER)
    pair = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    tables = ("sessions", "sign_in_tickets", "invitations", "refresh_tokens", "audit_events")
    stored = "".join(str(session.execute(text(f"SELECT * FROM {table}")).all()) for table in tables)
    for secret in (token, ticket, "the nonce", invitation, pair.access_token, pair.refresh_token):
        assert secret not in stored


@dataclass
class Held:
    """One of each credential of a person."""

    session_id: UUID
    pair: TokenPair
    ticket: str
    pending: str
    token: str
    reset: str
    address: str


# Where they live. An invitation is nobody's yet: it makes an account and lets nobody into one. A public link is
# nobody's at all: it lets nobody in as a person, and ends with the account of who made it (tests/core/test_links.py).
CREDENTIAL_TABLES = {"sessions", "refresh_tokens", "sign_in_tickets", "api_tokens", "account_links"}


def everything_of(session: Session, who: Actor) -> Held:
    reset = reset_link(session, who.email)
    address = address_link(session, who.user_id, who.email)
    assert reset
    assert address
    return Held(
        signed_in(session, who)[0],
        grant_tokens(session, who.user_id, key=KEY, address=HOME, user_agent="x"),
        make_ticket(session, who.user_id, nonce="n"),
        make_pending(session, who.user_id, nonce="n"),
        make_token(session, who, name="Report", scope=Scope.READ, days=1),
        reset,
        address,
    )


def works(session: Session, held: Held) -> list[bool]:
    api_session = session_of_access_token(held.pair.access_token, key=KEY)
    assert api_session
    return [
        actor_of_session(session, held.session_id) is not None,
        actor_of_session(session, api_session) is not None,
        refresh_tokens(session, held.pair.refresh_token, key=KEY) is not None,
        redeem_ticket(session, held.ticket, nonce="n", address=HOME, user_agent="x") is not None,
        person_of_pending(session, held.pending, nonce="n") is not None,
        actor_of_token(session, held.token, address=None, only_reads=True) is not None,
        opens(lambda: account_of_reset(session, held.reset)),
        opens(lambda: address_of_link(session, held.address)),
    ]


def opens(link: Callable[[], str]) -> bool:
    try:
        return bool(link())
    except NotFound:
        return False


def test_all_credentials_die_with_a_password_a_role_and_an_account(session: Session, ada: Actor, ann: Actor) -> None:
    def new_password() -> None:
        change_password(transaction, ann, current=PASSWORD, new="another good password")

    def forgotten_password() -> None:
        token = reset_link(session, ann.email)
        assert token
        reset_password(session, token, "a third good password")

    ends: list[Callable[[], None]] = [
        new_password,
        forgotten_password,
        lambda: change_role(session, ada, ann.user_id, role=Role.MANAGER),
        lambda: deactivate(session, ada, ann.user_id),
    ]
    assert works(session, everything_of(session, ann)) == [True] * 8
    for end in ends:
        held = everything_of(session, ann)
        end()
        assert works(session, held) == [False] * 8, end
    assert attempt("ann@example.com", "a third good password") is None
    reactivate(session, ada, ann.user_id)
    assert works(session, held) == [False] * 8
    assert attempt("ann@example.com", "a third good password") == ann.user_id


def test_every_table_with_a_secret_is_among_the_credentials(session: Session) -> None:
    hashed_in = "SELECT table_name FROM information_schema.columns WHERE column_name = 'token_hash'"
    assert set(session.scalars(text(hashed_in))) - {"invitations", "public_links", "link_visits"} == CREDENTIAL_TABLES


def test_signing_out_everywhere_else_spares_tokens_unless_asked(session: Session, ann: Actor) -> None:
    here = replace(ann, session_id=signed_in(session, ann)[0])
    token = make_token(session, ann, name="Report", scope=Scope.READ, days=1)
    sign_out_elsewhere(session, here)
    assert actor_of_token(session, token, address=None, only_reads=True)
    sign_out_elsewhere(session, here, tokens=True)
    assert actor_of_token(session, token, address=None, only_reads=True) is None
    assert actor_of_session(session, str(here.session_id)) is not None


def test_my_sessions_are_mine_to_end_and_nobody_elses(session: Session, ann: Actor, ben: Actor) -> None:
    mine, _ = signed_in(session, ann)
    with pytest.raises(NotFound):
        end_session(session, ben, mine)
    assert [one.session_id for one in my_sessions(session, ann)] == [mine]
    end_session(session, ann, mine)
    assert my_sessions(session, ann) == []
    with pytest.raises(NotFound):
        end_session(session, ann, mine)


def test_signing_out_everywhere_else_keeps_this_one(session: Session, ann: Actor, ben: Actor) -> None:
    here, there, bens = (signed_in(session, who)[0] for who in (ann, ann, ben))
    mine = actor_of_session(session, here)
    assert mine
    end_other_sessions(session, mine)
    assert [actor_of_session(session, one) is not None for one in (here, there, bens)] == [True, False, True]
    assert "account:session:end-others" in actions(session)


@pytest.mark.parametrize("session_id", ["", "x", "0", str(uuid4()), "'; --"])
def test_what_names_no_session_is_nobody(session: Session, session_id: str) -> None:
    assert actor_of_session(session, session_id) is None


def test_who_asks_is_one_statement_and_its_use_is_noted_at_most_once_a_minute(session: Session, ann: Actor) -> None:
    session_id, _ = signed_in(session, ann)
    asked: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    def last_seen() -> Any:
        query = text("SELECT now() - last_seen_at < interval '1 second' FROM sessions WHERE session_id = :id")
        return session.scalar(query, {"id": session_id})

    session.execute(text("UPDATE sessions SET last_seen_at = now() - interval '50 seconds'"))
    event.listen(session.get_bind(), "before_cursor_execute", note)
    assert actor_of_session(session, session_id, seen=True)
    event.remove(session.get_bind(), "before_cursor_execute", note)
    assert len(asked) == 1
    assert last_seen() is False
    session.execute(text("UPDATE sessions SET last_seen_at = now() - interval '2 minutes'"))
    assert actor_of_session(session, session_id)
    assert last_seen() is False
    assert actor_of_session(session, session_id, seen=True)
    assert last_seen() is True


def test_a_session_ends_at_once_while_a_long_request_of_it_goes_on(database: str, ann: Actor) -> None:
    with transaction() as session:
        session_id, token = signed_in(session, ann)
        session.execute(text("UPDATE sessions SET last_seen_at = now() - interval '2 minutes'"))
    with transaction() as long_request:
        assert actor_of_session(long_request, session_id)
        with transaction() as other:
            other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            assert session_of_token(other, token)
            end_session(other, ann, session_id)
    with transaction() as session:
        assert actor_of_session(session, session_id) is None


def test_noting_the_use_never_waits_for_another_who_notes_it(database: str, ann: Actor) -> None:
    with transaction() as session:
        session_id, _ = signed_in(session, ann)
        session.execute(text("UPDATE sessions SET last_seen_at = now() - interval '2 minutes'"))
    with transaction() as first, transaction() as second:
        second.execute(text("SET LOCAL lock_timeout = '100ms'"))
        assert actor_of_session(first, session_id, seen=True)
        assert actor_of_session(second, session_id, seen=True)

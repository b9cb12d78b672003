"""Tickets and sessions: over at once when they are over, and nothing of a person outlives what ends it."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session

from core.accounts.invitations import invite
from core.base.actor import Actor
from core.base.errors import NotFound
from core.base.permissions import Role, Scope
from core.credentials.access_tokens import grant_tokens
from core.credentials.login_tickets import create_ticket, redeem_ticket
from core.credentials.revocation import sign_out_elsewhere
from core.credentials.sessions import actor_of_session, end_other_sessions, end_session, my_sessions, session_of_token
from core.sign_in.api_tokens import actor_of_token, create_token
from db.engine import transaction
from tests.support.core.signing_in import HOME, KEY, actions, signed_in


def test_a_ticket_works_once_in_the_browser_that_earned_it(session: Session, ann: Actor) -> None:
    ticket = create_ticket(session, ann.user_id, nonce="mine")

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
    ticket = create_ticket(session, ann.user_id, nonce="mine")
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
    ticket = create_ticket(session, ann.user_id, nonce="the nonce")
    invitation = invite(session, ada, email="eve@example.com", role=Role.MEMBER)
    pair = grant_tokens(session, ann.user_id, key=KEY, address=HOME, user_agent="x")
    tables = ("sessions", "sign_in_tickets", "invitations", "refresh_tokens", "audit_events")
    stored = "".join(str(session.execute(text(f"SELECT * FROM {table}")).all()) for table in tables)
    for secret in (token, ticket, "the nonce", invitation, pair.access_token, pair.refresh_token):
        assert secret not in stored


def test_signing_out_everywhere_else_ends_tokens_unless_they_are_spared(session: Session, ann: Actor) -> None:
    here = replace(ann, session_id=signed_in(session, ann)[0])
    token = create_token(session, ann, name="Report", scope=Scope.READ, days=1)
    sign_out_elsewhere(session, here, tokens=False)
    assert actor_of_token(session, token, address=None, only_reads=True)
    sign_out_elsewhere(session, here)
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


@pytest.mark.parametrize("session_id", ["", "x", "0", "5d1f7c3a-7a44-4e0c-9f0e-2b6f5f6f8a01", "'; --"])
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
    assert actor_of_session(session, session_id, mark_seen=True)
    event.remove(session.get_bind(), "before_cursor_execute", note)
    assert len(asked) == 1
    assert last_seen() is False
    session.execute(text("UPDATE sessions SET last_seen_at = now() - interval '2 minutes'"))
    assert actor_of_session(session, session_id)
    assert last_seen() is False
    assert actor_of_session(session, session_id, mark_seen=True)
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
        assert actor_of_session(first, session_id, mark_seen=True)
        assert actor_of_session(second, session_id, mark_seen=True)

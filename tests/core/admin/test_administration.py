"""Administration: what whoever manages people sees and ends, and nobody else."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.accounts.accounts import deactivate, people
from core.admin.administration import (
    live_sessions,
    make_reset_link,
    revoke_session,
    security_events,
    send_reset,
    sign_out_person,
)
from core.admin.health import system_health
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Level, Role, Scope
from core.config.settings import settings
from core.credentials.sessions import actor_of_session
from core.sharing.shares import share_with_team
from core.sharing.teams import add_member, create_team
from core.sign_in.api_tokens import actor_of_token, create_token
from core.sign_in.email_links import email_of_reset
from tests.support.core.signing_in import Post, actions, signed_in

BEN = 3
COMMANDS: dict[str, Callable[[Session, Actor], object]] = {
    "live_sessions": live_sessions,
    "revoke_session": lambda session, who: revoke_session(session, who, uuid4()),
    "sign_out_person": lambda session, who: sign_out_person(session, who, BEN),
    "send_reset": lambda session, who: send_reset(session, who, BEN, url="http://here"),
    "make_reset_link": lambda session, who: make_reset_link(session, who, BEN),
    "security_events": security_events,
    "system_health": system_health,
}


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CONTRIVANCE_DATA", str(tmp_path / "data"))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize("role", [Role.MANAGER, Role.MEMBER, Role.ANALYST])
@pytest.mark.parametrize("command", COMMANDS)
def test_administration_is_for_administrators(session: Session, ann: Actor, command: str, role: Role) -> None:
    with pytest.raises(NotAllowed):
        COMMANDS[command](session, replace(ann, role=role))
    assert actions(session) == []


def test_an_administrator_ends_one_session_of_somebodys(session: Session, ada: Actor, ben: Actor) -> None:
    here, there = signed_in(session, ben)[0], signed_in(session, ben)[0]
    assert {one.session_id: one.name for one in live_sessions(session, ada)} == {here: "Ben", there: "Ben"}
    revoke_session(session, ada, there)
    assert actor_of_session(session, here)
    assert actor_of_session(session, there) is None
    with pytest.raises(NotFound):
        revoke_session(session, ada, there)
    assert actions(session) == ["account:session:revoke"]


def test_an_administrator_signs_a_person_out_everywhere(session: Session, ada: Actor, ben: Actor, ann: Actor) -> None:
    bens, anns = signed_in(session, ben)[0], signed_in(session, ann)[0]
    secret = create_token(session, ben, name="Report", scope=Scope.READ, days=30)
    sign_out_person(session, ada, ben.user_id)
    assert actor_of_session(session, bens) is None
    assert actor_of_token(session, secret, address=None, only_reads=True) is None
    assert actor_of_session(session, anns)


def test_a_link_for_a_new_password_is_handed_over_or_sent(session: Session, ada: Actor, ben: Actor, post: Post) -> None:
    token = make_reset_link(session, ada, ben.user_id)
    assert email_of_reset(session, token) == "ben@example.com"
    send_reset(session, ada, ben.user_id, url="http://here")
    assert [(to, letter.subject) for to, letter in post()] == [("ben@example.com", "Choose a new password")]
    with pytest.raises(NotFound):
        email_of_reset(session, token)
    assert actions(session) == ["account:password:reset-link"] * 2


def test_who_is_let_out_or_never_came_gets_no_link(session: Session, ada: Actor, ben: Actor, ann: Actor) -> None:
    deactivate(session, ada, ben.user_id)
    session.execute(text("UPDATE users SET password_hash = NULL WHERE user_id = :ann"), {"ann": ann.user_id})
    for who in (ben, ann):
        with pytest.raises(Invalid, match="has no password"):
            make_reset_link(session, ada, who.user_id)


def test_when_somebody_was_last_seen_is_known(session: Session, ada: Actor, ben: Actor) -> None:
    signed_in(session, ben)
    seen = {one.name: one.last_seen_at is not None for one in people(session, ada)}
    assert seen == {"Ada": False, "Ann": False, "Ben": True, "Cleo": False, "Dan": False}


def test_what_happened_last_stands_first_with_its_names(
    session: Session, ada: Actor, ann: Actor, deals: Access
) -> None:
    north = create_team(session, ada, "North")
    add_member(session, ada, north, BEN)
    share_with_team(session, ann, deals.sheet.sheet_id, north, level=Level.VIEWER)
    shared, added, made = security_events(session, ada, limit=3)
    assert (shared.action, shared.by, shared.whom, shared.sheet) == ("sheet:share:grant", "Ann", "North", "Deals")
    assert (added.action, added.by, added.whom) == ("team:member:add", "Ada", "Ben")
    assert (made.action, made.whom) == ("team:team:create", "North")


def test_the_system_tells_what_should_be_seen_to(session: Session, ada: Actor) -> None:
    health = system_health(session, ada)
    assert health.database.startswith("PostgreSQL 1")
    assert health.schema == health.expected_schema
    assert replace(health, disk_free=health.disk_size).troubles == []
    session.execute(text("INSERT INTO mails (kind, recipient, attempts) VALUES ('reset', 'x@example.com', 3)"))
    given_up = (
        "INSERT INTO mails (kind, recipient, done_at, outcome) VALUES ('reset', 'x@y.com', now(), 'given up: 550')"
    )
    session.execute(text(given_up))
    late = system_health(session, ada)
    assert (late.letters_waiting, late.letters_late, late.letters_given_up) == (1, 1, 1)
    assert len(replace(late, disk_free=0, schema="0001").troubles) == 4

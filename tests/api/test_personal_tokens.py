"""Personal API tokens: what they may do, what they never may, and how they end."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts import accounts
from core.accounts.accounts import deactivate
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Role, Scope
from core.credentials.revocation import revoke_credentials
from core.sign_in.api_tokens import actor_of_token, create_token, my_tokens, revoke_token
from core.sign_in.password import change_password
from db.engine import transaction
from tests.api.conftest import People, Person
from tests.conftest import PASSWORD, actor
from tests.support.core.signing_in import signed_in
from tests.support.waiting import until_it_waits

With = Callable[[str, Scope], Person]


@pytest.fixture
def bearer(people: People, session: Session) -> With:
    """One of the cast with a personal token instead of a session."""

    def make(name: str, scope: Scope) -> Person:
        person = people(name)
        person.token = create_token(session, actor(name), name="Report", scope=scope, days=30)
        return person

    return make


def test_a_token_speaks_for_its_person(bearer: With) -> None:
    ann = bearer("Ann", Scope.WRITE)
    assert ann.get("/me")["name"] == "Ann"
    assert ann.add({1: "Acme"}) == [1]


def test_a_token_that_may_read_reads(bearer: With) -> None:
    ann = bearer("Ann", Scope.READ)
    for path in ("/me", "/sheets", "/sheets/{sheet}", "/sheets/{sheet}/rows", "/sheets/{sheet}/changes?since=0"):
        assert ann.ask("GET", path).status_code == 200, path


WRITTEN = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"


def test_a_token_that_may_read_writes_nowhere(bearer: With, session: Session) -> None:
    """Every route that is no GET, as far as it can be asked without a body of its own."""
    ann = bearer("Ann", Scope.READ)
    ann.get("/me")
    paths = ann.client.get("/api/openapi.json").json()["paths"]
    asked = [(method.upper(), path) for path, methods in paths.items() for method in methods if method != "get"]
    statuses = []
    before = session.scalar(text(WRITTEN))
    for method, path in asked:
        if "/auth/" in path:
            continue
        filled = re.sub(r"\{\w+\}", "1", path.removeprefix("/v1").replace("{sheet}", str(ann.sheet)))
        statuses.append(ann.ask(method, filled + "?ids=1", json={}).status_code)
    assert set(statuses) <= {403, 415, 422}
    assert statuses.count(403) >= 5
    assert session.scalar(text(WRITTEN)) == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/sheets", {"name": "Mine"}),
        ("PATCH", "/sheets/{sheet}", {"name": "Ours"}),
        ("POST", "/sheets/{sheet}/rows", {"rows": [{"1": "Acme"}]}),
        ("POST", "/sheets/{sheet}/columns", {"name": "Extra", "type": "text"}),
        ("PUT", "/sheets/{sheet}/layout", {"hidden": [1]}),
        ("POST", "/sheets/{sheet}/trash/restore", {"rows": [1], "operation_id": str(uuid4())}),
    ],
)
def test_what_would_write_is_refused_to_a_token_that_may_read(bearer: With, method: str, path: str, body: Any) -> None:
    assert bearer("Ann", Scope.READ).ask(method, path, json=body).status_code == 403


def test_an_edit_with_a_token_that_may_read_is_refused_with_the_way_out(bearer: With) -> None:
    answer = bearer("Ann", Scope.READ).edit(1, 1, "x")
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "This token is read-only. Create one with the scope “Read and write” on your profile page.",
    )


def test_without_the_scope_an_administrator_administers_nothing(session: Session, ada: Actor) -> None:
    for scope, role in ((Scope.READ, Role.MEMBER), (Scope.WRITE, Role.MEMBER), (Scope.ADMIN, Role.ADMIN)):
        token = create_token(session, ada, name="x", scope=scope, days=1)
        acting = actor_of_token(session, token, address=None, only_reads=True)
        assert acting
        assert acting.role is role
    token = create_token(session, ada, name="x", scope=Scope.WRITE, days=1)
    acting = actor_of_token(session, token, address=None, only_reads=False)
    assert acting
    with pytest.raises(NotAllowed):
        accounts.people(session, acting)


def test_only_administrators_have_tokens_that_administer(session: Session, ann: Actor) -> None:
    with pytest.raises(NotAllowed):
        create_token(session, ann, name="x", scope=Scope.ADMIN, days=1)


@pytest.mark.parametrize("days", [0, -1, 367, 10**6])
def test_every_token_ends(session: Session, ann: Actor, days: int) -> None:
    with pytest.raises(Invalid):
        create_token(session, ann, name="x", scope=Scope.READ, days=days)


def test_a_token_is_stored_as_a_hash_and_listed_by_its_beginning(session: Session, ann: Actor) -> None:
    token = create_token(session, ann, name="  Weekly   report ", scope=Scope.READ, days=30)
    listed = my_tokens(session, ann)[0]
    assert (listed.name, listed.hint, listed.scope) == ("Weekly report", token[:8], Scope.READ)
    assert token not in str(session.execute(text("SELECT * FROM api_tokens")).all())
    assert token not in str(session.execute(text("SELECT * FROM audit_events")).all())


def test_a_revoked_or_late_token_is_nobody(bearer: With, session: Session, ann: Actor) -> None:
    person = bearer("Ann", Scope.WRITE)
    revoke_token(session, ann, my_tokens(session, ann)[0].token_id)
    assert person.ask("GET", "/me").status_code == 401
    with pytest.raises(NotFound):
        revoke_token(session, ann, 10**9)
    late = create_token(session, ann, name="x", scope=Scope.READ, days=1)
    session.execute(text("UPDATE api_tokens SET expires_at = now()"))
    assert actor_of_token(session, late, address=None, only_reads=True) is None


def test_nobody_revokes_somebody_elses_token(session: Session, ann: Actor, ben: Actor) -> None:
    create_token(session, ann, name="x", scope=Scope.READ, days=1)
    with pytest.raises(NotFound):
        revoke_token(session, ben, my_tokens(session, ann)[0].token_id)


def test_a_token_ends_with_its_persons_access_and_password(
    session: Session, ada: Actor, ann: Actor, ben: Actor
) -> None:
    tokens = [create_token(session, one, name="x", scope=Scope.READ, days=1) for one in (ann, ben)]
    deactivate(session, ada, ann.user_id)
    change_password(transaction, ben, current=PASSWORD, new="another good password")
    for token in tokens:
        assert actor_of_token(session, token, address=None, only_reads=True) is None


def test_the_last_use_is_noted_once_a_minute(bearer: With, session: Session, ann: Actor) -> None:
    person = bearer("Ann", Scope.READ)

    def used() -> Any:
        return session.scalar(text("SELECT last_used_at FROM api_tokens"))

    assert used() is None
    person.get("/me")
    first = used()
    assert first is not None
    session.execute(text("UPDATE api_tokens SET last_used_at = now() - interval '30 seconds'"))
    person.get("/me")
    assert used() < first
    session.execute(text("UPDATE api_tokens SET last_used_at = now() - interval '61 seconds'"))
    person.get("/me")
    assert used() >= first


def test_no_token_is_made_in_a_session_that_ended(session: Session, ann: Actor) -> None:
    here = replace(ann, session_id=signed_in(session, ann)[0])
    create_token(session, here, name="x", scope=Scope.READ, days=1)
    revoke_credentials(session, ann.user_id)
    with pytest.raises(NotAllowed, match="session has ended"):
        create_token(session, here, name="y", scope=Scope.READ, days=1)


def test_a_token_made_while_credentials_end_ends_with_them(database: str, ann: Actor) -> None:
    with transaction() as making:
        token = create_token(making, ann, name="x", scope=Scope.READ, days=1)
        with ThreadPoolExecutor(1) as pool:
            ending = pool.submit(change_password, transaction, ann, current=PASSWORD, new="another good password")
            until_it_waits(ending)
            making.commit()
            ending.result()
    with transaction() as session:
        assert actor_of_token(session, token, address=None, only_reads=True) is None


def test_a_live_line_opens_with_a_token_that_may_read(live_people: People, ann: Actor) -> None:
    person = live_people("Ann")
    with transaction() as session:
        token = create_token(session, ann, name="x", scope=Scope.READ, days=1)
    with person.client.websocket_connect(f"/api/v1/sheets/{person.sheet}/live") as line:  # type: ignore[attr-defined]
        line.send_json({"token": token})
        assert "version" in line.receive_json()


@pytest.mark.parametrize("token", ["ctv_", "ctv_x", "ctv_" + "a" * 5000, "CTV_x"])
def test_what_is_no_token_is_nobody(people: People, token: str) -> None:
    person = people("Ann")
    person.token = token
    assert person.ask("GET", "/me").status_code == 401


def test_a_token_has_no_session_to_end(bearer: With) -> None:
    assert bearer("Ann", Scope.WRITE).ask("POST", "/auth/logout").status_code == 403

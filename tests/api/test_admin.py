"""Administration through the API: for administrators, and with a token for no less than administering."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.base.permissions import Scope
from core.sign_in.api_tokens import create_token
from tests.api.conftest import People
from tests.conftest import actor

ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/admin/people", None),
    ("PATCH", "/admin/people/3", {"role": "admin"}),
    ("PATCH", "/admin/people/3", {"is_active": False}),
    ("POST", "/admin/people/3/sign-out", None),
    ("POST", "/admin/people/3/reset-link", None),
    ("GET", "/admin/sheets", None),
    ("GET", "/admin/invitations", None),
    ("POST", "/admin/invitations", {"email": "eve@example.com"}),
    ("DELETE", "/admin/invitations/1", None),
    ("GET", "/admin/registration", None),
    ("PUT", "/admin/registration", {"who": "open"}),
    ("GET", "/admin/sessions", None),
    ("DELETE", "/admin/sessions/00000000-0000-0000-0000-000000000000", None),
    ("GET", "/admin/events", None),
    ("GET", "/admin/system", None),
]


@pytest.mark.parametrize(("who", "status"), [("Ann", 403), ("Cleo", 403), ("nobody", 401)])
@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_nobody_else_administers(people: People, method: str, path: str, body: Any, who: str, status: int) -> None:
    answer = people(who).ask(method, path, json=body)
    assert answer.status_code == status, answer.text


def test_a_token_without_the_scope_to_administer_does_not(people: People, session: Session) -> None:
    ada = people("Ada")
    for scope, status in ((Scope.WRITE, 403), (Scope.ADMIN, 200)):
        ada.token = create_token(session, actor("Ada"), name=scope.value, scope=scope, days=30)
        assert ada.ask("GET", "/admin/people").status_code == status


def test_a_leaver_is_let_out_and_their_sheets_are_handed_over(people: People) -> None:
    ada, ben = people("Ada"), people("Ben")
    ann = people("Ann")
    assert ada.ask("POST", "/sheets/{sheet}/transfer", json={"user": 3}).status_code == 404
    changed = ada.ask("PATCH", "/admin/people/2", json={"is_active": False}).json()
    assert [one["is_active"] for one in changed["people"] if one["name"] == "Ann"] == [False]
    assert ann.ask("GET", "/sheets").status_code == 401
    (left,) = ada.get("/admin/sheets", left=True)["sheets"]
    assert (left["name"], left["owner"]) == ("Deals", 2)
    assert ada.ask("POST", f"/sheets/{left['id']}/transfer", json={"user": 3}).status_code == 204
    assert ben.get("/sheets/{sheet}")["level"] == "owner"
    assert ada.get("/admin/sheets", left=True) == {"sheets": []}


def test_people_sessions_and_invitations_the_whole_way(people: People) -> None:
    ada, ben = people("Ada"), people("Ben")
    link = ada.ask("POST", "/admin/invitations", json={"email": "eve@example.com", "role": "analyst"}).json()["link"]
    assert "/?invite=" in link
    (waiting,) = ada.get("/admin/invitations")["invitations"]
    assert (waiting["email"], waiting["role"]) == ("eve@example.com", "analyst")
    assert ada.ask("DELETE", f"/admin/invitations/{waiting['id']}").json() == {"invitations": []}
    (bens,) = [one["id"] for one in ada.get("/admin/sessions")["sessions"] if one["name"] == "Ben"]
    assert ada.ask("DELETE", f"/admin/sessions/{bens}").status_code == 204
    assert ben.ask("GET", "/sheets").status_code == 401
    assert "/?reset=" in ada.ask("POST", "/admin/people/3/reset-link").json()["link"]
    assert ada.ask("POST", "/admin/people/3/sign-out").status_code == 204
    rule = {"who": "domains", "domains": ["example.com"]}
    assert ada.ask("PUT", "/admin/registration", json=rule).json() == ada.get("/admin/registration") == rule
    assert ada.get("/admin/events")["events"][0]["action"] == "account:registration:change"
    health = ada.get("/admin/system")["health"]
    assert health["schema"] == health["expected_schema"]

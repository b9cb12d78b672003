"""The visitor of a public link on every route of the API: the few that a link may use, and nobody on all others."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.websockets import WebSocketDisconnect

from api.app import create_api
from api.live.socket import NO_RIGHT
from core.access.access import NO_LINK
from core.sharing.public_link_visits import open_link
from core.sharing.public_links import change_link, create_link, revoke_link, visits_of_tokens
from core.sheets.columns import limit_column
from core.sheets.sheets import archive_sheet, create_sheet
from db.engine import transaction
from tests.api.conftest import ACCOUNT, DEAL, People, Person
from tests.conftest import actor

SECRET = "Project Falcon"
# The whole of what a link may ask, with what it needs to be asked.
OPEN = {
    ("GET", "/v1/sheets/{sheet}"): {},
    ("GET", "/v1/sheets/{sheet}/rows"): {},
    ("GET", "/v1/sheets/{sheet}/rows/{row}"): {},
    ("GET", "/v1/sheets/{sheet}/order"): {},
    ("GET", "/v1/sheets/{sheet}/totals"): {},
    ("GET", "/v1/sheets/{sheet}/matches"): {"rows": "1"},
    ("GET", "/v1/sheets/{sheet}/changes"): {"since": "0"},
    ("GET", "/v1/sheets/{sheet}/export"): {},
}
# What anybody may ask, whoever they are: these look at no principal.
OF_NOBODY = {"/health/live", "/health/ready", "/docs", "/openapi.json", "/v1/auth/login", "/v1/auth/refresh"}


@dataclass
class Visit:
    """A browser with a public link open: its requests speak for the link."""

    client: httpx.Client
    link: int
    visit: str
    sheet: int

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Contrivance-Link": str(self.link), "X-Contrivance-Visit": self.visit}

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = self.headers | more.pop("headers", {})
        return self.client.request(
            method, "/api/v1" + path.replace("{sheet}", str(self.sheet)), headers=headers, **more
        )


def open_as_visitor(client: httpx.Client, sheet: int, **wishes: Any) -> Visit:
    with transaction() as session:
        number, token = create_link(session, actor("Ann"), sheet, name="Partner", **wishes)
    opened = open_link(transaction, token, address="192.0.2.9")
    assert opened.token
    with transaction() as session:
        (visit,) = visits_of_tokens(session, [opened.token])
    return Visit(client, number, str(visit), sheet)


def with_deals(people: People) -> Person:
    ann = people("Ann")
    ann.add({DEAL: "Acme", ACCOUNT: SECRET}, {DEAL: "Bolt"})
    with transaction() as session:
        limit_column(session, actor("Ann"), ann.sheet, ACCOUNT, {"link": "hidden"})
    return ann


@pytest.fixture
def visit(people: People) -> Visit:
    ann = with_deals(people)
    return open_as_visitor(ann.client, ann.sheet)


def routes() -> Iterator[tuple[str, str]]:
    """Every route of the API: method and path."""
    for path, ways in create_api().openapi()["paths"].items():
        for method in ways:
            yield method.upper(), path


def stored(session: Session) -> dict[str, int]:
    """How many lines each table has, but for the sign-ins of the test itself."""
    tables = session.scalars(text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"))
    return {table: session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in tables}


BODIES: dict[str, Any] = {
    "PATCH /v1/sheets/{sheet}/rows": {"operation_id": str(uuid4()), "edits": [{"row": 1, "column": 1, "text": "x"}]},
    "POST /v1/sheets/{sheet}/rows": {"rows": [{"1": "x"}]},
}


@pytest.mark.parametrize(("method", "path"), sorted(routes()))
def test_a_visitor_is_nobody_on_every_route_but_those_of_a_link(
    session: Session, visit: Visit, method: str, path: str
) -> None:
    """Answered as if nobody had asked: 401, or what is wrong with the request, which is told before anybody is."""
    before = stored(session)
    asked = path.removeprefix("/v1").replace("{row}", "1").replace("{column}", "1").replace("{link}", "1")
    asked = asked.replace("{user}", "1")
    body = BODIES.get(f"{method} {path}", {} if method in {"POST", "PATCH", "PUT"} else None)
    if path in OF_NOBODY:
        assert "sheet" not in path
        return
    answer = visit.ask(method, asked, json=body, params=OPEN.get((method, path)))
    if path.endswith("{sheet}/export"):
        assert answer.status_code == 403  # This link may not.
    elif (method, path) in OPEN:
        assert answer.status_code == 200, answer.text
    else:
        alone = visit.client.request(method, "/api/v1" + asked.replace("{sheet}", str(visit.sheet)), json=body)
        assert answer.status_code in {401, 404, 422}, answer.text
        assert (answer.status_code, answer.text) == (alone.status_code, alone.text)
    assert SECRET not in answer.text
    assert "@example.com" not in answer.text
    assert stored(session) == before


def test_the_routes_of_a_link_are_the_routes_there_are() -> None:
    assert set(OPEN) <= set(routes())


def test_a_link_speaks_for_nobody_beside_it(people: People, visit: Visit) -> None:
    """A signed-in person's own token counts for nothing in a request that speaks for a link."""
    token = {"Authorization": f"Bearer {people('Ann').token}"}
    assert visit.ask("GET", "/sheets/{sheet}", headers=token).json()["level"] == "link"
    assert visit.ask("GET", "/sheets/{sheet}/collaborators", headers=token).status_code == 401
    visit.visit = str(uuid4())
    assert visit.ask("GET", "/sheets/{sheet}", headers=token).status_code == 401


HIDDEN = [
    ("rows", {"sort": "{column}"}),
    ("rows", {"filter": json.dumps([{"column": "{column}", "op": "contains", "value": "F"}])}),
    ("order", {"sort": "-{column}"}),
    ("export", {"columns": "{column}"}),
    ("export", {"sort": "{column}"}),
]


@pytest.mark.parametrize(("what", "query"), HIDDEN)
def test_a_hidden_column_answers_like_one_that_does_not_exist(people: People, what: str, query: dict[str, str]) -> None:
    ann = with_deals(people)
    visit = open_as_visitor(ann.client, ann.sheet, may_export=True)

    def ask(column: int) -> httpx.Response:
        asked = {
            name: value.replace('"{column}"', str(column)).replace("{column}", str(column))
            for name, value in query.items()
        }
        return visit.ask("GET", f"/sheets/{{sheet}}/{what}", params=asked)

    hidden, missing = ask(ACCOUNT), ask(77)
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.replace(f": {ACCOUNT}", "").replace(f":{ACCOUNT}", "") == missing.text.replace(":77", "")


def test_nothing_that_a_link_reads_has_a_hidden_value_or_a_name(people: People) -> None:
    ann = with_deals(people)
    visit = open_as_visitor(ann.client, ann.sheet, may_export=True)
    asked = [
        ("", {}),
        ("/rows", {}),
        ("/rows", {"search": "Falcon"}),
        ("/rows/1", {}),
        ("/changes", {"since": "0"}),
        ("/export", {}),
    ]
    for path, query in asked:
        answer = visit.ask("GET", f"/sheets/{{sheet}}{path}", params=query)
        assert answer.status_code == 200
        assert not [word for word in (SECRET, "Account", "Ann", "Ben", "@") if word in answer.text], path
    assert visit.ask("GET", "/sheets/{sheet}/rows", params={"search": "Falcon"}).json()["rows"] == []


def test_another_sheet_or_the_past_is_not_there(people: People, visit: Visit) -> None:
    with transaction() as session:
        other = create_sheet(session, actor("Ann"), "Secret", template="blank").sheet.sheet_id
    theirs, nobodys = (visit.ask("GET", f"/sheets/{number}/rows") for number in (other, 999_999))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.text == nobodys.text
    assert visit.ask("GET", "/sheets/{sheet}/rows", params={"as_of": "version:0"}).status_code == 403


def ended(people: People, visit: Visit, end: Callable[[Session], None]) -> httpx.Response:
    assert visit.ask("GET", "/sheets/{sheet}/rows").status_code == 200
    with transaction() as session:
        end(session)
    return visit.ask("GET", "/sheets/{sheet}/rows")


def expire(session: Session, link: int) -> None:
    past = "UPDATE public_links SET expires_at = now() - interval '1 second' WHERE link_id = :link"
    session.execute(text(past), {"link": link})


def test_the_request_after_a_link_has_ended_is_refused(people: People) -> None:
    ann = with_deals(people)
    ends: list[Callable[[Session, int], None]] = [
        lambda session, link: revoke_link(session, actor("Ann"), ann.sheet, link),
        expire,
        lambda session, link: change_link(session, actor("Ann"), ann.sheet, link, password="another one 1"),
        lambda session, _: archive_sheet(session, actor("Ann"), ann.sheet),
    ]
    for end in ends:
        visit = open_as_visitor(ann.client, ann.sheet)
        refused = ended(people, visit, lambda session, end=end, visit=visit: end(session, visit.link))  # type: ignore[misc]
        assert refused.status_code == 401
        assert refused.json()["detail"] == NO_LINK


def test_the_owner_makes_lists_changes_and_revokes_links(people: People) -> None:
    ann = people("Ann")
    made = ann.ask("POST", "/sheets/{sheet}/links", json={"name": "Partner", "expires_in_days": 7})
    assert made.status_code == 201
    number, url = made.json()["id"], made.json()["url"]
    assert url.startswith("http://localhost:8501/l/")
    (listed,) = ann.get("/sheets/{sheet}/links")["links"]
    assert (listed["name"], listed["lives"], listed["has_password"]) == ("Partner", True, False)
    assert url.rpartition("/")[2] not in json.dumps(listed)
    body = {"password": "partners only 2026", "may_export": True}
    (changed,) = ann.ask("PATCH", f"/sheets/{{sheet}}/links/{number}", json=body).json()["links"]
    assert (changed["name"], changed["has_password"], changed["may_export"]) == ("Partner", True, True)
    assert changed["expires_at"]
    for who in ("Ben", "Cleo"):
        assert people(who).ask("GET", "/sheets/{sheet}/links").status_code == 403
        assert people(who).ask("DELETE", f"/sheets/{{sheet}}/links/{number}").status_code == 403
    assert ann.ask("DELETE", f"/sheets/{{sheet}}/links/{number}").json() == {"links": []}
    assert ann.ask("DELETE", f"/sheets/{{sheet}}/links/{number}").status_code == 404


def live(visit: Visit) -> Any:
    client: TestClient = visit.client  # type: ignore[assignment]
    return client.websocket_connect(f"/api/v1/sheets/{visit.sheet}/live", headers=visit.headers)


def next_of(socket: Any, name: str) -> Any:
    while name not in (said := json.loads(socket.receive_text())):
        pass
    return said[name]


def test_a_visitor_hears_of_versions_and_of_nobody_until_the_link_ends(live_people: People) -> None:
    ann = with_deals(live_people)
    visit = open_as_visitor(ann.client, ann.sheet)
    url = f"/api/v1/sheets/{ann.sheet}/live"
    with (
        live(visit) as socket,
        ann.client.websocket_connect(url, headers={"Authorization": f"Bearer {ann.token}"}) as hers,
    ):
        before = next_of(socket, "version")
        socket.send_text('{"cell": [1, 1]}')
        hers.send_text('{"cell": [1, 1]}')
        assert [one["user"] for one in next_of(hers, "present")] == [actor("Ann").user_id]
        ann.edit(1, DEAL, "Acme & Co")
        while next_of(socket, "version") <= before:  # A sign of life says the old one.
            pass
        with transaction() as session:
            revoke_link(session, actor("Ann"), ann.sheet, visit.link)
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                assert "present" not in json.loads(socket.receive_text())
        assert closed.value.code == NO_RIGHT


def test_a_socket_closes_when_its_link_runs_out(live_people: People) -> None:
    ann = with_deals(live_people)
    visit = open_as_visitor(ann.client, ann.sheet)
    with transaction() as session:
        soon = "UPDATE public_links SET expires_at = now() + interval '1 second' WHERE link_id = :link"
        session.execute(text(soon), {"link": visit.link})
    with live(visit) as socket, pytest.raises(WebSocketDisconnect) as closed:
        while True:
            socket.receive_text()
    assert closed.value.code == NO_RIGHT

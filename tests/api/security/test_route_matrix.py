"""Every route of the API as every principal: the status that one table promises, and a refusal writes nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from api.app import create_api
from api.auth.session_routes import routes as session_routes
from core.base.permissions import Scope
from core.config.settings import settings
from core.sign_in.api_tokens import create_token
from tests.api.conftest import DEAL, OWNER, Person, make_app, sign_in
from tests.api.test_links import open_as_visitor
from tests.conftest import PASSWORD, actor, make_deals, rolled_back

# Who asks. The order is that of every profile below; a new kind of principal is one more column there.
PRINCIPALS = (
    *("administrator", "manager", "owner", "editor", "commenter", "viewer", "own rows", "stranger"),
    *("deactivated", "anonymous", "reading token", "writing token", "administering token", "link"),
)
OK = 0


def profile(statuses: str) -> dict[str, int]:
    """By principal. The last, the visitor of a public link, is nobody (401) where a route does not say otherwise."""
    given = [int(one) if one != "ok" else OK for one in statuses.split()]
    return dict(zip(PRINCIPALS, given if len(given) == len(PRINCIPALS) else [*given, 401], strict=True))


# What a route is to each of them. The first two have no share of the sheet; the tokens are the owner's and, the last,
# the administrator's; the deactivated one was an editor; "own rows" edits rows of which row 2 alone is theirs.
PROFILES = {
    #                        admin manager owner editor comment viewer own stranger gone anon read write admin link
    "anyone": profile("       ok    ok      ok    ok     ok      ok     ok  ok       ok   ok   ok   ok    ok    ok"),
    "signed in": profile("    ok    ok      ok    ok     ok      ok     ok  ok       401  401  ok   ok    ok"),
    "changes themselves": profile("ok ok  ok    ok     ok      ok     ok  ok       401  401  403  ok    ok"),
    "by session": profile("   ok    ok      ok    ok     ok      ok     ok  ok       401  401  403  403   403"),
    "nobody": profile("       401   401     401   401    401     401    401 401      401  401  401  401   401"),
    "creates sheets": profile("ok   ok      ok    ok     ok      403    ok  ok       401  401  403  ok    ok"),
    "sees templates": profile("ok   ok      ok    ok     ok      403    ok  ok       401  401  ok   ok    ok"),
    "copies": profile("       404   404     ok    ok     ok      403    ok  404      401  401  403  ok    404"),
    "sees sheet": profile("   404   404     ok    ok     ok      ok     ok  404      401  401  ok   ok    404"),
    "sees row 1": profile("   404   404     ok    ok     ok      ok     404 404      401  401  ok   ok    404"),
    "may visit": profile("    404   404     ok    ok     ok      ok     ok  404      401  401  ok   ok    404   ok"),
    "may not": profile("      404   404     ok    ok     ok      ok     ok  404      401  401  ok   ok    404   403"),
    "may visit 1": profile("  404   404     ok    ok     ok      ok     404 404      401  401  ok   ok    404   ok"),
    "arranges": profile("     404   404     ok    ok     ok      ok     ok  404      401  401  403  ok    404"),
    "edits": profile("        404   404     ok    ok     403     403    ok  404      401  401  403  ok    404"),
    "comments": profile("     404   404     ok    ok     ok      403    ok  404      401  401  403  ok    404"),
    "owner's word": profile(" 404   404     ok    403    403     403    403 404      401  401  403  ok    404"),
    "edits row 1": profile("  404   404     ok    ok     403     403    404 404      401  401  403  ok    404"),
    "sees undo": profile("    404   404     ok    ok     403     403    ok  404      401  401  ok   ok    404"),
    "takes back": profile("   404   404     ok    422    403     403    422 404      401  401  403  ok    404"),
    "sees links": profile("   404   404     ok    403    403     403    403 404      401  401  ok   ok    404"),
    "audits": profile("       ok    404     ok    403    403     403    403 404      401  401  ok   ok    ok"),
    "owns": profile("         404   404     ok    403    403     403    403 404      401  401  403  ok    404"),
    "manages team": profile(" ok    ok      403   403    403     403    403 403      401  401  403  403   ok"),
    "administers": profile("  ok    403     403   403    403     403    403 403      401  401  403  403   ok"),
}


@dataclass(frozen=True)
class Case:
    """One way to ask a route for something that it would do."""

    profile: str
    status: int = 200
    query: str = ""
    json: Any = None
    files: Any = None
    ids: dict[str, int | str] = field(default_factory=dict)  # In the path; {sheet} is the sheet of the test.
    rolled_back: frozenset[str] = frozenset()  # Tables that a 404 had begun to write.


OPERATION, SESSION = str(uuid4()), str(uuid4())
VIEW = 901  # A second view for everyone.
BATCH = {"operation_id": OPERATION}
SHEET = "/v1/sheets/{sheet}"
FILE = {"file": ("deals.csv", b"Deal\nAcme\n", "text/csv")}

# Every route there is. One that is not named here fails the test below.
ROUTES: dict[str, Case | list[Case]] = {
    "GET /openapi.json": Case("anyone"),
    "GET /docs": Case("anyone"),
    "GET /docs/start.js": Case("anyone"),
    "GET /docs/swagger-ui-bundle.js": Case("anyone"),
    "GET /docs/swagger-ui.css": Case("anyone"),
    "GET /health/live": Case("anyone"),
    "GET /health/ready": Case("anyone"),
    "POST /v1/auth/login": Case("anyone", json={"email": "dan@example.com", "password": PASSWORD}),
    "POST /v1/auth/refresh": Case("nobody", json={"refresh_token": "made up"}),
    "POST /v1/auth/logout": Case("by session", 204),
    "GET /v1/me": Case("signed in"),
    "PATCH /v1/me": Case("changes themselves", json={"name": "Somebody", "time_zone": "Europe/Berlin"}),
    "GET /v1/me/sessions": Case("signed in"),
    "DELETE /v1/me/sessions/{session_id}": Case("changes themselves", 404, ids={"session_id": OPERATION}),
    "GET /v1/admin/currency": Case("administers"),
    "PUT /v1/admin/currency": Case("administers", json={"currency": "USD"}),
    "GET /v1/admin/exchange-rates": Case("administers"),
    "PUT /v1/admin/exchange-rates": Case(
        "administers", json={"rates": [{"currency": "USD", "day": "2026-01-02", "rate": "0.9"}]}
    ),
    "GET /v1/admin/settings": Case("administers"),
    "PATCH /v1/admin/settings": Case("administers", json={"week_start": 7}),
    "GET /v1/me/team-offers": Case("signed in"),
    "GET /v1/me/favourites": Case("signed in"),
    "PUT /v1/me/favourites/{sheet}": Case("arranges", 204),
    "DELETE /v1/me/favourites/{sheet}": Case("arranges", 204),
    "PUT /v1/me/team-offers/{team}": Case("changes themselves", 404, ids={"team": 902}),
    "DELETE /v1/me/team-offers/{team}": Case("changes themselves", 404, ids={"team": 902}),
    "POST /v1/me/sign-out-elsewhere": Case("changes themselves", 204, json={}),
    "GET /v1/people": Case("signed in", query="search=ann"),
    "GET /v1/sheets": Case("signed in"),
    "POST /v1/sheets": Case("creates sheets", 201, json={"name": "Mine"}),
    f"GET {SHEET}": Case("may visit"),
    f"PATCH {SHEET}": [
        Case("owns", json={"name": "Ours"}),
        Case("owns", json={"description": "Ours"}),
        Case("owns", json={"pipeline": {}}),
        Case("owns", json={"owner_column": 5}),
        Case("owns", json={"workspace_level": "viewer"}),
    ],
    f"POST {SHEET}/copies": Case("copies", 201, json={"name": "A copy", "rows": True, "operation_id": str(uuid4())}),
    f"POST {SHEET}/template": Case("owns", 201, json={"name": "Theirs"}),
    "GET /v1/templates": Case("sees templates"),
    "POST /v1/templates/{template}": Case("creates sheets", 201, json={"name": "Mine"}, ids={"template": 901}),
    "DELETE /v1/templates/{template}": Case("administers", 204, ids={"template": 901}),
    f"POST {SHEET}/archive": Case("owns"),
    f"POST {SHEET}/restore": Case("owns"),
    f"GET {SHEET}/columns": Case("sees sheet"),
    f"POST {SHEET}/columns": Case("owns", 201, json={"name": "New", "type": "text"}),
    f"GET {SHEET}/columns/{{column}}/candidates": Case("sees sheet", 422, ids={"column": 2}),
    f"GET {SHEET}/related": Case("sees sheet", query="rows=1"),
    f"POST {SHEET}/columns/sales": Case("owns", 201),
    f"PUT {SHEET}/columns/order": Case("owns", json={"order": [2, 1]}),
    f"PATCH {SHEET}/columns/{{column}}": Case("owns", json={"name": "Company"}, ids={"column": 2}),
    f"POST {SHEET}/columns/{{column}}/type/preview": Case("owns", json={"type": "text"}, ids={"column": 11}),
    f"POST {SHEET}/columns/{{column}}/type": Case(
        "owns", json={"type": "text", "operation_id": str(uuid4())}, ids={"column": 11}
    ),
    f"PUT {SHEET}/columns/{{column}}/limits": Case("owns", json={"viewer": "hidden"}, ids={"column": 2}),
    f"DELETE {SHEET}/columns/{{column}}": Case("owns", ids={"column": 11}),
    f"POST {SHEET}/columns/{{column}}/restore": Case("owns", ids={"column": 10}),
    f"GET {SHEET}/rows": [Case("may visit"), Case("may not", query="as_of=version:1")],
    f"GET {SHEET}/order": Case("may visit"),
    f"GET {SHEET}/totals": Case("may visit"),
    f"GET {SHEET}/matches": Case("may visit", query="rows=1&views=[{{}}]"),
    f"GET {SHEET}/rows/{{row}}": Case("may visit 1", ids={"row": 1}),
    f"POST {SHEET}/rows": Case("edits", 201, json={"rows": [{"1": "New"}]}),
    f"PATCH {SHEET}/rows": [
        Case("edits row 1", json=BATCH | {"edits": [{"row": 1, "column": DEAL, "text": "x"}]}),
        Case("edits", json=BATCH | {"edits": [{"row": 2, "column": DEAL, "text": "x"}]}),
        Case("edits", json=BATCH | {"edits": [{"row": 2, "column": DEAL, "text": "x"}], "partial": True}),
        Case("edits", json=BATCH | {"adds": [{"key": "a", "cells": {"1": {"text": "x"}}}]}),
        Case("edits", json=BATCH | {"deletes": [2]}),
    ],
    f"DELETE {SHEET}/rows": [
        # That a row is not there is known once its operation is noted; both go when the transaction is rolled back.
        Case("edits row 1", query="ids=1", rolled_back=frozenset({"operations"})),
        Case("edits", query="ids=2"),
    ],
    f"GET {SHEET}/changes": Case("may visit", query="since=0"),
    f"GET {SHEET}/history": Case("sees sheet"),
    f"GET {SHEET}/rows/{{row}}/history": Case("sees row 1", ids={"row": 1}),
    f"GET {SHEET}/rows/{{row}}/cells/{{column}}/history": Case("sees row 1", ids={"row": 1, "column": 1}),
    f"GET {SHEET}/rows/{{row}}/comments": Case("sees row 1", ids={"row": 1}),
    f"POST {SHEET}/rows/{{row}}/comments": Case("comments", 201, json={"body": "Hello"}, ids={"row": 2}),
    f"PATCH {SHEET}/rows/{{row}}/comments/{{comment}}": Case(
        "owner's word", 204, json={"body": "Hello"}, ids={"row": 2, "comment": 901}
    ),
    f"DELETE {SHEET}/rows/{{row}}/comments/{{comment}}": Case("owner's word", 204, ids={"row": 2, "comment": 901}),
    f"GET {SHEET}/difference": Case("sees sheet", query="from=version:1"),
    f"GET {SHEET}/trash": Case("sees sheet"),
    f"POST {SHEET}/trash/restore": Case("edits", json=BATCH | {"rows": [3]}),
    f"GET {SHEET}/undo": Case("sees undo"),
    f"POST {SHEET}/undo": Case("takes back", json=BATCH),  # 422: who may, and has nothing to take back.
    f"POST {SHEET}/redo": Case("edits", 422, json=BATCH),
    f"GET {SHEET}/views": Case("sees sheet"),
    f"POST {SHEET}/views": [
        Case("arranges", 201, json={"name": "Mine"}),
        Case("edits", 201, json={"name": "Ours", "shared": True}),
    ],
    f"PUT {SHEET}/views/order": Case("edits", json={"order": [VIEW]}),
    f"GET {SHEET}/views/{{view}}": Case("sees sheet", ids={"view": VIEW}),
    f"PATCH {SHEET}/views/{{view}}": [
        Case("arranges", json={"changes": {"hidden": [2]}}, ids={"view": VIEW}),
        Case("edits", json={"name": "Other"}, ids={"view": VIEW}),
    ],
    f"POST {SHEET}/views/{{view}}/save": Case("edits", json={}, ids={"view": VIEW}),
    f"POST {SHEET}/views/{{view}}/discard": Case("arranges", json={}, ids={"view": VIEW}),
    f"POST {SHEET}/views/{{view}}/copy": Case("arranges", 201, json={}, ids={"view": VIEW}),
    f"DELETE {SHEET}/views/{{view}}": Case("edits", 204, ids={"view": VIEW}),
    f"GET {SHEET}/layout": Case("sees sheet"),
    f"PUT {SHEET}/layout": Case("arranges", json={"frozen": 1}),
    f"POST {SHEET}/import": [Case("edits", 201, files=FILE), Case("edits", 200, query="dry_run=true", files=FILE)],
    f"GET {SHEET}/export": Case("may not"),
    f"GET {SHEET}/links": Case("sees links"),
    f"POST {SHEET}/links": Case("owns", 201, json={"name": "Partner"}),
    f"PATCH {SHEET}/links/{{link}}": Case("owns", json={"may_export": True}),
    f"DELETE {SHEET}/links/{{link}}": Case("owns"),
    f"GET {SHEET}/collaborators": Case("sees sheet"),
    "GET /v1/audit": [Case("signed in"), Case("audits", query="sheet={sheet}")],
    "GET /v1/audit/export": [Case("signed in"), Case("audits", query="sheet={sheet}")],
    f"PUT {SHEET}/collaborators/{{user}}": [
        Case("owns", json={"level": "editor"}, ids={"user": 5}),
        Case("owns", json={"level": "viewer", "rows": "own"}, ids={"user": 5}),
    ],
    f"DELETE {SHEET}/collaborators/{{user}}": Case("owns", ids={"user": 3}),
    f"PUT {SHEET}/team-collaborators/{{team}}": Case("owns", json={"level": "viewer"}, ids={"team": 901}),
    f"DELETE {SHEET}/team-collaborators/{{team}}": Case("owns", ids={"team": 902}),
    f"POST {SHEET}/transfer": Case("owns", 204, json={"user": 3}),
    "GET /v1/teams": Case("signed in"),
    "POST /v1/teams": Case("manages team", 201, json={"name": "West"}),
    "GET /v1/teams/{team}": Case("signed in", ids={"team": 901}),
    "PATCH /v1/teams/{team}": Case("manages team", json={"name": "East"}, ids={"team": 901}),
    "DELETE /v1/teams/{team}": [
        Case("manages team", ids={"team": 901}),
        Case("administers", ids={"team": 902}),  # Of which Max is no manager.
    ],
    "PUT /v1/teams/{team}/members/{user}": Case("manages team", json={}, ids={"team": 901, "user": 3}),
    "DELETE /v1/teams/{team}/members/{user}": Case("manages team", ids={"team": 901, "user": 2}),
    "GET /v1/admin/people": Case("administers"),
    "PATCH /v1/admin/people/{user}": Case("administers", json={"role": "manager"}, ids={"user": 3}),
    "POST /v1/admin/people/{user}/sign-out": Case("administers", 204, ids={"user": 3}),
    "POST /v1/admin/people/{user}/reset-link": Case("administers", 201, ids={"user": 3}),
    "GET /v1/admin/sheets": Case("administers"),
    "GET /v1/admin/invitations": Case("administers"),
    "POST /v1/admin/invitations": Case("administers", 201, json={"email": "new@example.com"}),
    "DELETE /v1/admin/invitations/{invitation}": Case("administers", ids={"invitation": 901}),
    "GET /v1/admin/registration": Case("administers"),
    "PUT /v1/admin/registration": Case("administers", json={"who": "open"}),
    "GET /v1/admin/sessions": Case("administers"),
    "DELETE /v1/admin/sessions/{session_id}": Case("administers", 204, ids={"session_id": SESSION}),
    "GET /v1/admin/events": Case("administers"),
    "GET /v1/admin/system": Case("administers"),
}
# Beside the API; their own promises: tests/server/test_session_routes.py, tests/api/live/test_socket.py.
ELSEWHERE = {"POST /session/redeem", "POST /session/sign-out", f"WEBSOCKET {SHEET}/live"}
CASES = [
    pytest.param(name, case, id=f"{name}{f' {place}' if place else ''}")
    for name, given in ROUTES.items()
    for place, case in enumerate(given if isinstance(given, list) else [given])
]
# What a refusal may write: that it was refused. (The table of failed sign-ins, and the log of security events.)
PERMITTED = {"audit_events"}
# What reading may write: that somebody took a copy away.
PERMITTED_TO_A_GET = {"audit_events"}
WRITTEN = text(
    "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS written FROM pg_stat_xact_user_tables"
    " WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"
)
PEOPLE = text("""
    WITH made AS (
        INSERT INTO users (email, name, role, password_hash)
        SELECT lower(given.name) || '@example.com', given.name, given.role, ann.password_hash
        FROM (VALUES ('Max', 'manager'), ('Eve', 'member'), ('Gus', 'member'), ('Owen', 'member')) given (name, role),
             (SELECT password_hash FROM users WHERE name = 'Ann') ann
        RETURNING user_id, name)
    INSERT INTO collaborators (sheet_id, user_id, level, row_scope)
    SELECT :sheet, user_id, CASE name WHEN 'Eve' THEN 'commenter' ELSE 'editor' END,
           CASE name WHEN 'Owen' THEN 'own' ELSE 'all' END
    FROM made WHERE name <> 'Max'
""")
# Team 901, with Ann, is Max's to manage; 902 has no manager, and the sheet. A link, an invitation, a session of Ben's.
AROUND = text(r"""
    WITH made AS (INSERT INTO teams (team_id, name) VALUES (901, 'North'), (902, 'South') RETURNING team_id),
    members AS (
        INSERT INTO team_members (team_id, user_id, is_manager, accepted_at)
        SELECT 901, user_id, name = 'Max', now() FROM users WHERE name IN ('Max', 'Ann')),
    link AS (
        INSERT INTO public_links (link_id, sheet_id, name, hint, token_hash, created_by)
        VALUES (901, :sheet, 'Partner', 'abc', '1', :ann)),
    template AS (INSERT INTO sheet_templates (template_id, name, created_by, structure) OVERRIDING SYSTEM VALUE
        VALUES (901, 'Ours', 1,
                '{"description": "", "icon": "table", "settings": {}, "columns": [], "views": []}')),
    another_view AS (INSERT INTO views (view_id, sheet_id, name, position, created_by) OVERRIDING SYSTEM VALUE
        VALUES (901, :sheet, 'Another', 9, :ann)),
    invitation AS (INSERT INTO invitations (invitation_id, token_hash, email, invited_by, expires_at)
        SELECT 901, '1', 'zoe@example.com', user_id, now() + '1 day' FROM users WHERE name = 'Ada'),
    signed_in AS (
        INSERT INTO sessions (session_id, user_id, token_hash, kind, expires_at)
        SELECT :session, user_id, '1', 'browser', now() + '1 day' FROM users WHERE name = 'Ben')
    INSERT INTO team_collaborators (sheet_id, team_id, level)
    SELECT :sheet, team_id, 'viewer' FROM made WHERE team_id = 902
""")
SAID = text("""
    INSERT INTO comments (comment_id, sheet_id, row_id, author_id, body) VALUES (901, :sheet, 2, :ann, 'Secret')
""")
NAMES = {
    "administrator": "Ada",
    "manager": "Max",
    "owner": "Ann",
    "editor": "Ben",
    "commenter": "Eve",
    "viewer": "Cleo",
    "own rows": "Owen",
    "stranger": "Dan",
    "deactivated": "Gus",
    "anonymous": "nobody",
}
TOKENS = {
    "reading token": ("Ann", Scope.READ),
    "writing token": ("Ann", Scope.WRITE),
    "administering token": ("Ada", Scope.ADMIN),
}
Seats = tuple[Session, dict[str, Person]]


@pytest.fixture(scope="module")
def seats(shared_engine: Engine, own_settings: None) -> Iterator[Seats]:
    """Everybody at a keyboard, once for all cases: each request of theirs is rolled back."""
    with rolled_back(shared_engine) as session:
        yield from seated(session, make_deals(session).sheet.sheet_id)


def seated(session: Session, sheet: int) -> Iterator[Seats]:
    """Row 1 is nobody's, 2 Owen's, 3 was Owen's and is in the trash; column 10 is retired."""
    session.execute(PEOPLE, {"sheet": sheet})
    session.execute(AROUND, {"sheet": sheet, "session": SESSION, "ann": actor("Ann").user_id})
    owen = session.scalar(text("SELECT user_id FROM users WHERE name = 'Owen'"))
    with TestClient(make_app(), base_url="http://localhost", raise_server_exceptions=False) as client:
        people = {kind: sign_in(client, name, sheet) for kind, name in NAMES.items()}
        for kind, (name, scope) in TOKENS.items():
            token = create_token(session, actor(name), name=kind, scope=scope, days=1)
            people[kind] = Person(client, token, sheet)
            people[kind].get("/me")  # When a token was used is noted once a minute: here, and not in the test.
        visit = open_as_visitor(client, sheet)
        people["link"] = Visiting(client, "", sheet, headers=visit.headers)
        for person in people.values():
            person.link = visit.link
        people["owner"].add({DEAL: "Secret"}, {DEAL: "Owen's", OWNER: str(owen)}, {DEAL: "Gone", OWNER: str(owen)})
        session.execute(SAID, {"sheet": sheet, "ann": actor("Ann").user_id})
        people["owner"].ask("DELETE", "/sheets/{sheet}/rows?ids=3")
        people["owner"].ask("DELETE", "/sheets/{sheet}/columns/10")
        session.execute(text("UPDATE users SET is_active = false WHERE name = 'Gus'"))
        yield session, people


@dataclass
class Visiting(Person):
    """Whoever came by a public link: a browser whose requests speak for it."""

    headers: dict[str, str] = field(default_factory=dict)


def asked(person: Person, name: str, case: Case) -> httpx.Response:
    """The answer to one person's request."""
    method, _, path = name.partition(" ")
    filled = f"{path}?{case.query}".format(**{"sheet": person.sheet, "link": person.link} | case.ids)
    headers = {"Authorization": f"Bearer {person.token}"} if person.token else getattr(person, "headers", {})
    more = {key: value for key, value in (("json", case.json), ("files", case.files)) if value is not None}
    return person.client.request(method, f"/api{filled}", headers=headers, **more)


def written(session: Session) -> dict[str, int]:
    """Table → how many tuples this transaction has written so far, undone or not."""
    return {line.relname: line.written for line in session.execute(WRITTEN)}


def touched(session: Session, before: dict[str, int]) -> set[str]:
    return {table for table, count in written(session).items() if count != before.get(table, 0)}


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_route_answers_each_principal_as_the_table_says(
    seats: Seats, shared_engine: Engine, name: str, case: Case
) -> None:
    shared_engine.dispose()  # What is remembered of the sheet goes with the pool: the case before was rolled back.
    session, principals = seats
    found, wrote, told = {}, {}, {}
    for kind, person in principals.items():
        before = written(session)
        session.execute(text("SAVEPOINT before_the_request"))
        answer = asked(person, name, case)
        found[kind] = answer.status_code
        if (permitted := may_write(name, answer, case)) is not None:
            wrote[kind] = touched(session, before) - permitted
        if answer.is_error:
            told[kind] = (answer.headers["content-type"], secrets_in(answer))
        session.execute(text("ROLLBACK TO SAVEPOINT before_the_request"))
    promised = {kind: promise or case.status for kind, promise in PROFILES[case.profile].items()}
    assert found == promised
    assert {kind: tables for kind, tables in wrote.items() if tables} == {}
    assert {kind: said for kind, said in told.items() if said != ("application/problem+json", [])} == {}


def secrets_in(answer: httpx.Response) -> list[str]:
    """What stands in a refusal and must not: what is in the rows, and the sheet's name for those who do not see it."""
    name = "|Deals" if answer.status_code in {401, 404} else ""
    return re.findall(f"Secret|Owen's|Gone{name}", answer.text)


def may_write(name: str, answer: httpx.Response, case: Case) -> set[str] | None:
    """The tables that this answer may have written; None: whatever it likes."""
    if answer.is_error:
        return PERMITTED | (case.rolled_back if answer.status_code == 404 else set())
    return PERMITTED_TO_A_GET if name.startswith("GET ") else None


def test_every_route_stands_in_the_table() -> None:
    """A new route says here who may what, or the build fails."""
    assert sorted(all_routes() ^ (ROUTES.keys() | ELSEWHERE)) == []


def test_every_profile_is_used() -> None:
    assert {case.values[1].profile for case in CASES} == PROFILES.keys()  # type: ignore[attr-defined]


def all_routes() -> set[str]:
    """Every route as "METHOD path", below /api, and those of signing in and out beside it."""
    api = create_api()
    named = {f"{method} {route.path}" for route in session_routes(settings()) for method in route.methods or ()}
    for route in iter_route_contexts(api.routes):
        methods = getattr(route, "methods", None) or {"WEBSOCKET"}
        named |= {f"{method} {route.path}" for method in methods}
    return {name for name in named if not name.startswith("HEAD ")}

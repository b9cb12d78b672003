"""Fill a database with the code of commit 1dea449, and keep its dump and what that code reads of it.

This ran once; tests/db/test_upgrade.py needs only the two files. To make them again (needs PostgreSQL 15 of the system,
so that the dump loads on 15 and later):

    git worktree add /tmp/before 1dea449 && cp -r tests/db/data /tmp/before/tests/db/
    cd /tmp/before && PYTHON -m tests.db.data.fill && cp tests/db/data/*.gz REPOSITORY/tests/db/data/

Ids and values are the same each time; times, hashes and secrets are not.
"""

import gzip
import json
import os
import subprocess
import tempfile
from dataclasses import asdict
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from db import engine as db
from db.migrate import migrate
from tests.conftest import execute, owner_url
from tests.db.data.reads import ARCHIVED, AUDIT_TRAILS, CONTACTS, DEALS, PASSWORD, TODAY, TYPES, Query, read_all

FOLDER = Path(__file__).parent
ACCOUNTS = ("Acme GmbH", "ACME Inc", "Łódź Works", "Izmir Export", "İzmir Trade", "Ångström AB", "Crate & Co", "")
STAGES = ("o1", "o2", "o3", "o4", "o5", "o6")
ROLES = {"mia": "manager", "ann": "member", "ben": "member", "cleo": "analyst", "dan": "member"}
NUMBERS = {"ada": 1, "mia": 2, "ann": 3, "ben": 4, "cleo": 5, "dan": 6}
ONE_OF_EACH: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Text", "text", {}),
    ("Long text", "long_text", {}),
    ("Number", "number", {"decimals": 3}),
    ("Money", "money", {"decimals": 2}),  # Without a currency: later code asks for one.
    ("Percent", "percent", {}),
    ("Choice", "choice", {}),
    ("Choices", "choices", {}),
    ("Date", "date", {}),
    ("Instant", "datetime", {}),
    ("Done", "checkbox", {}),
    ("Link", "link", {}),
    ("E-mail", "email", {"unique": True}),
    ("Phone", "phone", {}),
    ("Person", "person", {}),
)
OPTIONS = [
    {"id": f"o{place}", "label": label, "color": "blue"} for place, label in enumerate(("Red", "Größe", "Blue"), 1)
]
EDGES: list[dict[str, Any]] = [
    {"1": "zebra", "2": "two\nlines", "3": "123456789012345.125", "4": "0.1", "5": "12.5", "6": "o1",
     "7": ["o1", "o3"], "8": "2024-02-29", "9": "2026-03-29T01:30:00Z", "10": True, "11": "https://example.com/a?b=1",
     "12": "zoe@example.com", "13": "+49 30 1234567", "14": "3"},
    {"1": "=1+1", "3": "-0.001", "4": "-99.99", "5": "-3", "6": "o2", "7": ["o2"], "8": "1900-01-01",
     "9": "1999-12-31T23:59:59Z", "10": False, "12": "yan@example.com", "14": "4"},
    {"1": "Ärger", "2": "ﬁne 👩‍🚀", "3": "0", "6": "o3", "8": "2199-12-31", "12": "Xaver@example.com", "13": "030/99"},
    {"1": "argon"},
    {"1": "İzmir"},
    {"1": "ızgara"},
    {"12": "only@example.com"},
]  # fmt: skip
CSV = (
    "Deal,Account,Stage,Amount,Region\nImported one,Acme GmbH,Lead,1200.50,North\nImported two,Straße 9,Won,99,South\n"
)


class Keyboard:
    """Requests of one person; every answer has to be the expected one."""

    def __init__(self, client: TestClient, **headers: str) -> None:
        self.client, self.headers = client, headers

    def send(self, method: str, path: str, *, status: int = 0, **more: Any) -> Any:
        response = self.client.request(method, f"/api/v1{path}", headers=self.headers, **more)
        assert response.status_code == status if status else response.is_success, (method, path, response.text)
        is_json = "json" in response.headers.get("content-type", "")
        return response.json() if is_json else response.text

    def change(self, sheet: int, name: str, *, status: int = 200, **body: Any) -> dict[str, Any]:
        """A batch under an operation id of this name; the request and its answer, for a later replay."""
        body = {"operation_id": operation_id(name)} | body
        answer = self.send("PATCH", f"/sheets/{sheet}/rows", status=status, json=body)
        return {"sheet": sheet, "body": body, "status": status, "answer": answer}


def operation_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"https://example.com/{name}"))


def edit(row: int, column: int, value: Any, base: int | None = None) -> dict[str, Any]:
    return {"row": row, "column": column, "value": value, "base": base}


def sign_in(client: TestClient, name: str) -> Keyboard:
    body = {"email": f"{name}@example.com", "password": PASSWORD}
    token = client.post("/api/v1/auth/login", json=body).json()["access_token"]
    return Keyboard(client, Authorization=f"Bearer {token}")


def accounts(client: TestClient) -> dict[str, Keyboard]:
    """Ada administers; the others come by her invitations."""
    create_user = import_module("core.accounts").create_user
    accept_invitation = import_module("core.invitations").accept_invitation
    role = import_module("core.permissions").Role
    with db.transaction() as session:
        create_user(session, None, email="ada@example.com", name="Ada", role=role.ADMIN, password=PASSWORD)
    keyboards = {"ada": sign_in(client, "ada")}
    for name, role_name in ROLES.items():
        email = f"{name}@example.com"
        link = keyboards["ada"].send("POST", "/admin/invitations", json={"email": email, "role": role_name})["link"]
        with db.transaction() as session:
            accept_invitation(
                session, link.rpartition("/")[2].rpartition("=")[2], email=email, name=name.title(), password=PASSWORD
            )
        keyboards[name] = sign_in(client, name)
    ada = keyboards["ada"]
    ada.send("POST", "/admin/invitations", json={"email": "eve@example.com", "role": "member"})
    ada.send("PUT", "/admin/registration", json={"who": "domains", "domains": ["example.com"]})
    client.post("/api/v1/auth/login", json={"email": "ben@example.com", "password": "something else"})
    keyboards["ann"].send("PATCH", "/me", json={"name": "Ann Ångström"})
    return keyboards


def deal(place: int) -> dict[str, Any]:
    """A deal with holes of every kind."""
    cells = {
        "1": f"Deal {place:02d}",
        "2": ACCOUNTS[place % 8],
        "3": STAGES[place % 6],
        "4": None if place % 7 == 0 else f"{place * 731}.{place:02d}",
        "5": ("3", "4", None)[place % 3],
        "6": f"2026-0{place % 6 + 1}-1{place % 10}",
        "7": None if place % 9 == 0 else f"2026-{place % 12 + 1:02d}-0{place % 9 + 1}",
        "11": "A note, with “quotes”" if place % 4 == 0 else None,
    }
    return {column: value for column, value in cells.items() if value not in (None, "")}


def shifted(row: dict[str, Any]) -> dict[str, Any]:
    """The cells of ONE_OF_EACH stand behind the two columns of a blank sheet."""
    return {str(int(column) + 2): value for column, value in row.items()}


def now(engine: Any) -> str:
    with engine.connect() as connection:
        return str(connection.scalar(text('SELECT to_char(now(), \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')')))


def work(client: TestClient, people: dict[str, Keyboard], engine: Any) -> dict[str, Any]:
    """Everybody works on four sheets. What the test has to know of it."""
    ada, mia, ann, ben, cleo = (people[name] for name in ("ada", "mia", "ann", "ben", "cleo"))
    instants = []
    ann.send("POST", "/sheets", json={"name": "Deals", "template": "pipeline"})
    ann.send("POST", "/sheets", json={"name": "Every type", "template": "blank", "description": "One of each"})
    ben.send("POST", "/sheets", json={"name": "Contacts", "template": "contacts"})
    ann.send("POST", "/sheets", json={"name": "Old accounts", "template": "accounts"})

    mia.send("POST", "/teams", json={"name": "North"})
    ada.send("PUT", "/teams/1/members/4", json={"is_manager": False})
    ada.send("PUT", "/teams/1/members/6", json={"is_manager": False})
    ada.send("DELETE", "/teams/1/members/6")
    ann.send("PUT", f"/sheets/{DEALS}/collaborators/4", json={"level": "editor"})
    ann.send("PUT", f"/sheets/{DEALS}/collaborators/6", json={"level": "editor"})
    ann.send("PUT", f"/sheets/{DEALS}/collaborators/5", json={"level": "viewer"})
    ann.send("PUT", f"/sheets/{DEALS}/team-collaborators/1", json={"level": "commenter", "rows": "team"})
    ann.send("PUT", f"/sheets/{TYPES}/collaborators/4", json={"level": "editor", "rows": "all"})
    ann.send("PATCH", f"/sheets/{ARCHIVED}", json={"workspace_level": "viewer"})

    ann.send("POST", f"/sheets/{DEALS}/rows", json={"rows": [deal(place) for place in range(1, 31)]})
    instants.append(now(engine))
    replays = [
        ann.change(DEALS, "plain", edits=[edit(1, 4, "5000.05", 1)], source="grid") | {"person": "ann"},
        ben.change(DEALS, "block", edits=[edit(row, 8, f"o{row % 5 + 1}", 1) for row in range(1, 11)])
        | {"person": "ben"},
        ben.change(DEALS, "stage", edits=[edit(2, 3, "o5", 1), edit(2, 4, "777.70", 1)]) | {"person": "ben"},
    ]
    conflict = ann.change(DEALS, "conflict", edits=[edit(2, 3, "o6", 1)], status=409)
    partly = ann.change(DEALS, "partial", edits=[edit(2, 3, "o6", 1), edit(3, 3, "o4", 1)], partial=True)
    replays.append(partly | {"person": "ann"})
    ann.change(DEALS, "refused", edits=[edit(3, 4, "-5", 1)], status=422)
    ben.change(DEALS, "added", adds=[{"key": "a", "cells": {"1": {"text": "Typed"}, "4": {"text": "12.50"}}}])
    ben.change(DEALS, "gone", edits=[edit(6, 9, "Call", 1)], deletes=[7, 8])
    instants.append(now(engine))
    ann.send("DELETE", f"/sheets/{DEALS}/rows", params={"ids": "9,10,11"})
    ann.send("POST", f"/sheets/{DEALS}/trash/restore", json={"operation_id": operation_id("back"), "rows": [10]})
    ann.change(DEALS, "to undo", edits=[edit(4, 9, "Write", 1), edit(12, 9, "Ask", 1)])
    ann.send("POST", f"/sheets/{DEALS}/undo", json={"operation_id": operation_id("undo")})
    ann.send("POST", f"/sheets/{DEALS}/redo", json={"operation_id": operation_id("redo")})
    ann.change(DEALS, "second", edits=[edit(13, 9, "Wait", 1)])
    ann.send("POST", f"/sheets/{DEALS}/undo", json={"operation_id": operation_id("undo second")})
    file = {"file": ("deals.csv", CSV.encode(), "text/csv")}
    ann.send("POST", f"/sheets/{DEALS}/import", files=file, data={"operation_id": operation_id("import")})
    people["dan"].change(DEALS, "of Dan", edits=[edit(14, 2, "Dan's account", 1)])
    instants.append(now(engine))

    comments = f"/sheets/{DEALS}/rows/1/comments"
    for keyboard, body in ((ann, "Is it <b>won</b>?"), (ben, "Yes.\nSigned."), (ben, "A mistake"), (mia, "Well done")):
        keyboard.send("POST", comments, json={"body": body})
    ben.send("PATCH", f"{comments}/2", json={"body": "Yes, signed today."})
    ben.send("DELETE", f"{comments}/3")

    ann.send("POST", f"/sheets/{DEALS}/columns", json={"name": "Margin", "type": "percent"})
    ann.send("POST", f"/sheets/{DEALS}/columns", json={"name": "Fax", "type": "phone"})
    ann.change(DEALS, "margins", edits=[edit(1, 13, "12.5"), edit(2, 13, "40"), edit(2, 14, "+49 30 1")])
    ann.send("PATCH", f"/sheets/{DEALS}/columns/13", json={"name": "Our margin", "description": "After discount"})
    ann.send(
        "PUT", f"/sheets/{DEALS}/columns/13/limits", json={"editor": "read-only", "viewer": "hidden", "link": "hidden"}
    )
    ann.send("DELETE", f"/sheets/{DEALS}/columns/14")
    ann.send("DELETE", f"/sheets/{DEALS}/columns/8")
    ann.send("POST", f"/sheets/{DEALS}/columns/8/restore")
    ann.send("PUT", f"/sheets/{DEALS}/columns/order", json={"order": [1, 3, 2]})
    layout = {"widths": {"1": 240}, "hidden": [11], "order": [2, 1], "frozen": 1, "view": {"sort": [{"column": 4}]}}
    ann.send("PUT", f"/sheets/{DEALS}/layout", json=layout)
    link = ann.send("POST", f"/sheets/{DEALS}/links", json={"name": "Partner", "may_export": True})
    ann.send("POST", f"/sheets/{DEALS}/links", json={"name": "With a password", "password": "a long password 9"})
    ann.send("POST", f"/sheets/{DEALS}/links", json={"name": "Ended"})
    ann.send("DELETE", f"/sheets/{DEALS}/links/3")

    for name, type_name, rules in ONE_OF_EACH:
        options = OPTIONS if type_name.startswith("choice") else []
        column = {"name": name, "type": type_name, "rules": rules, "options": options}
        ann.send("POST", f"/sheets/{TYPES}/columns", json=column)
    ann.send("POST", f"/sheets/{TYPES}/rows", json={"rows": [shifted(row) for row in EDGES]})
    retired = [OPTIONS[0], OPTIONS[1] | {"retired": True}, OPTIONS[2]]
    ann.send("PATCH", f"/sheets/{TYPES}/columns/8", json={"options": retired})
    ben.send("POST", f"/sheets/{CONTACTS}/rows", json={"rows": [{"1": "Zoë Beispiel"}, {"1": "Ali Örnek"}]})
    ben.send("PUT", f"/sheets/{CONTACTS}/collaborators/3", json={"level": "editor"})
    ben.send("POST", f"/sheets/{CONTACTS}/transfer", json={"user": 3})
    ann.send("POST", f"/sheets/{ARCHIVED}/rows", json={"rows": [{"1": "Acme GmbH"}]})
    ann.send("POST", f"/sheets/{ARCHIVED}/archive")
    cleo.send("GET", f"/sheets/{DEALS}/export")
    ada.send("PATCH", f"/admin/people/{NUMBERS['dan']}", json={"is_active": False})
    api_token = personal_token()
    token = link["url"].rpartition("/")[2]
    return {"instants": instants, "replays": replays, "conflict": conflict, "link": token, "api_token": api_token}


def personal_token() -> str:
    """A personal API token of Ann's."""
    tokens = import_module("core.api_tokens")
    with db.transaction() as session:
        token: str = tokens.make_token(session, ann_herself(), name="Script", scope=tokens.Scope.READ, days=30)
    return token


def ann_herself() -> Any:
    """Ann, as commands of core take her."""
    actor, role = import_module("core.actor").Actor, import_module("core.permissions").Role
    return actor(user_id=NUMBERS["ann"], name="Ann", email="ann@example.com", role=role.MEMBER)


def visitor(client: TestClient, token: str) -> Keyboard:
    """A browser that has the public link open."""
    opened = import_module("core.link_door").open_link(db.transaction, token, address="192.0.2.9")
    with db.transaction() as session:
        (visit,) = import_module("core.links").visits_of_tokens(session, [opened.token])
    return Keyboard(client, **{"X-Contrivance-Link": str(opened.link_id), "X-Contrivance-Visit": str(visit)})


def figures() -> dict[str, Any]:
    """The dashboard's figures of the deals, as Ann sees them."""
    with db.snapshot() as session:
        access = import_module("core.access").get_access(session, ann_herself(), DEALS)
        view = import_module("core.query").View()
        computed = import_module("core.dashboard").figures(session, access, view, today=date.fromisoformat(TODAY))
    plain: dict[str, Any] = json.loads(json.dumps(asdict(computed), default=str))
    return plain


def main() -> None:
    support = import_module("tests.cluster")
    with tempfile.TemporaryDirectory() as data, support.cluster(support.system_binaries()) as server:
        os.environ["CONTRIVANCE_DATA"] = data
        execute(server, "CREATE ROLE owner LOGIN CREATEROLE")
        execute(server, "CREATE DATABASE filled OWNER owner")
        url = owner_url(server, "filled")
        owner = db.make_engine(url, role=None)
        migrate(owner)
        owner.dispose()
        engine = db.make_engine(url)
        db.bind(engine)
        app = FastAPI(openapi_url=None)
        app.mount("/api", import_module("api.app").create_api())
        limits, rates = import_module("core.limits"), import_module("core.rates")
        limits.configure_limits(dict.fromkeys(rates.RATES, rates.Rate(10_000, 60)))
        with TestClient(app, base_url="http://localhost") as client:
            people = accounts(client)
            facts = work(client, people, engine)
            people["visitor"] = visitor(client, facts["link"])
            reads = read_all(lambda person, path, query: answer(people[person], path, query), facts["instants"])
            trails = {name: people[name].send("GET", "/audit", params=query) for name, query in AUDIT_TRAILS.items()}
        with db.transaction() as session:
            position, chained = import_module("core.audit_chain").head(session)
        facts |= {"reads": reads, "figures": figures(), "chain": [position, chained]}
        facts["audit"] = {name: trail["events"] for name, trail in trails.items()}
        engine.dispose()
        dump = ["pg_dump", "--inserts", "--rows-per-insert=200", "--no-owner", "--dbname", url]
        sql = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
    lines = [line for line in sql.splitlines() if not line.startswith(("--", "\\"))]
    keep("filled_1dea449.sql.gz", "\n".join(lines))
    keep("reads_1dea449.json.gz", json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True))


def answer(keyboard: Keyboard, path: str, query: Query) -> Any:
    """Status and content: what is refused has to be refused later, too."""
    response = keyboard.client.get(f"/api/v1{path}", headers=keyboard.headers, params=query)
    is_json = "json" in response.headers.get("content-type", "")
    return [response.status_code, response.json() if is_json else response.text]


def keep(name: str, content: str) -> None:
    (FOLDER / name).write_bytes(gzip.compress(content.encode(), mtime=0))


if __name__ == "__main__":
    main()

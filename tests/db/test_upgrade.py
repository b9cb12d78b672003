"""A database that commit 1dea449 filled is upgraded, and today's code reads of it what that commit's code read.

tests/db/data/fill.py made the database and the answers of then; tests/db/data/reads.py lists what is read.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from fastapi.testclient import TestClient
from sqlalchemy import text

from core.access.load import get_access
from core.audit import chain
from core.base.actor import Actor
from core.base.permissions import Role
from core.config.rate_settings import RATES, Rate
from core.config.settings import settings
from core.limits.rate_limits import configure_limits
from core.pipeline.figures import FIGURES, figures
from core.rows.query import View
from core.sharing.public_link_visits import open_link
from core.sharing.public_links import visits_of_tokens
from db import engine as db
from db.migrate import config, current_revision, expected_revision, migrate
from tests.api.conftest import Person, make_app, sign_in
from tests.conftest import apart, execute, owner_url
from tests.db.data.reads import ARCHIVED, AUDIT_TRAILS, CONTACTS, DEALS, PASSWORD, PEOPLE, TODAY, TYPES, Query, read_all

FOLDER = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def before() -> Any:
    """The answers of the code that filled the database, and facts for going on with its work."""
    return json.loads(gzip.decompress((FOLDER / "reads_1dea449.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def upgraded_template(server: str, template: str) -> str:
    """The filled database after every migration; `template` has made the roles."""
    execute(server, "CREATE DATABASE upgraded OWNER owner")
    url = owner_url(server, "upgraded")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(gzip.decompress((FOLDER / "filled_1dea449.sql.gz").read_bytes()))
    owner = db.make_engine(url, role=None)
    migrate(owner)
    owner.dispose()
    return "upgraded"


@pytest.fixture
def upgraded(server: str, upgraded_template: str) -> Iterator[str]:
    """A copy of the upgraded database for one test: the owner's URL. transaction() goes to it."""
    name = f"upgraded_{uuid4().hex}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {upgraded_template} OWNER owner STRATEGY file_copy")
    url = owner_url(server, name)
    engine = db.make_engine(url)
    db.bind(engine, join_transaction_mode="conditional_savepoint")
    yield url
    with engine.connect() as connection:
        assert apart(connection) == []
    engine.dispose()
    db.bind(None)
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def client(
    upgraded: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """The API on that copy, without limits of pace."""
    monkeypatch.setenv("CONTRIVANCE_DATA", str(tmp_path_factory.mktemp("data")))
    settings.cache_clear()
    configure_limits(dict.fromkeys(RATES, Rate(10_000, 60)))
    with TestClient(make_app(), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client
    settings.cache_clear()


def test_the_tables_are_those_of_the_code(upgraded: str) -> None:
    owner = db.make_engine(upgraded, role=None)
    with owner.connect() as connection:
        command.check(config(connection))
        assert current_revision(connection) == expected_revision()
    owner.dispose()


def test_every_answer_of_the_api_is_the_answer_of_before(client: TestClient, before: Any) -> None:
    people = {name: sign_in(client, name) for name in PEOPLE}
    visitor = visitor_headers(before["link"])

    def ask(person: str, path: str, query: Query) -> Any:
        if person == "visitor":
            response = client.get(f"/api/v1{path}", params=query, headers=visitor)
        else:
            response = people[person].ask("GET", path, params=query)
        is_json = "json" in response.headers.get("content-type", "")
        return [response.status_code, response.json() if is_json else response.text]

    for request, answer in read_all(ask, before["instants"]).items():
        is_resorted = any(f'"sort": "{column},1"' in request for column in TEXT_ORDERS)
        part = in_any_order if is_resorted else unchanged_part
        assert part(answer) == part(before["reads"][request]), request


# What later changes altered on purpose, and what reading itself alters.
WORDING = {"detail"}  # Messages of errors; their status and other fields are compared.
# A member of a team accepts first, a public link can show one view, and columns have defaults.
ADDED_FIELDS = {"is_accepted", "view_name", "default"}
MOMENTS_OF_USE = {"last_seen_at", "last_used_at"}  # The test itself signs in and opens the link.
# Texts are sorted by one folding now, where commit 1dea449 sorted İ behind z and ﬁ behind t: the rows by these columns.
TEXT_ORDERS = {3: [2, 3, 4, 6, 5, 1, 7], 4: [3, 1]}
LEFT_OUT = WORDING | ADDED_FIELDS | MOMENTS_OF_USE
ADDED_PERMISSIONS = {"views:edit"}
DEFAULTS = {"descending": False, "view": None, "frozen": 1}  # What is so unless somebody says otherwise.


def unchanged_part(value: Any) -> Any:
    """The JSON without the fields of LEFT_OUT, defaults and the permissions that came later."""
    if isinstance(value, dict):
        fields = {name: part for name, part in value.items() if name not in DEFAULTS or part != DEFAULTS[name]}
        return {name: unchanged_part(part) for name, part in fields.items() if name not in LEFT_OUT}
    if isinstance(value, list):
        return [unchanged_part(part) for part in value if not isinstance(part, str) or part not in ADDED_PERMISSIONS]
    return value


def in_any_order(answer: Any) -> Any:
    """The unchanged part of the answer with its rows by id."""
    status, page = unchanged_part(answer)
    return [status, page | {"rows": sorted(page["rows"], key=lambda row: int(row["id"]))}]


def test_texts_of_before_are_sorted_by_the_folding_of_today(client: TestClient) -> None:
    ann = sign_in(client, "ann")
    for column, order in TEXT_ORDERS.items():
        rows = ann.get(f"/sheets/{TYPES}/rows", sort=f"{column},1")["rows"]
        assert [row["id"] for row in rows][: len(order)] == order


def test_a_layout_of_before_is_ones_own_changes_of_the_first_view(client: TestClient, before: Any) -> None:
    layout = before["reads"][f"ann /sheets/{DEALS}/layout"][1]
    for sheet in (DEALS, TYPES, CONTACTS, ARCHIVED):
        (view,) = sign_in(client, "ann").get(f"/sheets/{sheet}/views")["views"]
        assert (view["name"], view["kind"], view["shared"], view["settings"]) == ("All rows", "grid", True, {})
        arranged = {key: layout[key] for key in ("widths", "hidden", "order")}
        mine = arranged | {"sort": [{"column": 4, "descending": False}]} if sheet == DEALS else {}
        assert view["changes"] == mine
    (view,) = sign_in(client, "ben").get(f"/sheets/{DEALS}/views")["views"]
    assert view["changes"] == {}


def visitor_headers(token: str) -> dict[str, str]:
    """What the requests of a browser say that has opened the public link of before."""
    visit = open_link(db.transaction, token, address="192.0.2.9")
    assert visit.token
    with db.transaction() as session:
        (visit_id,) = visits_of_tokens(session, [visit.token])
    return {"X-Contrivance-Link": str(visit.link_id), "X-Contrivance-Visit": str(visit_id)}


def test_the_figures_of_the_dashboard_are_those_of_before(upgraded: str, before: Any) -> None:
    ann = Actor(user_id=3, name="Ann", email="ann@example.com", role=Role.MEMBER)
    with db.snapshot() as session:
        access = get_access(session, ann, DEALS)
        computed = figures(session, access, View(), today=date.fromisoformat(TODAY))
    for name in FIGURES:
        figure = computed.values[name]
        today = [asdict(part) for part in figure] if isinstance(figure, list) else asdict(figure)
        left_out = ADDED_COUNTS | ({"view"} if name == "accounts" else set())
        assert comparable(today, left_out) == comparable(before["figures"][name], left_out), name
    assert [account.label for account in computed.accounts][:2] == ["Crate & Co", "Łódź Works"]


# How many deals have an amount is counted since averages divide by it. The view of an account names it by its folding,
# which is “lodz works” now and was “łódź works”.
ADDED_COUNTS = {"open_valued", "won_valued", "won_now_valued", "valued_count"}


def comparable(value: Any, left_out: set[str]) -> Any:
    """Plain JSON without these fields, its numbers without zeros at their end."""
    if isinstance(value, dict):
        return {name: comparable(part, left_out) for name, part in value.items() if name not in left_out}
    if isinstance(value, list | tuple):
        return [comparable(part, left_out) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    try:
        return str(Decimal(value).normalize()) if isinstance(value, str | Decimal) else value
    except InvalidOperation:
        return value


def test_the_audit_trail_has_every_event_in_its_chain(client: TestClient, upgraded: str, before: Any) -> None:
    position, head = before["chain"]
    engine = db.make_engine(upgraded)
    assert chain.verify(engine, head=head).events == position
    engine.dispose()
    for name, query in AUDIT_TRAILS.items():
        earlier = before["audit"][name]
        events = sign_in(client, name).get("/audit", before=earlier[0]["event_id"] + 1, **query)["events"]
        assert [without_sentence(event) for event in events] == [without_sentence(event) for event in earlier]
        assert all(event["sentence"] for event in events)


def without_sentence(event: dict[str, Any]) -> dict[str, Any]:
    """The action, its facts and people, as recorded. The wording of sentences has changed."""
    return {name: value for name, value in event.items() if name != "sentence"}


def test_a_password_of_before_signs_in(client: TestClient) -> None:
    response = client.post("/api/v1/auth/login", json={"email": "ben@example.com", "password": PASSWORD})
    assert response.status_code == 200, response.text


def test_a_personal_token_of_before_reads(client: TestClient, upgraded: str, before: Any) -> None:
    owner = db.make_engine(upgraded, role=None)
    with owner.begin() as connection:
        connection.execute(text("UPDATE api_tokens SET expires_at = now() + interval '1 day'"))
    owner.dispose()
    script = Person(client, before["api_token"], DEALS)
    assert script.get("/me")["email"] == "ann@example.com"
    assert script.edit(1, 9, "Not by this one").status_code == 403


def test_an_operation_of_before_is_answered_again_and_not_done_again(client: TestClient, before: Any) -> None:
    for replay in before["replays"]:
        person = on_sheet(client, replay["person"])
        version = person.version
        response = person.change(**replay["body"])
        assert response.status_code == replay["status"], response.text
        assert response.json() == replay["answer"]
        assert person.version == version


def test_a_conflict_of_before_is_a_conflict_still(client: TestClient, before: Any) -> None:
    response = on_sheet(client, "ann").change(**before["conflict"]["body"])
    assert response.status_code == 409
    (cell,) = response.json()["cells"]
    (earlier,) = before["conflict"]["answer"]["cells"]
    assert cell == earlier | {"reason": None}  # Given where the base is newer than the sheet.


def test_work_goes_on(client: TestClient) -> None:
    """A cell is written, and that and an operation of before are taken back and done again."""
    ann = on_sheet(client, "ann")
    version = ann.version
    assert ann.edit(4, 9, "Later", version).status_code == 200
    assert ann.cell(4, 9) == "Later"
    ann.ask("POST", "/sheets/{sheet}/undo", json={"operation_id": str(uuid4())})
    assert ann.cell(4, 9) == "Write"
    assert ann.cell(1, 13) == "12.5"
    undone = ann.ask("POST", "/sheets/{sheet}/undo", json={"operation_id": str(uuid4())})
    assert undone.status_code == 200, undone.text
    assert ann.cell(1, 13) is None
    ann.ask("POST", "/sheets/{sheet}/redo", json={"operation_id": str(uuid4())})
    assert ann.cell(1, 13) == "12.5"
    assert ann.add({1: "New", 2: "Żółw"}) == [34]


def on_sheet(client: TestClient, name: str) -> Person:
    return sign_in(client, name, DEALS)


def test_what_stages_mean_is_assumed_to_be_what_they_meant(upgraded: str) -> None:
    with db.transaction() as session:
        lines = session.execute(
            text("""
                SELECT m.option_id, m.kind, m.probability, m.is_assumed, o.value
                FROM stage_meanings m JOIN columns k USING (sheet_id, column_id), jsonb_array_elements(k.options) o
                WHERE m.sheet_id = :sheet AND o.value ->> 'id' = m.option_id AND m.since = '-infinity'
            """),
            {"sheet": DEALS},
        ).all()
    assert lines
    for _, kind, probability, is_assumed, option in lines:
        assert (kind, probability, is_assumed) == (option.get("kind"), option.get("probability"), True)

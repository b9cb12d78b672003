"""What belongs to another sheet, person or time is not reached through one's own: ids, keys, caches and addresses."""

from collections import defaultdict
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.api.conftest import AMOUNT, DEAL, OWNER, People, Person
from tests.api.security.test_route_matrix import ROUTES
from tests.conftest import actor

SECRET = "Project Falcon"
WRITTEN = text("SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables")


@pytest.fixture
def apart(people: People) -> tuple[Person, Person]:
    """Ann with a sheet that nobody else has, with a secret in its second row; and Ben in a sheet of his own."""
    ann, ben = people("Ann"), people("Ben")
    for person in (ann, ben):
        person.sheet = person.ask("POST", "/sheets", json={"name": "Mine", "template": "pipeline"}).json()["id"]
    ann.add({DEAL: "Acme"}, {DEAL: SECRET})
    ann.edit(2, AMOUNT, "73519")
    ben.add({DEAL: "Bens"})
    return ann, ben


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/rows/2", None),
        ("GET", "/rows/2/history", None),
        ("GET", "/rows/2/cells/1/history", None),
        ("DELETE", "/rows?ids=2", None),
        ("PATCH", "/rows", {"edits": [{"row": 2, "column": DEAL, "value": "x"}]}),
        ("POST", "/trash/restore", {"rows": [2]}),
        ("PATCH", "/columns/99", {"name": "x"}),
    ],
)
def test_what_is_in_another_sheet_is_not_there(apart: tuple[Person, Person], method: str, path: str, body: Any) -> None:
    ann, ben = apart
    before = ann.version
    operation = {"operation_id": str(uuid4())} if body and "name" not in body else {}
    answer = ben.ask(method, f"/sheets/{{sheet}}{path}", **({"json": body | operation} if body else {}))
    assert answer.status_code == 404, answer.text
    assert SECRET not in answer.text
    assert (ann.version, ann.cell(2, DEAL)) == (before, SECRET)


def test_somebody_elses_action_is_not_taken_back(apart: tuple[Person, Person]) -> None:
    ann, ben = apart
    operation = str(uuid4())
    ann.edit(2, DEAL, "Renamed", operation_id=operation)
    for sheet in (ann.sheet, ben.sheet):
        ben.sheet = sheet
        body = {"operation_id": str(uuid4()), "target": operation}
        assert ben.ask("POST", "/sheets/{sheet}/undo", json=body).status_code in {404, 422}
    assert ann.cell(2, DEAL) == "Renamed"


@pytest.mark.parametrize(
    "name", [name for name, case in ROUTES.items() if getattr(case, "json", None) or name.startswith("PATCH")]
)
def test_a_key_that_no_body_has_is_refused_with_the_whole_request(people: People, session: Session, name: str) -> None:
    """Which key does not matter: no body takes others, as tests/api/test_description.py reads in the description."""
    ann = people("Ann")
    ann.add({DEAL: "Acme"}, {DEAL: "Globex"})
    method, _, path = name.removeprefix("v1").partition(" ")
    given = ROUTES[name]
    case = given[0] if isinstance(given, list) else given
    filled = path.removeprefix("/v1").replace("{sheet}", str(ann.sheet)).format_map(defaultdict(lambda: 1, case.ids))
    before = session.scalar(WRITTEN)
    answer = ann.ask(method, filled, json=case.json | {"owner_id": 1})
    assert answer.status_code == 422, answer.text
    assert session.scalar(WRITTEN) == before


def test_one_persons_answer_never_reaches_another(people: People, session: Session) -> None:
    """Whoever asks second, with less to see, gets neither the first one's rows nor “not modified”, nor their order."""
    ann, dan = people("Ann"), people("Dan")
    dans = str(actor("Dan").user_id)
    ann.add({DEAL: "Dan's", OWNER: dans, AMOUNT: "10"}, {DEAL: SECRET, AMOUNT: "73519"})
    share = "INSERT INTO collaborators (sheet_id, user_id, level, row_scope) VALUES (:sheet, :user, 'editor', 'own')"
    session.execute(text(share), {"sheet": ann.sheet, "user": dans})
    seen = ann.ask("GET", "/sheets/{sheet}/rows")
    order = ann.get("/sheets/{sheet}/order", sort="-4")
    assert (len(seen.json()["rows"]), order["total"]) == (2, 2)
    answer = dan.ask("GET", "/sheets/{sheet}/rows", headers={"If-None-Match": seen.headers["etag"]})
    assert (answer.status_code, [row["id"] for row in answer.json()["rows"]]) == (200, [1])
    borrowed = dan.ask("GET", "/sheets/{sheet}/rows", params={"order": order["order"], "offset": 0})
    assert SECRET not in borrowed.text
    assert dan.get("/sheets/{sheet}/order", sort="-4")["total"] == 1
    assert len(ann.get("/sheets/{sheet}/rows")["rows"]) == 2


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_the_address_of_an_export_is_worth_nothing_to_another_or_afterwards(people: People, kind: str) -> None:
    ann, ben, dan, nobody = (people(name) for name in ("Ann", "Ben", "Dan", "nobody"))
    ann.add({DEAL: SECRET})
    address = f"/sheets/{ann.sheet}/export?format={kind}"
    assert ben.ask("GET", address).status_code == 200
    assert (dan.ask("GET", address).status_code, nobody.ask("GET", address).status_code) == (404, 401)
    ann.ask("DELETE", f"/sheets/{{sheet}}/collaborators/{actor('Ben').user_id}")
    assert ben.ask("GET", address).status_code == 404

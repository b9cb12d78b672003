"""Every route of a sheet × every principal: strangers learn nothing, viewers write nothing, nobody gets in."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.api.conftest import DEAL, People

OPERATION = "5d1f7c3a-7a44-4e0c-9f0e-2b6f5f6f8a01"  # The same in every process, as the names of the tests are.
NEW_COLUMN = {"name": "New", "type": "text"}
EDIT = {"operation_id": OPERATION, "edits": [{"row": 1, "column": DEAL, "text": "x"}]}
READS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("GET", "/columns", None),
    ("GET", "/rows", None),
    ("GET", "/rows/1", None),
    ("GET", "/order", None),
    ("GET", "/changes?since=0", None),
    ("GET", "/history", None),
    ("GET", "/layout", None),
    ("GET", "/collaborators", None),
]
EDITS: list[tuple[str, str, Any]] = [
    ("PATCH", "/rows", EDIT),
    ("PATCH", "/rows", EDIT | {"partial": True}),
    ("PATCH", "/rows", {"operation_id": OPERATION, "adds": [{"key": "a"}]}),
    ("PATCH", "/rows", {"operation_id": OPERATION, "deletes": [1]}),
    ("POST", "/rows", {"rows": [{"1": "x"}]}),
    ("DELETE", "/rows?ids=1", None),
]
OWNERS: list[tuple[str, str, Any]] = [
    ("PATCH", "", {"name": "x"}),
    ("PATCH", "", {"description": "x"}),
    ("PATCH", "", {"pipeline": {}}),
    ("PATCH", "", {"workspace_level": "editor"}),
    ("POST", "/archive", None),
    ("POST", "/restore", None),
    ("POST", "/columns", NEW_COLUMN),
    ("PATCH", "/columns/1", {"name": "x"}),
    ("PUT", "/columns/order", {"order": [2, 1]}),
    ("DELETE", "/columns/2", None),
    ("POST", "/columns/2/restore", None),
    ("PUT", "/collaborators/5", {"level": "editor"}),
    ("PUT", "/collaborators/5", {"level": "viewer", "rows": "own"}),
    ("DELETE", "/collaborators/3", None),
    ("PUT", "/team-collaborators/1", {"level": "viewer"}),
    ("DELETE", "/team-collaborators/1", None),
    ("POST", "/transfer", {"user": 3}),
]
OWN: list[tuple[str, str, Any]] = [("PUT", "/layout", {"frozen": 1})]

TABLES = (
    "sheets",
    "columns",
    "rows",
    "changes",
    "operations",
    "collaborators",
    "team_collaborators",
    "sheet_layouts",
    "audit_events",
)


def stored(session: Session) -> dict[str, Any]:
    """Everything that these routes could change."""
    query = "SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t)::text), '[]') FROM {} t"
    facts = {table: session.scalar(text(query.format(table))) for table in TABLES}
    facts["audit_events"] = [event for event in facts["audit_events"] if event["sheet_id"]]
    return facts


def ways(*groups: list[tuple[str, str, Any]]) -> Any:
    every = [one for group in groups for one in group]
    return pytest.mark.parametrize(("method", "path", "body"), every, ids=[f"{m} {p} {b}"[:60] for m, p, b in every])


@ways(READS, EDITS, OWNERS, OWN)
@pytest.mark.parametrize(("name", "status"), [("Dan", 404), ("nobody", 401)])
def test_a_stranger_learns_nothing(
    session: Session, people: People, method: str, path: str, body: Any, name: str, status: int
) -> None:
    people("Ann").add({DEAL: "Secret"})
    who = people(name)
    before = stored(session)
    answer = who.ask(method, f"/sheets/{{sheet}}{path}", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Secret" not in answer.text
    assert "Deals" not in answer.text
    assert stored(session) == before


@ways(EDITS, OWNERS)
def test_a_viewer_writes_nothing(session: Session, people: People, method: str, path: str, body: Any) -> None:
    people("Ann").add({DEAL: "Seen"})
    cleo = people("Cleo")
    before = stored(session)
    assert cleo.ask(method, f"/sheets/{{sheet}}{path}", json=body).status_code == 403
    assert stored(session) == before


@ways(OWNERS)
def test_an_editor_configures_and_shares_nothing(
    session: Session, people: People, method: str, path: str, body: Any
) -> None:
    ben = people("Ben")
    before = stored(session)
    assert ben.ask(method, f"/sheets/{{sheet}}{path}", json=body).status_code == 403
    assert stored(session) == before


@ways(READS)
def test_reading_is_for_everybody_it_is_shared_with_and_changes_nothing(
    session: Session, people: People, method: str, path: str, body: Any
) -> None:
    people("Ann").add({DEAL: "Seen"})
    cleo = people("Cleo")
    before = stored(session)
    assert cleo.ask(method, f"/sheets/{{sheet}}{path}").status_code == 200
    assert stored(session) == before


@ways(EDITS)
def test_an_editor_edits(people: People, method: str, path: str, body: Any) -> None:
    people("Ann").add({DEAL: "Edited"})
    answer = people("Ben").ask(method, f"/sheets/{{sheet}}{path}", json=body)
    assert answer.status_code in {200, 201, 422}, answer.text  # 422: a new deal without its required name.

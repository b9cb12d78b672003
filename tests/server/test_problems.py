"""Every error of the API is a problem document with a sentence for a person and no inside of ours."""

import psycopg
import pytest
from fastapi import FastAPI, HTTPException
from sqlalchemy.exc import OperationalError, ProgrammingError
from starlette.testclient import TestClient

from api.http.problems import install_problems
from core.base.errors import Conflict, Invalid, NotAllowed, NotFound, Throttled
from core.rows.row_order import OrderExpired
from db.engine import Busy, Unavailable

ERRORS: dict[str, tuple[Exception, int]] = {
    "missing": (NotFound("There is no such sheet."), 404),
    "expired": (OrderExpired("Ask for it again."), 410),
    "forbidden": (NotAllowed("Viewers cannot edit."), 403),
    "stale": (Conflict("Somebody was faster.", mine="1", theirs="2"), 409),
    "invalid": (Invalid("“abc” is no number.", row=3, column=2, type="money", status="won"), 422),
    "throttled": (Throttled("Too many attempts.", retry_after=60), 429),
    "busy": (Busy(), 503),
    "gone": (Unavailable("10.0.0.5 refused hunter2"), 503),
    "away": (OperationalError("SELECT 'Acme'", {}, psycopg.OperationalError("10.0.0.5 refused hunter2")), 503),
    "held": (OperationalError("SELECT 1", {}, psycopg.errors.LockNotAvailable("lock")), 503),
    "bug": (RuntimeError("Acme Ltd owes 300"), 500),
    "sql": (ProgrammingError("SELECT Acme", {}, psycopg.errors.UndefinedColumn("Acme")), 500),
    "http": (HTTPException(400, "The body is not valid JSON"), 400),
}


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    install_problems(app)

    @app.get("/raise/{name}")
    def fail(name: str) -> None:
        raise ERRORS[name][0]

    @app.get("/number")
    def number(n: int) -> int:
        return n

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("name", ERRORS)
def test_each_kind_of_error_has_its_status_and_a_sentence(client: TestClient, name: str) -> None:
    answer = client.get(f"/raise/{name}")
    body = answer.json()
    assert answer.status_code == body["status"] == ERRORS[name][1]
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == "about:blank"
    assert body["detail"].endswith(".")
    if name in {"gone", "away", "held", "bug", "sql"}:
        assert not any(inside in answer.text for inside in ("Acme", "hunter2", "10.0.0.5", "Traceback", "SELECT"))


def test_facts_stand_beside_the_problem_and_never_replace_it(client: TestClient) -> None:
    body = client.get("/raise/invalid").json()
    assert (body["row"], body["column"]) == (3, 2)
    assert body["status"] == 422


def test_whoever_must_wait_is_told_how_long(client: TestClient) -> None:
    assert client.get("/raise/throttled").headers["retry-after"] == "60"
    assert client.get("/raise/busy").headers["retry-after"] == "1"


def test_a_malformed_request_names_the_place_and_does_not_repeat_the_input(client: TestClient) -> None:
    answer = client.get("/number?n=hunter2")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("query.n: ")
    assert "hunter2" not in answer.text


def test_an_unknown_path_is_a_problem_too(client: TestClient) -> None:
    assert client.get("/nothing").json()["status"] == 404

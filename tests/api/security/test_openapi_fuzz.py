"""What the API describes is what it does: generated requests to every route, as an editor and as nobody."""

from collections.abc import Iterator

import httpx
import pytest
import requests
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.app import create_api
from tests.api.conftest import DEAL, People, Person
from tests.api.security.test_route_matrix import ROUTES
from tests.support.examples import examples

# Who asks, and how often. That nobody is refused before anything is read, the matrix of routes shows on each run.
PEOPLE = [
    pytest.param("Ben", examples(3, 40), id="Ben"),
    pytest.param("nobody", 3, marks=pytest.mark.exhaustive, id="nobody"),
]
pytestmark = pytest.mark.hypothesis  # Where more is tried; its own decorator stands on an inner function.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
UNDESCRIBED = ("GET /docs", "GET /openapi.json")
MOST_URL = 60_000  # httpx sends no longer ones.
HERE = {"row": 1, "column": 2, "user": 5}  # With the sheet of the test: what is there.


@pytest.fixture(scope="module")
def api(own_settings: None) -> Iterator[httpx.Client]:
    with TestClient(create_api(), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def schema(api: httpx.Client) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_dict(api.get("/openapi.json").json())


def bounded(most: int) -> settings:
    """How much is generated: little, and always the same, so that a test that fails, fails again."""
    return settings(
        max_examples=most,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[*HealthCheck],
    )


@pytest.mark.parametrize(("name", "most"), PEOPLE)
@pytest.mark.parametrize("operation", [name for name in ROUTES if not name.startswith(UNDESCRIBED)])
def test_generated_requests_are_answered_as_described(
    session: Session,
    people: People,
    api: httpx.Client,
    schema: schemathesis.BaseSchema,
    operation: str,
    name: str,
    most: int,
) -> None:
    people("Ann").add({DEAL: "Acme"}, {DEAL: "Globex"})
    who = people(name)
    method, _, path = operation.partition(" ")
    found = schema[path][method]
    wanted = st.one_of(found.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @seed(4)
    @bounded(most)
    @given(wanted, st.sampled_from([HERE | {"sheet": who.sheet}] * 2 + [{}]))
    def each(case: schemathesis.Case, place: dict[str, int]) -> None:
        session.execute(text("SAVEPOINT before_the_request"))
        case.path_parameters |= {name: place.get(name, value) for name, value in case.path_parameters.items()}
        if (answer := sent(case, api, who)) is not None:
            case.validate_response(answer, checks=CHECKS)
        session.execute(text("ROLLBACK TO SAVEPOINT before_the_request"))

    each()


def sent(case: schemathesis.Case, client: httpx.Client, who: Person) -> httpx.Response | None:
    """The answer to a generated request, which goes out byte by byte as it was generated; None: no client sends it."""
    headers = {"Authorization": f"Bearer {who.token}"} if who.token else {}
    made = requests.Request(**case.as_transport_kwargs(base_url="http://localhost", headers=headers)).prepare()
    if len(str(made.url)) > MOST_URL:
        return None
    return client.request(str(made.method), str(made.url), headers=dict(made.headers), content=made.body)

"""The API describes itself: a valid OpenAPI document, and a page that asks no foreign host for anything."""

import re
from typing import Any

from fastapi.testclient import TestClient

from tests.api.conftest import make_app

METHODS = {"get", "post", "put", "patch", "delete"}


def described() -> dict[str, Any]:
    description: dict[str, Any] = TestClient(make_app()).get("/api/openapi.json").json()
    return description


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_every_route_has_a_summary_of_its_own() -> None:
    summaries = {name: operation["summary"] for name, operation in operations()}
    assert len(set(summaries.values())) == len(summaries)
    assert not [name for name, summary in summaries.items() if not summary[0].isupper() or summary.endswith(".")]


def test_every_route_has_an_id_and_a_tag() -> None:
    ids = [operation["operationId"] for _, operation in operations()]
    assert len(set(ids)) == len(ids)
    assert all(operation.get("tags") for _, operation in operations())


def test_every_reference_in_the_description_leads_somewhere() -> None:
    description = described()
    for reference in set(re.findall(r'"#/([^"]+)"', TestClient(make_app()).get("/api/openapi.json").text)):
        found: Any = description
        for part in reference.split("/"):
            found = found[part]
        assert found


def test_the_promised_routes_are_there() -> None:
    paths = described()["paths"]
    promised = {
        "/v1/sheets": {"get", "post"},
        "/v1/sheets/{sheet}": {"get", "patch"},
        "/v1/sheets/{sheet}/columns": {"get", "post"},
        "/v1/sheets/{sheet}/rows": {"get", "post", "patch", "delete"},
        "/v1/sheets/{sheet}/changes": {"get"},
    }
    assert {path: set(paths[path]) & METHODS for path in promised} == promised


def test_the_documentation_comes_from_us_alone() -> None:
    client = TestClient(make_app())
    page = client.get("/api/docs").text
    assert "http" not in page
    assert "<script>" not in page, "inline scripts are against the content security policy"
    for name in re.findall(r'(?:src|href)="(docs/[^"]+)"', page):
        answer = client.get(f"/api/{name}")
        assert answer.status_code == 200
        assert len(answer.content) > 100

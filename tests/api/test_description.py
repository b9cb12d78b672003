"""The API describes itself: a valid OpenAPI document, and a page that asks no foreign host for anything."""

import re
from collections.abc import Iterator
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


def test_no_body_takes_a_key_that_it_does_not_name() -> None:
    description = described()
    contents = [operation.get("requestBody", {}).get("content", {}) for _, operation in operations()]
    bodies = [content["application/json"]["schema"] for content in contents if "application/json" in content]
    assert len(bodies) > 20
    assert [schema for body in bodies for schema in objects_in(body, description) if takes_more(schema)] == []


def objects_in(schema: Any, description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object with named keys in a schema, and in those that it refers to."""
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from objects_in(part, description)
    if isinstance(schema, dict) and "$ref" in schema:
        yield from objects_in(description["components"]["schemas"][schema["$ref"].rpartition("/")[2]], description)
    if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        yield schema


def takes_more(schema: dict[str, Any]) -> bool:
    """Whether an object may have other keys than those that are named."""
    return schema.get("additionalProperties") is not False


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

"""Bodies from outside: malformed, doubled, deep, endless. Each is refused at once, with a sentence."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import count
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import HTTPException

from api.http.json_body import MAX_BYTES, read_json
from tests.api.conftest import People, make_app

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"name": "a", "name": "b"}', 400),
        (b'{"name": ' + b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b'{"name": "a"', 400),
        (b'{"name": NaN}', 400),
        (b'{"name": Infinity}', 400),
        (b'{"name": "\xff"}', 400),
        (b'{"name": "\\ud800"}', 400),
        ('{"name": "a"}'.encode("utf-16"), 400),
        (b'{"name": ' + b"9" * 10_000 + b"}", 400),
        (b"", 422),
        (b"null", 422),
        (b"7", 422),
    ],
)
def test_a_malformed_body_is_refused_with_a_sentence(people: People, content: bytes, status: int) -> None:
    answer = people("Ann").ask("POST", "/sheets", content=content, headers=JSON)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"].endswith(".")


def test_a_form_is_no_json(people: People) -> None:
    assert people("Ann").ask("POST", "/sheets", data={"name": "a"}).status_code in {415, 422}


def test_a_body_that_says_it_is_too_long_is_refused_unread(people: People) -> None:
    headers = JSON | {"Content-Length": str(MAX_BYTES + 1)}
    assert people("Ann").ask("POST", "/sheets", content=b"{}", headers=headers).status_code == 413


def test_an_endless_body_is_cut_off_at_the_limit(people: People) -> None:
    token, sent = people("Ann").token, 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(300):
            sent += 2**20
            yield b" " * 2**20

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(make_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = JSON | {"Authorization": f"Bearer {token}"}
            return await client.post("/api/v1/sheets", content=endless(), headers=headers)

    began = monotonic()
    answer = asyncio.run(post())
    assert answer.status_code == 413
    assert sent <= MAX_BYTES + 2 * 2**20
    assert monotonic() - began < 3


def test_numbers_stay_as_they_were_written() -> None:
    assert read_json(b"[0.1, 1e400, 12345678901234567890, -0.0]") == [
        Decimal("0.1"),
        Decimal("1e400"),
        12345678901234567890,
        Decimal("-0.0"),
    ]


def test_brackets_in_text_are_no_depth() -> None:
    assert read_json(b'["' + b"[{" * 100 + b'\\"[[", 1]') == ["[{" * 100 + '"[[', 1]


def test_depth_is_judged_before_parsing() -> None:
    with pytest.raises(HTTPException) as refused:
        read_json(b"[" * 10_000_000)
    assert refused.value.status_code == 400


BIG = "x" * 1_500_000
EDIT = {"row": 1, "column": 4, "base": None}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/rows", {"edits": [EDIT | {"value": BIG}]}),
        ("PATCH", "/rows", {"edits": [EDIT | {"value": BIG}], "partial": True}),
        ("PATCH", "/rows", {"edits": [EDIT | {"text": BIG, "column": 1}]}),
        ("PATCH", "/rows", {"edits": [EDIT | {"value": [BIG]}]}),
        ("PATCH", "/rows", {"edits": [EDIT | {"value": ["x"] * 600_000}]}),
        ("PATCH", "/rows", {"edits": [EDIT | {"value": {BIG: BIG}}]}),
        ("PATCH", "/rows", {"edits": [EDIT | {"row": 9, "value": BIG}], "partial": True}),
        ("PATCH", "/rows", {"edits": [], BIG: 1}),
        ("POST", "/rows", {"rows": [{"4": BIG}]}),
        ("POST", "/rows", {"rows": [{BIG: 1}]}),
        ("POST", "/columns", {"name": "x", "type": BIG}),
        ("POST", "/columns", {"name": "x", "type": "number", BIG: BIG}),
        ("PUT", "/layout", {BIG: BIG}),
    ],
    ids=count(),
)
def test_no_answer_repeats_more_than_a_little_of_what_was_sent(
    people: People, method: str, path: str, body: dict[str, Any]
) -> None:
    ann = people("Ann")
    ann.add({1: "Acme"})
    operation = {"operation_id": str(uuid4())} if path == "/rows" else {}
    answer = ann.ask(method, f"/sheets/{{sheet}}{path}", json=body | operation)
    assert answer.status_code in {200, 422}, answer.text[:500]
    assert "x" in answer.text
    assert len(answer.content) < 3000


def test_a_sentence_that_is_cut_keeps_its_way_out(people: People) -> None:
    refused = people("Ann").ask("POST", "/sheets", json={"name": "x", "template": BIG}).json()["detail"]
    whole = people("Ann").ask("POST", "/sheets", json={"name": "x", "template": "y"}).json()["detail"]
    assert (refused[:2], refused[-20:]) == ("“x", whole[-20:])
    assert len(refused) == 1000

"""Answers: JSON out, exact and quick. Numbers of cells are decimal text already, so no answer holds a binary float."""

import json
from typing import Any

import orjson
from fastapi import Response


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The data as a JSON response that no cache keeps."""
    return answered_with(content_of(data), status, headers)


def content_of(data: Any) -> bytes:
    """The data as JSON."""
    try:
        return orjson.dumps(data, default=str)
    except orjson.JSONEncodeError:  # An integer of more than 64 bits, which only the slower one can write.
        return json.dumps(data, default=str).encode()


def answered_with(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The same for data that is JSON already."""
    return Response(content, status, {"Cache-Control": "no-store"} | (headers or {}), "application/json")

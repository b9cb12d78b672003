"""JSON responses. Numbers of cells are decimal text already, so no response contains a binary float."""

import json
from typing import Any

import orjson
from fastapi import Response


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The data as a JSON response that is not cached."""
    return json_response(json_bytes(data), status, headers)


def json_bytes(data: Any) -> bytes:
    """The data as JSON."""
    try:
        return orjson.dumps(data, default=str)
    except orjson.JSONEncodeError:  # An integer of more than 64 bits, which only the slower encoder can write.
        return json.dumps(data, default=str).encode()


def json_response(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response, not cached, whose content is already JSON."""
    return Response(content, status, {"Cache-Control": "no-store"} | (headers or {}), "application/json")

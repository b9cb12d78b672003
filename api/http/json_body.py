"""JSON request bodies, read exactly (no binary floats, no duplicate keys) and within limits of size and depth."""

import json
import re
from collections.abc import Callable, Coroutine
from decimal import Decimal
from itertools import accumulate
from typing import Any, NoReturn

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

MAX_BYTES = 4 * 2**20  # Writing more text locks the sheet for longer than a second.
MAX_ANONYMOUS_BYTES = 2**16  # A request without credentials has only an e-mail address and a password to send.
MAX_DEPTH = 16
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_STEP = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class ExactRequest(Request):
    """A request whose body is read up to its limit, and whose JSON numbers are exact."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            has_credentials = "authorization" in self.headers or "x-contrivance-session" in self.headers
            self._body = await read_body(self, MAX_BYTES if has_credentials else MAX_ANONYMOUS_BYTES)
        return self._body

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


class ExactRoute(APIRoute):
    """A route that reads its body as an ExactRequest."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_exact(request: Request) -> Response:
            return await handle(ExactRequest(request.scope, request.receive))

        return handle_exact


async def read_body(request: Request, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the body. Raise a 413 as soon as it is longer than `max_bytes`, without reading the rest."""
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit() or int(announced[:20]) > max_bytes:
        _too_long(max_bytes)
    chunks: list[bytes] = []
    length = 0
    async for chunk in request.stream():
        chunks.append(chunk)
        length += len(chunk)
        if length > max_bytes:
            _too_long(max_bytes)
    return b"".join(chunks)


def read_json(text: bytes) -> Any:
    """Return the data in a JSON text, with numbers as int and Decimal. Raise a 400 if it is malformed."""
    if _depth(text) > MAX_DEPTH:
        raise HTTPException(400, f"The JSON is nested deeper than {MAX_DEPTH} levels.")
    try:
        data = json.loads(
            text.decode(),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_with_unique_keys,
        )
        if _SURROGATE.search(text):
            json.dumps(data, ensure_ascii=False, default=str).encode()
    except UnicodeError as error:
        raise HTTPException(400, "The body is not valid Unicode text in UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"The body is not valid JSON: {error}.") from error
    return data


def _depth(text: bytes) -> int:
    """The depth of nested brackets outside of strings; 0 if there are too few of them to exceed the limit."""
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return 0
    steps = (_STEP[bracket] for bracket in _BRACKETS.findall(_STRINGS.sub(b"", text)))
    return max(accumulate(steps), default=0)


def _object_with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise ValueError("a key occurs twice in one object")
    return data


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _too_long(max_bytes: int) -> NoReturn:
    raise HTTPException(413, f"The body is longer than {max_bytes:,} bytes. Send it in parts, or import a file.")

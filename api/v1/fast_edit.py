"""A fast path for small edits, around FastAPI's request handling, which takes longer than writing a cell.

Every other request (a longer body, a body that does not match the schema, an If-Match header) takes the normal path to
the same route.
"""

import re

from fastapi import HTTPException, Request
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.request import Caller
from api.http.json_body import read_body, read_json
from api.http.problems import problem_of
from api.v1.rows import BatchBody, change

MAX_BODY_BYTES = 4096
_ROWS = re.compile(r"/v1/sheets/([1-9][0-9]{0,17})/rows")
_JSON = "application/json"


class FastEdits:
    """Middleware that answers small edits itself and passes other requests on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sheet = _sheet_edited(scope)
        if sheet is None:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            content = await read_body(request, MAX_BODY_BYTES)
        except ClientDisconnect:
            return
        try:
            body = BatchBody.model_validate(read_json(content))
        except (HTTPException, ValidationError):
            await self.app(scope, _replay(content, receive), send)
            return
        address = scope["client"][0] if scope.get("client") else None
        caller = Caller(request.headers, address, sheet)
        try:
            response = await change(caller, sheet, body, page=request.headers.get("x-contrivance"))
        except Exception as error:  # noqa: BLE001 - problem_of answers it as the application's error handlers do.
            response = problem_of(request, error)
        await response(scope, receive, send)


def _sheet_edited(scope: Scope) -> int | None:
    """The sheet of a small edit; None for any other request."""
    if scope["type"] != "http" or scope["method"] != "PATCH":
        return None
    rows = _ROWS.fullmatch(scope["path"].removeprefix(scope.get("root_path", "")))
    headers = Headers(scope=scope)
    length = headers.get("content-length", "")
    is_small = length.isascii() and length.isdigit() and int(length[:20]) <= MAX_BODY_BYTES
    if rows is None or not is_small or headers.get("content-type") != _JSON or "if-match" in headers:
        return None
    return int(rows[1])


def _replay(content: bytes, receive: Receive) -> Receive:
    """A receive function that returns the body, already read, once more."""
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay

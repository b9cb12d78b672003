"""The shortcut: a small edit goes straight to its route. FastAPI's way there and back takes longer than writing a cell.

Only what is plainly such an edit takes it. Whatever else comes (a longer body, one that is not as described, a header
with rules of its own) goes the whole way, which is the same route in the end.
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

MOST_BYTES = 4096
_ROWS = re.compile(r"/v1/sheets/([1-9][0-9]{0,17})/rows")
_JSON = "application/json"


class Shortcut:
    """Answers small edits itself and hands on everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sheet = _sheet_edited(scope)
        if sheet is None:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            content = await read_body(request, MOST_BYTES)
        except ClientDisconnect:
            return
        try:
            body = BatchBody.model_validate(read_json(content))
        except (HTTPException, ValidationError):
            await self.app(scope, _once_more(content, receive), send)
            return
        address = scope["client"][0] if scope.get("client") else None
        caller = Caller(request.headers, address, sheet)
        try:
            response = await change(caller, sheet, body, page=request.headers.get("x-contrivance"))
        except Exception as error:  # noqa: BLE001 - As the application's own handlers do.
            response = problem_of(request, error)
        await response(scope, receive, send)


def _sheet_edited(scope: Scope) -> int | None:
    """The sheet in which a small edit asks for cells to be changed; None where the request is anything else."""
    if scope["type"] != "http" or scope["method"] != "PATCH":
        return None
    rows = _ROWS.fullmatch(scope["path"].removeprefix(scope.get("root_path", "")))
    headers = Headers(scope=scope)
    length = headers.get("content-length", "")
    is_small = length.isascii() and length.isdigit() and int(length[:20]) <= MOST_BYTES
    if rows is None or not is_small or headers.get("content-type") != _JSON or "if-match" in headers:
        return None
    return int(rows[1])


def _once_more(content: bytes, receive: Receive) -> Receive:
    """The request's body for whoever reads it again."""
    left: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def read() -> Message:
        return left.pop() if left else await receive()

    return read

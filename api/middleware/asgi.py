"""Helpers for plain ASGI: read a header, refuse a request or a socket."""

from collections.abc import Iterable

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
TITLES = {
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    411: "Length required",
    421: "Unknown host",
    429: "Too many requests",
    503: "Not available",
}
TEMPORARY = {429, 503}
SOCKET_CODES = dict.fromkeys(TEMPORARY, 1013)  # 1013: try again later. Other refusals get 1008, policy violation.
USER_ID = "user_id"  # Its key in a request's state.


def header(scope: Scope, name: bytes) -> str:
    """The first value of a header; empty if it is missing."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def cookies(scope: Scope) -> dict[str, str]:
    """The request's cookies. Of two with one name, the first is used: browsers send the longer path first."""
    pairs = [pair.strip().partition("=") for pair in header(scope, b"cookie").split(";")]
    return {name: value for name, _, value in reversed(pairs)}


def wants_json(scope: Scope) -> bool:
    """Whether the client is a program or a page's script, not a browser that opens a page."""
    return str(scope["path"]).startswith(("/api/", "/session/"))


def is_under(path: str, folders: Iterable[str]) -> bool:
    """Whether the path is one of these or below it."""
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def user_id_of(scope: Scope) -> str:
    """The id of the session's user; empty without a session, and before Identity has looked it up."""
    return str(scope.get("state", {}).get(USER_ID, ""))


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, detail: str, *, wait: int | None = None
) -> None:
    """End a request with problem details or a plain sentence, a socket before it is accepted. `wait`: seconds."""
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": SOCKET_CODES.get(status, 1008), "reason": detail[:100]})
            return
    headers = {"Retry-After": str(wait)} if wait else {}
    if wants_json(scope):
        problem = {"type": "about:blank", "title": TITLES[status], "status": status, "detail": detail}
        response: Response = JSONResponse(problem, status, headers, media_type="application/problem+json")
    else:
        # The browser reloads a page that is temporarily not available.
        refresh = {"Refresh": str(wait or 3)} if status in TEMPORARY else {}
        response = PlainTextResponse(detail, status, headers | refresh)
    await response(scope, receive, send)

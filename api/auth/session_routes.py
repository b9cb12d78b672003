"""Sign-in and sign-out of a browser: exchanges a ticket for an HttpOnly cookie, and ends a cookie's session."""

from contextlib import suppress
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.http.json_body import read_body, read_json
from api.middleware.host_origin import is_own
from core.base.errors import NotFound
from core.config.settings import Settings
from core.credentials.login_tickets import redeem_ticket
from core.credentials.sessions import actor_of_session, end_session, session_of_token
from core.limits.known_devices import remember_device
from db import disk
from db.engine import Busy, transaction

MAX_BODY_BYTES = 1000
THIRTY_DAYS = 30 * 24 * 3600
HALF_A_YEAR = 180 * 24 * 3600
NO_DATABASE = "The database does not answer. Try again in a moment."


def routes(settings: Settings) -> list[Route]:
    """The routes POST /session/redeem and POST /session/sign-out."""

    async def redeem(request: Request) -> Response:
        return await _redeem(request, settings)

    async def sign_out(request: Request) -> Response:
        return await _sign_out(request, settings)

    return [
        Route("/session/redeem", redeem, methods=["POST"]),
        Route("/session/sign-out", sign_out, methods=["POST"]),
    ]


async def _redeem(request: Request, settings: Settings) -> Response:
    """Exchange a one-time ticket for a session cookie, in the browser that signed in."""
    if not _comes_from_our_page(request, settings):
        return _json_response(403, "This request doesn't come from a page of this server.")
    ticket = await _ticket(request)
    nonce = request.cookies.get(settings.nonce_cookie, "")
    try:
        device = request.cookies.get(settings.device_cookie, "")
        tokens = await run_in_threadpool(_tokens, request, ticket, nonce, device) if ticket and nonce else None
    except Busy:
        return _json_response(503, disk.reason(NO_DATABASE))
    if tokens is None:
        return _json_response(401, "Your sign-in has expired. Sign in again.")
    response = _json_response(200, "Signed in.")
    response.set_cookie(settings.session_cookie, tokens[0], max_age=THIRTY_DAYS, **_protection(settings))
    response.set_cookie(settings.device_cookie, tokens[1], max_age=HALF_A_YEAR, **_protection(settings))
    if settings.oidc_cookie in request.cookies:
        response.delete_cookie(settings.oidc_cookie, **_protection(settings))
    return response


async def _sign_out(request: Request, settings: Settings) -> Response:
    """End the cookie's session, if it still exists, and delete the cookies."""
    if not _comes_from_our_page(request, settings):
        return _json_response(403, "This request doesn't come from a page of this server.")
    token = request.cookies.get(settings.session_cookie, "")
    try:
        await run_in_threadpool(_end, token)
    except Busy:
        return _json_response(503, disk.reason(NO_DATABASE))
    response = _json_response(200, "Signed out.")
    for name in (settings.session_cookie, settings.oidc_cookie):
        response.delete_cookie(name, **_protection(settings))
    return response


def _comes_from_our_page(request: Request, settings: Settings) -> bool:
    """Whether the request has our origin and is JSON, which a form of another site can't send."""
    origin = request.headers.get("origin", "")
    is_json = request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
    return bool(origin) and is_own(request.scope, origin, settings) and is_json


async def _ticket(request: Request) -> str:
    try:
        data: Any = read_json(await read_body(request, MAX_BODY_BYTES))
    except Exception:  # noqa: BLE001 - a body that cannot be read has no ticket.
        return ""
    ticket = data.get("ticket") if isinstance(data, dict) else None
    return ticket if isinstance(ticket, str) else ""


def _tokens(request: Request, ticket: str, nonce: str, device: str) -> tuple[str, str] | None:
    """The tokens of the new session and of this browser, as a known device; None if the ticket is invalid."""
    address = request.client.host if request.client else None
    agent = request.headers.get("user-agent", "")
    with transaction() as session:
        token = redeem_ticket(session, ticket, nonce=nonce, address=address, user_agent=agent)
        new_session = session_of_token(session, token) if token else None
        return (token, remember_device(session, new_session.user_id, device)) if token and new_session else None


def _end(token: str) -> None:
    with transaction() as session:
        ended_session = session_of_token(session, token)
        actor = actor_of_session(session, ended_session.session_id) if ended_session else None
        if ended_session and actor:
            with suppress(NotFound):  # The session was ended in another window.
                end_session(session, actor, ended_session.session_id)


def _protection(settings: Settings) -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "strict", "secure": settings.cookie_secure}


def _json_response(status: int, message: str) -> Response:
    return JSONResponse({"detail": message}, status, headers={"Cache-Control": "no-store"})

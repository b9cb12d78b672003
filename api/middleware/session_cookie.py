"""Identity: turns the session cookie into the id of its session, in a header that clients cannot set.

The header names the session's row and does not prove that it is still valid: pages and API read the row each time.
Visits of public links work likewise. A request for a public link, which that link's page sends, is made with the visit
alone: neither the user's cookie nor a token counts beside it.
"""

import hashlib
import time
from collections.abc import Callable
from secrets import token_urlsafe
from urllib.parse import parse_qs

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.asgi import PERSON, UNSAFE, cookies, header, is_under, refuse
from api.middleware.host_origin import is_own
from core.config.settings import Settings
from core.credentials.sessions import session_of_token
from core.sharing.public_links import visits_of_tokens
from db import disk
from db.engine import Busy, transaction

SESSION_HEADER = b"x-contrivance-session"
VISIT_HEADER = b"x-contrivance-visit"  # The visits of this browser; of a request that speaks for a link, its one.
LINK_HEADER = b"x-contrivance-link"  # For which link a request speaks: what is left of what our own page said.
OWN_PREFIX = b"x-contrivance-"  # Ours to set. `X-Contrivance` itself is the header that a form cannot send.
NAMED = ("/_stcore/stream", "/_stcore/upload_file", "/api", "/session")
PAGE_SOCKET = "/_stcore/stream"
CACHE_SECONDS, MAX_CACHED = 5.0, 10_000
MAX_VISITS, MAX_ID_DIGITS = 20, 18
CookieIdentity = tuple[str, int]  # The ids of a session and its user; or the ids of visits, and 0.


class Identity:
    """Removes identity headers of the client, and sets those of the cookie's session and visits."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.cache: dict[bytes, tuple[float, CookieIdentity]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        link = link_of_request(scope)
        scope["headers"] = [pair for pair in scope["headers"] if not pair[0].lower().startswith(OWN_PREFIX)]
        try:
            session = None if link else await self._session(scope)
            visits = await self._visits(scope, link)
        except (SQLAlchemyError, Busy):
            await refuse(scope, receive, send, 503, disk.reason("The database does not answer. Try again in a moment."))
            return
        headers = {
            LINK_HEADER: link,
            VISIT_HEADER: visits[0] if visits else "",
            SESSION_HEADER: session[0] if session else "",
        }
        scope["headers"] += [(name, value.encode()) for name, value in headers.items() if value]
        if session:
            scope.setdefault("state", {})[PERSON] = session[1]
        await self.app(scope, receive, self._with_nonce(scope, send))

    async def _session(self, scope: Scope) -> CookieIdentity | None:
        """The session and its user; None without one, and for paths that do not need it."""
        token = cookies(scope).get(self.settings.session_cookie, "")
        is_needed = is_under(scope["path"], NAMED) or opens_page(scope)
        if not token or not is_needed or not self._counts(scope):
            return None
        return await self._cached(token, _look_up)

    async def _visits(self, scope: Scope, link: str) -> CookieIdentity | None:
        """The ids of the visits that count for this request, separated by commas; None without any."""
        name = self.settings.link_cookie_prefix
        if link:
            token = cookies(scope).get(f"{name}{link}", "")
            return await self._cached(token, _look_up_visits) if token and self._counts(scope) else None
        if scope["path"] != PAGE_SOCKET:
            return None
        tokens = sorted(token for cookie, token in cookies(scope).items() if cookie.startswith(name) and token)
        return await self._cached(" ".join(tokens[:MAX_VISITS]), _look_up_visits) if tokens else None

    async def _cached(self, tokens: str, look_up: Callable[[str], CookieIdentity | None]) -> CookieIdentity | None:
        """The identity of these cookies, looked up now or a few seconds ago."""
        key = hashlib.sha256(f"{look_up.__name__} {tokens}".encode()).digest()
        entry = self.cache.get(key)
        if entry and entry[0] > time.monotonic():
            return entry[1]
        ids = await run_in_threadpool(look_up, tokens)
        if len(self.cache) >= MAX_CACHED:
            self.cache.clear()
        if ids:
            self.cache[key] = (time.monotonic() + CACHE_SECONDS, ids)
        return ids

    def _counts(self, scope: Scope) -> bool:
        """Whether the cookie may speak: on the API only for our own pages, never for a form or a foreign site."""
        if not is_under(scope["path"], ["/api"]):
            return True
        origin = header(scope, b"origin")
        if scope["type"] == "websocket" or origin:
            if not (origin and is_own(scope, origin, self.settings)):
                return False
        elif scope["method"] in UNSAFE:
            return False
        same_site = header(scope, b"sec-fetch-site") == "same-origin" and scope.get("method") in {"GET", "HEAD"}
        return scope["type"] == "websocket" or same_site or header(scope, b"x-contrivance") == "1"

    def _with_nonce(self, scope: Scope, send: Send) -> Send:
        """Give a browser that opens a page the nonce to which its sign-in will be bound."""
        if not opens_page(scope) or self.settings.nonce_cookie in cookies(scope):
            return send
        secure = "; Secure" if self.settings.cookie_secure else ""
        cookie = f"{self.settings.nonce_cookie}={token_urlsafe(32)}; Path=/; HttpOnly; SameSite=Strict{secure}"

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        return add


def link_of_request(scope: Scope) -> str:
    """The public link that an API request is made for, "0" for an invalid one; empty without one.

    A socket and a file to be saved cannot have a header of ours, and name the link in their address.
    """
    if not is_under(scope["path"], ["/api"]):
        return ""
    link_ids = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == LINK_HEADER]
    link_ids += parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True).get("link", [])
    if not link_ids:
        return ""
    link_id = link_ids[0] if len(set(link_ids)) == 1 else ""
    return link_id if link_id.isascii() and link_id.isdigit() and len(link_id) <= MAX_ID_DIGITS else "0"


def opens_page(scope: Scope) -> bool:
    """Whether a browser asks for a page to show."""
    asks = scope["type"] == "http" and scope["method"] == "GET" and "text/html" in header(scope, b"accept")
    return asks and not is_under(scope["path"], ["/api", "/assets", "/static", "/media", "/_stcore"])


def _look_up_visits(tokens: str) -> CookieIdentity | None:
    with transaction() as session:
        visit_ids = visits_of_tokens(session, tokens.split())
        return (",".join(map(str, visit_ids)), 0) if visit_ids else None


def _look_up(token: str) -> CookieIdentity | None:
    with transaction() as session:
        signed_in = session_of_token(session, token)
        return (str(signed_in.session_id), signed_in.user_id) if signed_in else None

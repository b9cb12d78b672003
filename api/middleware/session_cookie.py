"""Identity: turns the session cookie into the id of its session, in a header that clients cannot set.

The header has the id of the session's row and does not prove that the session is still valid: pages and API read the
row each time. Visits of public links get a header as well. A request of a public link's page uses only the visit, and
neither the session cookie nor a token.
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

from api.middleware.asgi import UNSAFE, USER_ID, cookies, header, is_under, refuse
from api.middleware.host_origin import is_own
from core.config.settings import Settings
from core.credentials.sessions import session_of_token
from core.sharing.public_links import visits_of_tokens
from db import disk
from db.engine import Busy, transaction

SESSION_HEADER = b"x-contrivance-session"
VISIT_HEADER = b"x-contrivance-visit"  # The ids of the browser's visits; the id of one for a request of a public link.
LINK_HEADER = b"x-contrivance-link"  # The id of the public link that a request is made for. Our page sends it, too.
OWN_PREFIX = b"x-contrivance-"  # Only this server sets these. Clients send `X-Contrivance`, which a form can't.
IDENTITY_PATHS = ("/_stcore/stream", "/_stcore/upload_file", "/api", "/session")
PAGE_SOCKET = "/_stcore/stream"
CACHE_SECONDS, MAX_CACHED = 5.0, 10_000
MAX_VISITS, MAX_ID_DIGITS = 20, 18
CookieIdentity = tuple[str, int]  # The ids of a session and its user; or the ids of visits, and 0.


class Identity:
    """Removes identity headers that the client sent, and sets those of the session and visits in its cookies."""

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
            scope.setdefault("state", {})[USER_ID] = session[1]
        await self.app(scope, receive, self._with_nonce(scope, send))

    async def _session(self, scope: Scope) -> CookieIdentity | None:
        """The session and its user; None without one, and for paths that do not need it."""
        token = cookies(scope).get(self.settings.session_cookie, "")
        is_needed = is_under(scope["path"], IDENTITY_PATHS) or opens_page(scope)
        if not token or not is_needed or not self._accepts_cookie(scope):
            return None
        return await self._cached(token, _look_up)

    async def _visits(self, scope: Scope, link: str) -> CookieIdentity | None:
        """The ids of the visits that apply to this request, separated by commas; None without any."""
        name = self.settings.link_cookie_prefix
        if link:
            token = cookies(scope).get(f"{name}{link}", "")
            return await self._cached(token, _look_up_visits) if token and self._accepts_cookie(scope) else None
        if scope["path"] != PAGE_SOCKET:
            return None
        tokens = sorted(token for cookie, token in cookies(scope).items() if cookie.startswith(name) and token)
        return await self._cached(" ".join(tokens[:MAX_VISITS]), _look_up_visits) if tokens else None

    async def _cached(self, tokens: str, look_up: Callable[[str], CookieIdentity | None]) -> CookieIdentity | None:
        """The identity of these cookies, cached for a few seconds."""
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

    def _accepts_cookie(self, scope: Scope) -> bool:
        """Whether a cookie may authenticate the request: on the API only one of our own pages, not of other sites."""
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
        """Set the nonce cookie, to which the sign-in will be bound, when a browser opens a page."""
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

    A socket and a download can't send a header of ours; their URL has the link's id.
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
    """Whether a browser requests a page."""
    is_html = scope["type"] == "http" and scope["method"] == "GET" and "text/html" in header(scope, b"accept")
    return is_html and not is_under(scope["path"], ["/api", "/assets", "/static", "/media", "/_stcore"])


def _look_up_visits(tokens: str) -> CookieIdentity | None:
    with transaction() as session:
        visit_ids = visits_of_tokens(session, tokens.split())
        return (",".join(map(str, visit_ids)), 0) if visit_ids else None


def _look_up(token: str) -> CookieIdentity | None:
    with transaction() as session:
        signed_in = session_of_token(session, token)
        return (str(signed_in.session_id), signed_in.user_id) if signed_in else None

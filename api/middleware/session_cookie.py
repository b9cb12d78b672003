"""Who is asking: the cookie becomes the id of a live session, in a header that only we can set.

The header tells which session row to look at, not that it still lives: pages and API read the row again each time.
So it is with the visits of public links. A request that speaks for a link, as our own page of that link does, speaks
for nobody else: neither the person's cookie nor a token counts beside it.
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
REMEMBERED_SECONDS, MOST_REMEMBERED = 5.0, 10_000
MOST_VISITS, LONGEST_NUMBER = 20, 18
Known = tuple[str, int]  # The id of a session and the number of its person; of visits their ids, and nobody's.


class Identity:
    """Strips what a client claims to be and says who the cookie's session belongs to."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.known: dict[bytes, tuple[float, Known]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        link = spoken_for(scope)
        scope["headers"] = [pair for pair in scope["headers"] if not pair[0].lower().startswith(OWN_PREFIX)]
        try:
            session = None if link else await self._session(scope)
            visits = await self._visits(scope, link)
        except (SQLAlchemyError, Busy):
            await refuse(scope, receive, send, 503, disk.reason("The database does not answer. Try again in a moment."))
            return
        named = {
            LINK_HEADER: link,
            VISIT_HEADER: visits[0] if visits else "",
            SESSION_HEADER: session[0] if session else "",
        }
        scope["headers"] += [(name, value.encode()) for name, value in named.items() if value]
        if session:
            scope.setdefault("state", {})[PERSON] = session[1]
        await self.app(scope, receive, self._with_nonce(scope, send))

    async def _session(self, scope: Scope) -> Known | None:
        """The session and its person, None for a stranger. Asked only where somebody looks at it."""
        token = cookies(scope).get(self.settings.session_cookie, "")
        named = is_under(scope["path"], NAMED) or opens_page(scope)
        if not token or not named or not self._counts(scope):
            return None
        return await self._found(token, _look_up)

    async def _visits(self, scope: Scope, link: str) -> Known | None:
        """The ids of the visits that this request may speak for, with commas between; None for none."""
        name = self.settings.link_cookie_prefix
        if link:
            token = cookies(scope).get(f"{name}{link}", "")
            return await self._found(token, _look_up_visits) if token and self._counts(scope) else None
        if scope["path"] != PAGE_SOCKET:
            return None
        tokens = sorted(token for cookie, token in cookies(scope).items() if cookie.startswith(name) and token)
        return await self._found(" ".join(tokens[:MOST_VISITS]), _look_up_visits) if tokens else None

    async def _found(self, tokens: str, look_up: Callable[[str], Known | None]) -> Known | None:
        """What was found for these cookies, now or a moment ago."""
        key = hashlib.sha256(f"{look_up.__name__} {tokens}".encode()).digest()
        found = self.known.get(key)
        if found and found[0] > time.monotonic():
            return found[1]
        ids = await run_in_threadpool(look_up, tokens)
        if len(self.known) >= MOST_REMEMBERED:
            self.known.clear()
        if ids:
            self.known[key] = (time.monotonic() + REMEMBERED_SECONDS, ids)
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


def spoken_for(scope: Scope) -> str:
    """The link for which a request to the API speaks, "0" for one that cannot be; empty where it speaks for none.

    A socket and a file to be saved cannot have a header of ours, and name the link in their address.
    """
    if not is_under(scope["path"], ["/api"]):
        return ""
    named = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == LINK_HEADER]
    named += parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True).get("link", [])
    if not named:
        return ""
    one = named[0] if len(set(named)) == 1 else ""
    return one if one.isascii() and one.isdigit() and len(one) <= LONGEST_NUMBER else "0"


def opens_page(scope: Scope) -> bool:
    """Whether a browser asks for a page to show."""
    asks = scope["type"] == "http" and scope["method"] == "GET" and "text/html" in header(scope, b"accept")
    return asks and not is_under(scope["path"], ["/api", "/assets", "/static", "/media", "/_stcore"])


def _look_up_visits(tokens: str) -> Known | None:
    with transaction() as session:
        found = visits_of_tokens(session, tokens.split())
        return (",".join(map(str, found)), 0) if found else None


def _look_up(token: str) -> Known | None:
    with transaction() as session:
        found = session_of_token(session, token)
        return (str(found.session_id), found.user_id) if found else None

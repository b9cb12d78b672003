"""Who is asking: the cookie becomes the id of a live session, in a header that only we can set.

The header tells which session row to look at, not that it still lives: pages and API read the row again each time.
"""

import hashlib
import time
from secrets import token_urlsafe

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.asgi import UNSAFE, cookies, header, is_under, refuse
from api.middleware.gate import is_own
from core.sessions import session_of_token
from core.settings import Settings
from db.engine import Busy, transaction

SESSION_HEADER = b"x-contrivance-session"
OWN_PREFIX = b"x-contrivance-"  # Ours to set. `X-Contrivance` itself is the header that a form cannot send.
NAMED = ("/_stcore/stream", "/_stcore/upload_file", "/api", "/session")
UPLOADS = "/_stcore/upload_file"
REMEMBERED_SECONDS, MOST_REMEMBERED = 5.0, 10_000


class Identity:
    """Strips what a client claims to be and says who the cookie's session belongs to."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.known: dict[bytes, tuple[float, str]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        scope["headers"] = [pair for pair in scope["headers"] if not pair[0].lower().startswith(OWN_PREFIX)]
        try:
            session = await self._session(scope)
        except (SQLAlchemyError, Busy):
            await refuse(scope, receive, send, 503, "The database does not answer. Try again in a moment.")
            return
        if session:
            scope["headers"].append((SESSION_HEADER, session.encode()))
        elif is_upload(scope):
            await refuse(scope, receive, send, 401, "Sign in before you upload a file.")
            return
        await self.app(scope, receive, self._with_nonce(scope, send))

    async def _session(self, scope: Scope) -> str:
        """The id of the session, empty for a stranger. Asked only where somebody looks at it."""
        token = cookies(scope).get(self.settings.cookie_name, "")
        named = is_under(scope["path"], NAMED) or opens_page(scope)
        if not token or not named or not self._counts(scope):
            return ""
        key = hashlib.sha256(token.encode()).digest()
        found = self.known.get(key)
        if found and found[0] > time.monotonic():
            return found[1]
        session = await run_in_threadpool(_look_up, token)
        if len(self.known) >= MOST_REMEMBERED:
            self.known.clear()
        if session:
            self.known[key] = (time.monotonic() + REMEMBERED_SECONDS, session)
        return session

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
        if not opens_page(scope) or self.settings.nonce_name in cookies(scope):
            return send
        secure = "; Secure" if self.settings.cookie_secure else ""
        cookie = f"{self.settings.nonce_name}={token_urlsafe(32)}; Path=/; HttpOnly; SameSite=Strict{secure}"

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        return add


def is_upload(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in UNSAFE and is_under(scope["path"], [UPLOADS])


def opens_page(scope: Scope) -> bool:
    """Whether a browser asks for a page to show."""
    asks = scope["type"] == "http" and scope["method"] == "GET" and "text/html" in header(scope, b"accept")
    return asks and not is_under(scope["path"], ["/api", "/assets", "/static", "/media", "/_stcore"])


def _look_up(token: str) -> str:
    with transaction() as session:
        found = session_of_token(session, token)
        return str(found.session_id) if found else ""

"""Who comes back from an OpenID Connect provider: Streamlit learns who it is, and keeps it in no browser.

Streamlit would give the browser a cookie that says so for thirty days and that nobody can revoke. It is taken out of
the answer, what it says is noted for a few minutes, and the browser gets the token of that. One that a browser sends
counts for nothing: it is taken out of every request.
"""

from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.base.logs import get_log
from core.config.oidc_settings import CALLBACK_PATH, LOGIN_PATH
from core.config.settings import Settings
from core.sign_in.oidc import note_arrival
from db.engine import Busy, transaction

THEIRS = "_streamlit_user"  # How the names of Streamlit's cookies of identity begin.
NOBODY = "nobody"  # The provider let nobody in, or too late.
SECONDS, NOBODY_SECONDS = 600, 20
FAILED = 400
ClaimsOf = Callable[[Mapping[str, str]], Mapping[str, Any] | None]
log = get_log("contrivance.arrivals")


class Arrivals:
    """Takes Streamlit's own cookies of identity out of requests and answers."""

    def __init__(self, app: ASGIApp, settings: Settings, claims_of: ClaimsOf) -> None:
        self.app = app
        self.settings = settings
        self.claims_of = claims_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope["headers"] = [stripped(pair) for pair in scope["headers"]]
        if scope["type"] == "http" and scope["path"] == CALLBACK_PATH:
            send = self._noting(send)
        elif scope["type"] == "http" and scope["path"] == LOGIN_PATH:
            send = self._turning_back(send)
        await self.app(scope, receive, send)

    def _noting(self, send: Send) -> Send:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = taken_out(message)
                token = await run_in_threadpool(self._note, given)
                MutableHeaders(scope=message).append("set-cookie", self._cookie(token))
            await send(message)

        return note

    def _turning_back(self, send: Send) -> Send:
        """A provider that does not answer is told of on our own page, not on an empty one."""

        async def turn(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= FAILED:
                message["status"], message["headers"] = 303, [(b"location", b"/")]
                MutableHeaders(scope=message).append("set-cookie", self._cookie(None))
            await send(message)

        return turn

    def _note(self, given: Mapping[str, str]) -> str | None:
        claims = self.claims_of(given) if given else None
        if not claims:
            return None
        try:
            with transaction() as session:
                return note_arrival(session, claims)
        except (SQLAlchemyError, Busy) as error:
            log.warning("arrival.not_noted", reason=type(error).__name__)
            return None

    def _cookie(self, token: str | None) -> str:
        life = SECONDS if token else NOBODY_SECONDS
        secure = "; Secure" if self.settings.cookie_secure else ""
        name = self.settings.oidc_cookie
        return f"{name}={token or NOBODY}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{secure}"


def stripped(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A header of a request, without Streamlit's cookies of identity."""
    name, value = pair
    if name.lower() != b"cookie" or THEIRS.encode() not in value:
        return pair
    kept = [part for part in value.split(b";") if not part.strip().startswith(THEIRS.encode())]
    return name, b";".join(kept).strip()


def taken_out(message: Message) -> dict[str, str]:
    """The cookies of identity that an answer would have set, which it now does not."""
    found: dict[str, str] = {}
    kept = []
    for name, value in message.get("headers", []):
        if name.lower() == b"set-cookie" and value.startswith(THEIRS.encode()):
            found |= read(value.decode("latin-1"))
        else:
            kept.append((name, value))
    message["headers"] = kept
    return found


def read(line: str) -> dict[str, str]:
    """Name and value of a Set-Cookie line; nothing of one that takes a cookie back."""
    try:
        parsed = SimpleCookie(line)
    except CookieError:
        return {}
    return {name: one.value for name, one in parsed.items() if one.value}

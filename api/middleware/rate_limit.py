"""The pace of requests: of an address, and on the API of a session or token. Health and files are never counted.

An office may share one address: what a session or token asks of the API counts for the address only where it turns out
to be nobody's, or was not answered.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from hashlib import blake2b
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.asgi import cookies, header, is_under, refuse
from api.middleware.session_cookie import NAMED, opens_page
from core.config.settings import Settings
from core.limits.login_throttle import normalize_address
from core.limits.rate_limits import Limiter, LimitState, limiter

FREE = ("/api/health",)
LINKS = "/l"
UNKNOWN, FAILED = 401, 500
T = TypeVar("T")
Verdict = tuple[bool, LimitState | None]
address_of = lru_cache(maxsize=10_000)(normalize_address)


class Paced:
    """Refuses with 429 whoever asks too often, before anything is looked up, and tells programs how much is left."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.cookie = settings.session_cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_paced(scope):
            await self.app(scope, receive, send)
            return
        address = address_of(scope["client"][0] if scope.get("client") else None)
        asks = is_under(scope["path"], ["/api"])
        named = _credential(scope, self.cookie) if asks else ""
        is_proven_later = (
            bool(named) and scope["type"] == "http"
        )  # A socket is accepted before it is known whose it is.
        may, pace = await _counted(partial(_judge, address, named or (address if asks else ""), is_proven_later))
        send = _telling(pace, send) if pace and scope["type"] == "http" else send
        if may or pace is None:
            await self.app(scope, receive, _blaming(address, send) if is_proven_later else send)
        else:
            await refuse(scope, receive, send, 429, pace.message, wait=pace.retry_after)


def is_paced(scope: Scope) -> bool:
    """Wherever it is looked up who asks, which is where somebody could keep us busy."""
    if scope["type"] == "lifespan" or is_under(scope["path"], FREE):
        return False
    return is_under(scope["path"], (*NAMED, LINKS)) or opens_page(scope)


async def _counted(count: Callable[[Limiter], T]) -> T:
    """What counting says; in a thread where it may have to wait for another server."""
    limits = limiter()
    return await run_in_threadpool(count, limits) if limits.uses_redis else count(limits)


def _judge(address: str, who: str, is_proven_later: bool, limits: Limiter) -> Verdict:
    """Whether the request may pass, and how the limit stands that it came to."""
    if not (limits.has_capacity("address", address) if is_proven_later else limits.hit("address", address)):
        return False, limits.state("address", address)
    if not who:
        return True, None
    may = limits.hit("api", who)
    return may, limits.state("api", who)


def _credential(scope: Scope, cookie: str) -> str:
    """A name for the token or session that the request brings, true or not; empty where it brings none."""
    said = header(scope, b"authorization") or cookies(scope).get(cookie, "")
    return blake2b(said.encode("latin-1", "replace"), digest_size=12).hexdigest() if said else ""


def _blaming(address: str, send: Send) -> Send:
    """Counts for the address what was answered to nobody, or not at all."""

    async def blame(message: Message) -> None:
        status = message["status"] if message["type"] == "http.response.start" else 0
        if status == UNKNOWN or status >= FAILED:
            await _counted(lambda limits: limits.hit("address", address))
        await send(message)

    return blame


def _telling(pace: LimitState, send: Send) -> Send:
    told = [
        (b"ratelimit-limit", b"%d" % pace.limit),
        (b"ratelimit-remaining", b"%d" % pace.remaining),
        (b"ratelimit-reset", b"%d" % pace.seconds),
    ]

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *told]
        await send(message)

    return tell

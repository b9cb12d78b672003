"""Rate limits of requests: by address and, on the API, by session or token. Health checks and files do not count.

Many users may share an address: API requests with a session or token count for the address only if they turn out to
be unauthenticated, or fail.
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

UNLIMITED = ("/api/health",)
LINKS = "/l"
UNKNOWN, FAILED = 401, 500
T = TypeVar("T")
Verdict = tuple[bool, LimitState | None]
address_of = lru_cache(maxsize=10_000)(normalize_address)


class RateLimit:
    """Refuses requests over the limit with 429 before any look-up, and sends RateLimit headers to programs."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.cookie = settings.session_cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_rate_limited(scope):
            await self.app(scope, receive, send)
            return
        address = address_of(scope["client"][0] if scope.get("client") else None)
        asks = is_under(scope["path"], ["/api"])
        credential = _credential(scope, self.cookie) if asks else ""
        is_proven_later = (
            bool(credential) and scope["type"] == "http"
        )  # A socket is accepted before its credentials are checked.
        may, pace = await _counted(partial(_check, address, credential or (address if asks else ""), is_proven_later))
        send = _add_headers(pace, send) if pace and scope["type"] == "http" else send
        if may or pace is None:
            await self.app(scope, receive, _count_failures(address, send) if is_proven_later else send)
        else:
            await refuse(scope, receive, send, 429, pace.message, wait=pace.retry_after)


def is_rate_limited(scope: Scope) -> bool:
    """Whether a request counts: those for which credentials are looked up, or a page is rendered."""
    if scope["type"] == "lifespan" or is_under(scope["path"], UNLIMITED):
        return False
    return is_under(scope["path"], (*NAMED, LINKS)) or opens_page(scope)


async def _counted(count: Callable[[Limiter], T]) -> T:
    """Count a request; in a thread if the limits are kept in Redis."""
    limits = limiter()
    return await run_in_threadpool(count, limits) if limits.uses_redis else count(limits)


def _check(address: str, key: str, is_proven_later: bool, limits: Limiter) -> Verdict:
    """Whether the request may pass, and the state of the limit that decided."""
    if not (limits.has_capacity("address", address) if is_proven_later else limits.hit("address", address)):
        return False, limits.state("address", address)
    if not key:
        return True, None
    may = limits.hit("api", key)
    return may, limits.state("api", key)


def _credential(scope: Scope, cookie: str) -> str:
    """A hash of the request's token or session cookie, valid or not; empty without one."""
    credential = header(scope, b"authorization") or cookies(scope).get(cookie, "")
    return blake2b(credential.encode("latin-1", "replace"), digest_size=12).hexdigest() if credential else ""


def _count_failures(address: str, send: Send) -> Send:
    """Count unauthenticated and failed requests for the address."""

    async def count(message: Message) -> None:
        status = message["status"] if message["type"] == "http.response.start" else 0
        if status == UNKNOWN or status >= FAILED:
            await _counted(lambda limits: limits.hit("address", address))
        await send(message)

    return count


def _add_headers(pace: LimitState, send: Send) -> Send:
    headers = [
        (b"ratelimit-limit", b"%d" % pace.limit),
        (b"ratelimit-remaining", b"%d" % pace.remaining),
        (b"ratelimit-reset", b"%d" % pace.seconds),
    ]

    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *headers]
        await send(message)

    return add

"""Rate limits of requests: by IP address and, on the API, by session or token. Health checks and files do not count.

Many users may share an address: API requests with a session or token count against the address only if they are
unauthenticated or fail.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from hashlib import blake2b
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.asgi import cookies, header, is_under, refuse
from api.middleware.session_cookie import IDENTITY_PATHS, opens_page
from core.config.settings import Settings
from core.limits.login_throttle import normalize_address
from core.limits.rate_limits import Limiter, LimitState, limiter

UNLIMITED = ("/api/health",)
LINKS = "/l"
UNAUTHENTICATED, FAILED = 401, 500
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
        is_api = is_under(scope["path"], ["/api"])
        credential = _credential(scope, self.cookie) if is_api else ""
        # A socket is accepted before its credentials are checked.
        is_proven_later = bool(credential) and scope["type"] == "http"
        key = credential or (address if is_api else "")
        is_allowed, state = await _counted(partial(_check, address, key, is_proven_later))
        send = _add_headers(state, send) if state and scope["type"] == "http" else send
        if is_allowed or state is None:
            await self.app(scope, receive, _count_failures(address, send) if is_proven_later else send)
        else:
            await refuse(scope, receive, send, 429, state.message, wait=state.retry_after)


def is_rate_limited(scope: Scope) -> bool:
    """Whether a request counts: credentials are looked up for it, or a page is rendered."""
    if scope["type"] == "lifespan" or is_under(scope["path"], UNLIMITED):
        return False
    return is_under(scope["path"], (*IDENTITY_PATHS, LINKS)) or opens_page(scope)


async def _counted(count: Callable[[Limiter], T]) -> T:
    """Count a request; in a thread if the limits are stored in Redis."""
    limits = limiter()
    return await run_in_threadpool(count, limits) if limits.uses_redis else count(limits)


def _check(address: str, key: str, is_proven_later: bool, limits: Limiter) -> Verdict:
    """Whether the request may pass, and the state of the limit that decided."""
    if not (limits.has_capacity("address", address) if is_proven_later else limits.hit("address", address)):
        return False, limits.state("address", address)
    if not key:
        return True, None
    is_allowed = limits.hit("api", key)
    return is_allowed, limits.state("api", key)


def _credential(scope: Scope, cookie: str) -> str:
    """A hash of the request's token or session cookie, which may be invalid; empty without one."""
    credential = header(scope, b"authorization") or cookies(scope).get(cookie, "")
    return blake2b(credential.encode("latin-1", "replace"), digest_size=12).hexdigest() if credential else ""


def _count_failures(address: str, send: Send) -> Send:
    """Count unauthenticated and failed requests against the address."""

    async def count(message: Message) -> None:
        status = message["status"] if message["type"] == "http.response.start" else 0
        if status == UNAUTHENTICATED or status >= FAILED:
            await _counted(lambda limits: limits.hit("address", address))
        await send(message)

    return count


def _add_headers(state: LimitState, send: Send) -> Send:
    headers = [
        (b"ratelimit-limit", b"%d" % state.limit),
        (b"ratelimit-remaining", b"%d" % state.remaining),
        (b"ratelimit-reset", b"%d" % state.seconds),
    ]

    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *headers]
        await send(message)

    return add

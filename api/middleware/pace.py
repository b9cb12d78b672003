"""The pace of requests: by address, and on the API by session or token as well. Health and files are never counted."""

from functools import lru_cache
from hashlib import blake2b

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.asgi import cookies, header, is_under, refuse
from api.middleware.identity import NAMED, opens_page
from core.limits import Limiter, Pace, limiter
from core.settings import Settings
from core.throttle import plain_address

FREE = ("/api/health",)
LINKS = "/l"
Verdict = tuple[bool, Pace | None]
address_of = lru_cache(maxsize=10_000)(plain_address)


class Paced:
    """Refuses with 429 whoever asks too often, before anything is looked up, and tells programs how much is left."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.cookie = settings.cookie_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_paced(scope):
            await self.app(scope, receive, send)
            return
        address = address_of(scope["client"][0] if scope.get("client") else None)
        who = (_credential(scope, self.cookie) or address) if is_under(scope["path"], ["/api"]) else ""
        asked = limiter(), address, who
        may, pace = await run_in_threadpool(_judge, *asked) if asked[0].asks_redis else _judge(*asked)
        send = _telling(pace, send) if pace and scope["type"] == "http" else send
        if may or pace is None:
            await self.app(scope, receive, send)
        else:
            await refuse(scope, receive, send, 429, pace.sentence, wait=pace.wait)


def is_paced(scope: Scope) -> bool:
    """Wherever it is looked up who asks, which is where somebody could keep us busy."""
    if scope["type"] == "lifespan" or is_under(scope["path"], FREE):
        return False
    return is_under(scope["path"], (*NAMED, LINKS)) or opens_page(scope)


def _judge(limits: Limiter, address: str, who: str) -> Verdict:
    """Whether the request may pass, and how the limit stands that it came to."""
    if not limits.hit("address", address):
        return False, limits.pace("address", address)
    if not who:
        return True, None
    may = limits.hit("api", who)
    return may, limits.pace("api", who)


def _credential(scope: Scope, cookie: str) -> str:
    """A name for the token or session that the request brings, true or not; empty where it brings none."""
    said = header(scope, b"authorization") or cookies(scope).get(cookie, "")
    return blake2b(said.encode("latin-1", "replace"), digest_size=12).hexdigest() if said else ""


def _telling(pace: Pace, send: Send) -> Send:
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

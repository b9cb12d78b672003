"""Limits of pace, counted over a sliding window: in this process or, where Redis is named, in all of them together.

`hit` counts, `has_room` only looks, `demand` counts or refuses. Sign-ins are counted in the database: login_throttle.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter as Counter

from core.base.errors import Throttled
from core.base.logs import get_log
from core.config.rate_settings import RATES, Kind, Rate

# A Redis that is slow or away must not hold anybody up: until it is asked again, this process counts for itself.
REDIS_PATIENCE_SECONDS, REDIS_AGAIN_SECONDS = 0.2, 5.0
SWEEP_SECONDS = 5.0
OWN: set[Kind] = {"message"}  # A socket stays with its process, and a message is too small to ask anybody about.
SAID: dict[Kind, str] = {
    "api": "You ask too often",
    "address": "Too many requests come from your network address",
    "message": "Too many messages",
    "export": "You export too often",
    "import": "You import too often",
    "upload": "You have uploaded a lot",
    "link": "Too many wrong links were opened from your network address",
    "taken": "Too many of your values were taken already",
    "visit": "Public links are opened too often from your network address",
}
T = TypeVar("T")
log = get_log("contrivance.limits")


@dataclass(frozen=True, slots=True)
class Pace:
    """How a limit stands: how many it leaves of how many, and in how many seconds it leaves more."""

    kind: Kind
    limit: int
    remaining: int
    seconds: int

    @property
    def sentence(self) -> str:
        """For whoever has to wait."""
        return f"{SAID[self.kind]}. Try again in {self.wait} second{'s' if self.wait > 1 else ''}."

    @property
    def wait(self) -> int:
        """Seconds until there is room again, for whoever was refused."""
        return max(1, self.seconds)


class Limiter:
    """Counts by kind and key. A kind without a rate has no limit."""

    def __init__(self, rates: Mapping[Kind, Rate] = RATES, redis_url: str = "") -> None:
        self._items = {kind: RateLimitItemPerSecond(rate.amount, rate.seconds) for kind, rate in rates.items()}
        self._own = Counter(_Memory())
        self._redis = Counter(_redis(redis_url)) if redis_url else None
        self._ask_redis_at = 0.0

    @property
    def asks_redis(self) -> bool:
        """Whether counting may wait for another server, so that it belongs into a thread."""
        return self._redis is not None and time.monotonic() >= self._ask_redis_at

    def hit(self, kind: Kind, key: object, *, cost: int = 1) -> bool:
        """Count one more; False, and nothing counted, where there is no room for it."""
        item = self._items.get(kind)
        if item is None:
            return True
        most = min(cost, item.amount)
        return self._ask(kind, lambda counter: counter.hit(item, kind, str(key), cost=most))

    def has_room(self, kind: Kind, key: object) -> bool:
        """Whether there is room for one more; nothing is counted."""
        item = self._items.get(kind)
        return item is None or self._ask(kind, lambda counter: counter.test(item, kind, str(key)))

    def pace(self, kind: Kind, key: object) -> Pace | None:
        """How the limit stands, None where there is none."""
        item = self._items.get(kind)
        if item is None:
            return None
        found = self._ask(kind, lambda counter: counter.get_window_stats(item, kind, str(key)))
        return Pace(kind, item.amount, found.remaining, max(0, math.ceil(found.reset_time - time.time())))

    def _ask(self, kind: Kind, question: Callable[[Counter], T]) -> T:
        if self._redis and kind not in OWN and self.asks_redis:
            try:
                return question(self._redis)
            except self._redis.storage.base_exceptions as error:
                self._ask_redis_at = time.monotonic() + REDIS_AGAIN_SECONDS
                log.warning("limits.redis_away", reason=type(error).__name__)
        return question(self._own)


class _Memory(MemoryStorage):
    """The library looks for what is over a hundred times a second, through all keys; every few seconds is enough."""

    _swept_at = 0.0

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 - The name that the library's own has inside.
        now = time.monotonic()
        if now - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = now
            super()._MemoryStorage__schedule_expiry()  # type: ignore[misc]


def _redis(url: str) -> RedisStorage:
    """Where all processes count. Connects when it is first asked."""
    from redis.backoff import NoBackoff  # noqa: PLC0415 - Only an installation that names a Redis needs it.
    from redis.retry import Retry  # noqa: PLC0415 - The same.

    return RedisStorage(
        url.replace("unix://", "redis+unix://", 1),
        key_prefix="contrivance",
        socket_timeout=REDIS_PATIENCE_SECONDS,
        socket_connect_timeout=REDIS_PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
    )


_limiter = Limiter()


def configure_limits(rates: Mapping[Kind, Rate], redis_url: str = "") -> None:
    """Count anew, by these rates."""
    global _limiter  # noqa: PLW0603 - One process has one limiter, chosen once at its start.
    _limiter = Limiter(rates, redis_url)


def limiter() -> Limiter:
    """The limiter of this process."""
    return _limiter


def hit(kind: Kind, key: object, *, cost: int = 1) -> bool:
    """Count one more of this kind for this key (a person, an address); False where there is no room for it."""
    return _limiter.hit(kind, key, cost=cost)


def has_room(kind: Kind, key: object) -> bool:
    """Whether there is room for one more; nothing is counted. For what counts only when it fails."""
    return _limiter.has_room(kind, key)


def pace(kind: Kind, key: object) -> Pace | None:
    """How the limit stands, None where there is none."""
    return _limiter.pace(kind, key)


def refusal(kind: Kind, key: object) -> Throttled:
    """What to raise where there is no room: a sentence, and the seconds to wait."""
    found = _limiter.pace(kind, key) or Pace(kind, 0, 0, 1)
    return Throttled(found.sentence, retry_after=found.wait)


def demand(kind: Kind, key: object, *, cost: int = 1) -> None:
    """Count one more; Throttled, with the seconds to wait, where there is no room for it."""
    if not _limiter.hit(kind, key, cost=cost):
        raise refusal(kind, key)

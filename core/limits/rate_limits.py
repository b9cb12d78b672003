"""Rate limits over a sliding window, counted in this process or, if Redis is configured, across all processes.

`hit` counts, `has_capacity` only checks, `consume` counts or raises. Sign-ins are counted in the database, by
login_throttle.
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
from core.config.rate_settings import RATES, LimitName, Rate

# A slow or unreachable Redis must not delay requests: until the next attempt, this process counts locally.
REDIS_TIMEOUT_SECONDS, REDIS_RETRY_SECONDS = 0.2, 5.0
SWEEP_SECONDS = 5.0
LOCAL_LIMITS: set[LimitName] = {"message"}  # A socket stays in its process, and messages are too many for Redis.
MESSAGES: dict[LimitName, str] = {
    "api": "Too many requests",
    "address": "Too many requests come from your network address",
    "message": "Too many messages",
    "export": "Too many exports",
    "import": "Too many imports",
    "upload": "You have reached the upload limit",
    "link": "Too many wrong links were opened from your network address",
    "taken": "Too many of your values were already in use",
    "visit": "Too many public links were opened from your network address",
}
T = TypeVar("T")
log = get_log("contrivance.limits")


@dataclass(frozen=True, slots=True)
class LimitState:
    """The state of a limit for one key; `seconds` is the time until there is more capacity."""

    name: LimitName
    limit: int
    remaining: int
    seconds: int

    @property
    def message(self) -> str:
        """The message for a refused request."""
        plural = "s" if self.retry_after > 1 else ""
        return f"{MESSAGES[self.name]}. Try again in {self.retry_after} second{plural}."

    @property
    def retry_after(self) -> int:
        """Seconds until a refused request can be repeated."""
        return max(1, self.seconds)


class Limiter:
    """Counts by limit name and key. Names without a rate are not limited."""

    def __init__(self, rates: Mapping[LimitName, Rate] = RATES, redis_url: str = "") -> None:
        self._items = {name: RateLimitItemPerSecond(rate.amount, rate.seconds) for name, rate in rates.items()}
        self._local = Counter(_Memory())
        self._redis = Counter(_redis_storage(redis_url)) if redis_url else None
        self._redis_retry_at = 0.0

    @property
    def uses_redis(self) -> bool:
        """Whether counting may wait for Redis and should run in a thread."""
        return self._redis is not None and time.monotonic() >= self._redis_retry_at

    def hit(self, name: LimitName, key: object, *, cost: int = 1) -> bool:
        """Count one more and return True; return False and count nothing if the limit is reached."""
        item = self._items.get(name)
        if item is None:
            return True
        capped_cost = min(cost, item.amount)
        return self._run(name, lambda counter: counter.hit(item, name, str(key), cost=capped_cost))

    def has_capacity(self, name: LimitName, key: object) -> bool:
        """Return whether one more is allowed, without counting it."""
        item = self._items.get(name)
        return item is None or self._run(name, lambda counter: counter.test(item, name, str(key)))

    def state(self, name: LimitName, key: object) -> LimitState | None:
        """Return the state of the limit for this key, None for a name without a limit."""
        item = self._items.get(name)
        if item is None:
            return None
        window = self._run(name, lambda counter: counter.get_window_stats(item, name, str(key)))
        return LimitState(name, item.amount, window.remaining, max(0, math.ceil(window.reset_time - time.time())))

    def _run(self, name: LimitName, query: Callable[[Counter], T]) -> T:
        if self._redis and name not in LOCAL_LIMITS and self.uses_redis:
            try:
                return query(self._redis)
            except self._redis.storage.base_exceptions as error:
                self._redis_retry_at = time.monotonic() + REDIS_RETRY_SECONDS
                log.warning("limits.redis_away", reason=type(error).__name__)
        return query(self._local)


class _Memory(MemoryStorage):
    """The library sweeps expired keys a hundred times a second; every few seconds is enough."""

    _swept_at = 0.0

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 - Overrides the library's private method.
        now = time.monotonic()
        if now - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = now
            super()._MemoryStorage__schedule_expiry()  # type: ignore[misc]


def _redis_storage(url: str) -> RedisStorage:
    """Return the storage that all processes share. It connects on first use."""
    from redis.backoff import NoBackoff  # noqa: PLC0415 - Only needed where Redis is configured.
    from redis.retry import Retry  # noqa: PLC0415 - Only needed where Redis is configured.

    return RedisStorage(
        url.replace("unix://", "redis+unix://", 1),
        key_prefix="contrivance",
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
    )


_limiter = Limiter()


def configure_limits(rates: Mapping[LimitName, Rate], redis_url: str = "") -> None:
    """Replace the limiter of this process by one with these rates."""
    global _limiter  # noqa: PLW0603 - One process has one limiter, chosen once at its start.
    _limiter = Limiter(rates, redis_url)


def limiter() -> Limiter:
    """Return the limiter of this process."""
    return _limiter


def hit(name: LimitName, key: object, *, cost: int = 1) -> bool:
    """Count one more for this key (a user, an address) and return True; return False if the limit is reached."""
    return _limiter.hit(name, key, cost=cost)


def has_capacity(name: LimitName, key: object) -> bool:
    """Return whether one more is allowed, without counting it. For actions that count only when they fail."""
    return _limiter.has_capacity(name, key)


def limit_error(name: LimitName, key: object) -> Throttled:
    """Return the error to raise when the limit is reached, with a message and the seconds to wait."""
    state = _limiter.state(name, key) or LimitState(name, 0, 0, 1)
    return Throttled(state.message, retry_after=state.retry_after)


def consume(name: LimitName, key: object, *, cost: int = 1) -> None:
    """Count one more. Raises Throttled, with the seconds to wait, if the limit is reached."""
    if not _limiter.hit(name, key, cost=cost):
        raise limit_error(name, key)

"""Rate limits: exact, by name and key, shared between processes with Redis, and never blocking."""

import json
import logging
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.base.errors import Throttled
from core.base.logs import configure_logs
from core.config.rate_settings import RATES, Rate, read_rates
from core.limits import rate_limits
from core.limits.rate_limits import Limiter
from tests.support.server.started import free_port

REDIS = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")
FEW = {"link": Rate(5, 600), "message": Rate(5, 600)}


class Redis:
    """A Redis of the test's own, which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        own = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([str(REDIS), *own], stdout=subprocess.DEVNULL)
        for _ in range(200):
            ping = ["redis-cli", "-p", str(self.port), "ping"]
            if subprocess.run(ping, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.02)
        raise AssertionError("Redis did not start")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def keys(self) -> list[str]:
        asked = ["redis-cli", "-p", str(self.port), "--scan"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    made = Redis(tmp_path)
    yield made
    made.stop()


def taken(limiter: Limiter, kind: rate_limits.LimitName = "link", key: object = "a", tries: int = 20) -> int:
    """How many of so many tries there was room for."""
    return sum(limiter.hit(kind, key) for _ in range(tries))


def test_exactly_so_many_are_taken_and_others_are_unaffected() -> None:
    limiter = Limiter(FEW)
    assert taken(limiter) == 5
    assert not limiter.has_capacity("link", "a")
    assert limiter.has_capacity("link", "b")
    assert taken(limiter, key="b") == 5
    assert taken(limiter, "message", "a") == 5


def test_looking_counts_nothing() -> None:
    limiter = Limiter(FEW)
    assert all(limiter.has_capacity("link", "a") for _ in range(20))
    assert taken(limiter) == 5


def test_a_kind_without_a_rate_has_no_limit() -> None:
    limiter = Limiter({})
    assert taken(limiter, tries=10_000) == 10_000
    assert limiter.state("link", "a") is None


def test_the_pace_says_what_is_left_and_when_there_is_more() -> None:
    limiter = Limiter(FEW)
    taken(limiter, tries=2)
    state = limiter.state("link", "a")
    assert state is not None
    assert (state.limit, state.remaining) == (5, 3)
    assert 0 < state.seconds <= 600


def test_the_window_slides() -> None:
    """Twice the limit at the edge of two windows is what a counter by the clock would let through."""
    limiter = Limiter({"link": Rate(10, 1)})
    time.sleep(1 - time.time() % 1 + 0.8)  # Late in a window of the clock.
    assert taken(limiter) == 10
    time.sleep(0.4)  # Early in the next one.
    assert taken(limiter) < 8
    time.sleep(2)
    assert taken(limiter) == 10


def test_a_large_cost_takes_the_whole_and_no_more() -> None:
    limiter = Limiter({"upload": Rate(200, 600)})
    assert limiter.hit("upload", "a", cost=150)
    assert not limiter.hit("upload", "a", cost=100)
    assert limiter.hit("upload", "a", cost=50)
    assert limiter.hit("upload", "b", cost=10**9)
    assert not limiter.hit("upload", "b")


def test_a_demand_is_refused_with_a_sentence_and_a_time() -> None:
    rate_limits.configure_limits({"export": Rate(1, 60)})
    rate_limits.consume("export", 7)
    with pytest.raises(Throttled, match=r"Too many exports\. Try again in [0-9]+ seconds?\.") as refused:
        rate_limits.consume("export", 7)
    assert 1 <= refused.value.facts["retry_after"] <= 60


def test_a_refused_try_does_not_lengthen_the_wait() -> None:
    limiter = Limiter({"link": Rate(5, 2)})
    assert taken(limiter) == 5
    ends = time.monotonic() + 4.5
    while not limiter.hit("link", "a"):
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.parametrize("keys", [1, 20_000])
def test_counting_costs_microseconds_with_many_keys_too(keys: int) -> None:
    """A request on the API counts twice and asks once; the budget is 30 µs on a quiet machine, here with room."""
    limiter = Limiter()
    for number in range(keys):
        limiter.hit("api", f"key {number}")
    rounds = 2000
    began = time.process_time()
    for number in range(rounds):
        limiter.hit("address", "127.0.0.1")
        limiter.hit("api", f"key {number % keys}")
        limiter.state("api", f"key {number % keys}")
    micro = (time.process_time() - began) / rounds * 1e6
    assert micro < 120, f"{micro:.0f} µs a request"


def test_rates_are_the_usual_ones_with_what_is_said_otherwise() -> None:
    assert read_rates("") == RATES
    assert read_rates("export=3/60, api = 50/1") == RATES | {"export": Rate(3, 60), "api": Rate(50, 1)}
    assert read_rates("off") == {}


@pytest.mark.parametrize("text", ["api", "api=5", "api=0/1", "api=5/0", "pages=5/1", "api=5/1;link=5/1", "api=-5/1"])
def test_a_rate_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rate like"):
        read_rates(text)


@needs_redis
def test_two_processes_count_together_in_redis(redis: Redis) -> None:
    first, second = Limiter(FEW, redis.url), Limiter(FEW, redis.url)
    assert taken(first, tries=3) == 3
    assert taken(second) == 2
    assert taken(first) == 0
    state = second.state("link", "a")
    assert state is not None
    assert state.remaining == 0
    assert redis.keys()


@needs_redis
def test_messages_of_sockets_are_never_asked_about(redis: Redis) -> None:
    assert taken(Limiter(FEW, redis.url), "message") == 5
    assert redis.keys() == []


@needs_redis
def test_while_redis_is_away_each_process_counts_for_itself_and_says_so(
    redis: Redis, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", logging.getLogger().handlers)
    monkeypatch.setattr(logging.getLogger(), "level", logging.getLogger().level)
    configure_logs("warning")
    monkeypatch.setattr(rate_limits, "REDIS_RETRY_SECONDS", 0.5)
    limiter = Limiter(FEW, redis.url)
    assert taken(limiter) == 5
    redis.stop()
    began = time.monotonic()
    assert taken(limiter) == 5
    assert time.monotonic() - began < 1
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in told] == ["limits.redis_away"]
    assert redis.url not in json.dumps(told)
    redis.start()
    time.sleep(0.6)
    assert taken(limiter) == 5
    assert redis.keys()


@needs_redis
def test_a_redis_that_does_not_answer_holds_nobody_up(redis: Redis) -> None:
    limiter = Limiter(FEW, redis.url)
    assert limiter.hit("link", "a")
    subprocess.run(["kill", "-STOP", str(redis.process.pid)], check=True)
    began = time.monotonic()
    assert taken(limiter, tries=5) == 5
    assert time.monotonic() - began < 1
    subprocess.run(["kill", "-CONT", str(redis.process.pid)], check=True)

"""Clients that send slowly, or not at all, are bounded in number and time, and everybody else is served."""

import asyncio
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn

from api.http import connections
from api.http.connections import Connection, ConnectionLimiter
from tests.conftest import PASSWORD
from tests.support.server.slow_crowd import CLIENTS, SLOW_BODY, SLOW_HEAD
from tests.support.server.started import ROOT, Started

DESCRIPTORS, SECONDS = 1024, 8.0


@contextmanager
def crowd(port: int) -> Iterator[None]:
    """All the slow clients, from the moment when each of them has been there."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CLIENTS * 2:
        pytest.skip(f"this user may open {hard} files only, and the clients need more")
    command = [sys.executable, "-m", "tests.support.server.slow_crowd", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == "all are there\n"
            yield
        finally:
            process.kill()


async def ask_meanwhile(port: int, path: str, headers: dict[str, str]) -> list[tuple[int | str, float]]:
    """Each time on a new connection, as a stranger to the server comes."""
    found = list[tuple[int | str, float]]()
    until = time.monotonic() + SECONDS
    while (began := time.monotonic()) < until:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
            try:
                status: int | str = (await client.get(path, headers=headers)).status_code
            except httpx.HTTPError as error:
                status = type(error).__name__
        found.append((status, time.monotonic() - began))
        await asyncio.sleep(0.1)
    return found


@pytest.mark.slow
@pytest.mark.serial
def test_twelve_hundred_slow_clients_keep_nobody_from_being_served(tmp_path: Path, database: str) -> None:
    """With as many descriptors as a system gives at first, and no more to be had."""

    async def everybody(port: int, token: str) -> list[list[tuple[int | str, float]]]:
        person = {"Authorization": f"Bearer {token}"}
        asked = [("/api/health/live", {}), ("/api/health/ready", {}), ("/api/v1/me", person)]
        return await asyncio.gather(*(ask_meanwhile(port, path, headers) for path, headers in asked))

    with Started(tmp_path / "data", descriptors=DESCRIPTORS, DATABASE_URL=database) as started:
        login = {"email": "ann@example.com", "password": PASSWORD}
        token = httpx.post(f"{started.url}/api/v1/auth/login", json=login).json()["access_token"]
        with crowd(started.port):
            found = asyncio.run(everybody(started.port, token))
        for answers in found:
            assert len(answers) > 5
            assert {status for status, _ in answers} == {200}
            assert max(seconds for _, seconds in answers) < 4
        assert "connections.full" in started.text()
        assert "Traceback" not in started.text()
        assert '"level":"error"' not in started.text()


@contextmanager
def serving(most: int = 100) -> Iterator[int]:
    """uvicorn with our connections before a small application; its port."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        size = 0
        while (message := await receive())["type"] == "http.request":
            size += len(message["body"])
            if not message["more_body"]:
                break
        said = b"x" * 64 * 2**20 if scope["path"] == "/much" else b"%d" % size
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
        await send({"type": "http.response.body", "body": said})

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        config = uvicorn.Config(
            application, http=partial(Connection, limiter=ConnectionLimiter(most)), lifespan="off", log_level="error"
        )  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def answer_of(port: int, *parts: bytes, every: float = 0.0) -> bytes:
    """What the server says until it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as asked:
        for part in parts:
            asked.sendall(part)
            time.sleep(every)
        said = b""
        while more := asked.recv(65536):
            said += more
        return said


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same times, shorter."""
    short = {"HEAD_SECONDS": 0.3, "BODY_SECONDS": 0.6, "READ_SECONDS": 0.5, "SWEEP_SECONDS": 0.1}
    for name, seconds in short.items():
        monkeypatch.setattr(connections, name, seconds)


def test_a_request_that_does_not_arrive_is_ended_with_its_reason(impatient: None) -> None:
    with serving() as port:
        assert answer_of(port) == b""
        assert answer_of(port, SLOW_HEAD).startswith(b"HTTP/1.1 408 ")
        assert answer_of(port, SLOW_BODY).startswith(b"HTTP/1.1 408 ")
        assert answer_of(port, SLOW_HEAD + b"x" * 2**16).startswith(b"HTTP/1.1 431 ")
        # The first is answered and kept alive; the second never comes.
        assert answer_of(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", SLOW_HEAD, every=0.05).count(b"HTTP/1.1 ") == 2


def test_a_body_that_comes_steadily_may_take_its_time(impatient: None) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n"
    with serving() as port:
        assert answer_of(port, head, *[b"x" * 1000] * 20, every=0.05).endswith(b"\r\n\r\n20000")


def test_a_client_that_takes_nothing_of_its_answer_is_let_go(impatient: None) -> None:
    with serving() as port, socket.create_connection(("127.0.0.1", port), timeout=20) as asked:
        asked.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(2)  # It reads nothing: there is no event to wait for.
        read = 0
        with suppress(ConnectionResetError):
            while more := asked.recv(2**20):
                read += len(more)
        assert read < 64 * 2**20


def test_one_more_than_there_may_be_takes_the_place_of_the_one_that_waited_longest() -> None:
    with serving(most=2) as port:
        first, second, third = (socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(3))
        with first, second, third:
            with suppress(ConnectionResetError):
                assert first.recv(1) == b""
            for other in (second, third):
                other.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert other.recv(100).startswith(b"HTTP/1.1 200 ")


def test_where_all_are_at_work_only_health_is_answered() -> None:
    with serving(most=1) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as at_work:
        at_work.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        assert at_work.recv(12) == b"HTTP/1.1 200"
        assert answer_of(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 503 ")
        health = b"GET /api/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert answer_of(port, health).startswith(b"HTTP/1.1 200 ")

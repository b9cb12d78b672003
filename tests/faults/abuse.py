"""Somebody who means harm, from an address of their own: floods, too many sockets, huge and senseless frames.

python -m tests.faults.abuse PORT: a process of its own, so that what it costs here is not taken for the server's.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any
from uuid import uuid4

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Origin, Subprotocol

ADDRESS = "127.0.0.66"
SOCKETS, RERUNS, REQUESTS = 500, 400, 1500
HUGE = 50 * 2**20
WAIT_SECONDS = 15.0
ENDED = (WebSocketException, OSError, TimeoutError, EOFError)


def abuse(port: int) -> dict[str, Any]:
    """Attack once, from another process: how sockets ended, requests by status, close codes by what was sent."""
    command = [sys.executable, "-m", "tests.faults.abuse", str(port)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@dataclass
class Suffered:
    """What the server did about it, by what was tried."""

    sockets: Counter[str] = field(default_factory=Counter)
    requests: Counter[int] = field(default_factory=Counter)
    closed: dict[str, int] = field(default_factory=dict)


@dataclass
class Health:
    """How the health check answered meanwhile, in milliseconds."""

    took: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return quantiles(self.took, n=20)[-1] if len(self.took) > 1 else float("inf")

    def said(self) -> str:
        most = max(self.took, default=0)
        return f"health check: {len(self.took)} answers, p95 {self.p95:.0f} ms, worst {most:.0f} ms"


def page_socket(port: int) -> connect:
    return connect(
        f"ws://127.0.0.1:{port}/_stcore/stream",
        origin=Origin(f"http://127.0.0.1:{port}"),
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
        proxy=None,
        compression=None,
        open_timeout=WAIT_SECONDS,
        ping_interval=None,
        local_addr=(ADDRESS, 0),
    )


def rerun() -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = ""
    return message.SerializeToString()


async def watch_health(port: int, health: Health, every: float = 0.05) -> None:
    """Ask again and again, as a balancer does, until cancelled."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        while True:
            began = time.perf_counter()
            try:
                status = (await client.get("/api/health/live")).status_code
            except httpx.HTTPError as error:
                health.failed.append(type(error).__name__)
            else:
                health.took.append((time.perf_counter() - began) * 1000)
                health.failed += [str(status)] if status != 200 else []
            await asyncio.sleep(every)


async def attack(port: int) -> Suffered:
    """Everything at once."""
    suffered = Suffered()
    await asyncio.gather(
        _many_sockets(port, suffered),
        _many_requests(port, suffered),
        _sent(port, suffered, "reruns", [rerun()] * RERUNS),
        _sent(port, suffered, "huge", [os.urandom(HUGE)]),
        _sent(port, suffered, "random", [os.urandom(1000) for _ in range(20)]),
        _no_http(port),
    )
    return suffered


async def _many_sockets(port: int, suffered: Suffered) -> None:
    """Open so many and hold them all."""
    held: list[ClientConnection] = []

    async def hold() -> None:
        try:
            held.append(await page_socket(port))
            suffered.sockets["open"] += 1
        except InvalidStatus as refused:
            suffered.sockets[str(refused.response.status_code)] += 1
        except ENDED as error:
            suffered.sockets[type(error).__name__] += 1

    await asyncio.gather(*(hold() for _ in range(SOCKETS)))
    await asyncio.gather(*(socket.close() for socket in held), return_exceptions=True)


async def _many_requests(port: int, suffered: Suffered) -> None:
    """Made-up tokens and cookies, each another."""
    line = httpx.AsyncHTTPTransport(local_address=ADDRESS)
    at_once = asyncio.Semaphore(50)

    async def ask(number: int) -> None:
        made_up = {"Authorization": f"Bearer {uuid4()}"} if number % 2 else {"Cookie": f"contrivance_session={uuid4()}"}
        async with at_once:
            suffered.requests[(await client.get("/api/v1/me", headers=made_up)).status_code] += 1

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", transport=line, timeout=WAIT_SECONDS) as client:
        await asyncio.gather(*(ask(number) for number in range(REQUESTS)))


async def _sent(port: int, suffered: Suffered, name: str, frames: list[bytes]) -> None:
    """Send these as fast as they go; the code with which the server ends it, 0 where it does not."""
    for _ in range(100):  # There may be no place for one more socket of this address just now.
        with suppress(*ENDED):
            socket = await page_socket(port)
            break
        await asyncio.sleep(0.1)
    else:
        suffered.closed[name] = 429
        return
    with suppress(*ENDED):
        for frame in frames:
            await socket.send(frame)
    with suppress(*ENDED):
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                await socket.recv()
    suffered.closed[name] = socket.close_code or 0
    await socket.close()


async def _no_http(port: int) -> None:
    """Random bytes where a request should begin."""
    for _ in range(20):
        with suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(ADDRESS, 0))
            writer.write(os.urandom(4096) + b"\r\n\r\n")
            async with asyncio.timeout(WAIT_SECONDS):
                await reader.read()
            writer.close()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vars(asyncio.run(attack(int(sys.argv[1]))))))

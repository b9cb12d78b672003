"""Programs on the live channel, light enough that the server is measured: viewers that follow, editors that type."""

import asyncio
import json
import time
from random import Random
from typing import Any, Self
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from tests.bench.live_ledger import Ledger


class Http:
    """One kept connection, one request at a time: nothing but what a program needs."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the data of an answer."""
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        async with self._lock:
            reader, writer = self._streams or await self._open()
            writer.write(head.encode() + content)
            return await self._answer(reader)

    async def close(self) -> None:
        if self._streams:
            self._streams[1].close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        return self._streams

    @staticmethod
    async def _answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0)
        return int(head.split(" ", 2)[1]), json.loads(await reader.readexactly(length) or b"null")


class Viewer:
    """Somebody who looks at a sheet as a grid does: hears a version, asks what changed, shows it."""

    def __init__(self, http: Http, sheet: int) -> None:
        self.http, self.sheet = http, sheet
        self.version = 0
        self.cells: dict[tuple[int, str], Any] = {}
        self.seen_at: list[tuple[int, float]] = []  # From when on it showed which version.
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        self._heard = 0

    async def start(self) -> Self:
        url = f"ws://127.0.0.1:{self.http.port}/api/v1/sheets/{self.sheet}/live"
        headers = {"Authorization": f"Bearer {self.http.token}"}
        self._socket = await connect(url, additional_headers=headers, ping_interval=None)
        self.version = self._heard = json.loads(await self._socket.recv()).get("version", 0)
        self._tasks = [asyncio.create_task(self._hear(self._socket)), asyncio.create_task(self._follow())]
        return self

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket:
            await self._socket.close()

    async def _hear(self, socket: ClientConnection) -> None:
        async for message in socket:
            self._heard = max(self._heard, json.loads(message).get("version", 0))
            if self._heard > self.version:
                self._news.set()

    async def _follow(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            _, found = await self.http.ask("GET", f"/sheets/{self.sheet}/changes?since={self.version}")
            for row in found.get("rows", []):
                self.cells |= {(row["id"], column): value for column, value in row["values"].items()}
            self.version = max(self.version, found["version"])
            self.seen_at.append((self.version, time.perf_counter()))
            if self._heard > self.version:
                self._news.set()

    def saw(self, version: int) -> float | None:
        """When it showed this version or a later one."""
        return next((at for seen, at in self.seen_at if seen >= version), None)


async def type_cells(
    http: Http, who: int, viewer: Viewer, ledger: Ledger, *, rows: int, seconds: float, seed: int
) -> dict[int, float]:
    """Type into cells at human speed, over what this person's own grid shows; when each version was answered.

    Conflicts are decided by rule: even numbers keep mine, odd ones take theirs.
    """
    chance, answered, ends = Random(seed), dict[int, float](), time.monotonic() + seconds
    while time.monotonic() < ends:
        row, base = chance.randint(1, rows), viewer.version
        await asyncio.sleep(sum(chance.uniform(0.04, 0.12) for _ in range(6)))
        value: int | None = chance.randint(1, 10**6)
        while value is not None:
            edits = [{"row": row, "column": 4, "value": value, "base": base}]
            outcome = await _write(http, who, viewer.sheet, edits, ledger)
            answered[outcome["version"]] = time.perf_counter()
            conflicts = outcome["conflicts"]
            base, value = (conflicts[0]["version"], value) if conflicts and value % 2 == 0 else (0, None)
    return answered


async def _write(http: Http, who: int, sheet: int, edits: list[Any], ledger: Ledger) -> dict[str, Any]:
    operation = str(uuid4())
    sent = ledger.send(operation, who, sheet, edits)
    body = {"operation_id": operation, "partial": True, "edits": edits}
    while True:
        began = time.perf_counter()
        status, outcome = await http.ask("PATCH", f"/sheets/{sheet}/rows", body)
        if status == 200:
            ledger.answers.append((time.perf_counter() - began) * 1000)
            sent.outcome = outcome
            return dict(outcome)
        await asyncio.sleep(0.5)

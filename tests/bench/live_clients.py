"""Programs on the live channel, light enough that the server is measured: viewers that follow, editors that type."""

import asyncio
import contextlib
import json
import time
from random import Random, uniform
from typing import Any, Self
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.bench.live_ledger import Ledger

# What a line says when the other side is not there: the same action is sent again, as a grid's outbox does.
BROKEN = (OSError, EOFError, TimeoutError)
# As in the grid: what it takes for a line to count as dead, and how long until it calls again.
SILENCE, FIRST_WAIT, LONGEST_WAIT = 7.0, 0.4, 2.5
ANSWER_SECONDS, AGAIN_SECONDS = 20.0, 0.5


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
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    reader, writer = self._streams or await self._open()
                    writer.write(head.encode() + content)
                    return await self._answer(reader)
            except BaseException:  # Also when the caller gives up: what comes on this line is not for the next request.
                self._drop()
                raise

    async def close(self) -> None:
        self._drop()

    def _drop(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        return self._streams

    @staticmethod
    async def _answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0)
        return int(head.split(" ", 2)[1]), json.loads(await reader.readexactly(length) or b"null")


class Viewer:
    """Somebody who looks at a sheet as a grid does: is told what changed or asks for it, shows it, calls again."""

    def __init__(self, http: Http, sheet: int) -> None:
        self.http, self.sheet = http, sheet
        self.version = 0
        self.cells: dict[tuple[int, str], Any] = {}
        self.seen_at: list[tuple[int, float]] = []  # From when on it showed which version.
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        self._heard = 0
        self._is_asking = False

    async def start(self) -> Self:
        self._socket = await self._call()
        self.version = self._heard = json.loads(await self._socket.recv()).get("version", 0)
        await self._agree(self._socket)
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._follow())]
        return self

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket:
            await self._socket.close()
        await self.http.close()

    async def _call(self) -> ClientConnection:
        url = f"ws://127.0.0.1:{self.http.port}/api/v1/sheets/{self.sheet}/live"
        headers = {"Authorization": f"Bearer {self.http.token}"}
        return await connect(url, additional_headers=headers, ping_interval=None, open_timeout=SILENCE)

    async def _agree(self, socket: ClientConnection) -> None:
        """Say which version it has: what changes next comes by itself."""
        if self.version:
            await socket.send(json.dumps({"since": self.version}))

    async def _hear(self) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                if not self._socket:
                    self._socket = await self._call()
                    await self._agree(self._socket)
                while True:
                    async with asyncio.timeout(SILENCE):
                        message = json.loads(await self._socket.recv())
                    wait = FIRST_WAIT
                    changes = message.get("changes", {"reset": True})
                    if message.get("since") == self.version and not changes["reset"] and not self._is_asking:
                        await self._show(changes)
                    self._note(message.get("version", 0))
            except (*BROKEN, WebSocketException):
                if self._socket:
                    self._socket.transport.abort()
                self._socket = None
            await asyncio.sleep(wait * uniform(0.75, 1.25))
            wait = min(wait * 2, LONGEST_WAIT)

    def _note(self, version: int) -> None:
        self._heard = max(self._heard, version)
        if self._heard > self.version:
            self._news.set()

    async def _follow(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            self._is_asking = True
            try:
                status, found = await self.http.ask("GET", f"/sheets/{self.sheet}/changes?since={self.version}")
            except BROKEN:
                status, found = 0, {}
            if status == 200:
                await self._show(found)
            self._is_asking = False
            if status == 200 and self._socket:
                with contextlib.suppress(WebSocketException):
                    await self._agree(self._socket)
            elif status != 200:
                await asyncio.sleep(AGAIN_SECONDS)
            if self._heard > self.version:
                self._news.set()

    async def _show(self, found: dict[str, Any]) -> None:
        if found["reset"]:
            _, found = await self.http.ask("GET", f"/sheets/{self.sheet}/rows?limit=1000")
        for row in found["rows"]:
            self.cells |= {(row["id"], column): value for column, value in row["values"].items()}
        self.version = max(self.version, found["version"])
        self.seen_at.append((self.version, time.perf_counter()))

    def saw(self, version: int) -> float | None:
        """When it showed this version or a later one."""
        return next((at for seen, at in self.seen_at if seen >= version), None)


async def type_cells(
    http: Http, who: int, viewer: Viewer, ledger: Ledger, *, rows: int, seconds: float, seed: int, pace: float = 1.0
) -> dict[int, float]:
    """Type into cells at human speed times `pace`, over what this person's own grid shows; when each was answered.

    Conflicts are decided by rule: even numbers keep mine, odd ones take theirs.
    """
    chance, answered, ends = Random(seed), dict[int, float](), time.monotonic() + seconds
    while time.monotonic() < ends:
        row, base = chance.randint(1, rows), viewer.version
        await asyncio.sleep(pace * sum(chance.uniform(0.04, 0.12) for _ in range(6)))
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
        try:
            status, outcome = await http.ask("PATCH", f"/sheets/{sheet}/rows", body)
        except BROKEN as error:
            ledger.interrupted[type(error).__name__] += 1
        else:
            if status == 200:
                ledger.answers.append((time.perf_counter() - began) * 1000)
                sent.outcome = outcome
                return dict(outcome)
            ledger.interrupted[str(status)] += 1
            if status != 503 or not outcome.get("detail") or "Traceback" in str(outcome):
                ledger.strange.append(f"{status}: {outcome}")
        await asyncio.sleep(AGAIN_SECONDS)

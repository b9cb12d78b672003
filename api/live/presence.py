"""Presence of this process's sockets: written in batches, and read once per sheet and scope."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Collection
from uuid import UUID, uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.live.socket_state import SocketState
from core.base.actor import Actor
from core.base.errors import Refused
from core.presence.presence import (
    REFRESH_SECONDS,
    Position,
    list_present,
    remove_connections,
    remove_process,
    remove_stale,
    save_positions,
)
from db.engine import Busy, transaction

# Moves within this time are one statement. A sheet with many sockets is sent less often: each message lists them all.
PAUSE_SECONDS = 0.1
PAUSE_PER_SOCKET_SECONDS = 0.003
RETRY_SECONDS = 1.0
MAX_READ_AGE_SECONDS = 10.0
log = structlog.get_logger()

Group = tuple[int, str]  # A sheet and a scope. Readers with both in common see the same presence.


class Presence:
    """The cells in which the users of this process's sockets are. `watchers` returns the sockets that watch a sheet."""

    def __init__(self, watchers: Callable[[int], Collection[SocketState]]) -> None:
        self._watchers = watchers
        self._process_id = uuid4()
        self._positions: dict[UUID, Position] = {}
        self._moved: set[UUID] = set()
        self._left: set[UUID] = set()
        self._dirty: set[int] = set()
        self._read_at: dict[int, float] = {}
        self._refreshed_at = 0.0
        self._has_written = False
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start writing and reading in the running loop."""
        self._work = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="presence")

    async def stop(self) -> None:
        """Stop, and remove the presence of this process's sockets from the database."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        for cache in (self._positions, self._moved, self._left, self._dirty, self._read_at):
            cache.clear()
        # Even if every socket has left: the task may have been stopped before it wrote that.
        if self._has_written:
            self._has_written = False
            with contextlib.suppress(SQLAlchemyError, Busy):  # Without a database the rows expire.
                await run_in_threadpool(_leave, self._process_id)

    def move(self, state: SocketState, row_id: int | None, column_id: int | None) -> None:
        """Store the cell of a socket's user. From the first time on, the socket receives the presence of others."""
        if not isinstance(state.client_key, int):  # Visitors of a public link are not shown.
            return
        previous = self._positions.get(state.connection_id)
        position = Position(state.connection_id, state.sheet_id, state.client_key, row_id, column_id)
        if position == previous:
            return
        self._has_written = True
        self._positions[position.connection_id] = position
        self._moved.add(position.connection_id)
        self._work.set()

    def leave(self, state: SocketState) -> None:
        """Remove the presence of a closed socket."""
        if self._positions.pop(state.connection_id, None):
            self._left.add(state.connection_id)
            self._work.set()

    def mark_dirty(self, sheet_id: int) -> None:
        """Schedule sending a sheet's presence, because a user moved, came or left."""
        if self._audience(sheet_id):
            self._dirty.add(sheet_id)
            self._work.set()

    def _audience(self, sheet_id: int) -> list[SocketState]:
        return [state for state in self._watchers(sheet_id) if state.connection_id in self._positions]

    async def _run(self) -> None:
        while True:
            await self._wait()
            try:
                await self._write()
                await self._read()
            except (SQLAlchemyError, Busy) as error:
                log.warning("presence.not_kept", reason=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                self._work.set()

    async def _wait(self) -> None:
        """Wait until there is work, and a moment longer so that moves at almost the same time are one batch."""
        if not self._dirty:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS if self._positions else None):
                    await self._work.wait()
        self._work.clear()
        await asyncio.sleep(PAUSE_SECONDS)

    async def _write(self) -> None:
        """Write the moves and departures; every few seconds all presence, so that it does not expire."""
        due = bool(self._positions) and time.monotonic() - self._refreshed_at >= REFRESH_SECONDS
        moved = self._positions.keys() if due else self._moved & self._positions.keys()
        positions, departures = [self._positions[connection_id] for connection_id in moved], self._left
        if not (positions or departures):
            return
        self._moved, self._left = set(), set()
        try:
            await run_in_threadpool(_write, self._process_id, positions, departures, sweep=due)
        except (SQLAlchemyError, Busy):
            self._left |= departures
            self._refreshed_at = 0.0  # What was not written is written with all presence.
            raise
        if due:
            self._refreshed_at = time.monotonic()

    async def _read(self) -> None:
        """Send the presence of dirty sheets whose pause is over."""
        now = time.monotonic()
        ready = {sheet_id for sheet_id in self._dirty if now >= self._next_read_at(sheet_id)}
        if not ready:
            return
        self._dirty -= ready
        self._read_at = {sheet_id: at for sheet_id, at in self._read_at.items() if now - at < MAX_READ_AGE_SECONDS}
        self._read_at |= dict.fromkeys(ready, now)
        try:
            presence_by_group = await run_in_threadpool(_read, self._readers(ready))
        except (SQLAlchemyError, Busy):
            self._dirty |= ready
            raise
        for group, presence in presence_by_group.items():
            self._push(*group, presence)

    def _next_read_at(self, sheet_id: int) -> float:
        """When a sheet's presence may be read again."""
        pause = PAUSE_SECONDS + PAUSE_PER_SOCKET_SECONDS * len(self._watchers(sheet_id))
        return self._read_at.get(sheet_id, 0.0) + pause

    def _readers(self, sheets: set[int]) -> dict[Group, Actor]:
        """One actor of each group, for whom the presence of the group is read."""
        readers = [(sheet_id, state.reader) for sheet_id in sheets for state in self._audience(sheet_id)]
        return {
            (sheet_id, reader.scope): reader.principal
            for sheet_id, reader in readers
            if reader and isinstance(reader.principal, Actor)
        }

    def _push(self, sheet_id: int, scope: str, presence: str | None) -> None:
        group = [state for state in self._audience(sheet_id) if state.reader and state.reader.scope == scope]
        for state in group:
            if presence is not None and not state.needs_recheck:
                state.push_presence(presence)
        if presence is None:  # An actor of the group may have lost access: check all of them.
            for state in group:
                state.require_recheck()


def _write(process_id: UUID, positions: list[Position], departures: set[UUID], *, sweep: bool) -> None:
    with transaction() as session:
        if positions:
            save_positions(session, process_id, positions)
        if departures:
            remove_connections(session, departures)
        if sweep:
            remove_stale(session)


def _leave(process_id: UUID) -> None:
    with transaction() as session:
        remove_process(session, process_id)


def _read(groups: dict[Group, Actor]) -> dict[Group, str | None]:
    """The presence message of each group; None if its actor may not see the sheet."""
    with transaction() as session:
        return {group: _presence_json(session, actor, group[0]) for group, actor in groups.items()}


def _presence_json(session: Session, actor: Actor, sheet_id: int) -> str | None:
    try:
        return json.dumps({"present": list_present(session, actor, sheet_id)}, separators=(",", ":"))
    except Refused:
        return None

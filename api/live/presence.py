"""Presence in this process: where its sockets are is written for all of them at once, and read once for many."""

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

from api.live.mailbox import Mailbox
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

# Moves within this time are one statement; a sheet with many sockets is told less often, because each is told of all.
PAUSE_SECONDS = 0.1
PAUSE_PER_SOCKET_SECONDS = 0.003
RETRY_SECONDS = 1.0
REMEMBERED_SECONDS = 10.0
log = structlog.get_logger()

Group = tuple[int, str]  # A sheet, and a scope in it: whoever shares both may be told the same.


class Presence:
    """Where the sockets of this process are. `watchers` gives the mailboxes that watch a sheet."""

    def __init__(self, watchers: Callable[[int], Collection[Mailbox]]) -> None:
        self._watchers = watchers
        self._process_id = uuid4()
        self._places: dict[UUID, Position] = {}
        self._moved: set[UUID] = set()
        self._left: set[UUID] = set()
        self._stirred: set[int] = set()
        self._read_at: dict[int, float] = {}
        self._kept_at = 0.0
        self._was_anybody = False
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write and read, in the running loop."""
        self._work = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name="presence")

    async def stop(self) -> None:
        """Every socket of this process is leaving."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        for kept in (self._places, self._moved, self._left, self._stirred, self._read_at):
            kept.clear()
        # Also where every socket has left already: the task may have been stopped just before it wrote so.
        if self._was_anybody:
            self._was_anybody = False
            with contextlib.suppress(SQLAlchemyError, Busy):  # Without a database the lines grow old by themselves.
                await run_in_threadpool(_leave, self._process_id)

    def place(self, mailbox: Mailbox, row_id: int | None, column_id: int | None) -> None:
        """A socket says where its person is. From now on it is also told who else is there."""
        if not isinstance(mailbox.who, int):  # A visitor by a public link is nowhere.
            return
        known = self._places.get(mailbox.connection_id)
        place = Position(mailbox.connection_id, mailbox.sheet_id, mailbox.who, row_id, column_id)
        if place == known:
            return
        self._was_anybody = True
        self._places[place.connection_id] = place
        self._moved.add(place.connection_id)
        self._work.set()

    def leave(self, mailbox: Mailbox) -> None:
        """The socket is gone."""
        if self._places.pop(mailbox.connection_id, None):
            self._left.add(mailbox.connection_id)
            self._work.set()

    def stir(self, sheet_id: int) -> None:
        """Somebody moved, came or left: whoever watches this sheet shall be told."""
        if self._audience(sheet_id):
            self._stirred.add(sheet_id)
            self._work.set()

    def _audience(self, sheet_id: int) -> list[Mailbox]:
        return [mailbox for mailbox in self._watchers(sheet_id) if mailbox.connection_id in self._places]

    async def _keep(self) -> None:
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
        """Until there is work, and a moment longer so that what comes together is done together."""
        if not self._stirred:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS if self._places else None):
                    await self._work.wait()
        self._work.clear()
        await asyncio.sleep(PAUSE_SECONDS)

    async def _write(self) -> None:
        """Where sockets moved to and which left; every few seconds that all of them are still there."""
        due = bool(self._places) and time.monotonic() - self._kept_at >= REFRESH_SECONDS
        moved = self._places.keys() if due else self._moved & self._places.keys()
        places, left = [self._places[one] for one in moved], self._left
        if not (places or left):
            return
        self._moved, self._left = set(), set()
        try:
            await run_in_threadpool(_write, self._process_id, places, left, sweep=due)
        except (SQLAlchemyError, Busy):
            self._left |= left
            self._kept_at = 0.0  # Whatever was not written is written with everything else.
            raise
        if due:
            self._kept_at = time.monotonic()

    async def _read(self) -> None:
        """Tell who is there on the sheets where something moved, as soon as each may be told again."""
        now = time.monotonic()
        ready = {sheet_id for sheet_id in self._stirred if now >= self._due(sheet_id)}
        if not ready:
            return
        self._stirred -= ready
        self._read_at = {sheet_id: at for sheet_id, at in self._read_at.items() if now - at < REMEMBERED_SECONDS}
        self._read_at |= dict.fromkeys(ready, now)
        try:
            found = await run_in_threadpool(_read, self._asked(ready))
        except (SQLAlchemyError, Busy):
            self._stirred |= ready
            raise
        for group, told in found.items():
            self._tell(*group, told)

    def _due(self, sheet_id: int) -> float:
        """When a sheet may be told again."""
        pause = PAUSE_SECONDS + PAUSE_PER_SOCKET_SECONDS * len(self._watchers(sheet_id))
        return self._read_at.get(sheet_id, 0.0) + pause

    def _asked(self, sheets: set[int]) -> dict[Group, Actor]:
        """Somebody of each group, for whom it is read who is there."""
        readers = [(sheet_id, box.reader) for sheet_id in sheets for box in self._audience(sheet_id)]
        return {
            (sheet_id, reader.scope): reader.principal
            for sheet_id, reader in readers
            if reader and isinstance(reader.principal, Actor)
        }

    def _tell(self, sheet_id: int, scope: str, told: str | None) -> None:
        group = [box for box in self._audience(sheet_id) if box.reader and box.reader.scope == scope]
        for mailbox in group:
            if told is not None and not mailbox.doubted:
                mailbox.show(told)
        if told is None:  # Somebody of them may not see the sheet any more: let every one be looked at.
            for mailbox in group:
                mailbox.doubt()


def _write(process_id: UUID, places: list[Position], left: set[UUID], *, sweep: bool) -> None:
    with transaction() as session:
        if places:
            save_positions(session, process_id, places)
        if left:
            remove_connections(session, left)
        if sweep:
            remove_stale(session)


def _leave(process_id: UUID) -> None:
    with transaction() as session:
        remove_process(session, process_id)


def _read(groups: dict[Group, Actor]) -> dict[Group, str | None]:
    """Per group who is there, as the JSON to send; None where its actor may not see the sheet."""
    with transaction() as session:
        return {group: _told(session, actor, group[0]) for group, actor in groups.items()}


def _told(session: Session, actor: Actor, sheet_id: int) -> str | None:
    try:
        return json.dumps({"present": list_present(session, actor, sheet_id)}, separators=(",", ":"))
    except Refused:
        return None

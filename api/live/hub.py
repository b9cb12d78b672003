"""The live hub: one LISTEN connection per process pushes the new versions of sheets to the sockets that watch them.

A NOTIFY is lost while disconnected, so the hub also compares versions when it (re)connects and every few seconds.
Each socket has a state with one slot per kind of message, so a slow reader misses nothing and does not delay others.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterable

import psycopg
import structlog
from psycopg import AsyncConnection

from api.live.presence import Presence
from api.live.socket_state import ClientKey, Reader, SocketState
from core.base.pg_notify import RIGHTS_CHANNEL
from core.presence.presence import PRESENCE_CHANNEL

COMPARE_SECONDS = 3.0
ANSWER_SECONDS = 10.0
# Every open page is up to date within five seconds of the database's return.
MAX_BACKOFF_SECONDS = 2.0
MAX_SOCKETS_PER_CLIENT = 50
SHEETS_CHANNEL = "sheet_changes"
# A dead connection is noticed in seconds, not after the two hours of TCP's default.
CONNECTION_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "application_name": "contrivance live",
}
log = structlog.get_logger()


class TooManySockets(Exception):
    """This client has reached the limit of open live connections."""


class Hub:
    """The sockets that watch each sheet, and the connection that receives notifications of changes."""

    def __init__(self) -> None:
        self._watchers: dict[int, set[SocketState]] = defaultdict(set)
        self._per_client: Counter[ClientKey] = Counter()
        # Per sheet, the newest version that the database has notified.
        self._notified: Counter[int] = Counter()
        self._task: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()
        self.presence = Presence(lambda sheet_id: self._watchers.get(sheet_id, set()))

    async def start(self, conninfo: str) -> None:
        """Start listening in the running loop. Returns at once; the database may not answer yet."""
        self.connected = asyncio.Event()
        self._task = asyncio.create_task(self._keep_listening(conninfo), name="live hub")
        self.presence.start()

    async def stop(self) -> None:
        """Stop listening and let every socket close."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self.presence.stop()
        for state in self._all():
            state.close()

    def watch(self, sheet_id: int, reader: Reader) -> SocketState:
        """Return the state of a new socket. Raises TooManySockets at the client's limit."""
        if self._per_client[reader.client_key] >= MAX_SOCKETS_PER_CLIENT:
            raise TooManySockets
        state = SocketState(sheet_id, reader.client_key)
        state.access_checked(reader)
        state.push_version(reader.version)
        self._watchers[sheet_id].add(state)
        self._notified[sheet_id] = max(self._notified[sheet_id], reader.version)
        self._per_client[reader.client_key] += 1
        return state

    def publish(self, sheet_id: int, version: int) -> None:
        """Push a version that this process has written, without waiting for the database's notification."""
        self._push(sheet_id, version)
        self._push_related(sheet_id)

    def unwatch(self, state: SocketState) -> None:
        """Remove the state of a closed socket."""
        self.presence.leave(state)
        watchers = self._watchers[state.sheet_id]
        watchers.discard(state)
        if not watchers:
            del self._watchers[state.sheet_id]
            self._notified.pop(state.sheet_id, None)
        self._per_client[state.client_key] -= 1
        if self._per_client[state.client_key] <= 0:
            del self._per_client[state.client_key]

    @property
    def sockets(self) -> int:
        """The number of open sockets."""
        return self._per_client.total()

    def _all(self) -> Iterable[SocketState]:
        return [state for watchers in self._watchers.values() for state in watchers]

    def _push(self, sheet_id: int, version: int, *, again: bool = False) -> None:
        """Push a version to the sockets that do not have it; `again`: to all, because it can mean changed columns."""
        for state in self._watchers.get(sheet_id, ()):
            if again or version > state.version:
                state.push_version(version)

    def _push_related(self, sheet_id: int) -> None:
        """Tell the sockets of sheets whose cells are computed from this one that it has changed."""
        for state in self._all():
            if state.reader and sheet_id in state.reader.related_sheets:
                state.push_related()

    async def _keep_listening(self, conninfo: str) -> None:
        failures = 0
        while True:
            try:
                async with await AsyncConnection.connect(conninfo, autocommit=True, **CONNECTION_OPTIONS) as connection:  # type: ignore[arg-type]
                    failures = 0
                    await self._listen(connection)
            except (psycopg.Error, OSError, TimeoutError) as error:
                self.connected.clear()
                failures += 1
                for state in self._all():
                    state.database_lost()
                log.warning("live.disconnected", failures=failures, reason=type(error).__name__)
                wait = min(MAX_BACKOFF_SECONDS, 0.1 * 2**failures)
                await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - not a secret; it spreads the attempts.

    async def _listen(self, connection: AsyncConnection) -> None:
        # For notifications that are received together with a result.
        connection.add_notify_handler(lambda notice: self._dispatch(notice.channel, notice.payload))
        async with asyncio.timeout(ANSWER_SECONDS):
            for channel in (SHEETS_CHANNEL, RIGHTS_CHANNEL, PRESENCE_CHANNEL):
                await connection.execute(f"LISTEN {channel}")
        # Notifications were lost while disconnected: check every version and every right.
        for state in self._all():
            state.database_back()
            self.presence.mark_dirty(state.sheet_id)
        while True:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._compare(connection)
            self.connected.set()
            await self._dispatch_for(COMPARE_SECONDS, connection)

    async def _dispatch_for(self, seconds: float, connection: AsyncConnection) -> None:
        """Dispatch notifications for a time. They are read from libpq, because AsyncConnection.notifies() takes half a
        millisecond for each, and every edit sends one."""
        loop = asyncio.get_running_loop()
        broken = loop.create_future()

        def read() -> None:
            try:
                connection.pgconn.consume_input()
                while notice := connection.pgconn.notifies():
                    self._dispatch(notice.relname.decode(), notice.extra.decode())
            except psycopg.Error as error:
                loop.remove_reader(socket)
                broken.set_exception(error)

        socket = connection.fileno()
        loop.add_reader(socket, read)
        try:
            read()
            await asyncio.wait([broken], timeout=seconds)
        finally:
            loop.remove_reader(socket)
        if broken.done():
            broken.result()

    def _dispatch(self, channel: str, payload: str) -> None:
        subject, _, detail = payload.partition(":")
        if channel == SHEETS_CHANNEL and subject.isdigit() and detail.isdigit():
            self._on_version(int(subject), int(detail))
        elif channel == RIGHTS_CHANNEL and detail.isdigit():
            self._on_rights(subject, int(detail))
        elif channel == PRESENCE_CHANNEL and subject.isdigit():
            self.presence.mark_dirty(int(subject))

    def _on_version(self, sheet_id: int, version: int) -> None:
        """Push a notified version. A version that is notified twice means changed columns."""
        self._push_related(sheet_id)
        if sheet_id in self._watchers:
            self._push(sheet_id, version, again=version <= self._notified[sheet_id])
            self._notified[sheet_id] = max(self._notified[sheet_id], version)

    def _on_rights(self, subject: str, number: int) -> None:
        """The rights to a sheet (“sheet:5”) or of a user (“user:7”) have changed: their sockets check access again."""
        for state in self._all():
            if number == (state.sheet_id if subject == "sheet" else state.client_key):
                state.require_recheck()

    async def _compare(self, connection: AsyncConnection) -> None:
        """Push the version of each watched sheet to the sockets that lack it, or the newest columns."""
        if not self._watchers:
            return
        result = await connection.execute(_VERSIONS, [list(self._watchers)])
        for sheet_id, version, columns_version in await result.fetchall():
            for state in self._watchers.get(sheet_id, ()):
                state.compare(version, columns_version)


_VERSIONS = "SELECT sheet_id, version, columns_version FROM sheets WHERE sheet_id = ANY(%s)"

hub = Hub()

"""The live hub: one LISTEN connection per process tells every open socket that its sheet has a new version.

NOTIFY is a hint that gets lost while disconnected, so the hub also compares versions when it (re)connects and every
few seconds. Each socket has a mailbox with one slot: a slow reader misses nothing and holds up nobody.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterable

import psycopg
import structlog
from psycopg import AsyncConnection

from api.live.mailbox import Mailbox, Who
from api.live.presence import Presence
from core.base.notify import RIGHTS_CHANNEL
from core.presence.presence import PRESENCE_CHANNEL

COMPARE_SECONDS = 3.0
ANSWER_SECONDS = 10.0
# Every open page is right again within five seconds of the database's return.
MOST_BACKOFF_SECONDS = 2.0
MOST_SOCKETS_PER_PERSON = 50
SHEETS_CHANNEL = "sheet_changes"
# A dead network is noticed in seconds, not after the two hours of TCP's default.
KEEPALIVE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "application_name": "contrivance live",
}
log = structlog.get_logger()


class TooManySockets(Exception):
    """This person has as many live connections open as one person may."""


class Hub:
    """Who watches which sheet, and the connection that hears of changes."""

    def __init__(self) -> None:
        self._watchers: dict[int, set[Mailbox]] = defaultdict(set)
        self._per_person: Counter[Who] = Counter()
        self._seen: dict[int, tuple[int, int]] = {}
        # Per sheet the newest version that this process has told of by itself, and of which the database has told.
        self._told: Counter[int] = Counter()
        self._heard: Counter[int] = Counter()
        self._task: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()
        self.presence = Presence(lambda sheet_id: self._watchers.get(sheet_id, set()))

    async def start(self, conninfo: str) -> None:
        """Begin to listen, in the running loop. Comes back at once; the database may still be away."""
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
        for mailbox in self._all():
            mailbox.close()

    def watch(self, sheet_id: int, who: Who) -> Mailbox:
        """A mailbox for one socket; TooManySockets where the person has enough of them."""
        if self._per_person[who] >= MOST_SOCKETS_PER_PERSON:
            raise TooManySockets
        mailbox = Mailbox(sheet_id, who)
        self._watchers[sheet_id].add(mailbox)
        self._per_person[who] += 1
        return mailbox

    def wrote(self, sheet_id: int, version: int) -> None:
        """This very process has written a version: its own watchers need not wait until the database says so."""
        if sheet_id in self._watchers and version > max(self._told[sheet_id], self._heard[sheet_id]):
            self._told[sheet_id] = version
            self._wake(sheet_id, version)

    def leave(self, mailbox: Mailbox) -> None:
        """The socket is gone."""
        self.presence.leave(mailbox)
        watchers = self._watchers[mailbox.sheet_id]
        watchers.discard(mailbox)
        if not watchers:
            del self._watchers[mailbox.sheet_id]
            for known in (self._seen, self._told, self._heard):
                known.pop(mailbox.sheet_id, None)
        self._per_person[mailbox.who] -= 1
        if self._per_person[mailbox.who] <= 0:
            del self._per_person[mailbox.who]

    @property
    def sockets(self) -> int:
        """How many sockets watch now."""
        return self._per_person.total()

    def _all(self) -> Iterable[Mailbox]:
        return [mailbox for watchers in self._watchers.values() for mailbox in watchers]

    def _wake(self, sheet_id: int, version: int) -> None:
        for mailbox in self._watchers.get(sheet_id, ()):
            mailbox.put(version)

    async def _keep_listening(self, conninfo: str) -> None:
        failures = 0
        while True:
            try:
                async with await AsyncConnection.connect(conninfo, autocommit=True, **KEEPALIVE) as connection:  # type: ignore[arg-type]
                    failures = 0
                    await self._listen(connection)
            except (psycopg.Error, OSError, TimeoutError) as error:
                self.connected.clear()
                failures += 1
                for mailbox in self._all():
                    mailbox.lose()
                log.warning("live.disconnected", failures=failures, reason=type(error).__name__)
                wait = min(MOST_BACKOFF_SECONDS, 0.1 * 2**failures)
                await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - no secret, it spreads the calls.

    async def _listen(self, connection: AsyncConnection) -> None:
        connection.add_notify_handler(lambda said: self._hear(said.channel, said.payload))  # What comes with answers.
        async with asyncio.timeout(ANSWER_SECONDS):
            for channel in (SHEETS_CHANNEL, RIGHTS_CHANNEL, PRESENCE_CHANNEL):
                await connection.execute(f"LISTEN {channel}")
        # Whatever was said while nobody listened is lost: look at every version, and doubt every right.
        for mailbox in self._all():
            mailbox.find()
            self.presence.stir(mailbox.sheet_id)
        while True:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._compare(connection)
            self.connected.set()
            await self._hear_for(COMPARE_SECONDS, connection)

    async def _hear_for(self, seconds: float, connection: AsyncConnection) -> None:
        """Hear what is said, straight from libpq: every edit is a notice, and AsyncConnection.notifies() takes half a
        millisecond for each."""
        loop = asyncio.get_running_loop()
        broken = loop.create_future()

        def hear() -> None:
            try:
                connection.pgconn.consume_input()
                while said := connection.pgconn.notifies():
                    self._hear(said.relname.decode(), said.extra.decode())
            except psycopg.Error as error:
                loop.remove_reader(socket)
                broken.set_exception(error)

        socket = connection.fileno()
        loop.add_reader(socket, hear)
        try:
            hear()
            await asyncio.wait([broken], timeout=seconds)
        finally:
            loop.remove_reader(socket)
        if broken.done():
            broken.result()

    def _hear(self, channel: str, payload: str) -> None:
        subject, _, detail = payload.partition(":")
        if channel == SHEETS_CHANNEL and subject.isdigit() and detail.isdigit():
            self._hear_of(int(subject), int(detail))
        elif channel == RIGHTS_CHANNEL and detail.isdigit():
            self._doubt(subject, int(detail))
        elif channel == PRESENCE_CHANNEL and subject.isdigit():
            self.presence.stir(int(subject))

    def _hear_of(self, sheet_id: int, version: int) -> None:
        """Tell of a version, unless that was done when it was written; the same once more means other columns."""
        if sheet_id not in self._watchers:
            return
        is_told = self._heard[sheet_id] < version <= self._told[sheet_id]
        self._heard[sheet_id] = max(self._heard[sheet_id], version)
        if not is_told:
            self._wake(sheet_id, version)

    def _doubt(self, subject: str, number: int) -> None:
        """Rights of a sheet (“sheet:5”) or of a person (“user:7”) have changed."""
        for mailbox in self._all():
            if number == (mailbox.sheet_id if subject == "sheet" else mailbox.who):
                mailbox.doubt()

    async def _compare(self, connection: AsyncConnection) -> None:
        """Wake the watchers of every sheet whose version, or whose columns', is not the one seen last."""
        if not self._watchers:
            return
        found = await connection.execute(_VERSIONS, [list(self._watchers)])
        for sheet_id, version, columns_version in await found.fetchall():
            seen, self._seen[sheet_id] = self._seen.get(sheet_id), (version, columns_version)
            is_told = version <= max(self._told[sheet_id], self._heard[sheet_id])
            if not seen or seen[1] != columns_version or (seen[0] != version and not is_told):
                self._wake(sheet_id, version)


_VERSIONS = "SELECT sheet_id, version, columns_version FROM sheets WHERE sheet_id = ANY(%s)"

hub = Hub()

"""The state of one live socket: the messages to send, in one slot per kind, so that no reader delays another."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from core.base.actor import Actor, Principal

_CHANGES = '{"version": %d, "since": %d, "changes": %s}'
RELATED_SECONDS = 0.5  # Of many changes in related sheets a client hears once in this time.
ClientKey = int | UUID  # The id of a user, or of a public-link visit.


@dataclass(frozen=True, slots=True)
class Reader:
    """The principal of a socket and what they may see, as of the last access check."""

    principal: Principal
    version: int
    columns_version: int
    scope: str
    related_sheets: frozenset[int] = frozenset()  # The other sheets whose rows its cells are computed from.

    @property
    def client_key(self) -> ClientKey:
        return self.principal.user_id if isinstance(self.principal, Actor) else self.principal.visit_id


class ChangesMessage(NamedTuple):
    """The changes since a version, as JSON, and the version up to which they are complete."""

    since: int
    version: int
    content: bytes


class SocketState:
    """The messages to send to one socket: at most the newest version of its sheet and the present users."""

    def __init__(self, sheet_id: int, client_key: ClientKey) -> None:
        self.connection_id = uuid4()
        self.sheet_id = sheet_id
        self.client_key = client_key
        self.reader: Reader | None = None
        self.version = 0
        self.columns_version = 0
        # The version that the client has, if it wants the changes after it; None if it requests them itself.
        self.since: int | None = None
        self.needs_recheck = False
        self.closed = False
        self.is_database_lost = False
        self._has_version = False
        self._has_related = False
        self._related_at = -RELATED_SECONDS
        self._last_presence = ""
        self._presence: str | None = None
        self._changed = asyncio.Event()

    @property
    def is_expired(self) -> bool:
        """Whether the reader's access has expired."""
        ends_at = getattr(self.reader and self.reader.principal, "ends_at", None)
        return ends_at is not None and datetime.now(UTC) >= ends_at

    def push_version(self, version: int) -> None:
        """Queue a version. A version that was sent before is sent again: it can mean that columns changed."""
        self.version = max(self.version, version)
        self._has_version = True
        self._changed.set()

    def push_related(self) -> None:
        """Queue the notice that rows of a related sheet have changed, so that computed cells are read again."""
        self._has_related = True
        self._changed.set()

    def compare(self, version: int, columns_version: int) -> None:
        """Queue the sheet's version if it or its columns are newer than what was queued."""
        if version > self.version or columns_version > self.columns_version:
            self.columns_version = max(self.columns_version, columns_version)
            self.push_version(version)

    def push_presence(self, presence: str) -> None:
        """Queue the present users, as JSON, unless they did not change since they were last queued."""
        if presence != self._last_presence:
            self._last_presence = self._presence = presence
            self._changed.set()

    def require_recheck(self) -> None:
        """Have the socket check again whether its reader may see the sheet."""
        self.needs_recheck = self._has_version = True
        self._changed.set()

    def database_lost(self) -> None:
        """Report that the database does not answer, so changes are not received."""
        self.is_database_lost = self._has_version = True
        self._changed.set()

    def database_back(self) -> None:
        """Report that changes are received again. Versions and rights may have changed in the meantime."""
        self.is_database_lost = False
        self.require_recheck()

    def close(self) -> None:
        self.closed = True
        self._changed.set()

    def access_checked(self, reader: Reader) -> bool:
        """Store a passed access check. Return whether the reader's scope changed, so that presence is sent again."""
        has_new_scope = self.reader is not None and self.reader.scope != reader.scope
        if has_new_scope:
            self._last_presence, self._presence = "", None
        self.reader = reader
        self.compare(reader.version, reader.columns_version)
        return has_new_scope

    def subscribe(self, since: int) -> None:
        """Subscribe to the changes after this version, which the client has."""
        self.since = max(since, self.since or 0)

    def next_since(self) -> int | None:
        """The version since which changes are to be sent now; None if there is nothing to send.

        A push while they are read counts as new again, so that changes of rights and columns are not missed either.
        """
        if not self._has_version or self.is_database_lost or self.since is None or self.version < self.since:
            return None
        self._has_version = False
        return self.since

    def restore(self) -> None:
        """Queue the version again, because its changes could not be read."""
        self._has_version = True

    def messages(self, changes: ChangesMessage | None = None) -> list[str]:
        """The messages to send now; if nothing is new, the version once more as a heartbeat."""
        presence, self._presence = self._presence, None
        messages = [] if presence is None else [presence]
        now = time.monotonic()
        if self._has_related and now - self._related_at >= RELATED_SECONDS:
            self._has_related, self._related_at = False, now
            messages.append(json.dumps({"version": self.version, "related": True}))
        if changes:
            self.since = changes.version
            return [_CHANGES % (changes.version, changes.since, changes.content.decode()), *messages]
        has_version, self._has_version = self._has_version, False
        if has_version or presence is None:
            messages.insert(0, json.dumps({"version": self.version} | self._flag(is_new=has_version)))
        return messages

    def _flag(self, *, is_new: bool) -> dict[str, bool]:
        if self.is_database_lost:
            return {"away": True}
        return {} if is_new else {"beat": True}

    async def wait(self, seconds: float) -> bool:
        """Wait until there is something to send. Return False after so many seconds."""
        # Not wait_for: in Python 3.11 it can swallow a cancellation that comes together with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, RELATED_SECONDS) if self._has_related else seconds):
                await self._changed.wait()
        has_changed = self._changed.is_set()
        self._changed.clear()
        return has_changed

"""Mailboxes: what a live socket has not been told yet. One slot for each kind of news, so nobody waits for a reader."""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from core.base.actor import Actor, Principal

_CHANGES = '{"version": %d, "since": %d, "changes": %s}'
Who = int | UUID  # Of a person the user id, of a visitor by a public link the visit.


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a socket and what they may see, when it was looked at last."""

    principal: Principal
    version: int
    scope: str

    @property
    def who(self) -> Who:
        return self.principal.user_id if isinstance(self.principal, Actor) else self.principal.visit_id


class Told(NamedTuple):
    """What changed since a version, as JSON, and the version up to which that is complete."""

    since: int
    version: int
    content: bytes


class Mailbox:
    """What one socket has not been told yet: at most the newest version of its sheet, and who is there now."""

    def __init__(self, sheet_id: int, who: Who) -> None:
        self.connection_id = uuid4()
        self.sheet_id = sheet_id
        self.who = who
        self.reader: Reader | None = None
        self.version = 0
        # The version that the other side has and from which on it wants to be told; None: it asks by itself.
        self.since: int | None = None
        self.doubted = False
        self.closed = False
        self.away = False
        self._is_news = False
        self._told_present = ""
        self._present: str | None = None
        self._news = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether what the reader may see has an end that is due."""
        ends_at = getattr(self.reader and self.reader.principal, "ends_at", None)
        return ends_at is not None and datetime.now(UTC) >= ends_at

    def put(self, version: int) -> None:
        self.version = max(self.version, version)
        self._is_news = True
        self._news.set()

    def show(self, present: str) -> None:
        """Tell who is there, as JSON; the same again is no news."""
        if present != self._told_present:
            self._told_present = self._present = present
            self._news.set()

    def doubt(self) -> None:
        """Ask the socket to look again whether its reader may still see the sheet."""
        self.doubted = self._is_news = True
        self._news.set()

    def lose(self) -> None:
        """Nobody hears of changes now: the database is away."""
        self.away = self._is_news = True
        self._news.set()

    def find(self) -> None:
        """Changes are heard of again; what happened meanwhile, to the right to read as well, is to be looked at."""
        self.away = False
        self.doubt()

    def close(self) -> None:
        self.closed = True
        self._news.set()

    def looked(self, reader: Reader) -> bool:
        """The reader may still see the sheet. Whether they see more or less of it: then who is there is told anew."""
        has_moved = self.reader is not None and self.reader.scope != reader.scope
        if has_moved:
            self._told_present, self._present = "", None
        self.reader = reader
        self.version = max(self.version, reader.version)
        return has_moved

    def follow(self, since: int) -> None:
        """The other side has this version and wants to be told what changes from there on."""
        self.since = max(since, self.since or 0)

    def ask(self) -> int | None:
        """Since which version a follower is to be told now; None where nothing is.

        What comes while that is read is news again: rights and columns too, which no version counts.
        """
        if not self._is_news or self.away or self.since is None or self.version < self.since:
            return None
        self._is_news = False
        return self.since

    def fail(self) -> None:
        """What was to be told could not be read: that there is something new is said alone."""
        self._is_news = True

    def messages(self, changes: Told | None = None) -> list[str]:
        """What to say now; where there is nothing new, the version once more as a sign of life."""
        present, self._present = self._present, None
        told = [] if present is None else [present]
        if changes:
            self.since = changes.version
            return [_CHANGES % (changes.version, changes.since, changes.content.decode()), *told]
        is_news, self._is_news = self._is_news, False
        if is_news or present is None:
            told.insert(0, json.dumps({"version": self.version} | self._manner(is_news=is_news)))
        return told

    def _manner(self, *, is_news: bool) -> dict[str, bool]:
        if self.away:
            return {"away": True}
        return {} if is_news else {"beat": True}

    async def news(self, patience: float) -> bool:
        """Wait for anything new; False when nothing came within `patience` seconds."""
        # Not wait_for: in Python 3.11 it can swallow a cancellation that comes together with news.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._news.wait()
        arrived = self._news.is_set()
        self._news.clear()
        return arrived

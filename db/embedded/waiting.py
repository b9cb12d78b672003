"""Waiting for the embedded server, and for those who start or stop it: never for ever, and never in silence."""

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import IO

PATIENCE = 600  # Seconds; a crash recovery on a slow disk has taken most of a minute.
TELL_AFTER, TELL_EVERY = 5, 30  # Seconds of waiting after which it is said what is waited for.
log = logging.getLogger(__name__)


class DatabaseUnavailable(Exception):
    """There is no database to work with; the message is the sentence for whoever starts the server."""


@contextmanager
def alone(folder: Path, leaving: Event | None = None) -> Iterator[None]:
    """One process at a time starts or stops the server. The kernel lets go of the lock if that process dies."""
    with (folder / "start.lock").open("a") as lock:
        if leaving is None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        else:
            waiting = Waiting(leaving, f"another process that starts or stops the database of {folder}")
            while not locked(lock):
                waiting.go_on()
        yield


def locked(file: IO[str]) -> bool:
    """Whether the file is now locked for us alone."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Waiting:
    """Waits in small steps: not for ever, not in silence, and no longer than it is wanted."""

    def __init__(self, leaving: Event, what: str) -> None:
        self._leaving = leaving
        self._what = what
        self._began = time.monotonic()
        self._tell = self._began + TELL_AFTER

    def go_on(self, seconds: float = 0.02) -> None:
        now = time.monotonic()
        if self._leaving.wait(seconds):
            raise DatabaseUnavailable("The start was broken off.")
        if now > self._began + PATIENCE:
            raise DatabaseUnavailable(f"Waiting for {self._what} took more than {PATIENCE} seconds.")
        if now > self._tell:
            self._tell = now + TELL_EVERY
            log.warning("waiting for %s", self._what)

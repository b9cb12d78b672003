"""Waiting for the embedded server and for other processes that start or stop it, with a timeout and log messages."""

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import IO

TIMEOUT_SECONDS = 600  # Seconds; a crash recovery on a slow disk has taken most of a minute.
LOG_AFTER, LOG_EVERY = 5, 30  # Seconds of waiting after which the reason is logged.
log = logging.getLogger(__name__)


class DatabaseUnavailable(Exception):
    """The database is not available; the message is shown to the person who starts the server."""


@contextmanager
def start_lock(folder: Path, leaving: Event | None = None) -> Iterator[None]:
    """Let one process at a time start or stop the server. The kernel releases the lock if that process dies."""
    with (folder / "start.lock").open("a") as lock:
        if leaving is None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        else:
            waiting = Waiting(leaving, f"another process that starts or stops the database of {folder}")
            while not try_lock(lock):
                waiting.go_on()
        yield


def try_lock(file: IO[str]) -> bool:
    """Try to lock the file exclusively; return whether it worked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Waiting:
    """Waits in small steps until a timeout or until `leaving` is set, and logs the reason."""

    def __init__(self, leaving: Event, what: str) -> None:
        self._leaving = leaving
        self._what = what
        self._began = time.monotonic()
        self._tell = self._began + LOG_AFTER

    def go_on(self, seconds: float = 0.02) -> None:
        now = time.monotonic()
        if self._leaving.wait(seconds):
            raise DatabaseUnavailable("The start was cancelled.")
        if now > self._began + TIMEOUT_SECONDS:
            raise DatabaseUnavailable(f"Waiting for {self._what} took more than {TIMEOUT_SECONDS} seconds.")
        if now > self._tell:
            self._tell = now + LOG_EVERY
            log.warning("waiting for %s", self._what)

"""Whether the disk of the database is full.

For the embedded database the free space of its folder is checked; for any database, recent errors of writes.
"""

import logging
import shutil
import time
from pathlib import Path

FULL = "The disk of the database is full. Nothing was changed. You can read, and write again once space is freed."
ROOM = 2 * 16 * 2**20  # PostgreSQL needs one segment of its log to run, and another one to start.
MEMORY_SECONDS = 30.0
log = logging.getLogger(__name__)
_folder: list[Path] = []
_refused = [float("-inf")]


def watch(folder: Path) -> None:
    """Set the folder whose disk is checked."""
    _folder[:] = [folder]


def note_full() -> None:
    """Record that the database could not write because its disk is full; log it every MEMORY_SECONDS."""
    if time.monotonic() > _refused[0] + MEMORY_SECONDS:
        log.error("the disk of the database is full: nothing can be written until space is freed")
    _refused[0] = time.monotonic()


def is_full() -> bool:
    """Return whether the disk is full, or was MEMORY_SECONDS ago."""
    try:
        has_room = not _folder or shutil.disk_usage(_folder[0]).free >= ROOM
    except OSError:
        has_room = True  # The folder cannot be read, which is another problem.
    return not has_room or time.monotonic() < _refused[0] + MEMORY_SECONDS


def reason(otherwise: str) -> str:
    """Return the message for a database error: that the disk is full, or `otherwise`."""
    return FULL if is_full() else otherwise


def is_nearly_full(size: int, free: int) -> bool:
    """Return whether less than 5 % or less than a gigabyte is free."""
    return free < max(size // 20, 2**30)

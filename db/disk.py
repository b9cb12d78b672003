"""The disk of the database: whether it is full, as far as that can be known from here.

Of the built-in database the free space of its folder tells; of any database, that it has just refused to write.
"""

import logging
import shutil
import time
from pathlib import Path

FULL = "The disk of the database is full. Nothing was changed; one can read, and write again as soon as there is room."
ROOM = 2 * 16 * 2**20  # PostgreSQL needs a segment of its log to go on, and one more to be started.
REMEMBERED_SECONDS = 30.0
log = logging.getLogger(__name__)
_folder: list[Path] = []
_refused = [float("-inf")]


def watch(folder: Path) -> None:
    """The folder whose disk is that of the database."""
    _folder[:] = [folder]


def note_full() -> None:
    """The database has refused to write for want of room. Logged when it begins, and then now and then."""
    if time.monotonic() > _refused[0] + REMEMBERED_SECONDS:
        log.error("the disk of the database is full: nothing can be written until there is room")
    _refused[0] = time.monotonic()


def is_full() -> bool:
    """Whether it is full, or was a moment ago."""
    try:
        has_room = not _folder or shutil.disk_usage(_folder[0]).free >= ROOM
    except OSError:
        has_room = True  # It cannot be looked at: that is another trouble.
    return not has_room or time.monotonic() < _refused[0] + REMEMBERED_SECONDS


def reason(otherwise: str) -> str:
    """What to say where the database does not do its work."""
    return FULL if is_full() else otherwise


def is_nearly_full(size: int, free: int) -> bool:
    """Less than a twentieth, or than a gigabyte: time to make room."""
    return free < max(size // 20, 2**30)

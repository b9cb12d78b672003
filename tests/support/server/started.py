"""Starting the real server in a process of its own, as `make run` does."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).parents[3]
PATIENCE = 60


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Started:
    """A running server; leaving the block ends it as Ctrl+C does."""

    def __init__(
        self, data: Path, port: int | None = None, *, descriptors: int | None = None, **environment: str
    ) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("CONTRIVANCE_", "DATABASE_"))}
        ours = {"CONTRIVANCE_DATA": str(data), "CONTRIVANCE_PORT": str(self.port), "CONTRIVANCE_DEMO": "no"}
        limited = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh"] if descriptors else []
        self.began = time.monotonic()
        self.output = data.with_suffix(".out")
        self.process = subprocess.Popen(
            [*limited, sys.executable, "serve.py"],
            cwd=ROOT,
            env=keep | ours | environment,
            stdin=subprocess.DEVNULL,
            stdout=self.output.open("w"),
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGINT)

    def wait_until_ready(self) -> float:
        """Seconds from the start of the process to the first answer that says ready."""
        while time.monotonic() - self.began < PATIENCE:
            assert self.process.poll() is None, self.text()
            try:
                if self.get("/api/health/ready") == 200:
                    return time.monotonic() - self.began
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"not ready after {PATIENCE} s: {self.text()}")

    def wait_until_it_says(self, words: str) -> None:
        """Until these words are in what the process writes. A process that ends or says nothing fails the test."""
        while words not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() - self.began < PATIENCE, f"{words!r} was not said: {self.text()}"
            time.sleep(0.05)

    def get(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def stop(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)

    def ended(self) -> int:
        """Wait for a start that is refused; its exit code."""
        return self.process.wait(30)

    def text(self) -> str:
        return self.output.read_text()


def databases_in(data: Path) -> list[int]:
    """The processes of PostgreSQL that work in this data folder."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == "postgres" and str(data) in process.cwd():
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found

"""A running import: it goes on by itself, whatever happens to the page that watches it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread

import streamlit as st

from core.base.errors import Refused
from core.base.logs import get_log
from core.imports.load import Report
from core.imports.read import Progress
from db.engine import Busy
from pages.components.app.errors import BUSY

_LOOK_SECONDS = 0.2
FAILED = "Something went wrong on our side; it has been logged. Nothing was imported."


@dataclass
class Job:
    """One import in a thread of its own: how far it is, and how it ended."""

    run: Callable[[Progress], Report]
    done: int = 0
    total: int = 0
    report: Report | None = None
    refusal: str = ""
    thread: Thread | None = field(default=None, repr=False)

    def start(self) -> None:
        self.thread = Thread(target=self._work, name="import", daemon=True)
        self.thread.start()

    @property
    def is_running(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    def _work(self) -> None:
        try:
            self.report = self.run(self._note)
        except Refused as refusal:
            self.refusal = refusal.message
        except Busy:
            self.refusal = BUSY
        except Exception:  # noqa: BLE001 - Nobody is above this thread to say what happened.
            get_log("contrivance").error("import.failed", exc_info=True)
            self.refusal = FAILED
        finally:
            self.run = _spent  # What it held, the file above all, may go.

    def _note(self, done: int, total: int) -> None:
        self.done, self.total = done, total


def _spent(_progress: Progress) -> Report:
    raise Refused("This import has ended.")


def watch(job: Job) -> None:
    """Show how far it is, until it has ended. Leaving the page does not stop it."""
    bar = st.progress(0.0, "Reading the file …")
    while job.is_running:
        share = job.done / job.total if job.total else 0.0
        written = share >= 1.0
        bar.progress(min(share, 1.0), "Writing the rows …" if written else f"{job.done:,} of {job.total:,} rows read …")
        time.sleep(_LOOK_SECONDS)
    bar.empty()

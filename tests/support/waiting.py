"""Waiting for an event of another thread instead of a fixed time."""

import time
from concurrent.futures import Future
from typing import Any

from sqlalchemy import text

from db.engine import transaction

_WAITS = text("SELECT 1 FROM pg_locks WHERE NOT granted")


def until_it_waits(running: "Future[Any]") -> None:
    """Wait until what runs in another thread waits for a lock of the database, or has ended without one."""
    while not running.done():
        with transaction() as session:
            if session.scalar(_WAITS):
                return
        time.sleep(0.01)

"""The queue of a sheet's writers in this process.

A queue for a row's lock inside the database costs more than the writing. Between processes the lock of the sheet's row
still decides, so correctness does not depend on this queue.
"""

from threading import Lock
from weakref import WeakValueDictionary

from sqlalchemy.orm import Session

from db.engine import AFTER_TRANSACTION

WAIT_SECONDS = 2.0


class _Slot:
    """The lock of one sheet; it is garbage when nothing holds it or waits for it."""

    def __init__(self) -> None:
        self.lock = Lock()

    def release(self) -> None:
        self.lock.release()


_slots: WeakValueDictionary[int, _Slot] = WeakValueDictionary()
_guard = Lock()


def acquire_sheet_slot(session: Session, sheet_id: int) -> None:
    """Wait for this process's other writers of the sheet, at most WAIT_SECONDS; released with the transaction."""
    at_end = session.info.get(AFTER_TRANSACTION)
    if at_end is None or sheet_id in session.info.setdefault("sheet_slots", set()):
        return
    with _guard:
        slot = _slots.setdefault(sheet_id, _Slot())
    if slot.lock.acquire(timeout=WAIT_SECONDS):
        session.info["sheet_slots"].add(sheet_id)
        at_end.append(slot.release)

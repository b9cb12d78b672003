"""Turns: writers of one sheet in one process queue here. A queue for a row's lock inside the database costs more than
the writing; between processes that lock still decides, so nothing depends on this for being right."""

from threading import Lock
from weakref import WeakValueDictionary

from sqlalchemy.orm import Session

from db.engine import AT_END

WAIT_SECONDS = 2.0


class _Turn:
    """One sheet's lock; it goes when nobody holds or awaits it any more."""

    def __init__(self) -> None:
        self.lock = Lock()

    def end(self) -> None:
        self.lock.release()


_turns: WeakValueDictionary[int, _Turn] = WeakValueDictionary()
_guard = Lock()


def take_turn(session: Session, sheet_id: int) -> None:
    """Wait for this process's other writers of the sheet, but not for long; the turn ends with the transaction."""
    at_end = session.info.get(AT_END)
    if at_end is None or sheet_id in session.info.setdefault("turns", set()):
        return
    with _guard:
        turn = _turns.setdefault(sheet_id, _Turn())
    if turn.lock.acquire(timeout=WAIT_SECONDS):
        session.info["turns"].add(sheet_id)
        at_end.append(turn.end)

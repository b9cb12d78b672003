"""The access cache: what this process remembers of the columns of sheets and of the accesses of sessions.

A person who edits one cell after the other is not looked up each time. The cached access may be stale: use it only in
statements that judge session, level, rows and columns again, as `write_edits` and `changes_for` do.
"""

from dataclasses import replace
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Pool
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base.actor import Actor

MAX_ENTRIES = 2000
Columns = tuple[ColumnInfo, ...]


class AccessCache:
    """What is remembered of one database. It is emptied when it is full."""

    def __init__(self) -> None:
        self._columns: dict[int, tuple[int, Columns]] = {}
        self._accesses: dict[tuple[UUID, int], Access] = {}

    def columns(self, sheet_id: int) -> tuple[int, Columns]:
        """Return the live columns of a sheet and the version that they are of; -1 and none where it is not cached."""
        return self._columns.get(sheet_id, (-1, ()))

    def store_columns(self, sheet_id: int, version: int, columns: Columns) -> None:
        """Remember committed columns of a sheet."""
        if len(self._columns) >= MAX_ENTRIES:
            self._columns.clear()
        self._columns[sheet_id] = version, columns

    def access(self, session: Session, session_id: UUID | None, sheet_id: int) -> Access | None:
        """Return the access of a person's session to a sheet, for use in a database session; None: not cached."""
        access = self._accesses.get((session_id, sheet_id)) if session_id else None
        return replace(access, _session=session) if access else None

    def store_access(self, access: Access) -> None:
        """Remember an access of a person who has a session. It must be committed."""
        if len(self._accesses) >= MAX_ENTRIES:
            self._accesses.clear()
        if isinstance(access.principal, Actor) and access.principal.session_id:
            self._accesses[access.principal.session_id, access.sheet.sheet_id] = replace(access, _session=_UNBOUND)

    def evict_access(self, session_id: UUID | None, sheet_id: int) -> None:
        """Forget an access, so that it is loaded the next time."""
        if session_id:
            self._accesses.pop((session_id, sheet_id), None)


def access_cache(session: Session) -> AccessCache:
    """Return the cache of a session's database."""
    return _CACHES.setdefault(session.get_bind().engine.pool, AccessCache())


_UNBOUND = Session()  # A cached access reads nothing by itself.
_CACHES: WeakKeyDictionary[Pool, AccessCache] = WeakKeyDictionary()

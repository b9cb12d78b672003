"""Guesses: who sees only some rows learns of a unique column whether a value is taken, and so could try out names.

One request tells them of one taken value at most, and such answers are counted: see core.limits.rate_limits.
"""

from collections.abc import Collection

from sqlalchemy import ARRAY, Integer, any_, literal, select
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.limits.rate_limits import has_capacity, hit, limit_error
from db.tables.sheets import Row


class Guesses:
    """What one request has told of rows that its person does not see."""

    def __init__(self, session: Session, access: Access) -> None:
        self.session, self._access = session, access
        self.has_told = False

    @property
    def _is_guarded(self) -> bool:
        return self._access.owners is not None

    @property
    def most_named(self) -> int:
        """How many taken values an answer may name."""
        return 1 if self._is_guarded else 5

    def allow(self) -> None:
        """Throttled where this person has been told of too many taken values lately: then no value is looked up."""
        if self._is_guarded and not has_capacity("taken", self._access.actor.user_id):
            raise limit_error("taken", self._access.actor.user_id)

    def unseen(self, rows: Collection[int]) -> set[int]:
        """Those of these rows of which this person must not learn what they hold."""
        if not rows or not self._is_guarded:
            return set()
        asked = Row.row_id == any_(literal([*rows], ARRAY(Integer)))
        seen = select(Row.row_id).where(self._access.row_gate.visible_rows(), asked)
        return {*rows} - {*self.session.scalars(seen)}

    def tell(self) -> None:
        """Count that the answer tells of a taken value."""
        if self._is_guarded:
            self.has_told = True
            hit("taken", self._access.actor.user_id)


def not_tried(column: ColumnInfo) -> str:
    """Why a value is refused that was not looked up."""
    return f"“{column.name}” must be unique, and another value of this request is taken: send this again without it."

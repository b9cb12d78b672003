"""Guesses: a refused unique value reveals that another row has it. People who see only some rows could guess values.

One request reveals at most one taken value to them, and such answers are rate limited (core.limits.rate_limits).
"""

from collections.abc import Collection

from sqlalchemy import ARRAY, Integer, any_, literal, select
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.limits.rate_limits import has_capacity, hit, limit_error
from db.tables.sheets import Row


class Guesses:
    """What one request has revealed of rows that its person does not see."""

    def __init__(self, session: Session, access: Access) -> None:
        self.session, self._access = session, access
        self.has_revealed = False

    @property
    def _is_guarded(self) -> bool:
        return self._access.owners is not None

    @property
    def max_revealed(self) -> int:
        """How many taken values an answer may name."""
        return 1 if self._is_guarded else 5

    def allow(self) -> None:
        """Raise Throttled where too many taken values were revealed to this person lately."""
        if self._is_guarded and not has_capacity("taken", self._access.actor.user_id):
            raise limit_error("taken", self._access.actor.user_id)

    def unseen(self, rows: Collection[int]) -> set[int]:
        """Return those of the rows whose values this person must not learn."""
        if not rows or not self._is_guarded:
            return set()
        is_requested = Row.row_id == any_(literal([*rows], ARRAY(Integer)))
        visible = select(Row.row_id).where(self._access.row_gate.visible_rows(), is_requested)
        return {*rows} - {*self.session.scalars(visible)}

    def count_revealed(self) -> None:
        """Count that the answer reveals a taken value."""
        if self._is_guarded:
            self.has_revealed = True
            hit("taken", self._access.actor.user_id)


def not_tried(column: ColumnInfo) -> str:
    """Return the reason for the refusal of a value that was not looked up."""
    return f"“{column.name}” must be unique, and another value of this request is taken: send this again without it."

"""Cursors: the end of a page of a view as text, by which a program gets the next page."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, Text, and_, literal, or_
from sqlalchemy.types import NullType

from core.base.errors import Invalid
from core.rows.query import Sort, View
from core.rows.row_source import Origin

SortKeys = list[tuple[Sort, ColumnElement[Any]]]


@dataclass(frozen=True)
class Cursor:
    """The last row of a page, its sort keys as text, and its offset, which is valid for this version of the sheet."""

    row_id: int
    keys: tuple[str | None, ...]
    version: int
    offset: int | None

    def as_text(self, view: View) -> str:
        state = [_mark(view), self.row_id, self.version, self.offset, *self.keys]
        return base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str, view: View) -> Self:
        """The cursor of this view; Invalid where it is damaged or belongs to another view."""
        try:
            mark, row_id, version, offset, *keys = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, TypeError, RecursionError) as error:
            raise Invalid("This cursor is damaged. Start again without one.") from error
        if mark != _mark(view):
            raise Invalid("This cursor belongs to another filter or sort. Start again without one.")
        cursor = cls(row_id, tuple(keys), version, offset)
        if not cursor._is_sound(view):
            raise Invalid("This cursor is damaged. Start again without one.")
        return cursor

    def _is_sound(self, view: View) -> bool:
        """Return whether the parts have the types and ranges of a cursor: a client may send anything."""
        numbers = (self.row_id, self.version, 0 if self.offset is None else self.offset)
        whole = all(type(number) is int and 0 <= number < 2**31 for number in numbers)
        texts = all(key is None or isinstance(key, str) for key in self.keys)
        return whole and texts and len(self.keys) == len(view.sort)

    def condition(self, sort_keys: SortKeys, origin: Origin) -> ColumnElement[bool]:
        """Return the condition of rows that sort behind the last one: by the first key, and where equal by the rest."""
        behind: ColumnElement[bool] = origin.row_id > self.row_id
        for (sort, key), text in reversed(list(zip(sort_keys, self.keys, strict=True))):
            if text is None:  # Empty cells come last: only other empty ones can follow.
                behind = and_(key.is_(None), behind)
                continue
            value = literal(text, Text).cast(Text if isinstance(key.type, NullType) else key.type)
            past = key < value if sort.descending else key > value
            behind = or_(past, key.is_(None), and_(key == value, behind))
        return behind


def _mark(view: View) -> str:
    """Return a short digest of the view."""
    return hashlib.sha256(view.fingerprint.encode()).hexdigest()[:16]

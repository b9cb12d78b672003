"""Related rows: what a relation reads of the rows of another sheet, as far as its reader may see them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Text, cast, false, null

from core.base.errors import Invalid
from core.base.text import quoted
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.conditions import SqlCondition


class RelatedRows(Protocol):
    """The rows of a sheet that a reader may see. Ids are those of cells: texts."""

    @property
    def sheet_name(self) -> str: ...

    def titles(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return the title of each of these rows that the reader may see, in the order of the ids."""
        ...

    def every_title(self) -> Mapping[str, str]:
        """Return the titles of all rows that the reader may see, in the order of the rows."""
        ...

    def texts(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return the same as titles, with the row's number where several rows share one: `id_of` reads them back."""
        ...

    def id_of(self, text: str) -> str:
        """Return the id of the row with this title. Raises Invalid where there is none, or more than one."""
        ...


class NoRows:
    """The rows of a sheet of which the reader may see nothing."""

    sheet_name = ""

    def titles(self, ids: Iterable[str]) -> Mapping[str, str]:
        return {}

    def every_title(self) -> Mapping[str, str]:
        return {}

    def texts(self, ids: Iterable[str]) -> Mapping[str, str]:
        return {}

    def id_of(self, text: str) -> str:
        raise Invalid(
            f"{quoted(text)} cannot be chosen: the related sheet is archived, or not shared with you. "
            "Ask the owner of this sheet."
        )


NO_ROWS = NoRows()
NOTHING: Sql = cast(null(), Text)


@dataclass(frozen=True, slots=True)
class RelatedCell(SqlCell):
    """A cell of related rows in SQL: conditions on those of its rows that the reader may see.

    `json` is the list of their ids, `text` and `title` are of the first.
    """

    title: Sql = NOTHING
    names: Callable[[Sequence[str]], SqlCondition] = lambda _: false()
    has_title: Callable[[str], SqlCondition] = lambda _: false()
    is_filled: Callable[[], SqlCondition] = false

"""The rows of another sheet that a reader may see: their titles, and the rows that have a title."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.row_gate import visible_sql
from core.base.errors import Invalid
from core.base.exact_json import loads_stored
from core.base.text import folded_key, quoted
from core.column_types import column_type

MAX_REMEMBERED = 200_000


class AccessibleRows:
    """The rows of a sheet as far as an access to it shows them. What was read once is remembered."""

    def __init__(self, session: Session, access: Access) -> None:
        self.access = access
        self._session = session
        # The title of each row by its id; None: there is no such row, or it may not be seen.
        self._titles: dict[str, str | None] = {}

    @property
    def sheet_name(self) -> str:
        return self.access.sheet.name

    def titles(self, ids: Iterable[str]) -> Mapping[str, str]:
        row_ids = [*ids]
        if "_every_title" in self.__dict__:  # All are read, so a row that is not among them may not be seen.
            every = self._every_title
            return {identity: every[identity] for identity in row_ids if identity in every}
        if unknown := {identity for identity in row_ids if identity not in self._titles}:
            if len(self._titles) > MAX_REMEMBERED:
                self._titles.clear()
                unknown = {*row_ids}
            titles = self._read(sorted(map(int, unknown)))
            self._titles |= {identity: titles.get(identity) for identity in unknown}
        return {identity: title for identity in row_ids if (title := self._titles[identity]) is not None}

    def every_title(self) -> Mapping[str, str]:
        return self._every_title

    def texts(self, ids: Iterable[str]) -> Mapping[str, str]:
        shared = {key for key, identities in self._ids_by_title.items() if len(identities) > 1}
        titles = self.titles(ids)
        return {
            identity: f"{title} (#{identity})" if folded_key(title) in shared else title
            for identity, title in titles.items()
        }

    def id_of(self, text: str) -> str:
        identities = self._ids_by_title.get(folded_key(text), [])
        if len(identities) == 1:
            return identities[0]
        if numbered := self._by_number(text):
            return numbered
        if identities:
            raise Invalid(
                f"Several rows of “{self.sheet_name}” are called {quoted(text)}. "
                f"Choose one from the list, or write {quoted(f'{text} (#{identities[0]})')}."
            )
        raise Invalid(f"There is no row {quoted(text)} in “{self.sheet_name}”. Add it there first.")

    def _by_number(self, text: str) -> str | None:
        """Return the id of the row that a text names by its number: "#12", "Row 12" or "Acme (#12)"."""
        digits = text.strip().removesuffix(")").replace("#", " ").split()[-1:]
        if not digits or not (digits[0].isascii() and digits[0].isdigit()) or len(digits[0]) > 9:
            return None
        identity = str(int(digits[0]))
        title = self.titles([identity]).get(identity)
        forms = {f"#{identity}", f"Row {identity}", f"{title} (#{identity})"}
        return identity if title is not None and folded_key(text) in map(folded_key, forms) else None

    @cached_property
    def _ids_by_title(self) -> Mapping[str, list[str]]:
        """The ids of the visible rows by their folded title: one statement, however many titles are looked up."""
        ids = defaultdict[str, list[str]](list)
        for identity, title in self._every_title.items():
            ids[folded_key(title)].append(identity)
        return ids

    @cached_property
    def _every_title(self) -> dict[str, str]:
        return self._read(None)

    def _read(self, ids: list[int] | None) -> dict[str, str]:
        """Return the titles of the visible rows among the ids, or of all, in the order of the rows."""
        title = title_column(self.access)
        write = None if title is None else column_type(title.type).writer(title, self.access.references)
        parameters = {"ids": ids, "title": title.key if title else None}
        rows = self._session.execute(_TITLES, self.access.row_gate.parameters() | parameters)
        return {
            str(row): (write(loads_stored(cell)) if write and cell is not None else "") or f"Row {row}"
            for row, cell in rows
        }


def title_column(access: Access) -> ColumnInfo | None:
    """Return the column that names the rows of a sheet: the first that is written. None: the reader does not see it."""
    first = next((column for column in access.every_column if not column.is_computed), None)
    is_shown = first is not None and first.column_id in access.by_id and not column_type(first.type).names_rows
    return first if is_shown else None


_TITLES = text(f"""
    SELECT r.row_id, (r.values -> CAST(:title AS text))::text
    FROM rows r
    WHERE {visible_sql("r")} AND (CAST(:ids AS integer[]) IS NULL OR r.row_id = ANY(CAST(:ids AS integer[])))
    ORDER BY r.row_id
""")  # noqa: S608 - the gate of core.access.

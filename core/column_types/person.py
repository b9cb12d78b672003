"""The person column: stored by user id, typed and shown by name."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from core.base.errors import Invalid
from core.base.text import folded_key, quoted
from core.column_types.base import ColumnLike, ColumnType, PeopleDirectory, References, expected
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.conditions import ONE_OF, SqlCondition, is_any_of, rank
from core.column_types.rules import REQUIRED, Rule
from core.column_types.traits import IdSource
from db.folding import fold

# The reader, among the people of a filter.
ME = "me"
_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class Person(ColumnType[str]):
    """One of the people of the workspace."""

    name, label, icon, editor = "person", "Person", "person", "person"
    value_class = str
    ids_of = IdSource.PEOPLE
    takes: ClassVar[tuple[Rule, ...]] = (REQUIRED,)
    filters = ONE_OF
    slots = "t"

    def labels(self, column: ColumnLike, references: References) -> dict[str, str]:
        return dict(references.people.names)

    def reader(self, column: ColumnLike, references: References, current: str | None = None) -> Callable[[str], str]:
        people = references.people
        ids = _ids_by_text(people, current)
        shared_names = {name for name, count in Counter(map(folded_key, people.names.values())).items() if count > 1}

        def read(text: str) -> str:
            text_key = folded_key(text)
            if text_key in ids:
                return ids[text_key]
            if text_key in shared_names:
                raise Invalid(
                    f"Several people are called {quoted(text)}. Write the e-mail address, or choose from the list."
                )
            raise Invalid(f"{quoted(text)} is not a person who can be named in this sheet.")

        return read

    def verify(self, value: Any, column: ColumnLike, references: References, current: str | None = None) -> str:
        if not isinstance(value, str):
            raise expected(value, "the id of a person as text")
        if value not in references.people.names and value != current:
            raise Invalid(f"{quoted(value)} is not a person who can be named in this sheet.")
        return value

    def text(self, value: str, column: ColumnLike, references: References) -> str:
        names = references.people.names
        name = names.get(value)
        if name is None:
            return f"Person {value}"
        is_unique = sum(folded_key(other) == folded_key(name) for other in names.values()) == 1
        return name if is_unique else _numbered(value, name)

    def contains(self, text: str, cell: SqlCell, column: ColumnLike, references: References) -> SqlCondition:
        names = references.people.names
        return is_any_of(cell, [identity for identity, name in names.items() if fold(text) in fold(name)])

    def sql(self, cell: SqlCell, column: ColumnLike, references: References) -> Sql:
        names = references.people.names
        return rank(cell.text, sorted(names, key=lambda identity: (folded_key(names[identity]), int(identity))))

    def operand(self, value: Any, column: ColumnLike, references: References) -> str:
        """Accept people who have left too: their rows can still be filtered."""
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise expected(value, "the ids of people as text")
        return value


def _ids_by_text(people: PeopleDirectory, current: str | None) -> dict[str, str]:
    """Each text that names one person, with their id: id, name with id, e-mail, and a name that only one has."""
    names = dict(people.names)
    if current:
        names.setdefault(current, f"Person {current}")
    counts = Counter(map(folded_key, names.values()))
    ids = {identity: identity for identity in names}
    ids |= {folded_key(_numbered(identity, name)): identity for identity, name in names.items()}
    ids |= {folded_key(email): identity for email, identity in people.emails.items()}
    return ids | {folded_key(name): identity for identity, name in names.items() if counts[folded_key(name)] == 1}


def _numbered(identity: str, name: str) -> str:
    return f"{name} ({identity})"

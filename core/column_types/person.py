"""The person column: stored by user id, typed and shown by name."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from core.base.errors import Invalid
from core.base.text import key, shown
from core.column_types.base import ColumnLike, ColumnType, People, expected
from core.column_types.conditions import ONE_OF, Cell, Condition, Sql, is_any_of, rank
from core.column_types.rules import REQUIRED
from db.folding import fold

_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class Person(ColumnType[str]):
    """One of the people of the workspace."""

    name, label, icon, editor = "person", "Person", "person", "person"
    value_class = str
    takes = (REQUIRED,)
    filters = ONE_OF
    slots = "t"

    def reader(self, column: ColumnLike, people: People, current: str | None = None) -> Callable[[str], str]:
        known = _known(people, current)
        several = {name for name, count in Counter(map(key, people.values())).items() if count > 1}

        def read(text: str) -> str:
            wanted = key(text)
            if wanted in known:
                return known[wanted]
            if wanted in several:
                raise Invalid(
                    f"Several people are called {shown(text)}. Write the e-mail address, or choose from the list."
                )
            raise Invalid(f"{shown(text)} is nobody who works on this sheet.")

        return read

    def verify(self, value: Any, column: ColumnLike, people: People, current: str | None = None) -> str:
        if not isinstance(value, str):
            raise expected(value, "the id of a person as text")
        if value not in people and value != current:
            raise Invalid(f"{shown(value)} is nobody who works on this sheet.")
        return value

    def text(self, value: str, column: ColumnLike, people: People) -> str:
        name = people.get(value)
        if name is None:
            return f"Person {value}"
        alone = sum(key(other) == key(name) for other in people.values()) == 1
        return name if alone else _numbered(value, name)

    def found(self, wanted: str, cell: Cell, column: ColumnLike, people: People) -> Condition:
        return is_any_of(cell, [identity for identity, name in people.items() if fold(wanted) in fold(name)])

    def sql(self, cell: Cell, column: ColumnLike, people: People) -> Sql:
        return rank(cell.text, sorted(people, key=lambda identity: (key(people[identity]), int(identity))))

    def operand(self, value: Any, column: ColumnLike, people: People) -> str:
        """Also of somebody who has left: their rows are still to be found."""
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise expected(value, "the ids of people as text")
        return value


def _known(people: People, current: str | None) -> dict[str, str]:
    """Everything that names one person: id, name with id, e-mail, and the name where only one has it."""
    emails: Mapping[str, str] = getattr(people, "emails", {})
    named = dict(people) | ({current: f"Person {current}"} if current and current not in people else {})
    names = Counter(map(key, named.values()))
    known = dict(zip(named, named, strict=True))
    known |= {key(_numbered(identity, name)): identity for identity, name in named.items()}
    known |= {key(email): identity for email, identity in emails.items()}
    return known | {key(name): identity for identity, name in named.items() if names[key(name)] == 1}


def _numbered(identity: str, name: str) -> str:
    return f"{name} ({identity})"

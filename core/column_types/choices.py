"""Choices: stored by option id, so that a label can be renamed; typed, pasted and shown by label."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy import false

from core.base.errors import Invalid
from core.base.text import clean, folded_key, one_line, quoted
from core.column_types.base import ColumnLike, ColumnType, Option, References, V, expected
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.conditions import ONE_OF, SEVERAL, SqlCondition, has_any_of, is_any_of, rank
from core.column_types.label_lists import list_items, quoted_label
from core.column_types.rules import REQUIRED
from core.column_types.traits import Form, IdSource
from db.folding import fold

# Calm colours that keep dark text readable on them, in the order in which new options take them.
PALETTE = (
    "#a8c7fa",
    "#c4eed0",
    "#fde293",
    "#f6aea9",
    "#d7aefb",
    "#a1e4f2",
    "#fdcfe8",
    "#e6c9a8",
    "#d3e3a1",
    "#c7c7cc",
)
KINDS = ("open", "won", "lost")
MAX_OPTIONS = 1_000
LABEL_LENGTH = 200
_NAMED = 8
_COLOR = re.compile(r"#[0-9a-fA-F]{6}|[a-z]{3,20}")
_ID = re.compile(r"o[1-9][0-9]{0,8}")


class Optional(ColumnType[V]):
    """What choice and choices have in common: the options of the column."""

    ids_of = IdSource.OPTIONS
    takes = (REQUIRED,)
    longest: ClassVar[int] = 20_000

    def check_options(self, options: Sequence[Option]) -> list[Option]:
        """The options with clean labels and a colour each. Raises Invalid on a label twice and on a bad option."""
        if len(options) > MAX_OPTIONS:
            raise Invalid(f"A column has at most {MAX_OPTIONS:,} options.")
        checked = [_checked(option, position) for position, option in enumerate(options)]
        _refuse_twice(option.id for option in checked)
        _refuse_twice(folded_key(option.label) for option in checked if not option.retired)
        return checked

    def options_for(self, texts: Iterable[str]) -> list[Option]:
        """Return an option for each different label in alphabetical order, up to the limit."""
        labels: dict[str, str] = {}
        for text in texts:
            for label in self._labels_or_none(text):
                if 0 < len(label) <= LABEL_LENGTH:
                    labels.setdefault(folded_key(label), label)
        ordered = [label for _, label in sorted(labels.items())][:MAX_OPTIONS]
        return [Option(f"o{number}", label) for number, label in enumerate(ordered, 1)]

    def labels_in(self, text: str) -> list[str]:
        """Return the labels that a text names. Raises Invalid."""
        return [one_line(clean(text))]

    def _labels_or_none(self, text: str) -> list[str]:
        try:
            return self.labels_in(text)
        except Invalid:
            return []

    def labels(self, column: ColumnLike, references: References) -> dict[str, str]:
        return {option.id: option.label for option in column.options}

    def labelled(self, text: str, column: ColumnLike) -> list[str]:
        """The ids of the options whose label contains this text, retired ones too: rows may still have them."""
        return [option.id for option in column.options if fold(text) in fold(option.label)]

    def operand(self, value: Any, column: ColumnLike, references: References) -> str:
        if not isinstance(value, str) or value not in {option.id for option in column.options}:
            raise Invalid(f"{quoted(str(value))} is not an option of this column.")
        return value


class Choice(Optional[str]):
    """One of the column's options."""

    name, label, icon, editor = "choice", "Choice", "arrow_drop_down_circle", "choice"
    width = 94
    value_class = str
    filters = ONE_OF
    slots = "t"

    def reader(self, column: ColumnLike, references: References, current: str | None = None) -> Callable[[str], str]:
        return Labels(column, {current} if current else ()).id_of

    def converter(
        self, source: ColumnType[Any], old: ColumnLike, new: ColumnLike, references: References
    ) -> Callable[[Any], str | None]:
        """Of several options the only one is chosen."""
        if not source.has_options:
            return super().converter(source, old, new, references)

        def convert(value: list[str]) -> str:
            if len(value) > 1:
                raise Invalid(f"{quoted(source.text(value, old, references))} are several options, not one.")
            return _usable(value[0], new, value)

        return convert

    def verify(self, value: Any, column: ColumnLike, references: References, current: str | None = None) -> str:
        if not isinstance(value, str):
            raise expected(value, "the id of an option")
        return _usable(value, column, {current} if current else ())

    def text(self, value: str, column: ColumnLike, references: References) -> str:
        return _label_of(value, column)

    def contains(self, text: str, cell: SqlCell, column: ColumnLike, references: References) -> SqlCondition:
        return is_any_of(cell, self.labelled(text, column))

    def sql(self, cell: SqlCell, column: ColumnLike, references: References) -> Sql:
        return rank(cell.text, [option.id for option in column.options])


class Choices(Optional[list[str]]):
    """Several of the column's options, each once, in the order of the options."""

    name, label, icon, editor = "choices", "Several choices", "checklist", "choices"
    value_class = list
    form = Form.LIST
    width = 140
    filters = SEVERAL

    def reader(
        self, column: ColumnLike, references: References, current: list[str] | None = None
    ) -> Callable[[str], list[str]]:
        labels, places = Labels(column, current or ()), _places(column)

        def read(text: str) -> list[str]:
            ids = {labels.id_of(item) for item in list_items(text)}
            return sorted(ids, key=places.__getitem__)

        return read

    def converter(
        self, source: ColumnType[Any], old: ColumnLike, new: ColumnLike, references: References
    ) -> Callable[[Any], list[str] | None]:
        """One option becomes a list of it."""
        if not source.has_options:
            return super().converter(source, old, new, references)
        return lambda value: [_usable(value, new, [value])]

    def labels_in(self, text: str) -> list[str]:
        return [one_line(item) for item in list_items(clean(text))]

    def parser(self, column: ColumnLike, references: References) -> Callable[[str], list[str] | None]:
        remembered = super().parser(column, references)

        def parse(text: str) -> list[str] | None:
            # Each row has its own list: what is remembered must not be changed through one of them.
            value = remembered(text)
            return None if value is None else [*value]

        return parse

    def verify(
        self, value: Any, column: ColumnLike, references: References, current: list[str] | None = None
    ) -> list[str] | None:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise expected(value, "a list of option ids")
        if len(value) > MAX_OPTIONS:
            raise Invalid(f"A cell holds at most {MAX_OPTIONS:,} options.")
        ids = {_usable(item, column, current or ()) for item in value}
        return sorted(ids, key=_places(column).__getitem__) or None

    def text(self, value: list[str], column: ColumnLike, references: References) -> str:
        return ", ".join(quoted_label(_label_of(item, column)) for item in value)

    def contains(self, text: str, cell: SqlCell, column: ColumnLike, references: References) -> SqlCondition:
        ids = self.labelled(text, column)
        return has_any_of(cell, ids) if ids else false()

    def sql(self, cell: SqlCell, column: ColumnLike, references: References) -> Sql:
        return rank(cell.json.op("->>")(0), [option.id for option in column.options])


class Labels:
    """Finds a column's options by label. Built once for many texts."""

    def __init__(self, column: ColumnLike, current: Iterable[str]) -> None:
        current = set(current)
        options = [option for option in column.options if not option.retired or option.id in current]
        self.exact = {one_line(option.label): option.id for option in reversed(options)}
        self.live = {folded_key(option.label): option.id for option in reversed(column.options) if not option.retired}
        self.retired = {folded_key(option.label): option.id for option in column.options if option.retired}
        current_labels = {label: identity for label, identity in self.retired.items() if identity in current}
        self.usable = current_labels | self.live
        self.names = [option.label for option in column.options if not option.retired]

    def id_of(self, text: str) -> str:
        """The id of the option with this label, however it is cased. Raises Invalid naming those there are."""
        label = folded_key(text)
        if (exact := one_line(text)) in self.exact:
            return self.exact[exact]
        if label in self.usable:
            return self.usable[label]
        if label in self.retired:
            raise Invalid(f"The option {quoted(text)} is retired and cannot be chosen any more.")
        listed = ", ".join(self.names[:_NAMED]) + (" …" if len(self.names) > _NAMED else "")
        raise Invalid(
            f"{quoted(text)} is not an option of this column. "
            + (f"There are: {listed}." if listed else "It has none.")
        )


def _usable(identity: str, column: ColumnLike, current: Iterable[str]) -> str:
    """The id, if it may be chosen now."""
    for option in column.options:
        if option.id == identity:
            if option.retired and identity not in current:
                raise Invalid(f"The option {quoted(option.label)} is retired and cannot be chosen any more.")
            return identity
    raise Invalid(f"{quoted(identity)} is not an option of this column.")


def _label_of(identity: str, column: ColumnLike) -> str:
    return next((option.label for option in column.options if option.id == identity), identity)


def _places(column: ColumnLike) -> dict[str, int]:
    return {option.id: position for position, option in enumerate(column.options)}


def _checked(option: Option, position: int) -> Option:
    label = one_line(clean(option.label))
    if not label or len(label) > LABEL_LENGTH:
        raise Invalid(f"The label of an option has 1 to {LABEL_LENGTH} characters.")
    if not _ID.fullmatch(option.id):
        raise Invalid(f"The option {quoted(label)} has no valid id.")
    if option.color and not _COLOR.fullmatch(option.color):
        raise Invalid(f"The option {quoted(label)} has no valid colour, such as #a8c7fa.")
    if option.kind not in {None, *KINDS}:
        raise Invalid(f"The option {quoted(label)} is {', '.join(KINDS)} or nothing of these.")
    if option.probability is not None and not (type(option.probability) is int and 0 <= option.probability <= 100):
        raise Invalid(f"The probability of the option {quoted(label)} goes from 0 to 100 percent.")
    return replace(option, label=label, color=option.color or PALETTE[position % len(PALETTE)])


def _refuse_twice(names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise Invalid(f"Two options of a column cannot be the same: {quoted(twice[0])}.")

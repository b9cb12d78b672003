"""The base of every column type: what a type promises, and what it needs to know of a column."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from core.base.errors import Invalid
from core.base.exact_json import Value, Wire, to_wire
from core.base.permissions import Permission
from core.base.text import clean, quoted
from core.column_types.cell_sql import Sql, SqlCell
from core.column_types.conditions import Filter, SqlCondition, contains
from core.column_types.related import NO_ROWS, RelatedRows
from core.column_types.rules import REQUIRED, UNIQUE, Rule
from core.column_types.traits import DATES, NUMBERS, Form, IdSource

V = TypeVar("V", bound=Value)
_REMEMBERED = 50_000
_LISTED = 1000


@dataclass(frozen=True, slots=True)
class PeopleDirectory:
    """The people whom a cell may name: user id → name, and e-mail → user id."""

    names: Mapping[str, str] = field(default_factory=dict)
    emails: Mapping[str, str] = field(default_factory=dict)


def _no_rows(_sheet_id: int) -> RelatedRows:
    return NO_ROWS


@dataclass(frozen=True)
class References:
    """What a type needs from outside its column, each part loaded when a type first reads it."""

    load_people: Callable[[], PeopleDirectory] = PeopleDirectory
    load_related: Callable[[int], RelatedRows] = _no_rows

    @cached_property
    def people(self) -> PeopleDirectory:
        return self.load_people()

    @cached_property
    def _related(self) -> dict[int, RelatedRows]:
        return {}

    def related(self, sheet_id: int) -> RelatedRows:
        """Return the rows of another sheet that the reader may see."""
        if sheet_id not in self._related:
            self._related[sheet_id] = self.load_related(sheet_id)
        return self._related[sheet_id]

    def loaded(self) -> "References":
        """Load every part now, for use after the session has ended."""
        _ = self.people
        return self


NO_REFERENCES = References()


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a column. As a stage of a pipeline it has a kind (open, won, lost) and a probability in percent."""

    id: str
    label: str
    color: str = ""
    retired: bool = False
    probability: int | None = None
    kind: str | None = None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Option":
        """The option that `as_stored` described; keys that it does not know are left out."""
        return cls(**{name: stored[name] for name in cls.__slots__ if name in stored})

    def as_stored(self) -> dict[str, Any]:
        """The option as JSON data."""
        return asdict(self)


class ColumnLike(Protocol):
    """The part of a column that a type reads."""

    @property
    def type(self) -> str: ...
    @property
    def rules(self) -> Mapping[str, Any]: ...
    @property
    def options(self) -> Sequence[Option]: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """A column that does not exist yet: an importer tries texts on it before the person has decided."""

    type: str
    rules: Mapping[str, Any]
    options: Sequence[Option] = ()


class Fit(NamedTuple):
    """How many texts a type can read, and those it cannot, each with the reason."""

    fitting: int
    misfits: list[tuple[str, str]]


class ColumnType(Generic[V]):
    """A type of column: reads typed text and JSON values, writes canonical text, and gives its cells in SQL.

    A subclass sets the class variables and defines `reader`, `verify`, `operand`, and often `text`.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    editor: ClassVar[str]
    value_class: ClassVar[type]
    form: ClassVar[Form] = Form.TEXT
    # What the ids in its cells stand for; None where cells hold no ids.
    ids_of: ClassVar[IdSource | None] = None
    # The scheme of the address that a value opens: https, mailto or tel.
    scheme: ClassVar[str] = ""
    # Whether any clean text is a value.
    is_free_text: ClassVar[bool] = False
    is_multiline: ClassVar[bool] = False
    # The width of a column in the grid, in pixels.
    width: ClassVar[int] = 112
    aligned_right: ClassVar[bool] = False
    takes: ClassVar[tuple[Rule, ...]] = (REQUIRED, UNIQUE)
    filters: ClassVar[Mapping[str, Filter]]
    # The rules that stay as they were when a column was made.
    fixed_rules: ClassVar[tuple[str, ...]] = ()
    longest: ClassVar[int] = 1_000
    # Whether its cells are computed, by core.computed: nobody writes them.
    is_computed: ClassVar[bool] = False
    # Whether a computed cell can hold an error with its reason instead of a value.
    may_fail: ClassVar[bool] = False
    # What a reader's level has to give so that they see a column of this type.
    needs: ClassVar[Permission | None] = None
    # The kind of slot that holds a copy of its cells to filter and sort by: t (text), n (numbers), or none.
    slots: ClassVar[str] = ""

    # --- traits

    @property
    def is_number(self) -> bool:
        return self.form in NUMBERS

    @property
    def is_date(self) -> bool:
        return self.form in DATES

    @property
    def has_currency(self) -> bool:
        return self.form is Form.MONEY

    @property
    def has_options(self) -> bool:
        return self.ids_of is IdSource.OPTIONS

    @property
    def names_people(self) -> bool:
        return self.ids_of is IdSource.PEOPLE

    @property
    def names_rows(self) -> bool:
        """Whether its cells name rows of a sheet, of which a reader may not see all."""
        return self.ids_of is IdSource.ROWS

    @property
    def groups_by_id(self) -> bool:
        """Whether each cell holds one id, by which rows are grouped."""
        return self.ids_of is not None and self.form is not Form.LIST

    def grid_traits(self) -> dict[str, Any]:
        """The traits by which the grid draws and edits cells."""
        return {
            "form": self.form,
            "ids_of": self.ids_of,
            "scheme": self.scheme,
            "is_multiline": self.is_multiline,
            "icon": self.icon,
            "width": self.width,
            "is_computed": self.is_computed,
        }

    def inputs(self, column: ColumnLike) -> Collection[int]:
        """Return the ids of the columns from which a cell is computed; none where it is written."""
        return ()

    def needed_for(self, column: ColumnLike) -> Permission | None:
        """Return what a reader's level has to give so that they see this column."""
        return self.needs

    def changes_daily(self, column: ColumnLike) -> bool:
        """Whether a cell can be another on another day, though nothing was changed."""
        return False

    def names_reader(self, column: ColumnLike) -> bool:
        """Whether a cell can be another for another reader, who sees the same rows and columns."""
        return False

    def labels(self, column: ColumnLike, references: References) -> dict[str, str]:
        """Return the labels of the ids in its cells, retired options included."""
        return {}

    # --- values

    def reader(self, column: ColumnLike, references: References, current: V | None = None) -> Callable[[str], V]:
        """Return a function that reads a clean, filled text. A retired option is accepted if `current` holds it."""
        raise NotImplementedError

    def verify(self, value: Any, column: ColumnLike, references: References, current: V | None = None) -> V | None:
        """The value to store for a JSON value. Raises Invalid where it has the wrong JSON type or breaks a rule."""
        raise NotImplementedError

    def text(self, value: V, column: ColumnLike, references: References) -> str:
        """Return the canonical text of a stored value, for every reader alike: `parse` gives the value back."""
        return str(value)

    def parse(self, text: str, column: ColumnLike, references: References, current: V | None = None) -> V | None:
        """The value of a typed or pasted text, None where it is empty. Raises Invalid with the reason."""
        return _read(text, self.reader(column, references, current), self.longest)

    def check(self, value: Any, column: ColumnLike, references: References, current: V | None = None) -> V | None:
        """Return the value to store for a JSON value, by the rules of `parse`; None and "" empty the cell."""
        if value is None or (isinstance(value, str) and not self._cleaned(value)):
            return None
        return self.verify(value, column, references, current)

    def completed(self, value: V | None, column: ColumnLike, references: References, current: V | None) -> V | None:
        """Return the value to store in place of `current`, with what of that the writer may not remove."""
        return value

    def prepare(self, values: Sequence[V], column: ColumnLike, references: References) -> None:
        """Read what `shown` and `wire` need for many values."""

    def shown(self, value: V, column: ColumnLike, references: References) -> V | None:
        """Return what the reader may see of a stored value."""
        return value

    def wire(self, value: V, column: ColumnLike, references: References) -> Wire:
        """Return what the reader may see of a stored value, as it travels."""
        return to_wire(value)

    def parser(self, column: ColumnLike, references: References) -> Callable[[str], V | None]:
        """Return a `parse` for many texts of one column, which remembers what it has read."""
        reader, longest = self.reader(column, references), self.longest
        values: dict[str, V | None] = {}

        def parse(text: str) -> V | None:
            if text in values:
                return values[text]
            value = _read(text, reader, longest)
            if len(values) < _REMEMBERED:
                values[text] = value
            return value

        return parse

    def writer(self, column: ColumnLike, references: References) -> Callable[[V], str]:
        """Return a `text` for many values of one column, which remembers what it has written."""
        texts: dict[Any, str] = {}

        def write(value: V) -> str:
            key = tuple(value) if isinstance(value, list) else value
            if key in texts:
                return texts[key]
            text = self.text(value, column, references)
            if len(texts) < _REMEMBERED:
                texts[key] = text
            return text

        return write

    def fits(self, texts: Iterable[str], column: ColumnLike, references: References) -> Fit:
        """How many of the texts can be read, and the first thousand that cannot."""
        parse, count, misfits = self.parser(column, references), 0, list[tuple[str, str]]()
        for text in texts:
            try:
                parse(text)
                count += 1
            except Invalid as refusal:
                if len(misfits) < _LISTED:
                    misfits.append((text, refusal.message))
        return Fit(count, misfits)

    def _cleaned(self, text: str) -> str:
        return _bounded(text, self.longest)

    # --- change of type

    def exchange_text(self, value: V, column: ColumnLike, references: References) -> str:
        """Return the text by which a cell converts, with what its column adds, such as a currency."""
        return self.text(value, column, references)

    def converter(
        self, source: "ColumnType[Any]", old: ColumnLike, new: ColumnLike, references: References
    ) -> Callable[[Any], V | None]:
        """Return a function that makes a cell of the column `new` of a cell of `old`, whose type is `source`.

        The function raises Invalid with the reason where a value does not convert. By default values convert by text.
        """
        parse = self.parser(new, references)
        return lambda value: parse(source.exchange_text(value, old, references))

    def options_for(self, texts: Iterable[str]) -> list[Option]:
        """Return options by which a new column of this type can hold these texts; only choices have any."""
        return []

    # --- settings

    def check_rules(self, rules: Mapping[str, Any]) -> dict[str, Any]:
        """The rules to store for a column of this type, those that are not set left out. Raises Invalid."""
        rules_by_key = {rule.key: rule for rule in self.takes}
        for key in rules:
            if key not in rules_by_key:
                raise Invalid(f"A column of the type {self.label} has no rule {quoted(key)}.")
        checked = {key: rules_by_key[key].check(value) for key, value in rules.items()}
        settled = self.settle_rules({key: value for key, value in checked.items() if value is not None})
        for lower, upper in (("min", "max"), ("min_length", "max_length")):
            if (
                lower in settled
                and upper in settled
                and self.rule_value(settled[lower]) > self.rule_value(settled[upper])
            ):
                raise Invalid(f"“{rules_by_key[lower].label}” is above “{rules_by_key[upper].label}”.")
        return settled

    def settle_rules(self, rules: dict[str, Any]) -> dict[str, Any]:
        """The rules with what only this type can check. Raises Invalid."""
        return rules

    def rule_value(self, rule: Any) -> Any:
        """Return a stored rule as a value that compares like the values it limits."""
        return rule

    def check_options(self, options: Sequence[Option]) -> list[Option]:
        """The options to store. Raises Invalid: only choices have any."""
        if options:
            raise Invalid(f"A column of the type {self.label} has no options.")
        return []

    # --- SQL

    def sql(self, cell: SqlCell, column: ColumnLike, references: References) -> Sql:
        """The cell for ordering and comparing; NULL where it is empty."""
        return cell.text

    def condition(self, op: str, value: Any, cell: SqlCell, column: ColumnLike, references: References) -> SqlCondition:
        """The filter `op` with its value as a condition on rows. Raises Invalid on an unknown op or a bad value."""
        if op not in self.filters:
            raise Invalid(f"A column of the type {self.label} has no filter {quoted(op)}.")
        row_filter = self.filters[op]
        return row_filter.sql(cell, self._operands(row_filter, value, column, references))

    def contains(self, text: str, cell: SqlCell, column: ColumnLike, references: References) -> SqlCondition:
        """Whether what the cell shows contains this text, as a condition on rows; an empty cell contains nothing."""
        return contains(cell, text)

    def operand(self, value: Any, column: ColumnLike, references: References) -> Any:
        """One value of a filter, ready for its SQL. Raises Invalid."""
        raise NotImplementedError

    def _operands(self, row_filter: Filter, value: Any, column: ColumnLike, references: References) -> Any:
        if row_filter.takes == "none":
            return None
        if row_filter.takes == "one":
            return self.operand(value, column, references)
        if not isinstance(value, list) or len(value) > _LISTED or (row_filter.takes == "two" and len(value) != 2):
            raise Invalid(
                f"The filter “{row_filter.label}” takes {'two values' if row_filter.takes == 'two' else 'a list'}."
            )
        return [self.operand(item, column, references) for item in value]


def expected(value: Any, what: str) -> Invalid:
    """The refusal of a JSON value that has the wrong JSON type."""
    kind = {bool: "true or false", str: "a text", list: "a list", dict: "an object", type(None): "nothing"}
    return Invalid(f"This column takes {what}, not {kind.get(type(value), 'a number')}.")


def _read(text: str, reader: Callable[[str], V], longest: int) -> V | None:
    cleaned = _bounded(text, longest)
    value = reader(cleaned) if cleaned else None
    # A list of nothing (", ,") is an empty cell.
    return None if value == [] else value


def _bounded(text: str, longest: int) -> str:
    """The text cleaned. Length is judged first, so that nothing costly ever sees a megabyte."""
    if len(text) > longest:
        raise Invalid(f"The text has {len(text):,} characters; this column takes at most {longest:,}.")
    return clean(text)

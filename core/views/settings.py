"""Settings of a view: checked once before they are stored, and fitted to the columns of each reader."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from core.access.access import Access
from core.base.errors import Invalid, NotFound, Refused
from core.base.permissions import Level, RowScope
from core.base.text import clean
from core.column_types import column_type
from core.rows.query import MAX_SEARCH, Sort, View, check_view, without_invalid
from core.rows.total_functions import Function
from core.rows.totals import MAX_LEVELS, check_group

Settings = dict[str, Any]
MAX_CHARACTERS = 100_000
MAX_ENTRIES, MAX_FROZEN, MAX_RULES = 1000, 20, 20
MIN_WIDTH, MAX_WIDTH = 20, 2000
RULE = {"filter", "color", "column", "on"}
_COLOR = re.compile(r"#[0-9a-f]{6}|[a-z]{1,20}")


class Part(Protocol):
    """One setting. `check` returns it as it is stored, or raises Refused; `fit` returns what its columns allow."""

    def check(self, access: Access, value: Any) -> Any: ...
    def fit(self, access: Access, value: Any) -> Any: ...


@dataclass(frozen=True)
class Single:
    """A setting that is valid as a whole or not at all."""

    check: Callable[[Access, Any], Any]
    empty: Any = None

    def fit(self, access: Access, value: Any) -> Any:
        try:
            return self.check(access, value)
        except Refused:
            return self.empty


@dataclass(frozen=True)
class Several:
    """A list of which each item is valid or not."""

    check_item: Callable[[Access, Any], Any]
    most: int = MAX_ENTRIES

    def check(self, access: Access, value: Any) -> Any:
        if not isinstance(value, list) or len(value) > self.most:
            raise Invalid(f"This setting of a view is a list of at most {self.most} items.")
        return [self.check_item(access, item) for item in value]

    def fit(self, access: Access, value: Any) -> Any:
        single = Single(self.check_item)
        items = [single.fit(access, item) for item in value] if isinstance(value, list) else []
        return [item for item in items if item is not None][: self.most]


class Query:
    """The filter or the sort, by the language of core.rows."""

    def __init__(self, key: str) -> None:
        self.key = key

    def check(self, access: Access, value: Any) -> Any:
        view = View.from_json({self.key: value})
        check_view(access, view)
        for sort in view.sort:
            access.column(sort.column)
        return view.as_json()[self.key]

    def fit(self, access: Access, value: Any) -> Any:
        try:
            return without_invalid(access, View.from_json({self.key: value})).as_json()[self.key]
        except Refused:
            return []


def _column(access: Access, value: Any) -> int:
    if type(value) is not int:
        raise Invalid("A view names columns by their numbers.")
    return access.column(value).column_id


def _group(access: Access, value: Any) -> Any:
    if not isinstance(value, dict) or not set(value) <= {"column", "descending"}:
        raise Invalid('A group of a view looks like this: {"column": 3, "descending": false}')
    column = check_group(access, Sort(_column(access, value.get("column"))))
    return {"column": column.column_id, "descending": bool(value.get("descending"))}


def _rule(access: Access, value: Any) -> Any:
    """A colour rule: the rows of a filter get a colour, in one `column` or, without one, as a whole.

    `on` is the column in whose menu the rule is listed.
    """
    color = value.get("color") if isinstance(value, dict) else None
    if not isinstance(color, str) or not _COLOR.fullmatch(color) or not set(value) <= RULE:
        raise Invalid('A colour rule looks like this: {"filter": […], "color": "green", "column": 3}')
    columns = {
        key: None if value[key] is None else _column(access, value[key]) for key in ("column", "on") if key in value
    }
    return {"filter": FILTER.check(access, value.get("filter")), "color": color, **columns}


def _widths(access: Access, value: Any) -> Any:
    shape = f"Widths are numbers of pixels by column, from {MIN_WIDTH} to {MAX_WIDTH}."
    if not isinstance(value, dict) or len(value) > MAX_ENTRIES:
        raise Invalid(shape)
    for key, width in value.items():
        if not key.isdecimal() or type(width) is not int or not MIN_WIDTH <= width <= MAX_WIDTH:
            raise Invalid(shape)
        access.column(int(key[:9]))
    return value


def _totals(access: Access, value: Any) -> Any:
    shape = f"Totals name a function by column, or null for none: {', '.join(Function)}."
    if not isinstance(value, dict) or len(value) > MAX_ENTRIES:
        raise Invalid(shape)
    for key, name in value.items():
        if not key.isdecimal() or (name is not None and name not in [*Function]):
            raise Invalid(shape)
        access.column(int(key[:9]))
    return value


@dataclass(frozen=True)
class ByColumn:
    """Values by the numbers of columns as text, of which each is valid or not."""

    check: Callable[[Access, Any], Any]

    def fit(self, access: Access, value: Any) -> Any:
        single, values = Single(self.check, {}), value if isinstance(value, dict) else {}
        return {key: setting for key, setting in values.items() if single.fit(access, {key: setting})}


def _frozen(_: Access, value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_FROZEN:
        raise Invalid(f"A view freezes 0 to {MAX_FROZEN} columns.")
    return value


def _search(_: Access, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_SEARCH:
        raise Invalid(f"The search text of a view has at most {MAX_SEARCH} characters.")
    return clean(value)


def _board_column(access: Access, value: Any) -> int:
    column = access.column(_column(access, value))
    if not column_type(column.type).has_options:
        raise Invalid(f"A board needs a column with choices. “{column.name}” has none.")
    return column.column_id


def _calendar_column(access: Access, value: Any) -> int:
    column = access.column(_column(access, value))
    if not column_type(column.type).is_date:
        raise Invalid(f"A calendar needs a column of dates. “{column.name}” is not one.")
    return column.column_id


FILTER = Query("filter")
GRID: dict[str, Part] = {
    "filter": FILTER,
    "sort": Query("sort"),
    "search": Single(_search, ""),
    "groups": Several(_group, MAX_LEVELS),
    "hidden": Several(_column),
    "order": Several(_column),
    "widths": ByColumn(_widths),
    "totals": ByColumn(_totals),
    "frozen": Single(_frozen, 0),
    "colors": Several(_rule, MAX_RULES),
}
# The settings that a view of each kind may have. A board and a calendar are drawn by a column of their own.
KINDS: dict[str, dict[str, Part]] = {
    "grid": GRID,
    "board": GRID | {"column": Single(_board_column)},
    "calendar": GRID | {"column": Single(_calendar_column)},
}
# What a setting is where nobody has set it.
EMPTY: Settings = {"search": "", "frozen": 1, "widths": {}, "totals": {}} | {
    key: [] for key in ("filter", "sort", "groups", "hidden", "order", "colors")
}
# Settings that name each column by itself, so that those of columns which a reader does not see stay as they are.
BY_COLUMN = ("hidden", "order", "widths", "totals")


def checked_settings(access: Access, kind: str, settings: Mapping[str, Any]) -> Settings:
    """Return the settings as they are stored. Raises Invalid, also for a column that the reader does not see."""
    parts = parts_of(kind)
    if unknown := set(settings) - set(parts):
        raise Invalid(f"“{min(unknown)}” is not a setting of this view. Its settings are {', '.join(parts)}.")
    if len(json.dumps(settings, default=str)) > MAX_CHARACTERS:
        raise Invalid(f"The settings of a view have at most {MAX_CHARACTERS:,} characters as JSON.")
    try:
        checked = {key: parts[key].check(access, value) for key, value in settings.items()}
    except NotFound as refusal:
        raise Invalid(refusal.message, **refusal.facts) from refusal
    if "\\u0000" in json.dumps(checked):
        raise Invalid("The settings of a view can't contain the NUL character.")
    return checked


def fitting_settings(access: Access, kind: str, settings: Mapping[str, Any]) -> tuple[Settings, bool]:
    """Return what of the settings the reader's columns allow, and whether a condition, sort or rule is left out."""
    parts = parts_of(kind)
    fitting = {key: parts[key].fit(access, value) for key, value in settings.items() if key in parts}
    judged = [key for key in fitting if key not in BY_COLUMN and fitting[key] != _normal(key, settings[key])]
    return fitting, bool(judged)


def unseen_settings(access: Access, kind: str, settings: Mapping[str, Any]) -> Settings:
    """Return the settings of which this person does not see a part, because it names a column hidden from them."""
    everything = replace(access, level=Level.OWNER, row_scope=RowScope.ALL)
    visible, complete = (fitting_settings(reader, kind, settings)[0] for reader in (access, everything))
    return {key: value for key, value in complete.items() if visible[key] != value}


def with_unseen(value: Any, unseen: Any, access: Access) -> Any:
    """Return a person's setting by column, with what is set for columns that they do not see."""
    if isinstance(value, dict):
        return {**{key: setting for key, setting in unseen.items() if int(key) not in access.by_id}, **value}
    return [*value, *(column_id for column_id in unseen if column_id not in access.by_id)]


def parts_of(kind: str) -> dict[str, Part]:
    """Return the settings of a kind of view. Raises Invalid."""
    if kind not in KINDS:
        raise Invalid(f"“{kind[:20]}” is not a kind of view. The kinds are {', '.join(KINDS)}.")
    return KINDS[kind]


def view_of(settings: Mapping[str, Any]) -> View:
    """Return the filter, sort and search of fitting settings as a view of rows."""
    return View.from_json({key: settings.get(key) for key in ("filter", "sort", "search")})


def _normal(key: str, value: Any) -> Any:
    """A stored filter or sort in the form in which it is compared."""
    if key not in {"filter", "sort"}:
        return value
    try:
        return View.from_json({key: value}).as_json()[key]
    except Refused:
        return value

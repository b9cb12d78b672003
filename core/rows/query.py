"""Queries: a view (filter, sort, search) as SQL over the rows and columns that an access may see."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true

from core.access.access import Access, ColumnInfo
from core.access.link_view import VIEW_BROKEN, LinkView, reads_link_views
from core.base.errors import Invalid, NotFound, Refused
from core.base.permissions import Level
from core.base.relative_dates import Calendar
from core.base.text import clean
from core.column_types import column_type
from core.computed.lookup import reads_other_sheet
from core.rows.filter_tree import Condition, Node, conditions_of, filter_json, map_conditions, read_filter
from core.rows.relative import resolved
from core.rows.row_source import ADDED, ROWS, Origin, origin_of

MAX_SORTS = 50
MAX_SEARCH = 200


@dataclass(frozen=True)
class Sort:
    """One column to sort by; rows without a value come last either way."""

    column: int
    descending: bool = False

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        return cls(int(body["column"]), bool(body.get("descending")))


@dataclass(frozen=True)
class View:
    """What to show: all nodes of the filter hold, the search text occurs, in this order."""

    filter: tuple[Node, ...] = ()
    sort: tuple[Sort, ...] = ()
    search: str = ""

    @classmethod
    def from_json(cls, body: dict[str, Any] | None) -> Self:
        """A view from its JSON; Invalid where its shape is wrong."""
        body = body or {}
        try:
            nodes = read_filter(body.get("filter"))
            sorts = tuple(Sort.from_json(item) for item in body.get("sort") or ())
            search = clean(str(body.get("search") or ""))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            shape = '{"filter": [{"column": 1, "op": "is", "value": "x"}], "sort": [{"column": 1}], "search": ""}'
            raise Invalid(f"A view looks like this: {shape}") from error
        if len(sorts) > MAX_SORTS or len(search) > MAX_SEARCH:
            raise Invalid(f"A view has at most {MAX_SORTS} sorts and {MAX_SEARCH} characters to search.")
        return cls(nodes, sorts, search)

    def as_json(self) -> dict[str, Any]:
        return {
            "filter": filter_json(self.filter),
            "sort": [vars(sort) for sort in self.sort],
            "search": self.search,
        }

    def where(self, *nodes: Node) -> Self:
        """Return the view with further conditions, which hold beside the others."""
        return replace(self, filter=(*self.filter, *nodes))

    @property
    def conditions(self) -> list[Condition]:
        """Every condition of the filter, however deep in groups."""
        return list(conditions_of(self.filter))

    @property
    def fingerprint(self) -> str:
        """Return a text that is equal for equal views. Resolve a view first, where its rows are cached by it."""
        return json.dumps(self.as_json(), sort_keys=True, default=str)

    @property
    def is_plain(self) -> bool:
        """All rows, oldest first."""
        return not (self.filter or self.sort or self.search)


def resolve(access: Access, view: View) -> View:
    """Return the view as it is for this reader now: with days for relative dates, and a person for “me”.

    What is cached by a view's fingerprint is cached by that of the resolved one, so that it ends with the day and is
    nobody else's. Raises Invalid or NotFound where the view is not valid.
    """
    return replace(
        view, filter=map_conditions(view.filter, lambda each: resolved(access, each, column_of(access, each)))
    )


def without_invalid(access: Access, view: View) -> View:
    """Return the view without conditions and sorts that its columns do not allow any more.

    A condition that goes leaves the others of its group as they are, so “any” of fewer shows fewer rows, and “all” of
    fewer shows more. Callers say so, and never use it for a filter that decides what a reader may see.
    """
    valid = map_conditions(view.filter, lambda each: each if _fits(access, each) else None)
    sorts = tuple(sort for sort in view.sort if sort.column in access.by_id)
    return View(valid, sorts, view.search)


def check_view(access: Access, view: View) -> None:
    """Raise Invalid or NotFound, with the reason, where a condition does not fit its column. Reads nothing."""
    any_day = Calendar(datetime.now(UTC))
    for condition in view.conditions:
        _condition(access, condition, calendar=any_day)


def view_origin(access: Access, view: View, *more: ColumnInfo) -> Origin:
    """Return where a view's rows are read from, if `more` columns are needed; a search reads all cells."""
    columns = [*map(partial(column_of, access), view.conditions), *(access.column(sort.column) for sort in view.sort)]
    return ROWS if view.search else origin_of(access, [*columns, *more])


def conditions(access: Access, view: View, origin: Origin = ROWS) -> ColumnElement[bool]:
    """Return the condition of a view's rows: visible, the filter true, the search text in a visible column."""
    parts = [origin.visible(access), *(_node(access, node, origin) for node in view.filter)]
    if view.search:
        parts.append(searched(access, view.search))
    return and_(*parts)


def ordering(access: Access, view: View, origin: Origin = ROWS) -> list[ColumnElement[Any]]:
    """The order of a view, over the rows."""
    return ordered(view, [key for _, key in sort_keys(access, view, origin)], origin.row_id)


def ordered(view: View, keys: Sequence[Any], row_id: Any) -> list[ColumnElement[Any]]:
    """The sort of a view over these keys; the row's number decides between equals, so every order is total."""
    sorts = zip(view.sort, keys, strict=True)
    return [*((key.desc() if sort.descending else key.asc()).nulls_last() for sort, key in sorts), row_id.asc()]


def sort_keys(access: Access, view: View, origin: Origin = ROWS) -> list[tuple[Sort, ColumnElement[Any]]]:
    """Each sort with the SQL expression that it sorts by."""
    return [(sort, _sort_key(access, access.column(sort.column), origin)) for sort in view.sort]


def _sort_key(access: Access, column: ColumnInfo, origin: Origin) -> ColumnElement[Any]:
    return column_type(column.type).sql(origin.cell(column, access), column, access.references)


def _node(access: Access, node: Node, origin: Origin) -> ColumnElement[bool]:
    if isinstance(node, Condition):
        return _condition(access, node, origin)
    clauses = [_node(access, child, origin) for child in node.nodes]
    return and_(true(), *clauses) if node.join == "all" else or_(false(), *clauses)


def _condition(
    access: Access, condition: Condition, origin: Origin = ROWS, calendar: Calendar | None = None
) -> ColumnElement[bool]:
    column = column_of(access, condition)
    kind = column_type(column.type)
    try:
        actual = resolved(access, condition, column, calendar)
        return kind.condition(actual.op, actual.value, origin.cell(column, access), column, access.references)
    except Invalid as refusal:
        raise Invalid(f"Filter on “{column.name}”: {refusal.message}", column=column.column_id) from refusal


def _fits(access: Access, condition: Condition) -> bool:
    try:
        check_view(access, View((condition,)))
    except Refused:
        return False
    return True


def column_of(access: Access, condition: Condition) -> ColumnInfo:
    """The column that a condition is on; NotFound where there is none that this person may see."""
    return ADDED if condition.column == ADDED.column_id else access.column(condition.column)


def searched(access: Access, search: str) -> ColumnElement[bool]:
    """Return the condition that the shown text of any visible column contains the search text."""
    matches = (
        column_type(column.type).contains(search, ROWS.cell(column, access), column, access.references)
        for column in access.columns
    )
    return or_(false(), *matches)


def reading_other_sheets(access: Access, view: View) -> list[ColumnInfo]:
    """Return the columns of the filter whose cells depend on another sheet, so on what its reader may see there."""
    columns = (column_of(access, condition) for condition in view.conditions)
    return [column for column in columns if reads_other_sheet(access, column)]


@reads_link_views
def rows_of_view(access: Access, link_view: LinkView) -> Select[Any]:
    """Return the ids of the rows that the view of a public link lets through; its filter may use any column.

    Raises NotFound where a part of it is not valid any more, or reads another sheet, of which a visitor sees nothing:
    without that part it would let more rows through.
    """
    unbound = replace(access, link_view=None, level=Level.OWNER)
    try:
        view = View.from_json({"filter": link_view.filter, "search": link_view.settings.get("search")})
        if reading_other_sheets(unbound, view):
            raise NotFound(VIEW_BROKEN)
        origin = view_origin(unbound, view)
        return select(origin.row_id).where(conditions(unbound, view, origin)).correlate(None)
    except Refused as refusal:
        raise NotFound(VIEW_BROKEN) from refusal


class _FilterReader:
    """Reads the filters of rollups for row sources."""

    @staticmethod
    def columns(access: Access, body: Any) -> list[ColumnInfo]:
        return [column_of(access, condition) for condition in View.from_json({"filter": body or []}).conditions]

    @staticmethod
    def condition(access: Access, body: Any, origin: Origin) -> ColumnElement[bool]:
        return conditions(access, View.from_json({"filter": body or []}), origin)


Origin.filter_reader = _FilterReader()

"""The view bar: search, filters and sort of a sheet, each shown and each easily taken away."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import streamlit as st

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.accounts import directory
from core.accounts.locale import Locale
from core.base.actor import Visitor
from core.base.relative_dates import is_relative, relative_label
from core.column_types import column_type
from core.rows.filter_tree import Condition, Node
from core.rows.query import MAX_SEARCH, Sort, View
from core.rows.row_source import ADDED
from db.engine import snapshot
from pages.components.app.format import DATE_PATTERNS, cell, literal, shortened

ROUND = "view_round"
FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)
LONGEST = 60
JOINERS = {"all": "and", "any": "or"}


@dataclass(frozen=True)
class ViewBar:
    """A sheet's view and what to do with a changed one: `keep`, and `leave` for a view that came with a link.

    Both are called in callbacks, so that each change is one run.
    """

    access: Access
    view: View
    keep: Callable[[View], None]
    leave: Callable[[], None] | None
    locale: Locale

    def show(self) -> None:
        """Search and filter, then one chip for each thing that narrows or orders the rows."""
        self._search()
        with st.popover("Filter", icon=":material/filter_list:", key=self._key("filter")):
            self._new_filter()
        if self.leave:
            note = "This view comes from a link. It is not remembered."
            st.button("Back to my view", type="tertiary", icon=":material/undo:", help=note, on_click=self.leave)
        for index, condition in enumerate(self.view.filter):
            rest = (*self.view.filter[:index], *self.view.filter[index + 1 :])
            self._chip(self._described(condition), f"filter_{index}", replace(self.view, filter=rest))
        for index, sort in enumerate(self.view.sort):
            rest_sorts = (*self.view.sort[:index], *self.view.sort[index + 1 :])
            self._chip(self._sorted(sort), f"sort_{index}", replace(self.view, sort=rest_sorts))
        if not self.leave and len(self.view.filter) + len(self.view.sort) + bool(self.view.search) > 1:
            st.button("Clear all", type="tertiary", key=self._key("clear"), on_click=self.keep, args=(View(),))

    def _search(self) -> None:
        key = f"search_{self.access.sheet.sheet_id}"
        st.session_state[key] = self.view.search
        st.text_input(
            "Search",
            key=key,
            type="search",
            max_chars=MAX_SEARCH,
            on_change=lambda: self.keep(replace(self.view, search=str(st.session_state[key] or ""))),
            label_visibility="collapsed",
            width=150,
        )

    def _chip(self, text: str, name: str, without: View) -> None:
        st.button(
            literal(shortened(text, LONGEST)),
            icon=":material/close:",
            key=self._key(name),
            help=f"{literal(text)}. Click to remove.",
            on_click=self.keep,
            args=(without,),
        )

    def _new_filter(self) -> None:
        """Column, operator and value, by the column's type."""
        columns = self._columns
        picked = st.selectbox(
            "Column", list(columns), format_func=lambda one: columns[one].name, key=self._key("column")
        )
        column = columns[picked]
        filters = column_type(column.type).filters
        op = st.selectbox(
            "Condition",
            list(filters),
            format_func=lambda name: filters[name].label,
            key=self._key(f"op_{column.column_id}"),
        )
        with st.form(self._key(f"form_{column.column_id}_{op}"), border=False):
            values = self._values(column, filters[op].takes, f"{column.column_id}_{op}")
            st.form_submit_button(
                "Add filter", type="primary", on_click=self._add, args=(column.column_id, op, filters[op].takes, values)
            )

    def _values(self, column: ColumnInfo, takes: str, name: str) -> list[str]:
        """The fields for what the operator takes; the keys that hold what is put in."""
        if takes == "none":
            return []
        if takes == "many":
            names, key = choices_of(self.access, column), self._key(f"{name}_many")
            st.multiselect("Values", list(names), format_func=names.__getitem__, key=key, placeholder="Choose")
            return [key]
        labels = ("From", "To") if takes == "two" else ("Value",)
        return [self._value(column, label, self._key(f"{name}_{label}")) for label in labels]

    def _value(self, column: ColumnInfo, label: str, key: str) -> str:
        if column_type(column.type).is_date:
            pattern = DATE_PATTERNS[self.locale.date_format]
            st.date_input(label, value=None, min_value=FIRST, max_value=LAST, key=key, format=pattern)
        else:
            st.text_input(label, key=key, max_chars=MAX_SEARCH)
        return key

    def _add(self, column: int, op: str, takes: str, keys: list[str]) -> None:
        entered = [_plain(st.session_state.get(key)) for key in keys]
        value: Any = entered if takes == "two" else entered[0] if entered else None
        if takes != "none" and not all(entered):
            st.toast("Choose a value for the filter first.", icon=":material/info:")
            return
        # A new round has fresh fields, and its popover is closed.
        st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
        self.keep(replace(self.view, filter=(*self.view.filter, Condition(column, op, value))))

    def _described(self, node: Node) -> str:
        if isinstance(node, Condition):
            return self._condition(node)
        return f" {'and' if node.join == 'all' else 'or'} ".join(
            self._described(part) if isinstance(part, Condition) else f"({self._described(part)})"
            for part in node.nodes
        )

    def _condition(self, condition: Condition) -> str:
        column = self._columns[condition.column]
        operator = column_type(column.type).filters[condition.op]
        values = condition.value if isinstance(condition.value, list) else [condition.value]
        names = names_of(self.access, column, values)
        texts = [names.get(str(item)) or self._written(item, column) for item in values]
        joiner = " and " if operator.takes == "two" else ", "
        return f"{column.name} {operator.label} {'' if operator.takes == 'none' else joiner.join(texts)}".strip()

    def _written(self, value: Any, column: ColumnInfo) -> str:
        if is_relative(value) and column_type(column.type).is_date:
            return relative_label(value)
        return cell(str(value), column, self.locale)

    @property
    def _columns(self) -> dict[int, ColumnInfo]:
        """What can be filtered by: the columns, and the day on which a row was added."""
        return {**self.access.by_id, ADDED.column_id: ADDED}

    def _sorted(self, sort: Sort) -> str:
        return f"{self.access.column(sort.column).name} {'↓' if sort.descending else '↑'}"

    def _key(self, name: str) -> str:
        return f"view_{self.access.sheet.sheet_id}_{st.session_state.get(ROUND, 0)}_{name}"


def choices_of(access: Access, column: ColumnInfo) -> dict[str, str]:
    """Return the names of all that a column may hold by their ids: its options, or people."""
    kind = column_type(column.type)
    if kind.names_people:
        with snapshot() as session:
            return kind.labels(column, get_access(session, access.principal, access.sheet.sheet_id).references)
    return {option.id: option.label + (" (retired)" if option.retired else "") for option in column.options}


def names_of(access: Access, column: ColumnInfo, values: list[Any]) -> dict[str, str]:
    """Return the names of some ids in a column. Only a visitor's are looked for among the people they may see."""
    if not column_type(column.type).names_people or isinstance(access.principal, Visitor):
        return choices_of(access, column)
    with snapshot() as session:
        return directory.names_of(session, map(str, values))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value

"""The view bar: search, filter and sort of a sheet, as chips that can be taken away."""

from dataclasses import replace
from datetime import date
from typing import Any

import streamlit as st

from core.access import Access, ColumnInfo
from core.column_types import column_type
from core.query import Condition, Sort, View
from pages.components.format import literal


def show(access: Access, view: View, *, key: str) -> View:
    """Draw the bar; the view as the person changed it, or the same."""
    with st.container(horizontal=True, vertical_alignment="center"):
        changed = _search(view, key)
        with st.popover("Filter", icon=":material/filter_list:"):
            changed = _new_condition(access, changed, key)
        for place, condition in enumerate(view.filter):
            if condition.column in access.by_id and _chip(_described(access, condition), f"{key}_filter_{place}"):
                changed = replace(changed, filter=(*view.filter[:place], *view.filter[place + 1 :]))
        for place, sort in enumerate(view.sort):
            if sort.column in access.by_id and _chip(_sorted(access, sort), f"{key}_sort_{place}"):
                changed = replace(changed, sort=(*view.sort[:place], *view.sort[place + 1 :]))
        if not view.is_plain and st.button("Clear all", type="tertiary", key=f"{key}_clear"):
            st.session_state[f"{key}_search_round"] = st.session_state.get(f"{key}_search_round", 0) + 1
            changed = View()
    return changed


def _search(view: View, key: str) -> View:
    # A cleared search needs a fresh field: the old one would keep its text.
    field = f"{key}_search_{st.session_state.get(f'{key}_search_round', 0)}"
    typed = st.text_input(
        "Search", value=view.search, key=field, placeholder="Search", label_visibility="collapsed", width=220,
        icon=":material/search:", max_chars=200,
    )  # fmt: skip
    return replace(view, search=typed.strip())


def _chip(text: str, key: str) -> bool:
    return st.button(text, icon=":material/close:", key=key, help="Remove")


def _new_condition(access: Access, view: View, key: str) -> View:
    """Column, operator and value, by the column's type."""
    columns = list(access.columns)
    if not columns:
        return view
    column = st.selectbox("Column", columns, format_func=lambda one: one.name, key=f"{key}_column")
    filters = column_type(column.type).filters
    op = st.selectbox(
        "Condition", list(filters), format_func=lambda name: filters[name].label, key=f"{key}_op_{column.column_id}"
    )
    takes = filters[op].takes
    value = _value(access, column, takes, f"{key}_{column.column_id}_{op}")
    ready = takes == "none" or (value not in (None, "", []) and (takes != "two" or all(value)))
    if st.button("Add filter", type="primary", key=f"{key}_add", disabled=not ready):
        return replace(view, filter=(*view.filter, Condition(column.column_id, op, value)))
    return view


def _value(access: Access, column: ColumnInfo, takes: str, key: str) -> Any:
    if takes == "none":
        return None
    names = _names(access, column)
    if takes == "many":
        return st.multiselect("Values", list(names), format_func=names.__getitem__, key=key)
    if takes == "two":
        low, high = st.columns(2)
        with low:
            first = _one(column, f"{key}_low", "From")
        with high:
            return [first, _one(column, f"{key}_high", "To")]
    return _one(column, key, "Value")


def _one(column: ColumnInfo, key: str, label: str) -> str:
    if column.type in ("date", "datetime"):
        picked = st.date_input(label, value=None, key=key)
        return picked.isoformat() if isinstance(picked, date) else ""
    return st.text_input(label, key=key)


def _names(access: Access, column: ColumnInfo) -> dict[str, str]:
    """What the ids of a column stand for."""
    if column.type == "person":
        return dict(access.people)
    return {option.id: option.label for option in column.options}


def _described(access: Access, condition: Condition) -> str:
    column = access.column(condition.column)
    chosen = column_type(column.type).filters.get(condition.op)
    label = chosen.label if chosen else condition.op
    names, value = _names(access, column), condition.value
    if isinstance(value, list):
        joiner = " and " if chosen and chosen.takes == "two" else ", "
        value = joiner.join(names.get(str(one), str(one)) for one in value)
    shown = f"{column.name} {label} {value}" if value not in (None, "") else f"{column.name} {label}"
    return literal(shown if len(shown) <= 60 else shown[:59] + "…")


def _sorted(access: Access, sort: Sort) -> str:
    return literal(f"{access.column(sort.column).name} {'↓' if sort.descending else '↑'}")

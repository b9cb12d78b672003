"""Which columns the open view shows, and in which order."""

import streamlit as st

from core.access.access import ColumnInfo
from core.base.permissions import Permission
from core.exports.source import chosen_columns
from core.views import edit_views
from pages.components.app.format import literal
from pages.components.sheet import view_commands
from pages.components.sheet.sheet_view import SheetView


def show(sheet_view: SheetView) -> None:
    """Draw a button that opens the list of columns; it says how many are hidden."""
    hidden = _hidden(sheet_view)
    label = f"Columns · {len(hidden)} hidden" if hidden else "Columns"
    key = _key(sheet_view)
    with st.popover(label, icon=":material/view_column:", key=key, on_change="rerun", wrap=False) as popover:
        if popover.open:
            with st.container(gap=None):
                _list(sheet_view, hidden)


def _list(sheet_view: SheetView, hidden: set[int]) -> None:
    """Draw a line for each column: shown or not, and one place up."""
    columns = _in_order(sheet_view)
    view_id = sheet_view.view.view_id
    for index, column in enumerate(columns):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
            key = f"shown_{view_id}_{column.column_id}"
            st.session_state[key] = column.column_id not in hidden
            st.checkbox(literal(column.name), key=key, on_change=_toggle, args=(sheet_view, column), width="stretch")
            up = f"up_{view_id}_{column.column_id}"
            about = f"Move {column.name} up"
            st.button(
                ":material/arrow_upward:",
                key=up,
                help=literal(about),
                type="tertiary",
                disabled=index == 0,
                on_click=_move,
                args=(sheet_view, columns, index),
            )
    if hidden:
        st.button("Show all", key=f"show_all_{view_id}", on_click=_change, args=(sheet_view, {"hidden": []}))
    if Permission.COLUMNS_EDIT in sheet_view.access.permissions:
        query = {"sheet": str(sheet_view.sheet_id)}
        st.page_link("work/columns.py", label="Edit columns", icon=":material/edit:", query_params=query)


def _hidden(sheet_view: SheetView) -> set[int]:
    return set(sheet_view.view.shown.get("hidden") or ())


def _in_order(sheet_view: SheetView) -> list[ColumnInfo]:
    """All columns that this person sees, in the order of the view."""
    return chosen_columns(sheet_view.access, {"order": sheet_view.view.shown.get("order")}, None)


def _toggle(sheet_view: SheetView, column: ColumnInfo) -> None:
    hidden = _hidden(sheet_view) ^ {column.column_id}
    _change(sheet_view, {"hidden": sorted(hidden)})


def _move(sheet_view: SheetView, columns: list[ColumnInfo], index: int) -> None:
    order = [column.column_id for column in columns]
    order.insert(index - 1, order.pop(index))
    _change(sheet_view, {"order": order})


def _key(sheet_view: SheetView) -> str:
    return f"columns_{sheet_view.view.view_id}"


def _change(sheet_view: SheetView, settings: dict[str, list[int]]) -> None:
    st.session_state[_key(sheet_view)] = True  # The list stays open, though its button has another text.
    view_commands.change(edit_views.change_settings, sheet_view, sheet_view.view.view_id, settings)

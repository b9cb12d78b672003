"""By which columns the rows of the open view are grouped."""

import contextlib

import streamlit as st

from core.base.errors import Invalid
from core.rows.query import Sort
from core.rows.totals import MAX_LEVELS, check_group
from core.views import edit_views
from pages.components.app.format import literal
from pages.components.sheet import view_commands
from pages.components.sheet.sheet_view import SheetView

LABELS = ("Group by", "Then by")


def show(sheet_view: SheetView) -> None:
    """Draw a button that opens up to two columns to group by; it says which they are."""
    groups = list(sheet_view.view.shown.get("groups") or ())
    names = [sheet_view.access.column(group["column"]).name for group in groups]
    label = f"Group · {literal(', '.join(names))}" if names else "Group"
    key = f"groups_{sheet_view.view.view_id}"
    with st.popover(label, icon=":material/table_rows:", key=key, on_change="rerun", wrap=False) as popover:
        if popover.open:
            for level in range(min(len(groups) + 1, MAX_LEVELS)):
                _level(sheet_view, groups, level)


def _level(sheet_view: SheetView, groups: list[dict[str, object]], level: int) -> None:
    """Draw the column of one level, and whether its groups stand in falling order."""
    view_id, group = sheet_view.view.view_id, groups[level] if level < len(groups) else None
    used = {other["column"] for other in groups if other is not group}
    columns = {column_id: name for column_id, name in _columns(sheet_view).items() if column_id not in used}
    key, falling = f"group_{view_id}_{level}", f"falling_{view_id}_{level}"
    st.session_state[key] = group["column"] if group else None
    st.session_state[falling] = bool(group and group["descending"])

    def change() -> None:
        st.session_state[f"groups_{view_id}"] = True  # It stays open, though its button has another text.
        column = st.session_state[key]
        new = [{"column": column, "descending": bool(st.session_state.get(falling))}] if column else []
        settings = {"groups": [*groups[:level], *new, *groups[level + 1 :]]}
        view_commands.change(edit_views.change_settings, sheet_view, view_id, settings)

    st.selectbox(
        LABELS[level],
        [None, *columns],
        format_func=lambda column: columns[column] if column else "No column",
        key=key,
        on_change=change,
    )
    if group:
        st.checkbox("Descending", key=falling, on_change=change)


def _columns(sheet_view: SheetView) -> dict[int, str]:
    """The names of the columns that rows can be grouped by."""
    names: dict[int, str] = {}
    for column in sheet_view.access.columns:
        with contextlib.suppress(Invalid):
            names[check_group(sheet_view.access, Sort(column.column_id)).column_id] = column.name
    return names

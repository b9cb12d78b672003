"""The grid page: the page of a sheet with its rows in the live grid."""

from typing import Any

import streamlit as st

from core.rows.query import View
from pages.components import grid
from pages.components.app.errors import error_boundary
from pages.components.app.format import grid_formats
from pages.components.row import row_detail
from pages.components.sheet import sheet_page
from pages.components.sheet.sheet_view import SheetView


def rows(sheet_view: SheetView, view: View) -> None:
    """Draw the grid and handle what it asks for."""
    key = f"grid_{sheet_view.sheet_id}"
    requests = grid.show(
        sheet_view.sheet,
        key=key,
        me={"id": sheet_view.actor.user_id, "name": sheet_view.actor.name},
        view=view.as_json(),
        layout=sheet_view.layout,
        stored_view=sheet_view.view.view_id,
        stored_version=sheet_view.view.version,
        layout_read=sheet_view.read_at,
        formats=grid_formats(sheet_view.locale),
        on_view=lambda: sheet_page.sort(sheet_view, view, st.session_state[key]["view"]),
    )
    if requests.view:
        st.rerun()
    if requests.open is not None:
        _open_row(sheet_view.sheet_id, requests.open)
    if isinstance(requests.columns, dict):
        column = str(requests.columns.get("column", "new"))
        st.switch_page("work/columns.py", query_params={"sheet": str(sheet_view.sheet_id), "column": column})


def _open_row(sheet_id: int, request: Any) -> None:
    """Open a row, or the history of one of its cells. The request comes from the browser, so its types are checked."""
    fields = request if isinstance(request, dict) else {"row": request}
    row, column = fields.get("row"), fields.get("column")
    if isinstance(row, int):
        row_detail.show(sheet_id, row, column=column if isinstance(column, int) else None)


with error_boundary():
    sheet_page.show(rows)

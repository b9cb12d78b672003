"""A row in full: every field, and what happened to it."""

from collections.abc import Mapping

import streamlit as st

from core import accounts
from core.access import Access, get_access
from core.column_types import column_type
from core.errors import NotFound
from core.history import LoggedChange, recent_changes
from core.rows import stored_row
from core.values import Value
from db.engine import transaction
from pages.components import change_lines
from pages.components.errors import shown_errors
from pages.components.format import cell, literal
from pages.components.who import current_actor

CHANGES = 50
LARGEST = 2**31 - 1


def show(sheet_id: int, row_id: int) -> None:
    """A drawer with the row's fields and its history."""
    st.dialog(f"Row {row_id}", position="right", width=560)(_row)(sheet_id, row_id)


def _row(sheet_id: int, row_id: int) -> None:
    with shown_errors():
        actor = current_actor()
        with transaction() as session:
            access = get_access(session, actor, sheet_id)
            date_format = accounts.preferences(session, actor)["date_format"]
            changes = recent_changes(session, actor, sheet_id, row=row_id, limit=CHANGES) if row_id <= LARGEST else []
            try:
                fields = _texts(access, stored_row(session, access, row_id))
            except NotFound as gone:
                fields = None
                st.info(gone.message, icon=":material/delete:")
        if fields is not None:
            _fields(access, fields, date_format)
        _history(access, changes, date_format)


def _texts(access: Access, values: Mapping[str, Value]) -> dict[int, str]:
    """The canonical text of each cell that has a value."""
    return {
        column.column_id: column_type(column.type).text(value, column, access.people)
        for column in access.columns
        if (value := values.get(column.key)) is not None
    }


def _fields(access: Access, texts: Mapping[int, str], date_format: str) -> None:
    with st.container(gap="xsmall"):
        for column in access.columns:
            name, value = st.columns([2, 5], gap="small", wrap=False)
            name.caption(literal(column.name))
            text = texts.get(column.column_id)
            # Plain text: line breaks stay, and nothing in it is formatting.
            value.text(cell(text, column, date_format) if text else "–")


def _history(access: Access, changes: list[LoggedChange], date_format: str) -> None:
    st.subheader("History")
    if not changes:
        st.caption("Nothing has happened to this row yet.")
    with st.container(gap="xsmall"):
        for change in changes:
            st.markdown(change_lines.line(access, change, date_format))
            st.caption(f"{literal(change.by)} · {change_lines.heading(change, date_format)}")

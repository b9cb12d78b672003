"""A row in full: every field, and what happened to it."""

from collections.abc import Mapping

import streamlit as st

from core import accounts
from core.access import Access, get_access
from core.column_types import column_type
from core.history import LoggedChange, recent_changes
from core.rows import stored_row
from db.engine import transaction
from pages.components.errors import shown_errors
from pages.components.format import literal, moment
from pages.components.who import current_actor

WHAT = {"add": "added this row", "remove": "deleted this row", "restore": "restored this row"}


@st.dialog("Row", width="large")
def show(sheet_id: int, row_id: int) -> None:
    """The row's fields beside its history."""
    with shown_errors():
        actor = current_actor()
        with transaction() as session:
            access = get_access(session, actor, sheet_id)
            values = stored_row(session, access, row_id)
            changes = recent_changes(session, actor, sheet_id, row=row_id, limit=50)
            date_format = accounts.preferences(session, actor)["date_format"]
        st.caption(f"\\#{row_id} in {literal(access.sheet.name)}")
        fields, history = st.columns([3, 2], gap="large")
        with fields:
            _fields(access, values)
        with history:
            st.markdown("**History**")
            for change in changes:
                st.markdown(told(change))
                st.caption(f"{moment(change.recorded_at, date_format)} · {change.source}")


def told(change: LoggedChange) -> str:
    """A line of the log as a sentence."""
    by = literal(change.by)
    if change.kind != "edit":
        return f"{by} {WHAT[change.kind]}"
    old, new = literal(change.old) or "empty", literal(change.new) or "empty"
    return f"{by}: {literal(change.column)} from {old} to **{new}**"


def _fields(access: Access, values: Mapping[str, object]) -> None:
    for column in access.columns:
        value = values.get(column.key)
        people = access.people if column.type == "person" else {}
        text = "" if value is None else column_type(column.type).text(value, column, people)
        st.caption(literal(column.name))
        st.text(text or "–")

"""Recent changes of a sheet: who changed which cell from what to what, when, and from where."""

import pandas as pd
import streamlit as st

from core import accounts, history
from core.access import get_access
from core.actor import Actor
from core.history import LoggedChange
from db.engine import transaction
from pages.components import sheet_picker
from pages.components.errors import shown_errors
from pages.components.format import moment
from pages.components.who import current_actor

PAGE = 100
SOURCES = {
    "grid": "Grid",
    "board": "Board",
    "form": "Form",
    "api": "API",
    "import": "Import",
    "undo": "Undo",
    "seed": "Demo",
}
KINDS = {"add": "Row added", "remove": "Row deleted", "restore": "Row restored"}
PLACES = "changes_pages"


def show() -> None:
    """The page, top to bottom."""
    actor = current_actor()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Changes", width="stretch")
        chosen = sheet_picker.pick(actor)
    if chosen is None:
        return
    row, by = _filters(actor, chosen.sheet_id)
    here = (chosen.sheet_id, row, by)
    if st.session_state.get(PLACES, {}).get("of") != here:
        st.session_state[PLACES] = {"of": here, "before": []}
    befores = st.session_state[PLACES]["before"]
    with transaction() as session:
        date_format = accounts.preferences(session, actor)["date_format"]
        before = befores[-1] if befores else None
        found = history.recent_changes(session, actor, chosen.sheet_id, row=row, by=by, before=before, limit=PAGE)
    if not found:
        st.info("Nothing has changed here." if not befores else "That is all.", icon=":material/info:")
    else:
        st.dataframe(_table(found, date_format), hide_index=True, height="content", width="stretch")
    _pages(befores, found)


def _filters(actor: Actor, sheet_id: int) -> tuple[int | None, int | None]:
    with transaction() as session:
        people = dict(get_access(session, actor, sheet_id).people)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox(
            "By", list(people), format_func=people.__getitem__, index=None, placeholder="Everybody", width=240
        )
        row = st.number_input("Row number", min_value=1, max_value=2**31 - 1, value=None, step=1, width=160)
    return (int(row) if row else None), (int(by) if by else None)


def _table(found: list[LoggedChange], date_format: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "When": [moment(change.recorded_at, date_format) for change in found],
            "Who": [change.by for change in found],
            "Row": [f"#{change.row} {change.row_title}" for change in found],
            "What": [change.column or KINDS.get(change.kind, change.kind) for change in found],
            "From": [change.old for change in found],
            "To": [change.new for change in found],
            "Where": [SOURCES.get(change.source, change.source) for change in found],
            "Took effect": [moment(change.effective_at, date_format) for change in found],
        }
    )


def _pages(befores: list[tuple[int, int, int]], found: list[LoggedChange]) -> None:
    with st.container(horizontal=True):
        if befores and st.button("Newer", icon=":material/arrow_back:"):
            befores.pop()
            st.rerun()
        if len(found) == PAGE and st.button("Older", icon=":material/arrow_forward:"):
            last = found[-1]
            befores.append((last.version, last.row, last.column_id))
            st.rerun()


with shown_errors():
    show()

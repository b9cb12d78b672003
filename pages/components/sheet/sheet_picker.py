"""Which sheet a page is about: named in the address, chosen from a list, remembered from page to page."""

import streamlit as st

from core.base.actor import Actor
from core.base.permissions import ROLE_PERMISSIONS, Permission
from core.sheets.sheets import ListedSheet, sheets
from db.engine import transaction

CHOSEN = "sheet_picked"
LAST = "sheet_last"


def pick(actor: Actor) -> ListedSheet | None:
    """The chosen sheet, None where there is none to show (the way out is shown then)."""
    with transaction() as session:
        listed = {sheet.sheet_id: sheet for sheet in sheets(session, actor)}
    if not listed:
        _none(may_create=Permission.SHEETS_CREATE in ROLE_PERMISSIONS[actor.role])
        return None
    st.session_state[CHOSEN] = _wanted(listed)
    st.selectbox(
        "Sheet",
        list(listed),
        format_func=lambda sheet_id: listed[sheet_id].name,
        key=CHOSEN,
        placeholder="Choose a sheet",
        on_change=_go,
        label_visibility="collapsed",
        width=220,
    )
    chosen = listed.get(st.session_state[CHOSEN] or 0)
    if chosen is None:
        st.warning("That sheet is archived, or not shared with you. Choose another.", icon=":material/lock:")
        return None
    st.session_state[LAST] = chosen.sheet_id
    if st.query_params.get("sheet") != str(chosen.sheet_id):
        st.query_params["sheet"] = str(chosen.sheet_id)
    return chosen


def _none(*, may_create: bool) -> None:
    """The way to a first sheet, of one's own or of others."""
    if not may_create:
        st.info("There is nothing here yet. Ask a colleague to share a sheet with you.", icon=":material/info:")
        return
    st.info("There is nothing here yet. Create a sheet first.", icon=":material/info:")
    st.page_link("work/sheets.py", label="Go to the sheets", icon=":material/table_view:")


def _wanted(listed: dict[int, ListedSheet]) -> int | None:
    """The sheet in the address, else the one looked at last, else the first; None where the address names no such."""
    asked = st.query_params.get("sheet")
    if asked:
        return next((sheet_id for sheet_id in listed if str(sheet_id) == asked), None)
    last = st.session_state.get(LAST)
    return last if last in listed else next(iter(listed))


def _go() -> None:
    """Another sheet was chosen: a view or column of the old one says nothing about it."""
    if st.session_state[CHOSEN]:
        st.query_params.from_dict({"sheet": str(st.session_state[CHOSEN])})

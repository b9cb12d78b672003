"""The picker of the sheet that a page is about: in the address, in a list, and kept from page to page."""

from collections.abc import Mapping

import streamlit as st

from core.base.actor import Actor
from core.base.permissions import ROLE_PERMISSIONS, Permission
from core.sheets.sheets import ListedSheet, sheets
from db.engine import transaction
from pages.components.app.navigation import LAST_SHEET

PICKED = "sheet_picked"
NO_SHEETS = "You have no sheets yet."
NOT_FOUND = "This sheet is archived, or it is not shared with you. Choose another one."


def pick(actor: Actor) -> ListedSheet | None:
    """Draw the picker and return the sheet; None if there is none, with the next step shown."""
    with transaction() as session:
        listed = {sheet.sheet_id: sheet for sheet in sheets(session, actor)}
    sheet_id = requested(listed)
    show(actor, listed, sheet_id)
    return listed.get(sheet_id or 0)


def requested(listed: Mapping[int, ListedSheet]) -> int | None:
    """Return the sheet in the address, else the last one, else the first; None if the address has an unknown sheet."""
    address = st.query_params.get("sheet")
    if address:
        return next((sheet_id for sheet_id in listed if str(sheet_id) == address), None)
    last = st.session_state.get(LAST_SHEET)
    return last if last in listed else next(iter(listed), None)


def show(actor: Actor, listed: Mapping[int, ListedSheet], sheet_id: int | None) -> None:
    """Draw the picker with this sheet chosen; the next step if there is none."""
    if not listed:
        _no_sheets(may_create=Permission.SHEETS_CREATE in ROLE_PERMISSIONS[actor.role])
        return
    st.session_state[PICKED] = sheet_id
    st.selectbox(
        "Sheet",
        list(listed),
        format_func=lambda sheet_id: listed[sheet_id].name,
        key=PICKED,
        placeholder="Choose a sheet",
        on_change=_go,
        label_visibility="collapsed",
        width=220,
    )
    if sheet_id is None:
        st.warning(NOT_FOUND, icon=":material/lock:")
        return
    st.session_state[LAST_SHEET] = sheet_id
    if st.query_params.get("sheet") != str(sheet_id):
        st.query_params["sheet"] = str(sheet_id)


def _no_sheets(*, may_create: bool) -> None:
    if not may_create:
        st.info(f"{NO_SHEETS} Ask a colleague to share one with you.", icon=":material/info:")
        return
    st.info(f"{NO_SHEETS} Create a sheet first.", icon=":material/info:")
    st.page_link("work/sheets.py", label="Go to the sheets", icon=":material/table_view:")


def _go() -> None:
    """Open the chosen sheet without the view and column of the last one."""
    if st.session_state[PICKED]:
        st.query_params.from_dict({"sheet": str(st.session_state[PICKED])})

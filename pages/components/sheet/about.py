"""What a sheet is: its description, who works on it, and its last change, behind its name; and the way to another."""

from collections.abc import Mapping

import streamlit as st

from core.sheets.sheets import ListedSheet
from pages.components.app.format import literal, moment, shortened
from pages.components.sharing import collaborators
from pages.components.sheet import sheet_picker
from pages.components.sheet.sheet_view import SheetView

NAME = 40


def show(sheet_view: SheetView, listed: Mapping[int, ListedSheet]) -> None:
    """Draw the name of the sheet as a button that opens the rest."""
    sheet = sheet_view.access.sheet
    with st.popover(f"**{literal(shortened(sheet.name, NAME))}**", type="tertiary", key="about_sheet", wrap=False):
        if len(sheet.name) > NAME:
            st.markdown(f"**{literal(sheet.name)}**")
        sheet_picker.show(sheet_view.actor, listed, sheet_view.sheet_id)
        st.markdown(literal(sheet.description) or ":gray[No description]")
        owner = next((person.name for person in sheet_view.collaborators), "")
        st.caption(f"Owner: {literal(owner)}")
        people, teams = sheet_view.collaborators, sheet_view.teams
        collaborators.show(sheet_view.access.level, people, teams, sheet.workspace_level)
        if change := sheet_view.last_change:
            st.caption(f"Last change by {literal(change.by)}, {moment(change.effective_at, sheet_view.locale)}")

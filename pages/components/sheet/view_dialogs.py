"""Dialogs about a view: a new one, another name, its link, its end, and changes that two people made at once."""

from typing import Any

import streamlit as st

from core.base.errors import Conflict
from core.base.permissions import Permission
from core.views import edit_views
from pages.components.app.current_user import base_url
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import literal
from pages.components.sheet import view_commands
from pages.components.sheet.sheet_view import SheetView


@st.dialog("New view")
def new(sheet_view: SheetView) -> None:
    """A view with the rows, sort and columns that are on the screen now."""
    with error_boundary(), st.form("new_view", border=False):
        name = st.text_input("Name", max_chars=edit_views.MAX_NAME, placeholder="Closing this quarter")
        may_share = Permission.VIEWS_EDIT in sheet_view.access.permissions
        is_shared = may_share and st.toggle("For everyone who sees the sheet")
        st.caption("It starts with what you see now. What you change in it afterwards is kept in it.")
        if st.form_submit_button("Create", type="primary"):
            view_commands.run(_create, sheet_view, name, sheet_view.view.shown, is_shared=is_shared)


def _create(session: Any, actor: Any, sheet_id: int, name: str, settings: dict[str, Any], *, is_shared: bool) -> None:
    view = edit_views.create_view(session, actor, sheet_id, name, settings=settings, is_shared=is_shared)
    view_commands.open_view(view.view_id)


@st.dialog("Rename view")
def rename(sheet_view: SheetView) -> None:
    """Another name for the open view."""
    with error_boundary(), st.form("rename_view", border=False):
        name = st.text_input("Name", value=sheet_view.view.name, max_chars=edit_views.MAX_NAME)
        if st.form_submit_button("Rename", type="primary"):
            view_commands.run(edit_views.rename_view, sheet_view, sheet_view.view.view_id, name)


@st.dialog("Link to this view")
def link(sheet_view: SheetView) -> None:
    """The address of the open view, to copy."""
    view = sheet_view.view
    st.caption(
        "Opens for everyone who may see the sheet." if view.is_shared else "Opens for you: the view is your own."
    )
    st.code(f"{base_url()}/grid?sheet={sheet_view.sheet_id}&view={view.view_id}", language=None, wrap_lines=True)


@st.dialog("Delete view")
def delete(sheet_view: SheetView) -> None:
    """Ask before the open view is deleted."""
    view = sheet_view.view
    whom = " for everyone" if view.is_shared else ""
    st.markdown(f"Delete **{literal(view.name)}**{whom}? Rows stay as they are. A public link that shows it ends.")
    with error_boundary():
        if st.button("Delete", type="primary", key="delete_view"):
            view_commands.run(edit_views.delete_view, sheet_view, view.view_id)


def save(sheet_view: SheetView) -> None:
    """Save this person's changes for everyone, and ask what to do where another person saved the view before."""
    conflicts: list[Conflict] = []

    def attempt() -> None:
        try:
            view_commands.save(sheet_view)
        except Conflict as conflict:
            conflicts.append(conflict)

    if run_command(attempt):
        if not conflicts:
            st.rerun()
        _ask(sheet_view, conflicts[0])


@st.dialog("The view has changed")
def _ask(sheet_view: SheetView, conflict: Conflict) -> None:
    """Let the person decide between their changes and those that were saved before."""
    st.markdown(literal(conflict.message))
    with error_boundary():
        if st.button("Save mine over it", type="primary", width="stretch"):
            version = int(conflict.facts["version"])
            view_commands.run(edit_views.save_for_everyone, sheet_view, sheet_view.view.view_id, version=version)
        if st.button("Keep mine as a view of my own", width="stretch"):
            view_commands.keep(sheet_view)
        if st.button("Discard mine", width="stretch"):
            view_commands.discard(sheet_view)

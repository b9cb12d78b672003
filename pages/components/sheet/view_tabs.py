"""The tabs of a sheet's views, the menu of the open view, and what can become of changes that only one person sees."""

from collections.abc import Callable

import streamlit as st

from core.base.permissions import Permission
from core.views.views import ViewInfo
from pages.components.app.format import literal
from pages.components.sheet import view_commands, view_dialogs
from pages.components.sheet.sheet_view import SheetView

FOR_EVERYONE, FOR_ME = "Share with everyone", "Only for me"
SAVE, KEEP, DISCARD = "Save for everyone", "Keep as a view of my own", "Discard my changes"
ICON = ":material/edit_note:"
# An entry of a menu: its icon, and what it does.
Entry = tuple[str, Callable[[], None]]


def show(sheet_view: SheetView) -> None:
    """Draw a tab for each view."""
    ids = {_label(view): view.view_id for view in sheet_view.views}
    key = f"views_{sheet_view.sheet_id}"
    st.session_state[key] = _label(sheet_view.view)
    st.tabs([*ids], key=key, on_change=lambda: view_commands.open_view(ids[st.session_state[key]]))


def menu(sheet_view: SheetView) -> Callable[[], None] | None:
    """Draw the menu of the open view, and the way to a new one. Return what was chosen."""
    entries = _entries(sheet_view)
    entry = st.menu_button(
        "View",
        list(entries),
        icon=":material/tab:",
        format_func=lambda name: f":material/{entries[name][0]}: {name}",
        type="tertiary",
        key="view_menu",
    )
    return entries[entry][1] if entry else None


def changes(sheet_view: SheetView) -> Callable[[], None] | None:
    """Offer what can become of the changes that this person made to a view of everybody. Return what was chosen."""
    if not (sheet_view.view.is_shared and sheet_view.view.has_changes):
        return None
    may_save = Permission.VIEWS_EDIT in sheet_view.access.permissions
    entries: dict[str, Callable[[], None]] = {SAVE: lambda: view_dialogs.save(sheet_view)} if may_save else {}
    entries |= {KEEP: lambda: view_commands.keep(sheet_view), DISCARD: lambda: view_commands.discard(sheet_view)}
    about = "Others see this view without your changes."
    entry = st.menu_button("Changed for you", list(entries), type="tertiary", icon=ICON, help=about, key="view_changes")
    return entries[entry] if entry else None


def _label(view: ViewInfo) -> str:
    """The text of a tab. One's own views have a sign, so that they may have the name of another."""
    return literal(view.name) if view.is_shared else f":material/person: {literal(view.name)}"


def _entries(sheet_view: SheetView) -> dict[str, Entry]:
    """The entries of the menu, as far as the person may use them."""
    view = sheet_view.view
    may_share = Permission.VIEWS_EDIT in sheet_view.access.permissions
    may_edit = may_share or not view.is_shared
    same = [each.view_id for each in sheet_view.views if each.is_shared == view.is_shared]
    index = same.index(view.view_id)
    entries: dict[str, Entry] = {"New view": ("add", lambda: view_dialogs.new(sheet_view))}
    if may_edit:
        entries["Rename"] = "edit", lambda: view_dialogs.rename(sheet_view)
    entries["Duplicate"] = "content_copy", lambda: view_commands.keep(sheet_view)
    if may_share and not (view.is_shared and len(same) == 1):
        entries[FOR_ME if view.is_shared else FOR_EVERYONE] = (
            "person" if view.is_shared else "groups",
            lambda: view_commands.share(sheet_view),
        )
    entries["Copy link"] = "link", lambda: view_dialogs.link(sheet_view)
    if may_edit and index > 0:
        entries["Move left"] = "arrow_back", lambda: view_commands.move(sheet_view, same, index, index - 1)
    if may_edit and index < len(same) - 1:
        entries["Move right"] = "arrow_forward", lambda: view_commands.move(sheet_view, same, index, index + 1)
    if may_edit and not (view.is_shared and len(same) == 1):
        entries["Delete"] = "delete", lambda: view_dialogs.delete(sheet_view)
    return entries

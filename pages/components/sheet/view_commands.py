"""What the page does with views: each command in its own transaction, and then the page again."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.views import edit_views
from db.engine import transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import run_command
from pages.components.sheet.sheet_view import SheetView

VIEW = "view"  # The parameter of the address: the number of a stored view, or a view as JSON.


def open_view(view_id: int) -> None:
    """Name a view in the address, by which the next run opens it."""
    st.query_params[VIEW] = str(view_id)


def change(command: Callable[..., Any], sheet_view: SheetView, *args: Any, **kwargs: Any) -> bool:
    """Run a command of core.views as this person and return whether it succeeded. Show the error if not."""

    def in_transaction() -> None:
        with transaction() as session:
            command(session, current_actor(), sheet_view.sheet_id, *args, **kwargs)

    return run_command(in_transaction)


def run(command: Callable[..., Any], sheet_view: SheetView, *args: Any, **kwargs: Any) -> None:
    """Run a command of core.views as this person and draw the page again. Show the error if it is refused."""
    if change(command, sheet_view, *args, **kwargs):
        st.rerun()


def save(sheet_view: SheetView) -> None:
    """Save this person's changes for everyone. Raises Conflict where another person saved it before."""
    with transaction() as session:
        edit_views.save_for_everyone(session, current_actor(), sheet_view.sheet_id, sheet_view.view.view_id)


def discard(sheet_view: SheetView) -> None:
    """Show the view as everybody has it."""
    run(edit_views.discard_changes, sheet_view, sheet_view.view.view_id)


def share(sheet_view: SheetView) -> None:
    """Make one's own view everybody's, or the other way round."""
    run(edit_views.share_view, sheet_view, sheet_view.view.view_id, is_shared=not sheet_view.view.is_shared)


def move(sheet_view: SheetView, ids: list[int], index: int, target: int) -> None:
    """Move the view at an index of these to another."""
    order = [*ids]
    order.insert(target, order.pop(index))
    run(edit_views.reorder_views, sheet_view, order)


def keep(sheet_view: SheetView) -> None:
    """Make a view of one's own from what one sees, and open it; the view it comes from is as everybody has it."""

    def duplicate(session: Any, actor: Any, sheet_id: int, view_id: int) -> None:
        copy = edit_views.duplicate_view(session, actor, sheet_id, view_id)
        if sheet_view.view.is_shared:
            edit_views.discard_changes(session, actor, sheet_id, view_id)
        open_view(copy.view_id)

    run(duplicate, sheet_view, sheet_view.view.view_id)

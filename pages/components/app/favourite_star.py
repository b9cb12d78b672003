"""The star by which a person marks a sheet as a favourite, in their own navigation."""

from collections.abc import Sequence

import streamlit as st

from core.base.actor import Actor
from core.sheets.favourites import NavigationSheet, set_favourite
from db.engine import transaction
from pages.components.app.errors import run_command

_FAVOURITES = "favourite_sheets"


def remember(sheets: Sequence[NavigationSheet]) -> None:
    """Keep which sheets are favourites, for the stars of this run."""
    st.session_state[_FAVOURITES] = {sheet.sheet_id for sheet in sheets if sheet.is_favourite}


def show(actor: Actor, sheet_id: int) -> None:
    """Draw the star of a sheet. A click changes it."""
    is_favourite = sheet_id in st.session_state.get(_FAVOURITES, set())
    st.button(
        f":{'orange' if is_favourite else 'gray'}[:material/star:]",
        type="tertiary",
        key=f"star_{sheet_id}",
        help="Remove from favourites" if is_favourite else "Add to favourites",
        on_click=_change,
        args=(actor, sheet_id),
        kwargs={"is_favourite": not is_favourite},
    )


def _change(actor: Actor, sheet_id: int, *, is_favourite: bool) -> None:
    run_command(_set, actor, sheet_id, is_favourite=is_favourite)


def _set(actor: Actor, sheet_id: int, *, is_favourite: bool) -> None:
    with transaction() as session:
        set_favourite(session, actor, sheet_id, is_favourite=is_favourite)

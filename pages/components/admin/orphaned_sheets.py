"""Sheets whose owner is deactivated, with a form for administrators to transfer them."""

import streamlit as st

from core.accounts.accounts import PersonInfo
from core.base.actor import Actor
from core.base.permissions import Role
from core.sharing.transfer import OwnedSheet, transfer_sheet
from db.engine import transaction
from pages.components.app.errors import run_command


def show(actor: Actor, sheets: list[OwnedSheet], people: list[PersonInfo]) -> None:
    """Show one line per sheet with its possible new owners; nothing if every owner is active."""
    orphaned = [sheet for sheet in sheets if sheet.is_orphaned]
    if not orphaned:
        return
    heirs = {
        person.user_id: f"{person.name} · {person.email}"
        for person in people
        if person.is_active and person.role is not Role.ANALYST
    }
    with st.container(border=True):
        st.subheader("Sheets to transfer")
        st.caption(
            "Their owners are deactivated: nobody can share or configure these sheets until you choose a new owner."
        )
        for sheet in orphaned:
            _line(actor, sheet, heirs)


def _line(actor: Actor, sheet: OwnedSheet, heirs: dict[int, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{sheet.name}\nof {sheet.owner}", width=240)
        heir = st.selectbox(
            f"New owner of sheet {sheet.sheet_id}",
            list(heirs),
            format_func=heirs.__getitem__,
            index=None,
            placeholder="New owner",
            label_visibility="collapsed",
            key=f"heir_{sheet.sheet_id}",
        )
        pressed = st.button("Transfer", key=f"hand_over_{sheet.sheet_id}", disabled=heir is None)
    if pressed and heir is not None and run_command(_transfer, actor, sheet.sheet_id, heir):
        st.rerun()


def _transfer(actor: Actor, sheet_id: int, user_id: int) -> None:
    with transaction() as session:
        transfer_sheet(session, actor, sheet_id, user_id)

"""Colleagues: whom one works with, found by name, address or team."""

import streamlit as st

from core.accounts.directory import MOST_FOUND, Colleague, find_people
from core.base.actor import Actor
from db.engine import transaction
from pages.components.account import team_offers
from pages.components.app import avatar
from pages.components.app.current_user import current_actor


def show(actor: Actor) -> None:
    """The page, top to bottom."""
    with st.container(width=720):
        st.title("Colleagues")
        team_offers.show(actor)
        search = st.text_input(
            "Find a person", key="colleagues_search", placeholder="Name, address or team", label_visibility="collapsed"
        )
        with transaction() as session:
            found = find_people(session, actor, search)
        if found:
            with st.container(border=True, gap="small"):
                for one in found:
                    _person(actor, one)
        if not found:
            st.caption("Nobody here is called so.")
        elif len(found) == MOST_FOUND:
            st.caption(f"The first {MOST_FOUND} are shown. Search for the others.")


def _person(actor: Actor, one: Colleague) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        avatar.show(one.user_id, one.name)
        with st.container(gap=None):
            st.text(one.name + (" (you)" if one.user_id == actor.user_id else ""))
            st.text(" · ".join([one.email, one.role.label, *one.teams]))


show(current_actor())

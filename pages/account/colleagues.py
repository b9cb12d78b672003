"""Colleagues: whom one works with, found by name, address or team."""

import streamlit as st

from core.accounts.directory import MAX_RESULTS, Colleague, find_people
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
            people = find_people(session, actor, search)
        if people:
            with st.container(border=True, gap="small"):
                for person in people:
                    _person(actor, person)
        if not people:
            st.caption("Nobody here is called so.")
        elif len(people) == MAX_RESULTS:
            st.caption(f"The first {MAX_RESULTS} are shown. Search for the others.")


def _person(actor: Actor, person: Colleague) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        avatar.show(person.user_id, person.name)
        with st.container(gap=None):
            st.text(person.name + (" (you)" if person.user_id == actor.user_id else ""))
            st.text(" · ".join([person.email, person.role.label, *person.teams]))


show(current_actor())

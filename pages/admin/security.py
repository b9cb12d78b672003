"""Security: who is signed in where, to be ended here, and what happened last to accounts, teams and shares."""

import streamlit as st

from core import accounts, administration
from core.actor import Actor
from core.administration import LiveSession
from db.engine import transaction
from pages.components import audit_lines, navigation, own_sessions
from pages.components.errors import say
from pages.components.format import literal, moment
from pages.components.who import current_actor

MOST_SHOWN = 50


def show(actor: Actor) -> None:
    """The page, top to bottom."""
    with transaction() as session:
        sessions = administration.live_sessions(session, actor)
        events = administration.security_events(session, actor)
        date_format = accounts.preferences(session, actor)["date_format"]
    with st.container(width=860):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.title("Security", width="stretch")
            if audit := navigation.page_at("audit"):
                st.page_link(audit.file, label="The whole audit trail", icon=":material/policy:")
        signed_in, happened = st.tabs([f"Signed in now · {len(sessions)}", "What happened"])
        with signed_in:
            _sessions(actor, sessions, date_format)
        with happened:
            audit_lines.show(events, date_format)


def _sessions(actor: Actor, sessions: list[LiveSession], date_format: str) -> None:
    st.caption("Whoever is signed out here has to sign in again; to keep somebody out, deactivate them under “People”.")
    asked = st.text_input("Find a session", placeholder="Name, e-mail or network address").casefold().strip()
    found = [one for one in sessions if asked in f"{one.name} {one.email} {one.address}".casefold()]
    if len(found) > MOST_SHOWN:
        st.caption(f"{MOST_SHOWN} of {len(found)} sessions; search for the others.")
    for one in found[:MOST_SHOWN]:
        _session(actor, one, date_format)


def _session(actor: Actor, one: LiveSession, date_format: str) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.text(f"{one.name} · {one.email}")
            seen = moment(one.last_seen_at, date_format)
            device = own_sessions.device(one.user_agent, one.kind)
            st.caption(literal(f"{device} · {one.address or 'no address'} · last seen {seen}"))
        if one.session_id == actor.session_id:
            st.badge("This one", color="green")
        elif st.button("Sign out", key=f"revoke_{one.session_id}") and say(_revoke, actor, one):
            st.rerun()


def _revoke(actor: Actor, one: LiveSession) -> None:
    with transaction() as session:
        administration.revoke_session(session, actor, one.session_id)


show(current_actor())

"""Security: who is signed in where, to be ended here, and what happened last to accounts, teams and shares."""

import streamlit as st

from core.accounts.locale import Locale, get_locale
from core.admin import administration
from core.admin.administration import LiveSession
from core.base.actor import Actor
from core.base.text import folded_key
from db.engine import transaction
from pages.components.account import sessions as own_sessions
from pages.components.admin import audit_lines
from pages.components.app import avatar, navigation
from pages.components.app.current_user import current_actor
from pages.components.app.errors import run_command
from pages.components.app.format import literal, moment

MAX_SHOWN = 50


def show(actor: Actor) -> None:
    """The page, top to bottom."""
    with transaction() as session:
        sessions = administration.live_sessions(session, actor)
        events = administration.security_events(session, actor)
        locale = get_locale(session, actor)
    with st.container(width=860):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.title("Security", width="stretch")
            if audit := navigation.page_at("audit"):
                st.page_link(audit.file, label="The whole audit trail", icon=":material/policy:")
        signed_in, happened = st.tabs([f"Signed in now · {len(sessions)}", "What happened"])
        with signed_in:
            _sessions(actor, sessions, locale)
        with happened:
            audit_lines.show(events, locale)


def _sessions(actor: Actor, sessions: list[LiveSession], locale: Locale) -> None:
    st.caption("Signing a user out ends the session only. To block an account, deactivate it under “People”.")
    search = folded_key(st.text_input("Find a session", placeholder="Name, e-mail or network address"))
    people: dict[int, list[LiveSession]] = {}
    for live in sessions:
        if search in folded_key(f"{live.name} {live.email} {live.address}"):
            people.setdefault(live.user_id, []).append(live)
    if len(people) > MAX_SHOWN:
        st.caption(f"{MAX_SHOWN} of {len(people)} people; search for the others.")
    for person_sessions in [*people.values()][:MAX_SHOWN]:
        _person(actor, person_sessions, locale)


def _person(actor: Actor, person_sessions: list[LiveSession], locale: Locale) -> None:
    """Their browsers in sight; their programs, of which each sign-in is a session, only when they are asked for."""
    person, programs = person_sessions[0], [live for live in person_sessions if live.kind == "api"]
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            avatar.show(person.user_id, person.name)
            st.text(f"{person.name} · {person.email}")
        for live in person_sessions:
            if live.kind != "api":
                _session(actor, live, locale)
        if programs:
            label = f"Programs · {len(programs)}"
            drawer = st.expander(label, type="compact", key=f"programs_{person.user_id}", on_change="rerun")
            if drawer.open:
                with drawer:
                    _programs(actor, programs, locale)


def _programs(actor: Actor, programs: list[LiveSession], locale: Locale) -> None:
    if len(programs) > MAX_SHOWN:
        st.caption(f"The {MAX_SHOWN} that were seen last.")
    for live in programs[:MAX_SHOWN]:
        _session(actor, live, locale)


def _session(actor: Actor, live: LiveSession, locale: Locale) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        last_seen = moment(live.last_seen_at, locale)
        device = own_sessions.device(live.user_agent, live.kind)
        st.caption(literal(f"{device} · {live.address or 'no address'} · last seen {last_seen}"))
        if live.session_id == actor.session_id:
            st.badge("This one", color="green")
        elif st.button("Sign out", key=f"revoke_{live.session_id}", type="tertiary") and run_command(
            _revoke, actor, live
        ):
            st.rerun()


def _revoke(actor: Actor, live: LiveSession) -> None:
    with transaction() as session:
        administration.revoke_session(session, actor, live.session_id)


show(current_actor())

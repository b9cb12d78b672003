"""Where I am signed in, and signing out there."""

from uuid import UUID

import streamlit as st

from core.accounts.locale import Locale
from core.base.actor import Actor
from core.base.permissions import Role
from core.credentials import sessions
from core.credentials.revocation import sign_out_elsewhere
from core.credentials.sessions import SessionInfo
from db.engine import transaction
from pages.components.app.errors import run_command
from pages.components.app.format import moment


def show(actor: Actor, locale: Locale) -> None:
    """The live sessions, the latest first."""
    with transaction() as session:
        infos = sessions.my_sessions(session, actor)
    for info in infos:
        _session(actor, info, locale)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Sign out everywhere else", icon=":material/logout:")
        tokens = st.checkbox("and revoke my API tokens", value=True)
    if actor.role is Role.ADMIN:
        st.caption("Pending invitations that you sent are revoked, too. Send them again afterwards.")
    if pressed and run_command(_end_others, actor, tokens):
        st.rerun()


def _session(actor: Actor, info: SessionInfo, locale: Locale) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.text(device(info.user_agent, info.kind))
            st.caption(f"{info.address} · last seen {moment(info.last_seen_at, locale)}")
        if info.session_id == actor.session_id:
            st.badge("This one", color="green")
        elif st.button("Sign out there", key=f"end_{info.session_id}") and run_command(_end, actor, info.session_id):
            st.rerun()


def _end(actor: Actor, session_id: UUID) -> None:
    with transaction() as session:
        sessions.end_session(session, actor, session_id)


def _end_others(actor: Actor, tokens: bool) -> None:
    with transaction() as session:
        sign_out_elsewhere(session, actor, tokens=tokens)


def device(user_agent: str, kind: str) -> str:
    """A browser's name and system as a person would say them."""
    if kind == "api":
        return f"Program · {user_agent[:60]}" if user_agent else "Program"
    browsers = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux")
    browser = next((name for mark, name in browsers if mark in user_agent), "Browser")
    system = next((name for name in systems if name in user_agent), "")
    return f"{browser} on {system}" if system else browser

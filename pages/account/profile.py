"""My account: name, dates, password, and where I am signed in."""

from uuid import UUID

import streamlit as st

from core import accounts, sessions
from core.actor import Actor
from core.sign_in import change_password
from db.engine import transaction
from pages.components import opened_links
from pages.components.errors import say
from pages.components.format import moment
from pages.components.who import current_actor

SHOWN_FORMATS = {"iso": "2026-12-31", "day first": "31.12.2026", "month first": "12/31/2026"}
CHANGED = "Your password is changed. Sign in with the new one."


def show(actor: Actor) -> None:
    """The page, top to bottom."""
    with st.container(width=720):
        st.title("Profile")
        st.text(f"{actor.email} · {actor.role.label}")
        _personal(actor)
        _password(actor)
        _sessions(actor)


def _personal(actor: Actor) -> None:
    with transaction() as session:
        chosen = accounts.preferences(session, actor)["date_format"]
    with st.form("personal"):
        st.subheader("You")
        name = st.text_input("Name", value=actor.name, help="As others see it in the grid and in the changes.")
        formats = list(SHOWN_FORMATS)
        date_format = st.radio(
            "Dates", formats, index=formats.index(chosen), format_func=SHOWN_FORMATS.__getitem__, horizontal=True
        )
        if st.form_submit_button("Save") and say(_save_personal, actor, name, date_format):
            st.toast("Saved.", icon=":material/check:")


def _save_personal(actor: Actor, name: str, date_format: str) -> None:
    with transaction() as session:
        accounts.rename_myself(session, actor, name)
        accounts.set_preferences(session, actor, date_format=date_format)


def _password(actor: Actor) -> None:
    with st.form("password", clear_on_submit=True):
        st.subheader("Password")
        current = st.text_input("Current password", type="password")
        new = st.text_input("New password", type="password", help="At least ten characters.")
        repeated = st.text_input("New password again", type="password")
        st.caption("You are signed out everywhere and sign in again with the new password.")
        sent = st.form_submit_button("Change password")
    if sent and new != repeated:
        st.error("The two new passwords differ. Type the same one twice.", icon=":material/error:")
    elif sent and say(change_password, transaction, actor, current=current, new=new):
        st.session_state[opened_links.NOTE] = CHANGED
        st.rerun()


def _sessions(actor: Actor) -> None:
    st.subheader("Where you are signed in")
    with transaction() as session:
        mine = sessions.my_sessions(session, actor)
        date_format = accounts.preferences(session, actor)["date_format"]
    for one in mine:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container():
                st.text(_device(one.user_agent, one.kind))
                st.caption(f"{one.address} · last seen {moment(one.last_seen_at, date_format)}")
            if one.session_id == actor.session_id:
                st.badge("This one", color="green")
            elif st.button("Sign out there", key=f"end_{one.session_id}") and say(_end, actor, one.session_id):
                st.rerun()
    if len(mine) > 1 and st.button("Sign out everywhere else", icon=":material/logout:") and say(_end_others, actor):
        st.rerun()


def _end(actor: Actor, session_id: UUID) -> None:
    with transaction() as session:
        sessions.end_session(session, actor, session_id)


def _end_others(actor: Actor) -> None:
    with transaction() as session:
        sessions.end_other_sessions(session, actor)


def _device(user_agent: str, kind: str) -> str:
    """A browser's name and system as a person would say them."""
    if kind == "api":
        return f"Program · {user_agent[:60]}" if user_agent else "Program"
    browsers = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux")
    browser = next((name for mark, name in browsers if mark in user_agent), "Browser")
    system = next((name for name in systems if name in user_agent), "")
    return f"{browser} on {system}" if system else browser


show(current_actor())

"""Who is asking: the person behind this run, looked up again on every run, callback and fragment."""

from typing import NoReturn

import streamlit as st

from core.actor import Actor
from core.sessions import actor_of_session
from db.engine import transaction


def find_actor() -> Actor | None:
    """The signed-in person of this run, None for a stranger or an ended session."""
    session_id = st.user.get("session")
    if not session_id:
        return None
    with transaction() as session:
        return actor_of_session(session, str(session_id), address=st.context.ip_address)


def current_actor() -> Actor:
    """The signed-in person of this run. Where the session has ended the run stops and says so."""
    return find_actor() or stop_with_ended_session()


def stop_with_ended_session() -> NoReturn:
    """Say that the session has ended and offer the way back in."""
    st.warning("Your session has ended. Sign in again to go on.", icon=":material/logout:")
    st.link_button("Sign in", "/", type="primary")
    st.stop()

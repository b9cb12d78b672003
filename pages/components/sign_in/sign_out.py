"""Signing out, and who is signed in: at the foot of the navigation, on every page."""

import streamlit as st

from core.base.actor import Actor
from pages.components.sign_in import redeem

WANTED = "sign_out_wanted"


def offer(actor: Actor) -> None:
    """The person's name and the way out, in the sidebar."""
    with st.sidebar:
        st.text(actor.name)
        st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=_want)


def is_wanted() -> bool:
    """Whether the person has just asked to be signed out."""
    return bool(st.session_state.get(WANTED))


def show() -> None:
    """End the session; the way in follows."""
    redeem.sign_out()


def _want() -> None:
    st.session_state[WANTED] = True

"""Who is asking: the person behind this run, looked up again on every run, callback and fragment."""

import streamlit as st

from core.base.actor import Actor
from core.config.settings import settings
from core.credentials.sessions import actor_of_session
from db.engine import transaction


def find_actor(*, seen: bool = False) -> Actor | None:
    """The signed-in person of this run, None for a stranger or an ended session. `seen`: somebody is at work here."""
    if not had_session():
        return None
    with transaction() as session:
        return actor_of_session(session, str(st.user["session"]), address=address(), seen=seen)


def had_session() -> bool:
    """Whether this page was opened by somebody signed in; it may have ended since."""
    return bool(st.user.get("session"))


def current_actor() -> Actor:
    """The signed-in person of this run. Where the session has ended, the whole page becomes the way in and says so."""
    actor = find_actor()
    if actor is None:
        st.rerun()
    return actor


def address() -> str:
    """Where this browser is. Streamlit says nothing of one on this very machine."""
    return st.context.ip_address or "127.0.0.1"


def here() -> str:
    """The address under which this person reached us: the one that others can use too. The gate lets in no other."""
    if settings().public_url:
        return settings().public_url
    host = st.context.headers.get("host")
    return f"http://{host}" if host else settings().url


def nonce() -> str:
    """What ties a sign-in to this browser; the middleware gave it when the page was opened."""
    return st.context.cookies.get(settings().nonce_cookie) or ""


def device() -> str:
    """What says that somebody signed in with this browser before."""
    return st.context.cookies.get(settings().device_cookie) or ""

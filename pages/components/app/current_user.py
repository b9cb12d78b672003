"""The signed-in person of a page run, with their browser and address."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st

from core.base.actor import Actor
from core.config.settings import settings
from core.credentials.sessions import actor_of_session
from db.engine import transaction

_actor_of_run: ContextVar[Actor | None] = ContextVar("actor_of_run", default=None)


def find_actor(*, mark_seen: bool = False) -> Actor | None:
    """Return the signed-in person; None for a stranger or an ended session. `mark_seen` marks the session as in use."""
    if not had_session():
        return None
    with transaction() as session:
        return actor_of_session(session, str(st.user["session"]), address=address(), mark_seen=mark_seen)


def had_session() -> bool:
    """Return whether this page was opened by a signed-in person; their session may have ended since."""
    return bool(st.user.get("session"))


@contextmanager
def page_run(actor: Actor) -> Iterator[None]:
    """Let current_actor() answer this actor while the script draws a whole page.

    Callbacks and fragments run by themselves, outside of it, and look the person up.
    """
    token = _actor_of_run.set(actor)
    try:
        yield
    finally:
        _actor_of_run.reset(token)


def current_actor() -> Actor:
    """Return the signed-in person. If the session has ended, run the script again, which shows the sign-in."""
    actor = _actor_of_run.get() or find_actor()
    if actor is None:
        st.rerun()
    return actor


def address() -> str:
    """Return the IP address of this browser. Streamlit has none for a browser on the server's own machine."""
    return st.context.ip_address or "127.0.0.1"


def base_url() -> str:
    """Return the address of this server as this person's browser reached it. The host check allows no other."""
    if settings().public_url:
        return settings().public_url
    host = st.context.headers.get("host")
    return f"http://{host}" if host else settings().url


def sign_in_nonce() -> str:
    """Return the cookie that ties a sign-in to this browser. The middleware sets it when the page opens."""
    return st.context.cookies.get(settings().nonce_cookie) or ""


def device() -> str:
    """Return the cookie that marks this browser as one used to sign in before."""
    return st.context.cookies.get(settings().device_cookie) or ""

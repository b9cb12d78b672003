"""The forms that request an e-mail with a link: to reset a password, or to register."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.accounts.registration import CLOSED, Policy, Registration, registration_policy, request_registration
from core.mail.smtp import ConsoleTransport, mail_transport
from core.sign_in.email_links import request_password_reset
from db.engine import transaction
from pages.components.app.current_user import address, base_url
from pages.components.app.errors import run_command
from pages.components.app.format import literal

WAY, FORGOTTEN, REGISTER, ASKED = "way_in_by", "forgotten", "register", "way_in_asked"
PRINTED = "No mail server is configured: the e-mail is on the server's console. Ask your administrator."


def offer() -> None:
    """The two buttons under the sign-in form; the second one only where strangers may register."""
    st.button("Forgot your password?", type="tertiary", on_click=_go, args=(FORGOTTEN,))
    if _policy().who is Registration.INVITED:
        st.caption(f"No account yet? {CLOSED}")
    else:
        st.button("No account yet? Create one", type="tertiary", on_click=_go, args=(REGISTER,))


def is_open() -> bool:
    """Whether one of the two was pressed."""
    return WAY in st.session_state


def show() -> None:
    """Show the requested form. Its answer does not reveal whether an account exists."""
    if st.session_state[WAY] == FORGOTTEN:
        st.subheader("Forgot your password?")
        st.caption("We'll e-mail you a link to reset it.")
        _form(
            "Send me the link",
            request_password_reset,
            "If there is an account for {}, an e-mail with a link is on its way.",
        )
    else:
        st.subheader("Create an account")
        st.caption(_who_may(_policy()))
        _form("Send me the link", request_registration, "An e-mail with a link to continue is on its way to {}.")
    st.button("Back to sign-in", type="tertiary", on_click=_go, args=(None,))


def _form(label: str, ask: Callable[..., Any], answer: str) -> None:
    with st.form("ask", border=False):
        email = st.text_input("E-mail", max_chars=254)
        sent = st.form_submit_button(label, type="primary", width="stretch")
    if sent and run_command(_ask, ask, email):
        st.success(answer.format(literal(email.strip())), icon=":material/mail:")
        if isinstance(mail_transport(), ConsoleTransport):
            st.caption(PRINTED)


def _ask(ask: Callable[..., Any], email: str) -> None:
    with transaction() as session:
        ask(session, email, address=address(), url=base_url())


def _policy() -> Policy:
    with transaction() as session:
        return registration_policy(session)


def _who_may(policy: Policy) -> str:
    if policy.who is Registration.DOMAINS:
        return literal(f"With an e-mail address at {' or '.join(policy.domains)}. We'll e-mail you a link to continue.")
    return "We'll e-mail you a link to continue."


def _go(way: str | None) -> None:
    if way is None:
        st.session_state.pop(WAY, None)
    else:
        st.session_state[WAY] = way

"""What opens behind a link that was sent to a person: a new password, or the proof that an address is theirs."""

from collections.abc import Callable

import streamlit as st

from core.base.errors import Refused
from core.sign_in.email_links import address_of_link, confirm_address, email_of_reset, reset_password
from db.engine import transaction
from pages.components.app.errors import run_command
from pages.components.app.format import literal

RESET, CONFIRM = "reset", "confirm"
NOTE = "sign_in_note"  # Why a person who was here a moment ago sees the form.
CHANGED = "Your password is changed, and you are signed out everywhere. Sign in with the new one."


def is_open() -> bool:
    """Return whether the URL is a link to reset a password or confirm an address."""
    return RESET in st.query_params or CONFIRM in st.query_params


def show() -> None:
    """The page behind the link. Opening it changes nothing yet: a mail program may have looked first."""
    is_reset = RESET in st.query_params
    token = st.query_params[RESET if is_reset else CONFIRM]
    email = _read(email_of_reset if is_reset else address_of_link, token)
    if email is not None:
        (_new_password if is_reset else _confirm)(token, email)


def _read(look: Callable[..., str], token: str) -> str | None:
    try:
        with transaction() as session:
            return look(session, token)
    except Refused as refusal:
        st.error(literal(refusal.message), icon=":material/link_off:")
        st.button("Go to sign-in", on_click=st.query_params.clear)
        return None


def _new_password(token: str, email: str) -> None:
    st.subheader("Choose a new password")
    st.text(f"For {email}.")
    with st.form("new_password", border=False):
        password = st.text_input(
            "New password", type="password", help="At least ten characters, such as four words of your own."
        )
        repeated = st.text_input("New password again", type="password")
        st.caption("This ends all your sessions, links and API tokens.")
        sent = st.form_submit_button("Save the new password", type="primary", width="stretch")
    if sent and password != repeated:
        st.error("The two passwords differ. Type the same one twice.", icon=":material/error:")
    elif sent and run_command(_reset, token, password):
        _back(CHANGED)


def _reset(token: str, password: str) -> None:
    with transaction() as session:
        reset_password(session, token, password)


def _confirm(token: str, email: str) -> None:
    st.subheader("Confirm your address")
    st.text(f"{email} becomes the address you sign in with and receive e-mails at.")
    if st.button("This is my address", type="primary", width="stretch") and run_command(_use, token):
        _back("Your address is confirmed. Sign in with it from now on.")


def _use(token: str) -> None:
    with transaction() as session:
        confirm_address(session, token)


def _back(note: str) -> None:
    st.session_state[NOTE] = note
    st.query_params.clear()
    st.rerun()

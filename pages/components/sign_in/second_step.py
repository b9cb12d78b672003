"""The second step of a sign-in: the code of the authenticator app, after the right password."""

import streamlit as st

from core.base.errors import Refused
from core.credentials.login_tickets import create_ticket
from core.sign_in.password import WRONG_CODE, sign_in_with_code
from db.engine import transaction
from pages.components.app.current_user import address, device, sign_in_nonce
from pages.components.app.format import literal

PENDING = "sign_in_pending"


def is_open() -> bool:
    """Whether the password was right and the code is missing."""
    return PENDING in st.session_state


def show() -> str | None:
    """Ask for the code and return a login ticket if it is right. An expired sign-in starts again with the password."""
    st.subheader("Your code")
    st.caption("Open your authenticator app and type the six digits that it shows for Contrivance.")
    with st.form("code", border=False):
        code = st.text_input("Code", max_chars=100, help="Or one of your recovery codes.", autocomplete="one-time-code")
        sent = st.form_submit_button("Continue", type="primary", width="stretch")
    st.button("Start again", type="tertiary", on_click=lambda: st.session_state.pop(PENDING, None))
    return _ticket(code) if sent else None


def _ticket(code: str) -> str | None:
    browser = sign_in_nonce()

    try:
        ticket = sign_in_with_code(
            transaction,
            st.session_state[PENDING],
            code,
            nonce=browser,
            address=address(),
            device=device(),
            grant=lambda session, user_id: create_ticket(session, user_id, nonce=browser),
        )
    except Refused as refusal:
        st.error(literal(refusal.message), icon=":material/error:")
        return None
    if ticket is None:
        st.error(WRONG_CODE, icon=":material/error:")
        return None
    del st.session_state[PENDING]
    return ticket

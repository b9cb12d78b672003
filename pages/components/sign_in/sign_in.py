"""The sign-in page: the sign-in form, or the page of an invitation link."""

import streamlit as st

from core.accounts.invitations import Welcome, accept_invitation, welcome
from core.base.actor import Actor
from core.base.errors import Refused
from core.credentials.login_tickets import create_pending_ticket, create_ticket
from core.sign_in.password import SIGN_IN_FAILED, sign_in
from db.engine import transaction
from pages.components.app.current_user import address, device, had_session, sign_in_nonce
from pages.components.app.format import literal
from pages.components.sign_in import email_link, forgot_password, oidc_return, redeem, second_step
from pages.components.sign_in.authenticator import SignInForm
from pages.components.sign_in.email_link import NOTE
from pages.components.sign_in.second_step import PENDING

TICKET, REFUSAL, INVITE = "sign_in_ticket", "sign_in_refusal", "invite"
ENDED = "Your session has ended. Sign in again to continue."
NO_NONCE = "Your browser did not accept our cookie. Allow cookies for this site and reload the page."


def show() -> None:
    """The way in. A right password becomes a ticket, and the ticket the session cookie."""
    with st.container(horizontal_alignment="center"), st.container(width=420, key="way_in"):
        st.html(_look())
        st.title("Contrivance")
        if st.session_state.get(TICKET):
            redeem.sign_in(st.session_state.pop(TICKET))
        elif INVITE in st.query_params:
            _invitation(st.query_params[INVITE])
        elif email_link.is_open():
            email_link.show()
        elif oidc_return.is_open():
            oidc_return.show(TICKET)
        elif second_step.is_open():
            _go_in(second_step.show())
        elif forgot_password.is_open():
            forgot_password.show()
        else:
            _sign_in()


def remind_of_invitation(actor: Actor) -> None:
    """Show signed-in users what the link they opened did, or why an invitation has no effect."""
    if note := st.session_state.pop(NOTE, None):
        st.success(note, icon=":material/check:")
    if INVITE in st.query_params:
        st.info(
            f"You are signed in as {literal(actor.name)}. To accept an invitation, sign out first and open its link "
            "again, or open it in another browser.",
            icon=":material/link:",
        )


def _sign_in() -> None:
    st.caption("The sales pipeline that your team edits together.")
    message = st.empty()
    SignInForm(_try).show()
    if st.session_state.get(TICKET) or second_step.is_open():
        st.rerun()
    if refusal := st.session_state.pop(REFUSAL, None):
        message.error(refusal, icon=":material/error:")
    elif note := st.session_state.get(NOTE) or (ENDED if had_session() else None):
        message.info(note, icon=":material/logout:")
    oidc_return.offer()
    forgot_password.offer()


def _go_in(ticket: str | None) -> None:
    if ticket:
        st.session_state[TICKET] = ticket
        st.rerun()


def _try(email: str, password: str) -> None:
    """One press of the button: the ticket, or what to say."""
    browser = sign_in_nonce()
    if not browser:
        st.session_state[REFUSAL] = NO_NONCE
        return
    key, value = sign_in(
        transaction,
        email,
        password,
        address=address(),
        device=device(),
        grant=lambda session, user_id: (TICKET, create_ticket(session, user_id, nonce=browser)),
        without_code=lambda session, user_id: (PENDING, create_pending_ticket(session, user_id, nonce=browser)),
    ) or (REFUSAL, SIGN_IN_FAILED)
    st.session_state[key] = value


def _invitation(token: str) -> None:
    try:
        with transaction() as session:
            invited = welcome(session, token)
    except Refused as refusal:
        st.error(literal(refusal.message), icon=":material/link_off:")
        if st.button("Go to sign-in"):
            st.query_params.clear()
            st.rerun()
        return
    _introduce(invited)
    form = _account_form(invited)
    if form is not None:
        _accept(token, *form)


def _introduce(invited: Welcome) -> None:
    if invited.is_first_admin:
        st.subheader("Create the administrator's account")
        st.caption("You are the first user. Invite everyone else from this account. The link works once.")
    else:
        st.subheader("Create your account")
        st.caption(
            "Your address is confirmed. The link works once."
            if invited.is_registering
            else f"You are invited as {invited.role.label.lower()}. The link works once."
        )


def _account_form(invited: Welcome) -> tuple[str, str, str] | None:
    """Name, e-mail and password once they are typed and agree, else None."""
    with st.form("account", border=False):
        email = st.text_input("E-mail", value=invited.email or "", disabled=invited.email is not None)
        name = st.text_input("Your name", value=invited.name, help="As others see it in the grid.")
        password = st.text_input(
            "Password", type="password", help="At least ten characters, such as four words of your own."
        )
        repeated = st.text_input("Password again", type="password")
        if not st.form_submit_button("Create my account", type="primary", width="stretch"):
            return None
    if password != repeated:
        st.error("The two passwords differ. Type the same one twice.", icon=":material/error:")
        return None
    return email, name, password


def _accept(token: str, email: str, name: str, password: str) -> None:
    browser = sign_in_nonce()
    if not browser:
        st.error(NO_NONCE, icon=":material/error:")
        return
    try:
        with transaction() as session:
            user_id = accept_invitation(session, token, email=email, name=name, password=password)
            ticket = create_ticket(session, user_id, nonce=browser)
    except Refused as refusal:
        st.error(literal(refusal.message), icon=":material/error:")
        return
    st.session_state[TICKET] = ticket
    st.query_params.clear()
    st.rerun()


def _look() -> str:
    """Return the style that makes the library's button primary and hides the empty sidebar."""
    color = st.get_option("theme.light.primaryColor")
    button = ".st-key-way_in [data-testid='stFormSubmitButton'] button"
    return f"""<style>
        [data-testid='stSidebar'] {{ display: none }}
        {button} {{ background: {color}; border-color: {color}; color: white }}
    </style>"""

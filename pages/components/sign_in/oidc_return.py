"""Sign-in by the OpenID Connect provider: the button, and the forms on return from the provider."""

import streamlit as st

from core.base.actor import Actor
from core.base.errors import NotFound, Refused
from core.config.oidc_settings import STREAMLIT_PROVIDER, Provider
from core.config.settings import settings
from core.credentials.login_tickets import create_pending_ticket, create_ticket
from core.sign_in.oidc import (
    PendingOidcSignIn,
    complete_sign_in,
    discard_pending,
    link_own_account,
    link_with_password,
    pending_link,
    pending_sign_in,
)
from core.sign_in.oidc_identities import has_password
from core.sign_in.password import SIGN_IN_FAILED
from db.engine import transaction
from pages.components.app.current_user import address, base_url, device, find_actor, sign_in_nonce
from pages.components.app.errors import run_command
from pages.components.app.format import literal
from pages.components.sign_in.email_link import NOTE
from pages.components.sign_in.second_step import PENDING

NOBODY = "nobody"
SETTLED, REFUSED, WANTS_CODE = "arrival_settled", "arrival_refused", "arrival_wants_code"
NOT_IN = "Signing in with {label} failed or took too long. Try again, or sign in with your password."


def offer(way_in: str = "Sign in with {label}") -> None:
    """The way to the provider, where there is one."""
    provider = settings().provider
    if provider is None:
        return
    if st.button(way_in.format(label=literal(provider.label)), icon=":material/key:", width="stretch"):
        st.login(STREAMLIT_PROVIDER)
    if base_url() != settings().url:
        st.caption(f"Open {literal(settings().url)} first: {literal(provider.label)} sends you back there.")


def is_open() -> bool:
    """Whether this browser has just come back from the provider, and what follows is not settled yet."""
    if settings().provider is None or SETTLED in st.session_state:
        return False
    return bool(st.context.cookies.get(settings().oidc_cookie))


def show(ticket: str) -> None:
    """What follows. A ticket is left in the session's state under the name `ticket`, or the asking for a code."""
    provider, token = settings().provider, st.context.cookies.get(settings().oidc_cookie)
    if provider is None or not token:
        return
    if token == NOBODY:
        _settle(NOT_IN.format(label=provider.label))
    actor = find_actor()
    try:
        with transaction() as session:
            someone = pending_link(session, actor, token) if actor else pending_sign_in(session, token)
    except NotFound:
        _settle()
    except Refused as refusal:
        _refused(token, refusal)
        return
    if actor is not None:
        _link_mine(actor, provider, token, someone)
    elif not sign_in_nonce():
        st.error("Your browser did not accept our cookie. Allow cookies for this site and sign in again.")
    elif someone.asks_password:
        _confirm(provider, token, someone, ticket)
    else:
        _come_in(token, ticket)


def _come_in(token: str, ticket: str) -> None:
    browser = sign_in_nonce()
    try:
        with transaction() as session:
            way, secret = complete_sign_in(
                session,
                token,
                grant=lambda session, user: (ticket, create_ticket(session, user, nonce=browser)),
                without_code=lambda session, user: (PENDING, create_pending_ticket(session, user, nonce=browser)),
            )
    except Refused as refusal:
        _refused(token, refusal)
        return
    st.session_state[way] = secret
    _settle()


def _confirm(provider: Provider, token: str, someone: PendingOidcSignIn, ticket: str) -> None:
    """The password of the account that has the address, once: so nobody comes in by an address that was theirs once."""
    st.subheader("Is this account yours?")
    st.caption(
        f"{literal(provider.label)} identifies you as {literal(someone.email)}, and an account has this address. "
        "Enter its password once; you won't need it to sign in again."
    )
    with st.form("arrival", border=False):
        password = st.text_input("Password", type="password")
        wants_code = WANTS_CODE in st.session_state
        code = st.text_input("Code of your authenticator app", autocomplete="one-time-code") if wants_code else ""
        sent = st.form_submit_button("Link and sign in", type="primary", width="stretch")
    st.button("Sign in without linking", type="tertiary", on_click=_drop, args=(token,))
    if sent:
        _try(token, password, code, ticket)


def _try(token: str, password: str, code: str, ticket: str) -> None:
    browser = sign_in_nonce()
    try:
        linked = link_with_password(
            transaction,
            token,
            password,
            code=code,
            address=address(),
            device=device(),
            grant=lambda session, user: (ticket, create_ticket(session, user, nonce=browser)),
            without_code=lambda *_: (WANTS_CODE, "yes"),
        )
    except Refused as refusal:
        st.error(literal(refusal.message), icon=":material/error:")
        return
    if linked is None:
        st.error("The code or the password is wrong." if code else SIGN_IN_FAILED, icon=":material/error:")
        return
    st.session_state[linked[0]] = linked[1]
    if linked[0] == ticket:
        _settle()
    st.rerun()


def _link_mine(actor: Actor, provider: Provider, token: str, someone: PendingOidcSignIn) -> None:
    """Offer a signed-in user to link the provider's identity with their account."""
    if someone.is_linked:
        _drop(token)
        _settle(f"Your account is linked with {provider.label} already.")
    with transaction() as session:
        asks = has_password(session, actor.user_id)
    st.subheader(f"Link {literal(provider.label)}")
    st.text(f"{someone.email or someone.name} at {provider.label} will sign in as {actor.name} ({actor.email}) here.")
    with st.form("arrival", border=False):
        password = st.text_input("Your password here", type="password") if asks else ""
        sent = st.form_submit_button("Link it", type="primary", width="stretch")
    st.button("Don't link it", type="tertiary", on_click=_drop, args=(token,))
    if sent and run_command(link_own_account, transaction, actor, token, password=password):
        _settle(f"Your account is linked with {provider.label}.")


def _refused(token: str, refusal: Refused) -> None:
    st.error(literal(refusal.message), icon=":material/block:")
    st.button("Continue", on_click=_drop, args=(token,))


def _drop(token: str) -> None:
    st.session_state[SETTLED] = True
    with transaction() as session:
        discard_pending(session, token)


def _settle(note: str = "") -> None:
    """End the sign-in by the provider and rerun the page, with a note if given."""
    st.session_state[SETTLED] = True
    if note:
        st.session_state[NOTE] = note
    st.rerun()

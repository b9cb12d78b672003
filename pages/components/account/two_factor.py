"""My second factor: setting up an authenticator app, its recovery codes, and switching it off."""

import segno
import streamlit as st

from core.accounts.locale import Locale
from core.base.actor import Actor
from core.sign_in.oidc_identities import has_password
from core.sign_in.password import renew_recovery_codes, set_up_second_factor, switch_off_second_factor
from core.sign_in.second_factor import (
    FactorInfo,
    confirm_second_factor,
    discard_pending_secret,
    pending_secret,
    second_factor,
)
from db.engine import transaction
from pages.components.app.errors import run_command
from pages.components.app.format import moment

CODES = "recovery_codes"  # Shown once, until the person says that they have kept them.


def show(actor: Actor, locale: Locale) -> None:
    """How it stands, and what can be done about it."""
    st.subheader("Two-factor sign-in")
    with transaction() as session:
        state, waiting = second_factor(session, actor), pending_secret(session, actor)
        with_password = has_password(session, actor.user_id)
    if CODES in st.session_state:
        _codes(st.session_state[CODES])
    elif state.since is not None:
        _on(actor, state, locale)
    elif waiting is not None:
        _set_up(actor, *waiting)
    elif with_password:
        _begin(actor)
    else:
        st.caption("Your provider signs you in, with its own second step if you set one up there. To have one here, "
                   "choose a password first.")  # fmt: skip


def _begin(actor: Actor) -> None:
    st.caption("With an authenticator app on your phone, a stolen password alone is not enough to sign in.")
    with st.form("set_up_app", clear_on_submit=True):
        password = st.text_input("Your password", type="password", key="set_up_password")
        sent = st.form_submit_button("Set up an app", icon=":material/phonelink_lock:")
    if sent and run_command(set_up_second_factor, transaction, actor, password=password):
        st.rerun()


def _set_up(actor: Actor, secret: str, address: str) -> None:
    st.text("1. Scan this picture with your authenticator app, or type its key there.")
    with st.container(horizontal=True, vertical_alignment="center"):
        picture = segno.make(address, error="m").svg_data_uri(scale=5, border=3, light="#fff")
        # Inside the page itself: a picture of Streamlit's own would lie open at an address of its own.
        st.html(f'<img src="{picture}" alt="QR code of your key" width="200" height="200">', width="content")
        st.code(" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)), language=None, wrap_lines=True)
    with st.form("confirm_app"):
        code = st.text_input("2. The six digits that the app shows now", max_chars=20, autocomplete="one-time-code")
        sent = st.form_submit_button("Switch on", type="primary")
    if sent and run_command(_confirm, actor, code):
        st.rerun()
    if st.button("Not now", type="tertiary") and run_command(_forget, actor):
        st.rerun()


def _confirm(actor: Actor, code: str) -> None:
    with transaction() as session:
        codes = confirm_second_factor(session, actor, code)
    st.session_state[CODES] = codes


def _forget(actor: Actor) -> None:
    with transaction() as session:
        discard_pending_secret(session, actor)


def _codes(codes: list[str]) -> None:
    st.success("Keep these recovery codes somewhere safe. Each signs you in once if you lose your app. They are "
               "not shown again.", icon=":material/key:")  # fmt: skip
    st.code("\n".join(codes), language=None)
    st.button("I have kept them", type="primary", on_click=lambda: st.session_state.pop(CODES, None))


def _on(actor: Actor, state: FactorInfo, locale: Locale) -> None:
    since = moment(state.since, locale) if state.since else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge("On", color="green", icon=":material/check:")
        st.text(f"since {since} · {state.codes_left} recovery codes left")
    with st.form("second_factor", clear_on_submit=True):
        password = st.text_input("Password", type="password", key="factor_password")
        with st.container(horizontal=True):
            renew = st.form_submit_button("New recovery codes")
            switch_off = st.form_submit_button("Switch off")
    if renew and run_command(_renew, actor, password):
        st.rerun()
    if switch_off and run_command(switch_off_second_factor, transaction, actor, password=password):
        st.rerun()


def _renew(actor: Actor, password: str) -> None:
    st.session_state[CODES] = renew_recovery_codes(transaction, actor, password=password)

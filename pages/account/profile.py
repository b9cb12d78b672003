"""The profile page: name and formats, sign-in, API tokens and sessions."""

import streamlit as st

from core.accounts import accounts
from core.accounts.locale import NUMBER_FORMATS, Locale, get_locale, set_locale
from core.base.actor import Actor
from core.base.permissions import Role
from core.mail.smtp import ConsoleTransport, mail_transport
from core.sign_in.email_links import is_verified, request_address_change, request_password_reset, request_verification
from core.sign_in.oidc_identities import has_password
from core.sign_in.password import change_password
from core.workspace.settings import time_zones
from db.engine import transaction
from pages.components.account import api_tokens, oidc, team_offers, two_factor
from pages.components.account import sessions as own_sessions
from pages.components.admin import roles
from pages.components.app import avatar
from pages.components.app.current_user import base_url, current_actor
from pages.components.app.errors import run_command
from pages.components.app.format import literal
from pages.components.sign_in import email_link
from pages.components.sign_in.forgot_password import PRINTED

SHOWN_FORMATS = {"iso": "2026-12-31", "day first": "31.12.2026", "month first": "12/31/2026"}
CHANGED = "Your password is changed. Sign in with the new one."


def show(actor: Actor) -> None:
    """The page, top to bottom."""
    with transaction() as session:
        locale = get_locale(session, actor)
        verified = is_verified(session, actor)
        with_password = has_password(session, actor.user_id)
    with st.container(width=720):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            avatar.show(actor.user_id, actor.name)
            st.title("Profile", width="content")
        st.text(f"{actor.email} · {actor.role.label}, who {roles.MEANINGS[actor.role]}")
        team_offers.show(actor)
        you, way_in, tokens, sessions = st.tabs(["You", "Sign-in", "API tokens", "Where you are signed in"])
        with you:
            _personal(actor, locale)
        with way_in:
            _address(actor, verified)
            st.subheader("Password")
            (_password if with_password else _first_password)(actor)
            oidc.show(actor, locale)
            two_factor.show(actor, locale)
        with tokens:
            api_tokens.show(actor, locale)
        with sessions:
            own_sessions.show(actor, locale)


def _personal(actor: Actor, locale: Locale) -> None:
    with st.form("personal"):
        name = st.text_input("Name", value=actor.name, help="As others see it in the grid and in the changes.")
        dates, numbers, zones = list(SHOWN_FORMATS), list(NUMBER_FORMATS), list(time_zones())
        date_format = st.radio(
            "Dates",
            dates,
            index=dates.index(locale.date_format),
            format_func=SHOWN_FORMATS.__getitem__,
            horizontal=True,
        )
        number_format = st.radio("Numbers", numbers, index=numbers.index(locale.number_format), horizontal=True)
        zone = st.selectbox(
            "Time zone",
            zones,
            index=zones.index(locale.time_zone),
            help="For timestamps, “today” and “this month”. Cells with a time use the time zone of their column.",
        )
        sent = st.form_submit_button("Save")
    if sent and run_command(
        _save_personal, actor, name, date_format=date_format, number_format=number_format, time_zone=zone
    ):
        st.toast("Saved.", icon=":material/check:")


def _save_personal(actor: Actor, name: str, **preferences: str) -> None:
    with transaction() as session:
        accounts.rename_myself(session, actor, name)
        set_locale(session, actor, **preferences)


def _address(actor: Actor, verified: bool) -> None:
    st.subheader("Address")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(actor.email, width="content")
        st.badge("Confirmed" if verified else "Not confirmed", color="green" if verified else "orange")
        if not verified and st.button("Send me a link to confirm it", type="tertiary") and run_command(_verify, actor):
            _show_sent(actor.email)
    with st.expander("Change my address"), st.form("address", border=False):
        email = st.text_input("New address", max_chars=254)
        password = st.text_input("Password", type="password", key="address_password")
        sent = st.form_submit_button("Change address")
    if sent and run_command(request_address_change, transaction, actor, email, password=password, url=base_url()):
        _show_sent(email.strip())


def _verify(actor: Actor) -> None:
    with transaction() as session:
        request_verification(session, actor, url=base_url())


def _show_sent(email: str) -> None:
    st.success(f"An e-mail is on its way to {literal(email)}. Open the link in it.", icon=":material/mail:")
    if isinstance(mail_transport(), ConsoleTransport):
        st.caption(PRINTED)


def _first_password(actor: Actor) -> None:
    st.caption("You have no password because your provider signs you in. Set one to sign in without it.")
    if st.button("Send me a link to set a password") and run_command(_ask_first, actor):
        _show_sent(actor.email)


def _ask_first(actor: Actor) -> None:
    with transaction() as session:
        request_password_reset(session, actor.email, address=actor.address, url=base_url())


def _password(actor: Actor) -> None:
    with st.expander("Change my password"), st.form("password", border=False, clear_on_submit=True):
        current = st.text_input("Current password", type="password")
        new = st.text_input(
            "New password", type="password", help="At least ten characters, such as four words of your own."
        )
        repeated = st.text_input("New password again", type="password")
        st.caption("This signs you out everywhere and revokes your API tokens. Sign in again with the new password.")
        if actor.role is Role.ADMIN:
            st.caption("Pending invitations that you sent are revoked, too. Send them again afterwards.")
        sent = st.form_submit_button("Change password")
    if sent and new != repeated:
        st.error("The two new passwords differ. Type the same password twice.", icon=":material/error:")
    elif sent and run_command(change_password, transaction, actor, current=current, new=new):
        st.session_state[email_link.NOTE] = CHANGED
        st.rerun()


show(current_actor())

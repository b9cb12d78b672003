"""The actions of an administrator on one account. Each has its own button, because most of them sign the user out."""

from collections.abc import Callable

import streamlit as st

from core.accounts import accounts
from core.accounts.accounts import PersonInfo
from core.admin import administration
from core.base.actor import Actor
from core.base.permissions import Role
from core.mail.smtp import ConsoleTransport, mail_transport
from core.sharing.transfer import OwnedSheet
from core.sign_in.second_factor import reset_second_factor
from db.engine import transaction
from pages.components.admin import roles
from pages.components.app.current_user import base_url
from pages.components.app.errors import run_command
from pages.components.app.format import literal, shortened

LINK, SENT = "reset_link", "reset_sent"
MAX_NAMED = 5


def show(actor: Actor, person: PersonInfo, owned: list[OwnedSheet]) -> None:
    """Role and access of one person."""
    if person.is_active:
        _role(actor, person)
        _access(actor, person)
    _switch(actor, person, owned)


def show_result() -> None:
    """Show the result of the last action: a link to pass on, or the address an e-mail was sent to."""
    if sent := st.session_state.pop(SENT, None):
        st.success(
            f"An e-mail with a link for a new password is on its way to {literal(sent)}.", icon=":material/mail:"
        )
    if LINK in st.session_state:
        name, link = st.session_state.pop(LINK)
        st.success(f"Send this link to {literal(name)}. It sets a new password, once, within thirty minutes.")
        st.code(link, language=None, wrap_lines=True)


def _role(actor: Actor, person: PersonInfo) -> None:
    role = roles.choose(f"role_{person.user_id}_{person.role.value}", now=person.role)
    st.caption("After a change of role, the person has to sign in again.")
    if st.button("Save role", key=f"save_{person.user_id}", type="primary", disabled=role is person.role):
        _carry_out(lambda: _change_role(actor, person.user_id, role))


def _access(actor: Actor, person: PersonInfo) -> None:
    with st.container(horizontal=True):
        if st.button("Sign out everywhere", key=f"out_{person.user_id}"):
            _carry_out(lambda: _sign_out(actor, person.user_id))
        by_mail = not isinstance(mail_transport(), ConsoleTransport)
        label = "Send a link for a new password" if by_mail else "Make a link for a new password"
        if person.has_password and st.button(label, key=f"reset_{person.user_id}"):
            _carry_out(lambda: _reset(actor, person, by_mail=by_mail))
        if person.has_second_factor and st.button("Reset two-factor sign-in", key=f"factor_{person.user_id}"):
            _carry_out(lambda: _reset_factor(actor, person.user_id))


def _switch(actor: Actor, person: PersonInfo, owned: list[OwnedSheet]) -> None:
    if person.is_active:
        st.caption("Deactivating ends their access at once. Their changes keep their name.")
    if person.is_active and owned:
        names = ", ".join(f"“{shortened(sheet.name, 40)}”" for sheet in owned[:MAX_NAMED])
        more = f" and {len(owned) - MAX_NAMED} more" if len(owned) > MAX_NAMED else ""
        st.caption(literal(f"They own {names}{more}. You can transfer these sheets afterwards."))
    verb = "Deactivate" if person.is_active else "Reactivate"
    if st.button(verb, key=f"active_{person.user_id}"):
        _carry_out(lambda: _change_access(actor, person))


def _carry_out(command: Callable[[], None]) -> None:
    if run_command(command):
        st.rerun()


def _change_role(actor: Actor, user_id: int, role: Role) -> None:
    with transaction() as session:
        accounts.change_role(session, actor, user_id, role=role)


def _sign_out(actor: Actor, user_id: int) -> None:
    with transaction() as session:
        administration.sign_out_person(session, actor, user_id)


def _reset(actor: Actor, person: PersonInfo, *, by_mail: bool) -> None:
    with transaction() as session:
        if by_mail:
            administration.send_reset(session, actor, person.user_id, url=base_url())
            st.session_state[SENT] = person.email
        else:
            token = administration.make_reset_link(session, actor, person.user_id)
            st.session_state[LINK] = (person.name, f"{base_url()}/?reset={token}")


def _reset_factor(actor: Actor, user_id: int) -> None:
    with transaction() as session:
        reset_second_factor(session, actor, user_id)


def _change_access(actor: Actor, person: PersonInfo) -> None:
    with transaction() as session:
        (accounts.deactivate if person.is_active else accounts.reactivate)(session, actor, person.user_id)

"""People: accounts, roles and invitations. For administrators."""

import streamlit as st

from core import accounts, invitations
from core.accounts import PersonInfo
from core.actor import Actor
from core.invitations import InvitationInfo
from core.permissions import Role
from core.second_factor import reset_second_factor
from core.smtp import Console, post
from db.engine import transaction
from pages.components import registration
from pages.components.errors import say
from pages.components.format import literal, moment
from pages.components.who import current_actor, here

LINK, SENT = "invitation_link", "invitation_sent"
ROLES = {
    Role.ADMIN: "Administrator: manages people, uses what is shared",
    Role.MANAGER: "Manager: creates sheets, reads the charts",
    Role.MEMBER: "Member: creates sheets and works in them",
    Role.ANALYST: "Analyst: reads and exports what is shared",
}


def show(actor: Actor) -> None:
    """The page, top to bottom."""
    with transaction() as session:
        everybody = accounts.people(session, actor)
        waiting = invitations.invitations(session, actor)
        date_format = accounts.preferences(session, actor)["date_format"]
    with st.container(width=860):
        st.title("People")
        st.caption("Everybody with an account here. A person sees a sheet once it is shared with them.")
        _invite(actor)
        registration.show(actor)
        for invitation in waiting:
            _waiting(actor, invitation, date_format)
        for person in everybody:
            _person(actor, person)


def _invite(actor: Actor) -> None:
    with st.form("invite"):
        st.subheader("Invite somebody")
        email = st.text_input("E-mail", placeholder="ben@example.com")
        role = st.selectbox("Role", list(ROLES), index=2, format_func=ROLES.__getitem__)
        by_mail = not isinstance(post(), Console)
        with st.container(horizontal=True):
            mail = by_mail and st.form_submit_button("Send an invitation", type="primary")
            make = st.form_submit_button("Make an invitation link", type="secondary" if by_mail else "primary")
    if mail or make:
        st.session_state.pop(LINK, None)
        if say(_send if mail else _make_link, actor, email, role):
            st.rerun()
    if SENT in st.session_state:
        st.success(f"An invitation is on its way to {literal(st.session_state.pop(SENT))}.", icon=":material/mail:")
    if LINK in st.session_state:
        made_for, link = st.session_state[LINK]
        st.success(f"Send this link to {literal(made_for)} yourself. It works once, for seven days.")
        st.code(link, language=None, wrap_lines=True)


def _send(actor: Actor, email: str, role: Role) -> None:
    with transaction() as session:
        invitations.invite(session, actor, email=email, role=role, mailed_from=here())
    st.session_state[SENT] = email.strip()


def _make_link(actor: Actor, email: str, role: Role) -> None:
    with transaction() as session:
        token = invitations.invite(session, actor, email=email, role=role)
    st.session_state[LINK] = (email.strip(), invitations.link(here(), token))


def _waiting(actor: Actor, invitation: InvitationInfo, date_format: str) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.text(invitation.email)
            st.text(f"invited as {invitation.role.label.lower()} until {moment(invitation.expires_at, date_format)}")
        withdraw = st.button("Withdraw", key=f"withdraw_{invitation.invitation_id}")
        if withdraw and say(_withdraw, actor, invitation.invitation_id):
            st.rerun()


def _withdraw(actor: Actor, invitation_id: int) -> None:
    with transaction() as session:
        invitations.revoke_invitation(session, actor, invitation_id)


def _person(actor: Actor, person: PersonInfo) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.text(person.name + (" (you)" if person.user_id == actor.user_id else ""))
            st.text(f"{person.email} · {_state(person)}")
        with st.popover("Change"):
            _changes(actor, person)


def _changes(actor: Actor, person: PersonInfo) -> None:
    """Role and access of one person: chosen first, then confirmed, because both sign the person out."""
    if person.is_active:
        role = st.selectbox(
            "Role",
            list(ROLES),
            index=list(ROLES).index(person.role),
            format_func=ROLES.__getitem__,
            key=f"role_{person.user_id}_{person.role.value}",
        )
        st.caption(
            "With a new role the person signs in again. Deactivating ends their access at once; what they did "
            "stays under their name."
        )
        if st.button("Save role", key=f"save_{person.user_id}", type="primary", disabled=role is person.role):
            _done(say(_change_role, actor, person.user_id, role))
    if person.has_second_factor and st.button("Reset two-factor sign-in", key=f"factor_{person.user_id}"):
        _done(say(_reset_factor, actor, person.user_id))
    verb = "Deactivate" if person.is_active else "Reactivate"
    if st.button(verb, key=f"active_{person.user_id}"):
        _done(say(_switch, actor, person))


def _done(carried_out: bool) -> None:
    if carried_out:
        st.rerun()


def _state(person: PersonInfo) -> str:
    """The role, and what keeps the person out."""
    if not person.is_active:
        return "deactivated"
    if not person.has_password:
        return f"{person.role.label} · no password yet: invite them"
    return f"{person.role.label} · two-factor sign-in" if person.has_second_factor else person.role.label


def _change_role(actor: Actor, user_id: int, role: Role) -> None:
    with transaction() as session:
        accounts.change_role(session, actor, user_id, role=role)


def _reset_factor(actor: Actor, user_id: int) -> None:
    with transaction() as session:
        reset_second_factor(session, actor, user_id)


def _switch(actor: Actor, person: PersonInfo) -> None:
    with transaction() as session:
        (accounts.deactivate if person.is_active else accounts.reactivate)(session, actor, person.user_id)


show(current_actor())

"""Inviting people, one or a whole team at once, and the invitations that wait."""

import streamlit as st

from core.accounts import invitations
from core.accounts.invitations import InvitationInfo
from core.accounts.locale import Locale
from core.base.actor import Actor
from core.base.permissions import Role
from core.mail.smtp import ConsoleTransport, mail_transport
from db.engine import transaction
from pages.components.admin import roles
from pages.components.app.current_user import base_url
from pages.components.app.errors import run_command
from pages.components.app.format import literal, moment

LINKS, SENT, FORMS = "invitation_links", "invitation_sent", "invitation_forms"


def form(actor: Actor) -> None:
    """Addresses and a role; a link for each goes by mail or is handed over."""
    number = st.session_state.setdefault(FORMS, 0)
    by_mail = not isinstance(mail_transport(), ConsoleTransport)
    with st.form("invite"):
        st.subheader("Invite people")
        emails = st.text_area(
            "E-mail",
            placeholder="ben@example.com, mia@example.com",
            help="One address or several, separated by commas or line breaks.",
            height=70,
            key=f"invite_emails_{number}",
        )
        role = roles.choose(f"invite_role_{number}")
        with st.container(horizontal=True):
            mail = by_mail and st.form_submit_button("Send an invitation", type="primary")
            make = st.form_submit_button("Make an invitation link", type="secondary" if by_mail else "primary")
    if mail or make:
        st.session_state.pop(LINKS, None)
        if run_command(_invite, actor, emails, role, by_mail=mail):
            st.session_state[FORMS] += 1  # A fresh form; a refused one keeps what was typed.
            st.rerun()
    _made()


def _made() -> None:
    """Show the result of the last invitation."""
    if sent := st.session_state.pop(SENT, None):
        st.success(f"An invitation is on its way to {literal(sent)}.", icon=":material/mail:")
    if links := st.session_state.get(LINKS):
        _links(links)


def _links(links: list[tuple[str, str]]) -> None:
    """One block, from which all of them are copied at once: of several, each after its address."""
    (email, link), *others = links
    if others:
        st.success(f"Send each of these {len(links)} their link yourself. Each works once, for seven days.")
    else:
        st.success(f"Send this link to {literal(email)} yourself. It works once, for seven days.")
    st.code("\n".join(f"{email} {link}" for email, link in links) if others else link, language=None, wrap_lines=True)


def waiting(actor: Actor, invited: list[InvitationInfo], locale: Locale) -> None:
    """The invitations that nobody has used yet."""
    if not invited:
        return
    with st.expander(f"Invitations that wait · {len(invited)}", icon=":material/hourglass_empty:"):
        for invitation in invited:
            _waits(actor, invitation, moment(invitation.expires_at, locale))


def _waits(actor: Actor, invitation: InvitationInfo, until: str) -> None:
    by = f" by {invitation.by}" if invitation.by else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        with st.container(gap=None):
            st.text(invitation.email)
            st.caption(literal(f"invited as {invitation.role.label.lower()}{by}, until {until}"))
        withdraw = st.button("Withdraw", key=f"withdraw_{invitation.invitation_id}", type="tertiary")
    if withdraw and run_command(_withdraw, actor, invitation.invitation_id):
        st.rerun()


def _invite(actor: Actor, emails: str, role: Role, *, by_mail: bool) -> None:
    with transaction() as session:
        invited = invitations.invite_all(session, actor, emails, role=role, mailed_from=base_url() if by_mail else "")
    if by_mail:
        st.session_state[SENT] = ", ".join(invited)
    else:
        st.session_state[LINKS] = [
            (email, invitations.invitation_url(base_url(), token)) for email, token in invited.items()
        ]


def _withdraw(actor: Actor, invitation_id: int) -> None:
    with transaction() as session:
        invitations.revoke_invitation(session, actor, invitation_id)

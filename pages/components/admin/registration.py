"""The setting of who may register, which administrators can change."""

import streamlit as st

from core.accounts.registration import Policy, Registration, registration_policy, set_registration_policy
from core.base.actor import Actor
from db.engine import transaction
from pages.components.app.errors import run_command

LABELS = {
    Registration.INVITED: "Only invited people",
    Registration.DOMAINS: "People with an e-mail address at these domains",
    Registration.OPEN: "Anyone with an e-mail address",
}


def show(actor: Actor) -> None:
    """Show the current setting, and the form to change it in an expander."""
    with transaction() as session:
        policy = registration_policy(session)
    with st.expander(f"Who may make an account: {LABELS[policy.who].lower()}", icon=":material/door_open:"):
        _form(actor, policy)


def _form(actor: Actor, policy: Policy) -> None:
    with st.form("registration", border=False):
        registration = st.radio("Who may make an account", list(LABELS), index=list(LABELS).index(policy.who),
                       format_func=LABELS.__getitem__, label_visibility="collapsed")  # fmt: skip
        domains = st.text_input("Domains", value=", ".join(policy.domains), placeholder="example.com, example.org")
        st.caption("People who register confirm their address and become members.")
        sent = st.form_submit_button("Save rule")
    if sent and run_command(_save, actor, registration, domains):
        st.rerun()


def _save(actor: Actor, registration: Registration, domains: str) -> None:
    with transaction() as session:
        set_registration_policy(session, actor, registration, domains=tuple(domains.split(",")))

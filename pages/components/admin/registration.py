"""Who may register: the workspace's rule, for administrators to change."""

import streamlit as st

from core.accounts.registration import Policy, Registration, registration_policy, set_registration_policy
from core.base.actor import Actor
from db.engine import transaction
from pages.components.app.errors import run_command

LABELS = {
    Registration.INVITED: "Only who is invited",
    Registration.DOMAINS: "Whoever has an address of these domains",
    Registration.OPEN: "Anybody with an address",
}


def show(actor: Actor) -> None:
    """The rule as it is, in a drawer: it is changed once in a year."""
    with transaction() as session:
        policy = registration_policy(session)
    with st.expander(f"Who may make an account: {LABELS[policy.who].lower()}", icon=":material/door_open:"):
        _form(actor, policy)


def _form(actor: Actor, policy: Policy) -> None:
    with st.form("registration", border=False):
        registration = st.radio("Who may make an account", list(LABELS), index=list(LABELS).index(policy.who),
                       format_func=LABELS.__getitem__, label_visibility="collapsed")  # fmt: skip
        domains = st.text_input("Domains", value=", ".join(policy.domains), placeholder="example.com, example.org")
        st.caption("Who registers confirms their address and becomes a member.")
        sent = st.form_submit_button("Save the rule")
    if sent and run_command(_save, actor, registration, domains):
        st.rerun()


def _save(actor: Actor, registration: Registration, domains: str) -> None:
    with transaction() as session:
        set_registration_policy(session, actor, registration, domains=tuple(domains.split(",")))

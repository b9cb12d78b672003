"""My personal API tokens: made, shown once, listed and revoked."""

import streamlit as st

from core.accounts.locale import Locale
from core.base.actor import Actor
from core.base.permissions import Role, Scope
from core.sign_in.api_tokens import TokenInfo, create_token, my_tokens, revoke_token
from db.engine import transaction
from pages.components.app.errors import run_command
from pages.components.app.format import moment

NEW = "new_api_token"  # Shown once.
LIVES = {7: "a week", 30: "a month", 90: "three months", 365: "a year"}


def show(actor: Actor, locale: Locale) -> None:
    """The tokens that live, and a form for another."""
    st.caption("For programs that read or write sheets in your name. Each may do no more than you may.")
    with transaction() as session:
        tokens = my_tokens(session, actor)
    if NEW in st.session_state:
        st.success("Copy the token now: it is not shown again.", icon=":material/key:")
        st.code(st.session_state[NEW], language=None, wrap_lines=True)
        st.button("I have copied it", on_click=lambda: st.session_state.pop(NEW, None))
    for token in tokens:
        _token(actor, token, locale)
    _form(actor)


def _token(actor: Actor, token: TokenInfo, locale: Locale) -> None:
    used = f"last used {moment(token.last_used_at, locale)}" if token.last_used_at else "not used yet"
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.text(f"{token.name} · {token.hint}…")
            st.caption(f"{token.scope.label} · {used} · until {moment(token.expires_at, locale)}")
        if st.button("Revoke", key=f"revoke_{token.token_id}") and run_command(_revoke, actor, token.token_id):
            st.rerun()


def _form(actor: Actor) -> None:
    scopes = [scope for scope in Scope if scope is not Scope.ADMIN or actor.role is Role.ADMIN]
    with st.form("make_token", clear_on_submit=True):
        name = st.text_input("What for", max_chars=100, placeholder="Weekly report")
        scope = st.selectbox("May", scopes, format_func=lambda scope: scope.label)
        days = st.selectbox("Lives for", list(LIVES), index=2, format_func=LIVES.__getitem__)
        sent = st.form_submit_button("Make a token")
    if sent and run_command(_make, actor, name, scope, days):
        st.rerun()


def _make(actor: Actor, name: str, scope: Scope, days: int) -> None:
    with transaction() as session:
        token = create_token(session, actor, name=name, scope=scope, days=days)
    st.session_state[NEW] = token


def _revoke(actor: Actor, token_id: int) -> None:
    with transaction() as session:
        revoke_token(session, actor, token_id)

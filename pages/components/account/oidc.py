"""My account at the provider: linked with the one here or not, and how to change that."""

import streamlit as st

from core.accounts.locale import Locale
from core.base.actor import Actor
from core.config.settings import settings
from core.sign_in.oidc_identities import IdentityInfo, has_password, my_identities, unlink
from db.engine import transaction
from pages.components.app.errors import run_command
from pages.components.app.format import literal, moment
from pages.components.sign_in import oidc_return


def show(actor: Actor, locale: Locale) -> None:
    """Show the linked identities and a button to link one; nothing without a provider."""
    with transaction() as session:
        identities = my_identities(session, actor)
        needs_password = not has_password(session, actor.user_id)
    provider = settings().provider
    if provider is None and not identities:
        return
    st.subheader(literal(provider.label if provider else "Single sign-on"))
    for identity in identities:
        _linked(actor, identity, locale, needs_password=needs_password)
    if not identities:
        st.caption("Link your account there, and it signs you in here without a password.")
        with st.container(width=360):
            oidc_return.offer("Link {label}")


def _linked(actor: Actor, identity: IdentityInfo, locale: Locale, *, needs_password: bool) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.text("Signs you in here")
            st.caption(literal(f"{identity.issuer} · linked {moment(identity.created_at, locale)}"))
        if needs_password:
            st.caption("This is your only way to sign in. Set a password before you unlink it.")
        elif st.button("Unlink", key=f"unlink_{identity.issuer}") and run_command(_unlink, actor, identity.issuer):
            st.rerun()


def _unlink(actor: Actor, issuer: str) -> None:
    with transaction() as session:
        unlink(session, actor, issuer)

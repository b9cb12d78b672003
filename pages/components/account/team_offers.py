"""Teams that I am offered: a notice with what accepting means, to accept or to decline."""

from collections.abc import Callable

import streamlit as st

from core.base.actor import Actor
from core.sharing.teams import Offer, accept_offer, decline_offer, my_offers
from db.engine import transaction
from pages.components.app.errors import run_command
from pages.components.app.format import literal

MEANT = (
    "If you accept, you get the sheets that are shared with this team. Where a sheet is shared by team, the team's "
    "managers, and members who may see the team's rows, see your rows."
)
MESSAGE = "team_offer_message"


def show(actor: Actor) -> None:
    """One notice for each; nothing where I am offered none."""
    if message := st.session_state.pop(MESSAGE, ""):
        st.toast(literal(message), icon=":material/check:")
    with transaction() as session:
        offers = my_offers(session, actor)
    for offer in offers:
        _offer(actor, offer)


def _offer(actor: Actor, offer: Offer) -> None:
    role = "manage" if offer.is_manager else "join"
    with st.container(border=True):
        st.markdown(
            f":material/group_add: **{literal(offer.by or 'A manager')} asks you to {role} the team "
            f"{literal(offer.name)}.**"
        )
        st.caption(MEANT)
        with st.container(horizontal=True):
            accepts = st.button("Accept", key=f"accept_{offer.team_id}", type="primary")
            declines = st.button("Decline", key=f"decline_{offer.team_id}")
    if accepts:
        _answer(accept_offer, actor, offer, f"You are in {offer.name}.")
    if declines:
        _answer(decline_offer, actor, offer, f"You are not in {offer.name}.")


def _answer(command: Callable[..., None], actor: Actor, offer: Offer, message: str) -> None:
    def carry_out() -> None:
        with transaction() as session:
            command(session, actor, offer.team_id)

    if run_command(carry_out):
        st.session_state[MESSAGE] = message  # Shown by the next run: a rerun drops toasts of this one.
        st.rerun()

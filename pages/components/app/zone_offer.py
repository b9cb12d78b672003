"""The offer of the browser's time zone to a person who has not chosen one, after the sign-in."""

import streamlit as st

from core.accounts.locale import get_locale, own_time_zone, set_locale
from core.base.actor import Actor
from core.workspace.settings import time_zones
from db.engine import transaction
from pages.components.app.errors import run_command

ASKED = "time_zone_asked"  # In session_state: whether this page needs to look no more.


def show(actor: Actor) -> None:
    """Draw the offer, unless the person has chosen a zone or their browser has the one that they see times in."""
    zone = browser_zone()
    if st.session_state.get(ASKED) or zone not in time_zones():
        return
    with transaction() as session:
        is_chosen = own_time_zone(session, actor) is not None
        now = get_locale(session, actor).time_zone
    if is_chosen or zone == now:
        st.session_state[ASKED] = True
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/schedule: Your browser is in **{zone}**; times are shown in {now}.", width="stretch")
        st.button(f"Use {zone}", on_click=_choose, args=(actor, zone))
        st.button(f"Keep {now}", type="tertiary", on_click=_choose, args=(actor, now))


def browser_zone() -> str | None:
    """Return the IANA time zone of the browser."""
    return st.context.timezone


def _choose(actor: Actor, zone: str) -> None:
    st.session_state[ASKED] = run_command(_save, actor, zone)


def _save(actor: Actor, zone: str) -> None:
    with transaction() as session:
        set_locale(session, actor, time_zone=zone)

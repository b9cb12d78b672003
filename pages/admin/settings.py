"""Settings of the workspace: currency, time zone, week and fiscal year."""

import calendar
from typing import Any

import streamlit as st

from core.base.actor import Actor
from core.column_types.currencies import CURRENCIES
from core.workspace.settings import (
    WEEK_STARTS,
    WorkspaceSettings,
    change_workspace_settings,
    time_zones,
    workspace_settings,
)
from db.engine import transaction
from pages.components.admin import exchange_rates
from pages.components.app.current_user import current_actor
from pages.components.app.errors import run_command


def show(actor: Actor) -> None:
    """Draw the page."""
    with transaction() as session:
        settings = workspace_settings(session)
    with st.container(width=720):
        st.title("Settings")
        _general(actor, settings)
        exchange_rates.show(actor, settings.currency)


def _general(actor: Actor, settings: WorkspaceSettings) -> None:
    codes, zones, days, months = sorted(CURRENCIES), list(time_zones()), list(WEEK_STARTS), list(range(1, 13))
    with st.form("settings"):
        currency = st.selectbox(
            "Currency",
            codes,
            codes.index(settings.currency),
            help="New money columns use it unless they name another. Existing columns keep theirs.",
        )
        zone = st.selectbox(
            "Time zone",
            zones,
            zones.index(settings.time_zone),
            help="For everybody who has not chosen one on their profile.",
        )
        with st.container(horizontal=True):
            day = st.selectbox(
                "A week starts on",
                days,
                days.index(settings.week_start),
                format_func=WEEK_STARTS.__getitem__,
            )
            month = st.selectbox(
                "The fiscal year starts in",
                months,
                months.index(settings.fiscal_year_start),
                format_func=lambda month: calendar.month_name[month],
                help="Quarters count from this month.",
            )
        sent = st.form_submit_button("Save")
    changes = {"currency": currency, "time_zone": zone, "week_start": day, "fiscal_year_start": month}
    if sent and run_command(_save, actor, **changes):
        st.toast("Saved.", icon=":material/check:")


def _save(actor: Actor, **changes: Any) -> None:
    with transaction() as session:
        change_workspace_settings(session, actor, **changes)


show(current_actor())

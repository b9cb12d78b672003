"""What happened to accounts, teams and shares, as sentences."""

from collections.abc import Sequence

import streamlit as st

from core.administration import SecurityEvent
from pages.components.format import literal, moment

# {by}: who did it, {whom}: the person, address or team that it was done to; {team}, {sheet}: where.
SENTENCES = {
    "account:session:start": "{by} signed in",
    "account:session:end": "{by} signed out",
    "account:session:end-others": "{by} signed out everywhere else",
    "account:session:reuse": "A copied token was used; its session is ended",
    "account:session:revoke": "{by} signed {whom} out at one place",
    "account:session:revoke-all": "{by} signed {whom} out everywhere",
    "account:sign-in:fail": "A sign-in failed",
    "account:user:create": "An account was made for {whom}",
    "account:user:role": "{by} gave {whom} another role",
    "account:user:rename": "{by} changed their name",
    "account:user:deactivate": "{by} deactivated {whom}",
    "account:user:reactivate": "{by} reactivated {whom}",
    "account:password:change": "{by} changed their password",
    "account:password:reset": "{whom} set a new password by a link",
    "account:password:reset-link": "{by} had a link for a new password made for {whom}",
    "account:invitation:create": "{by} invited {whom}",
    "account:invitation:revoke": "{by} withdrew the invitation of {whom}",
    "account:invitation:accept": "{whom} accepted an invitation",
    "account:registration:change": "{by} changed who may register",
    "account:second-factor:on": "{by} switched two-factor sign-in on",
    "account:second-factor:off": "{by} switched two-factor sign-in off",
    "account:second-factor:reset": "{by} reset the two-factor sign-in of {whom}",
    "account:provider:link": "{whom} linked their account at the provider",
    "account:provider:unlink": "{by} unlinked their account at the provider",
    "account:token:create": "{by} made an API token",
    "account:token:revoke": "{by} revoked an API token",
    "team:team:create": "{by} made the team {whom}",
    "team:team:rename": "{by} renamed the team {whom}",
    "team:team:delete": "{by} dissolved the team {whom}",
    "team:member:add": "{by} put {whom} into the team {team}",
    "team:member:manage": "{by} changed whether {whom} manages the team {team}",
    "team:member:remove": "{by} took {whom} out of the team {team}",
    "sheet:share:grant": "{by} shared {sheet} with {whom}",
    "sheet:share:revoke": "{by} took {sheet} away from {whom}",
    "sheet:share:workspace": "{by} changed what everybody may do in {sheet}",
    "sheet:share:transfer": "{by} made {whom} the owner of {sheet}",
}


def show(events: Sequence[SecurityEvent], date_format: str) -> None:
    """One line an event, the latest first."""
    for event in events:
        with st.container(gap=None):
            st.text(sentence(event))
            whence = f" · from {event.address}" if event.address else ""
            st.caption(literal(moment(event.recorded_at, date_format) + whence))


def sentence(event: SecurityEvent) -> str:
    """The event in words; one that has none as it is called."""
    told = SENTENCES.get(event.action, event.action)
    return told.format(
        by=event.by or "Somebody",
        whom=event.whom or "somebody",
        team=event.team or "",
        sheet=f"“{event.sheet}”" if event.sheet else "a sheet",
    )

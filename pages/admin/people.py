"""People: accounts, roles, invitations, and who may register. For administrators."""

from collections import defaultdict
from dataclasses import dataclass, field

import streamlit as st

from core.accounts import accounts, invitations
from core.accounts.accounts import PersonInfo
from core.accounts.invitations import InvitationInfo
from core.accounts.locale import Locale, get_locale
from core.base.actor import Actor
from core.base.text import folded_key
from core.sharing.teams import teams
from core.sharing.transfer import OwnedSheet, owned_sheets
from db.engine import transaction
from pages.components.admin import invite, orphaned_sheets, person_actions, registration
from pages.components.app import avatar
from pages.components.app.current_user import current_actor
from pages.components.app.format import literal, moment

MAX_SHOWN = 50
SEARCHED_FROM = 9


@dataclass
class Workspace:
    """Everybody, with what stands beside their names."""

    people: list[PersonInfo]
    waiting: list[InvitationInfo]
    sheets: list[OwnedSheet]
    locale: Locale
    teams: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


def show(actor: Actor) -> None:
    """The page, top to bottom."""
    workspace = _read(actor)
    with st.container(width=860):
        st.title("People")
        st.caption("Everybody with an account here. A person sees a sheet once it is shared with them or their team.")
        person_actions.show_result()
        orphaned_sheets.show(actor, workspace.sheets, workspace.people)
        invite.form(actor)
        registration.show(actor)
        invite.waiting(actor, workspace.waiting, workspace.locale)
        if people := _found(workspace):
            with st.container(border=True, gap="small"):
                for person in people:
                    _person(actor, workspace, person)


def _read(actor: Actor) -> Workspace:
    with transaction() as session:
        workspace = Workspace(
            accounts.people(session, actor),
            invitations.invitations(session, actor),
            owned_sheets(session, actor),
            get_locale(session, actor),
        )
        for team in teams(session, actor):
            for member in team.members:
                workspace.teams[member.user_id].append(team.name)
    return workspace


def _found(workspace: Workspace) -> list[PersonInfo]:
    """Those whose name, address, role or team has what is searched for; the first of them."""
    people = workspace.people
    if len(people) >= SEARCHED_FROM:
        search = folded_key(st.text_input("Find a person", placeholder="Name, address, role or team"))
        people = [person for person in people if search in _searched(workspace, person)]
    if len(people) > MAX_SHOWN:
        st.caption(f"{MAX_SHOWN} of {len(people)} people; search for the others.")
    if not people:
        st.caption("Nobody is called so.")
    return people[:MAX_SHOWN]


def _searched(workspace: Workspace, person: PersonInfo) -> str:
    return folded_key(" ".join((person.name, person.email, _state(person), *workspace.teams[person.user_id])))


def _person(actor: Actor, workspace: Workspace, person: PersonInfo) -> None:
    owned = [sheet for sheet in workspace.sheets if sheet.owner_id == person.user_id]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        avatar.show(person.user_id, person.name)
        with st.container(gap=None):
            st.text(person.name + (" (you)" if person.user_id == actor.user_id else ""))
            st.text(person.email)  # Letter by letter, and alone, so that it can be copied.
            st.caption(literal(" · ".join([_state(person), *_about(workspace, person, owned)])))
        with st.popover(":material/edit:", type="tertiary", help="Change role and access", key=f"of_{person.user_id}"):
            person_actions.show(actor, person, owned)


def _about(workspace: Workspace, person: PersonInfo, owned: list[OwnedSheet]) -> list[str]:
    """When they were here, in which teams they are, and how many sheets they own."""
    last_seen = person.last_seen_at
    team_names = workspace.teams[person.user_id]
    parts = [f"last seen {moment(last_seen, workspace.locale)}" if last_seen else "not seen in the last 30 days"]
    parts += [f"team {', '.join(team_names)}"] if team_names else []
    return parts + ([f"owns {len(owned)} {'sheet' if len(owned) == 1 else 'sheets'}"] if owned else [])


def _state(person: PersonInfo) -> str:
    """The role, and what keeps the person out."""
    if not person.is_active:
        return "deactivated"
    if not (person.has_password or person.has_identity):
        return f"{person.role.label} · no password yet: invite them"
    return f"{person.role.label} · two-factor sign-in" if person.has_second_factor else person.role.label


show(current_actor())

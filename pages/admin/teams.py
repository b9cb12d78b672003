"""Teams: who works together and who manages whom. For administrators, and for managers the teams that they manage."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from core.base.actor import Actor
from core.base.permissions import ROLE_PERMISSIONS, Permission
from core.sharing import teams
from core.sharing.teams import MemberInfo, TeamInfo
from db.engine import transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import run_command
from pages.components.app.format import literal

MESSAGE = "team_message"
MEANT = """A sheet can be shared with a whole team. Where a team may see **its own rows**, each member sees their own
rows, and the team's managers see the rows of all members. People added by an administrator join at once; people added
by a manager join once they accept, on their Sheets, Profile or Colleagues page."""


def show(actor: Actor) -> None:
    """The page, top to bottom."""
    with transaction() as session:
        listed = teams.teams(session, actor)
        people = teams.people_to_add(session, actor)
    if message := st.session_state.pop(MESSAGE, ""):
        st.toast(literal(message), icon=":material/check:")
    with st.container(width=860):
        st.title("Teams")
        st.caption(MEANT)
        _new(actor)
        managed = [team for team in listed if team.may_manage]
        if not managed:
            st.caption("You don't manage a team yet." if listed else "Create the first team above.")
        for team in managed:
            _team(actor, team, people)
        _others([team for team in listed if not team.may_manage])


def _new(actor: Actor) -> None:
    with st.form("new_team", clear_on_submit=True), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("New team", placeholder="Inside Sales", max_chars=100)
        sent = st.form_submit_button("Create the team", type="primary", icon=":material/group_add:")
    if sent:
        _carry_out(teams.create_team, actor, name)


def _team(actor: Actor, team: TeamInfo, people: dict[int, str]) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(literal(team.name), width="stretch", anchor=False)
            with st.popover("Change", key=f"change_{team.team_id}"):
                _changes(actor, team)
        for member in team.members:
            _member(actor, team, member)
        _add(actor, team, people)


def _member(actor: Actor, team: TeamInfo, member: MemberInfo) -> None:
    key = f"{team.team_id}_{member.user_id}"
    with st.container(horizontal=True, vertical_alignment="center"):
        state = "" if member.is_active else " · deactivated"
        with st.container(gap=None, width="stretch"):
            st.text(f"{member.name}\n{member.email} · {member.role.label}{state}")
            if not member.is_accepted:
                st.badge("Has not accepted yet", icon=":material/schedule:", color="orange")
        confirmed = not member.is_accepted and _keeps_all(actor) and st.button("Put in now", key=f"confirm_{key}")
        manages = st.toggle(
            "Manages the team",
            value=member.is_manager,
            key=f"manages_{key}_{member.is_manager}",
            disabled=not member.is_active,
        )
        label = "Remove" if member.is_accepted else "Take back"
        removed = st.button(label, key=f"remove_{key}", type="tertiary", icon=":material/person_remove:")
    if manages is not member.is_manager:
        message = _member_message(actor, team, member, manages=manages)
        put = partial(teams.add_member, is_manager=manages)
        _carry_out(put, actor, team.team_id, member.user_id, message=message)
    if confirmed:
        put = partial(teams.add_member, is_manager=member.is_manager)
        _carry_out(put, actor, team.team_id, member.user_id, message=f"{member.name} is in {team.name}.")
    if removed:
        _carry_out(teams.remove_member, actor, team.team_id, member.user_id)


def _member_message(actor: Actor, team: TeamInfo, member: MemberInfo, *, manages: bool) -> str:
    if not (member.is_accepted or _keeps_all(actor)):
        return f"{member.name} is asked to {'manage' if manages else 'join'} {team.name}."
    return f"{member.name} {'manages' if manages else 'no longer manages'} {team.name}."


def _keeps_all(actor: Actor) -> bool:
    """Return whether the user adds members without their consent, as those who manage people do."""
    return Permission.PEOPLE_MANAGE in ROLE_PERMISSIONS[actor.role]


def _add(actor: Actor, team: TeamInfo, people: dict[int, str]) -> None:
    """Several people at once, as members; who manages is switched in their lines."""
    present = {member.user_id for member in team.members}
    others = {user_id: name for user_id, name in people.items() if user_id not in present}
    if not others:
        st.caption("Everybody with an account is in this team.")
        return
    with (
        st.form(f"add_{team.team_id}", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        user_ids = st.multiselect(
            "Add people", list(others), format_func=others.__getitem__, placeholder="One or several people"
        )
        sent = st.form_submit_button("Add", icon=":material/person_add:")
    if sent and user_ids:
        _carry_out(teams.add_members, actor, team.team_id, user_ids)


def _changes(actor: Actor, team: TeamInfo) -> None:
    with st.form(f"rename_{team.team_id}", border=False):
        name = st.text_input("Name", value=team.name, max_chars=100)
        renamed = st.form_submit_button("Rename", type="primary")
    if renamed:
        _carry_out(teams.rename_team, actor, team.team_id, name)
    st.caption("Dissolving a team takes away at once what its people see only through it. They keep their accounts.")
    if st.button("Dissolve the team", key=f"dissolve_{team.team_id}"):
        _carry_out(teams.delete_team, actor, team.team_id)


def _others(others: list[TeamInfo]) -> None:
    """Show the teams that the user does not manage, read-only."""
    if others:
        with st.expander(f"Other teams · {len(others)}", icon=":material/groups:"):
            for team in others:
                accepted = [member for member in team.members if member.is_accepted]
                members = ", ".join(
                    f"{member.name} (manager)" if member.is_manager else member.name for member in accepted
                )
                st.text(f"{team.name}: {members or 'nobody yet'}")


def _carry_out(command: Callable[..., object], *given: Any, message: str = "") -> None:
    """Run a command in one transaction, and rerun the page if it succeeds."""

    def carry_out() -> None:
        with transaction() as session:
            command(session, *given)

    if run_command(carry_out):
        st.session_state[MESSAGE] = message  # Shown by the next run: a rerun drops toasts of this one.
        st.rerun()


show(current_actor())

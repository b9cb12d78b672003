"""Who works on a sheet: initials in each person's colour, names on asking."""

from collections.abc import Sequence

import streamlit as st

from core.base.permissions import Level, RowScope
from core.sharing.shares import CollaboratorInfo, TeamShare
from pages.components.app.format import color_of, initials, literal

SHOWN = 5
EVERYBODY = {
    "viewer": "Everybody in the workspace may read it.",
    "commenter": "Everybody in the workspace may read and comment on it.",
    "editor": "Everybody in the workspace may edit it.",
}


def show(
    level: Level, people: Sequence[CollaboratorInfo], teams: Sequence[TeamShare], workspace_level: str | None
) -> None:
    """What one is to the sheet oneself, then one badge a person, the owner first, and one for the teams."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", width="content"):
        st.badge(level.label, color="gray", help=f"You are {level.label.lower()} of this sheet.")
        for person in people[:SHOWN]:
            st.badge(literal(initials(person.name)), color=color_of(person.user_id), help=_told(person))
        if len(people) > SHOWN:
            st.badge(f"+{len(people) - SHOWN}", color="gray", help=", ".join(map(_told, people[SHOWN:])))
        if teams:
            st.badge(f":material/group: {len(teams)}", color="gray", help=", ".join(map(_told, teams)))
        if workspace_level:
            st.badge(":material/groups:", color="gray", help=EVERYBODY[workspace_level])


def _told(whom: CollaboratorInfo | TeamShare) -> str:
    name = f"Team {whom.name}" if isinstance(whom, TeamShare) else whom.name
    rows = "" if whom.row_scope is RowScope.ALL else f" of {whom.row_scope.label.lower()}"
    return f"{literal(name)}, {whom.level.label.lower()}{rows}"

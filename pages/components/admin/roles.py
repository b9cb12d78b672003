"""The roles of the workspace in words: what each may begin here. What somebody may do in a sheet its shares say."""

import streamlit as st

from core.base.permissions import Role

MEANINGS = {
    Role.ADMIN: "manages people, teams and the workspace",
    Role.MANAGER: "makes teams and says who is in them, creates sheets",
    Role.MEMBER: "creates sheets and works in what is shared",
    Role.ANALYST: "reads, comments on and exports what is shared",
}


def choose(key: str, *, now: Role = Role.MEMBER) -> Role:
    """A role, with what it means beside its name."""
    roles = list(MEANINGS)
    return st.selectbox("Role", roles, index=roles.index(now), format_func=meaning, key=key)


def meaning(role: Role) -> str:
    """The role and what it means."""
    return f"{role.label}: {MEANINGS[role]}"

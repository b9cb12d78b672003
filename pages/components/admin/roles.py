"""Descriptions of the workspace roles. Permissions within a sheet come from its shares."""

import streamlit as st

from core.base.permissions import Role

MEANINGS = {
    Role.ADMIN: "manages people, teams and the workspace",
    Role.MANAGER: "manages teams and creates sheets",
    Role.MEMBER: "creates sheets and works in shared sheets",
    Role.ANALYST: "reads, comments on and exports shared sheets",
}


def choose(key: str, *, now: Role = Role.MEMBER) -> Role:
    """A role, with what it means beside its name."""
    roles = list(MEANINGS)
    return st.selectbox("Role", roles, index=roles.index(now), format_func=meaning, key=key)


def meaning(role: Role) -> str:
    """The role and what it means."""
    return f"{role.label}: {MEANINGS[role]}"

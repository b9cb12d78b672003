"""Whom a sheet is shared with: a line for each person and team with level and rows, more of them, another owner."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.permissions import Level, RowScope
from core.sharing import shares
from core.sharing.shares import CollaboratorInfo, TeamShare
from core.sharing.transfer import transfer_sheet
from db.engine import transaction
from pages.components.app.errors import run_command
from pages.components.app.format import literal

LEVELS = {
    Level.EDITOR: "Editor: reads and changes rows",
    Level.COMMENTER: "Commenter: reads and comments",
    Level.VIEWER: "Viewer: reads and exports",
}
ROWS = (RowScope.ALL, RowScope.OWN, RowScope.TEAM)
EVERYBODY = {
    None: "Only who is named above",
    Level.VIEWER: "May read it",
    Level.COMMENTER: "May read and comment on it",
    Level.EDITOR: "May read and change it",
}
LEVEL_WIDTH, ROWS_WIDTH = 132, 165


@dataclass(frozen=True)
class Whom:
    """A person or a team."""

    kind: str
    number: int

    @property
    def is_team(self) -> bool:
        return self.kind == "team"


@dataclass(frozen=True)
class Shared:
    """The sheet with everybody who has it, and who could be given it."""

    access: Access
    people: list[CollaboratorInfo]
    teams: list[TeamShare]
    others: dict[Whom, str]


def show(actor: Actor, sheet_id: int) -> None:
    """The lines, then what one can add."""
    shared = _read(actor, sheet_id)
    owner, *people = shared.people
    with _line(f"{owner.name}\n{owner.email}"):
        st.badge("Owner", color="gray")
    lines: list[TeamShare | CollaboratorInfo] = [*shared.teams, *people]
    for share in lines:
        _given(actor, shared.access, share)
    _add(actor, shared)
    _everybody(actor, shared.access)
    _hand_over(actor, shared)


def _read(actor: Actor, sheet_id: int) -> Shared:
    with transaction() as session:
        access = get_access(session, actor, sheet_id)
        teams = shares.teams_to_share_with(session, access)
        people = shares.people_to_share_with(session, access)
        others = {Whom("team", number): f"Team {name}" for number, name in teams.items()}
        others |= {Whom("person", number): name for number, name in people.items()}
        return Shared(
            access,
            shares.collaborators(session, access),
            shares.team_shares(session, access),
            others,
        )


def _line(text: str) -> DeltaGenerator:
    line = st.container(horizontal=True, vertical_alignment="center", gap="small")
    # Plain text: letter by letter, and an address can be copied.
    line.text(text, width="stretch")
    return line


def _given(actor: Actor, access: Access, share: TeamShare | CollaboratorInfo) -> None:
    """One line: what is chosen in it holds at once."""
    whom, text = _told(share)
    key = f"{whom.kind}_{whom.number}_{share.level.value}_{share.row_scope.value}"
    levels: list[Level | None] = [*LEVELS, None]
    with _line(text), st.container(horizontal=True, gap="small", wrap=False, width="content"):
        level = st.selectbox(
            "Level",
            levels,
            index=levels.index(share.level),
            format_func=lambda level: level.label if level else "Remove",
            key=f"level_{key}",
            label_visibility="collapsed",
            width=LEVEL_WIDTH,
        )
        rows = _rows_of(access, share.row_scope, f"rows_{key}")
    changed = None if rows is share.row_scope else rows
    if (level is not share.level or changed) and run_command(_give, actor, access, whom, level, changed):
        st.rerun(scope="fragment")


def _told(share: TeamShare | CollaboratorInfo) -> tuple[Whom, str]:
    """Who it is, and what stands in their line."""
    if isinstance(share, CollaboratorInfo):
        return Whom("person", share.user_id), f"{share.name}\n{share.email}"
    size = f"{share.size} {'person' if share.size == 1 else 'people'}"
    managers = " · its managers see the team's rows" if share.row_scope is RowScope.OWN else ""
    return Whom("team", share.team_id), f"Team {share.name}\n{size}{managers}"


def _rows_of(access: Access, rows: RowScope, key: str) -> RowScope:
    """Which rows; nothing to choose where the sheet does not say whose a row is."""
    if access.owner_column is None and rows is RowScope.ALL:
        return rows
    return st.selectbox(
        "Rows",
        ROWS,
        index=ROWS.index(rows),
        format_func=lambda one: one.label,
        key=key,
        label_visibility="collapsed",
        width=ROWS_WIDTH,
    )


def _give(actor: Actor, access: Access, whom: Whom, level: Level | None, rows: RowScope | None) -> None:
    with transaction() as session:
        sheet = access.sheet.sheet_id
        if level is None:
            (shares.unshare_team if whom.is_team else shares.unshare_sheet)(session, actor, sheet, whom.number)
        elif whom.is_team:
            shares.share_with_team(session, actor, sheet, whom.number, level=level, row_scope=rows)
        else:
            shares.share_sheet(session, actor, sheet, whom.number, level=level, row_scope=rows)


def _add(actor: Actor, shared: Shared) -> None:
    if not shared.others:
        st.caption("Everybody with an account has this sheet already. An administrator can invite more people.")
        return
    with st.form("share_with", border=True, clear_on_submit=True):
        whom = st.selectbox(
            "Share with",
            list(shared.others),
            format_func=shared.others.__getitem__,
            index=None,
            placeholder="A team or a person",
        )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            levels = list(LEVELS)
            # What gives away least is there at first.
            level = st.selectbox("As", levels, levels.index(Level.VIEWER), format_func=LEVELS.__getitem__)
            rows = _rows_to_give(shared.access)
            sent = st.form_submit_button("Share", type="primary", icon=":material/person_add:")
        st.caption(_about_rows(shared.access))
    if sent and whom is not None and run_command(_give, actor, shared.access, whom, level, rows):
        st.rerun(scope="fragment")


def _rows_to_give(access: Access) -> RowScope:
    if access.owner_column is None:
        return RowScope.ALL
    return st.selectbox("Which rows", ROWS, format_func=lambda one: one.label, width=ROWS_WIDTH)


def _about_rows(access: Access) -> str:
    if access.owner_column is None:
        return "To give people only their own rows, say under “Settings” whose a row is: a column of people."
    column_name = literal(access.owner_column.name)
    return f"Whose a row is, “{column_name}” says. In a team that is given its own rows, its managers see the team's."


def _everybody(actor: Actor, access: Access) -> None:
    levels = list(EVERYBODY)
    now = Level(access.sheet.workspace_level) if access.sheet.workspace_level else None
    level = st.selectbox(
        "Everybody in the workspace", levels, index=levels.index(now), format_func=EVERYBODY.__getitem__
    )
    if level != now and run_command(_set_workspace, actor, access.sheet.sheet_id, level):
        st.rerun(scope="fragment")


def _set_workspace(actor: Actor, sheet_id: int, level: Level | None) -> None:
    with transaction() as session:
        shares.share_with_workspace(session, actor, sheet_id, level=level)


def _hand_over(actor: Actor, shared: Shared) -> None:
    """Another owner, for whom this dialog is theirs from then on."""
    heirs = {person.user_id: f"{person.name} · {person.email}" for person in shared.people[1:]}
    heirs |= {whom.number: name for whom, name in shared.others.items() if not whom.is_team}
    with st.expander("Transfer to another owner", icon=":material/move_item:"):
        if not heirs:
            st.caption("There is nobody else in the workspace yet.")
            return
        with st.form("transfer", border=False):
            heir = st.selectbox("New owner", list(heirs), format_func=heirs.__getitem__, index=None)
            st.caption("They share and configure the sheet from then on; you stay as an editor.")
            sent = st.form_submit_button("Transfer the sheet")
        if sent and heir is not None and run_command(_transfer, actor, shared.access.sheet.sheet_id, heir):
            st.rerun()


def _transfer(actor: Actor, sheet_id: int, user_id: int) -> None:
    with transaction() as session:
        transfer_sheet(session, actor, sheet_id, user_id)

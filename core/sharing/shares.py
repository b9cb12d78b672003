"""Sharing: who else may use a sheet, how, and which of its rows; one by one, by team, or the whole workspace."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access.access import Access, get_access
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.base.notify import notice_sheet_rights
from core.base.permissions import Level, Permission, Role, RowScope
from db.folding import folded
from db.tables.sharing import Team, TeamCollaborator
from db.tables.sheets import Collaborator, Sheet, User

SHAREABLE = (Level.EDITOR, Level.COMMENTER, Level.VIEWER)
# What an analyst may be at most; the view sheet_levels keeps to it whatever a team or the workspace is given.
FOR_ANALYSTS = (Level.COMMENTER, Level.VIEWER)


@dataclass(frozen=True)
class CollaboratorInfo:
    """A person with a level on a sheet, and which of its rows they are given."""

    user_id: int
    name: str
    email: str
    level: Level
    row_scope: RowScope = RowScope.ALL


@dataclass(frozen=True)
class TeamShare:
    """A team with a level on a sheet, and which rows its people are given; `size`: how many active people are in it."""

    team_id: int
    name: str
    size: int
    level: Level
    row_scope: RowScope


def collaborators(session: Session, actor: Actor, sheet_id: int) -> list[CollaboratorInfo]:
    """The owner, then everybody the sheet is shared with one by one, by name."""
    access = get_access(session, actor, sheet_id, Permission.PEERS_SEE)
    user_id, name, email = session.execute(_person(access.sheet.owner_id)).one()
    owner = CollaboratorInfo(user_id, name, email, Level.OWNER)
    shared = session.execute(
        select(User.user_id, User.name, User.email, Collaborator.level, Collaborator.row_scope)
        .join(Collaborator, Collaborator.user_id == User.user_id)
        .where(Collaborator.sheet_id == sheet_id, User.is_active)
        .order_by(folded(User.name), User.user_id)
    )
    return [
        owner,
        *(CollaboratorInfo(u, name, email, Level(level), RowScope(rows)) for u, name, email, level, rows in shared),
    ]


def team_shares(session: Session, actor: Actor, sheet_id: int) -> list[TeamShare]:
    """The teams that the sheet is shared with, by name."""
    get_access(session, actor, sheet_id, Permission.PEERS_SEE)
    shared = session.execute(_TEAM_SHARES, {"sheet": sheet_id})
    return [TeamShare(t, name, size, Level(level), RowScope(rows)) for t, name, size, level, rows in shared]


def share_sheet(
    session: Session, actor: Actor, sheet_id: int, user_id: int, *, level: Level, row_scope: RowScope | None = None
) -> None:
    """Let a person use the sheet, or change how. Without `row_scope` they keep their rows, or are given all."""
    access = _sharing(session, actor, sheet_id, level, row_scope)
    if user_id == access.sheet.owner_id:
        raise Invalid("The owner has every right already.")
    person = session.execute(select(User.name, User.role).where(User.user_id == user_id, User.is_active)).one_or_none()
    if person is None:
        raise NotFound("There is no such person in this workspace.")
    if person.role == Role.ANALYST and level not in FOR_ANALYSTS:
        raise Invalid(f"{person.name} is an analyst, who reads and comments: share as commenter or viewer.")
    _give(session, Collaborator, {"sheet_id": sheet_id, "user_id": user_id}, level, row_scope)
    _told(session, actor, access, "sheet:share:grant", user=user_id, level=level, rows=row_scope)


def share_with_team(
    session: Session, actor: Actor, sheet_id: int, team_id: int, *, level: Level, row_scope: RowScope | None = None
) -> None:
    """Let the people of a team use the sheet, or change how. Given their own rows, its managers see the team's."""
    access = _sharing(session, actor, sheet_id, level, row_scope)
    if session.scalar(select(Team.team_id).where(Team.team_id == team_id).with_for_update(read=True)) is None:
        raise NotFound("There is no such team.")
    _give(session, TeamCollaborator, {"sheet_id": sheet_id, "team_id": team_id}, level, row_scope)
    _told(session, actor, access, "sheet:share:grant", team=team_id, level=level, rows=row_scope)


def unshare_sheet(session: Session, actor: Actor, sheet_id: int, user_id: int) -> None:
    """Take the sheet away from a person."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    if user_id == access.sheet.owner_id:
        raise Invalid("A sheet has an owner at all times: transfer it to somebody else first.")
    gone = delete(Collaborator).where(Collaborator.sheet_id == sheet_id, Collaborator.user_id == user_id)
    if session.scalar(gone.returning(Collaborator.user_id)) is None:
        raise NotFound("The sheet is not shared with this person.")
    _told(session, actor, access, "sheet:share:revoke", user=user_id)


def unshare_team(session: Session, actor: Actor, sheet_id: int, team_id: int) -> None:
    """Take the sheet away from a team. Whoever has it otherwise, too, keeps that."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    gone = delete(TeamCollaborator).where(TeamCollaborator.sheet_id == sheet_id, TeamCollaborator.team_id == team_id)
    if session.scalar(gone.returning(TeamCollaborator.team_id)) is None:
        raise NotFound("The sheet is not shared with this team.")
    _told(session, actor, access, "sheet:share:revoke", team=team_id)


def share_with_workspace(session: Session, actor: Actor, sheet_id: int, *, level: Level | None) -> None:
    """Let everybody of the workspace use the sheet at this level; None takes that back."""
    access = _sharing(session, actor, sheet_id, level)
    session.execute(
        update(Sheet).where(Sheet.sheet_id == sheet_id).values(workspace_level=level.value if level else None)
    )
    _told(session, actor, access, "sheet:share:workspace", level=level)


def people_to_share_with(session: Session, actor: Actor, sheet_id: int) -> dict[int, str]:
    """Active people whom the sheet is not shared with yet: user id → name and e-mail."""
    present = {person.user_id for person in collaborators(session, actor, sheet_id)}
    rows = session.execute(
        select(User.user_id, User.name, User.email).where(User.is_active).order_by(folded(User.name))
    )
    return {user_id: f"{name} · {email}" for user_id, name, email in rows if user_id not in present}


def teams_to_share_with(session: Session, actor: Actor, sheet_id: int) -> dict[int, str]:
    """Teams that the sheet is not shared with yet: team id → name."""
    present = {team.team_id for team in team_shares(session, actor, sheet_id)}
    rows = session.execute(select(Team.team_id, Team.name).order_by(folded(Team.name)))
    return {team_id: name for team_id, name in rows if team_id not in present}


def _sharing(
    session: Session, actor: Actor, sheet_id: int, level: Level | None, row_scope: RowScope | None = None
) -> Access:
    """The sheet, which this actor may share so. Raises Invalid where nothing tells whose a row is."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    if level is not None and level not in SHAREABLE:
        raise Invalid("A sheet is shared as editor, commenter or viewer. Its owner may transfer it.")
    if row_scope not in {None, RowScope.ALL} and access.owner_column is None:
        raise Invalid(
            f"“{access.sheet.name}” does not say whose a row is: choose the column that does in its settings."
        )
    return access


def _give(session: Session, table: type[Any], key: dict[str, int], level: Level, row_scope: RowScope | None) -> None:
    given = {"level": level.value} | ({"row_scope": row_scope.value} if row_scope else {})
    session.execute(insert(table).values(**key, **given).on_conflict_do_update(index_elements=[*key], set_=given))


def _told(session: Session, actor: Actor, access: Access, action: str, **facts: Any) -> None:
    sheet_id = access.sheet.sheet_id
    notice_sheet_rights(session, sheet_id)
    audit.record(session, actor, action, sheet_id=sheet_id, **facts)


def _person(user_id: int) -> Select[int, str, str]:
    return select(User.user_id, User.name, User.email).where(User.user_id == user_id)


_TEAM_SHARES = text("""
    SELECT t.team_id, t.name,
           (SELECT count(*) FROM team_members m JOIN users u USING (user_id)
            WHERE m.team_id = t.team_id AND m.accepted_at IS NOT NULL AND u.is_active) AS size, c.level, c.row_scope
    FROM team_collaborators c JOIN teams t USING (team_id)
    WHERE c.sheet_id = :sheet ORDER BY fold_text(t.name) COLLATE "C", t.team_id
""")

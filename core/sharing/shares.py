"""Sharing a sheet with people, teams or the whole workspace: at which level, and which of its rows."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.base.permissions import Level, Permission, Role, RowScope
from core.base.pg_notify import notify_sheet_rights
from db.folding import folded
from db.tables.sharing import Team, TeamCollaborator
from db.tables.sheets import Collaborator, Sheet, User

SHAREABLE = (Level.EDITOR, Level.COMMENTER, Level.VIEWER)
# The levels that an analyst can have. The view sheet_levels applies this limit to team and workspace shares too.
ANALYST_LEVELS = (Level.COMMENTER, Level.VIEWER)


@dataclass(frozen=True)
class CollaboratorInfo:
    """A person that a sheet is shared with: their level, and which rows they see."""

    user_id: int
    name: str
    email: str
    level: Level
    row_scope: RowScope = RowScope.ALL


@dataclass(frozen=True)
class TeamShare:
    """A team that a sheet is shared with: its level, which rows its people see, and `size`, its active members."""

    team_id: int
    name: str
    size: int
    level: Level
    row_scope: RowScope


def collaborators(session: Session, access: Access) -> list[CollaboratorInfo]:
    """Return the owner, then the people that the sheet is shared with individually, by name."""
    access.require(Permission.PEERS_SEE)
    shared = session.execute(_COLLABORATORS, {"sheet": access.sheet.sheet_id})
    return [CollaboratorInfo(u, name, email, Level(level), RowScope(rows)) for u, name, email, level, rows in shared]


def team_shares(session: Session, access: Access) -> list[TeamShare]:
    """Return the teams that the sheet is shared with, by name."""
    access.require(Permission.PEERS_SEE)
    shared = session.execute(_TEAM_SHARES, {"sheet": access.sheet.sheet_id})
    return [TeamShare(t, name, size, Level(level), RowScope(rows)) for t, name, size, level, rows in shared]


def share_sheet(
    session: Session, actor: Actor, sheet_id: int, user_id: int, *, level: Level, row_scope: RowScope | None = None
) -> None:
    """Share the sheet with a person, or change their level and rows. Without `row_scope`, it stays or starts as all."""
    access = _check_share(session, actor, sheet_id, level, row_scope)
    if user_id == access.sheet.owner_id:
        raise Invalid("The owner already has every right.")
    person = session.execute(select(User.name, User.role).where(User.user_id == user_id, User.is_active)).one_or_none()
    if person is None:
        raise NotFound("This person is not in the workspace.")
    if person.role == Role.ANALYST and level not in ANALYST_LEVELS:
        raise Invalid(f"{person.name} is an analyst and can only read and comment. Share as commenter or viewer.")
    _save_share(session, Collaborator, {"sheet_id": sheet_id, "user_id": user_id}, level, row_scope)
    _record(session, actor, access, "sheet:share:grant", user=user_id, level=level, rows=row_scope)


def share_with_team(
    session: Session, actor: Actor, sheet_id: int, team_id: int, *, level: Level, row_scope: RowScope | None = None
) -> None:
    """Share the sheet with a team, or change its level and rows. With own rows, its managers see the team's rows."""
    access = _check_share(session, actor, sheet_id, level, row_scope)
    if session.scalar(select(Team.team_id).where(Team.team_id == team_id).with_for_update(read=True)) is None:
        raise NotFound("This team does not exist.")
    _save_share(session, TeamCollaborator, {"sheet_id": sheet_id, "team_id": team_id}, level, row_scope)
    _record(session, actor, access, "sheet:share:grant", team=team_id, level=level, rows=row_scope)


def unshare_sheet(session: Session, actor: Actor, sheet_id: int, user_id: int) -> None:
    """Stop sharing the sheet with a person. Raises NotFound."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    if user_id == access.sheet.owner_id:
        raise Invalid("A sheet always has an owner. Transfer it to another person first.")
    statement = delete(Collaborator).where(Collaborator.sheet_id == sheet_id, Collaborator.user_id == user_id)
    if session.scalar(statement.returning(Collaborator.user_id)) is None:
        raise NotFound("The sheet is not shared with this person.")
    _record(session, actor, access, "sheet:share:revoke", user=user_id)


def unshare_team(session: Session, actor: Actor, sheet_id: int, team_id: int) -> None:
    """Stop sharing the sheet with a team. Members keep shares of their own. Raises NotFound."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    statement = delete(TeamCollaborator).where(
        TeamCollaborator.sheet_id == sheet_id, TeamCollaborator.team_id == team_id
    )
    if session.scalar(statement.returning(TeamCollaborator.team_id)) is None:
        raise NotFound("The sheet is not shared with this team.")
    _record(session, actor, access, "sheet:share:revoke", team=team_id)


def share_with_workspace(session: Session, actor: Actor, sheet_id: int, *, level: Level | None) -> None:
    """Share the sheet with the whole workspace at this level; None stops that."""
    access = _check_share(session, actor, sheet_id, level)
    session.execute(
        update(Sheet).where(Sheet.sheet_id == sheet_id).values(workspace_level=level.value if level else None)
    )
    _record(session, actor, access, "sheet:share:workspace", level=level)


def people_to_share_with(session: Session, access: Access) -> dict[int, str]:
    """Return the active people that the sheet is not shared with: user id → name and e-mail."""
    shared_with = {person.user_id for person in collaborators(session, access)}
    rows = session.execute(
        select(User.user_id, User.name, User.email).where(User.is_active).order_by(folded(User.name))
    )
    return {user_id: f"{name} · {email}" for user_id, name, email in rows if user_id not in shared_with}


def teams_to_share_with(session: Session, access: Access) -> dict[int, str]:
    """Return the teams that the sheet is not shared with: team id → name."""
    shared_with = {team.team_id for team in team_shares(session, access)}
    rows = session.execute(select(Team.team_id, Team.name).order_by(folded(Team.name)))
    return {team_id: name for team_id, name in rows if team_id not in shared_with}


def _check_share(
    session: Session, actor: Actor, sheet_id: int, level: Level | None, row_scope: RowScope | None = None
) -> Access:
    """Return the sheet if this actor may share it at this level and scope. Raises Invalid and NotAllowed."""
    access = get_access(session, actor, sheet_id, Permission.SHEET_SHARE)
    if level is not None and level not in SHAREABLE:
        raise Invalid("Share a sheet as editor, commenter or viewer. To change its owner, transfer it.")
    if row_scope not in {None, RowScope.ALL} and access.owner_column is None:
        raise Invalid(f"“{access.sheet.name}” has no row-owner column. Choose one in the sheet's settings first.")
    return access


def _save_share(
    session: Session, table: type[Any], key: dict[str, int], level: Level, row_scope: RowScope | None
) -> None:
    values = {"level": level.value} | ({"row_scope": row_scope.value} if row_scope else {})
    session.execute(insert(table).values(**key, **values).on_conflict_do_update(index_elements=[*key], set_=values))


def _record(session: Session, actor: Actor, access: Access, action: str, **facts: Any) -> None:
    sheet_id = access.sheet.sheet_id
    notify_sheet_rights(session, sheet_id)
    audit.record(session, actor, action, sheet_id=sheet_id, **facts)


_COLLABORATORS = text("""
    SELECT u.user_id, u.name, u.email, p.level, p.row_scope
    FROM (SELECT owner_id AS user_id, 'owner' AS level, 'all' AS row_scope FROM sheets WHERE sheet_id = :sheet
          UNION ALL SELECT user_id, level, row_scope FROM collaborators WHERE sheet_id = :sheet) p
    JOIN users u USING (user_id)
    WHERE u.is_active OR p.level = 'owner'
    ORDER BY p.level <> 'owner', fold_text(u.name) COLLATE "C", u.user_id
""")
_TEAM_SHARES = text("""
    SELECT t.team_id, t.name,
           (SELECT count(*) FROM team_members m JOIN users u USING (user_id)
            WHERE m.team_id = t.team_id AND m.accepted_at IS NOT NULL AND u.is_active) AS size, c.level, c.row_scope
    FROM team_collaborators c JOIN teams t USING (team_id)
    WHERE c.sheet_id = :sheet ORDER BY fold_text(t.name) COLLATE "C", t.team_id
""")

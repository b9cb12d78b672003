"""Teams: people who are given sheets together. Administrators keep all of them, managers the ones that they manage."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.accounts import clean_name, require
from core.actor import Actor
from core.errors import Invalid, NotAllowed, NotFound
from core.notices import notice_person_rights, notice_sheet_rights
from core.permissions import ROLE_PERMISSIONS, Permission, Role
from db.folding import folded
from db.sharing_tables import Team, TeamMember
from db.tables import User


@dataclass(frozen=True)
class MemberInfo:
    """A person in a team."""

    user_id: int
    name: str
    email: str
    role: Role
    is_manager: bool
    is_active: bool


@dataclass(frozen=True)
class TeamInfo:
    """A team with its people, its managers first; `may_manage`: whether the one who asks may change it."""

    team_id: int
    name: str
    members: tuple[MemberInfo, ...]
    may_manage: bool


def teams(session: Session, actor: Actor) -> list[TeamInfo]:
    """Every team by name. For everybody who may know the people of the workspace."""
    require(actor, Permission.PEOPLE_SEE)
    members: dict[int, list[MemberInfo]] = defaultdict(list)
    for team_id, *known in session.execute(_MEMBERS):
        user_id, name, email, role, is_manager, is_active = known
        members[team_id].append(MemberInfo(user_id, name, email, Role(role), is_manager, is_active))
    found = session.execute(select(Team.team_id, Team.name).order_by(folded(Team.name), Team.team_id))
    return [
        TeamInfo(team_id, name, tuple(members[team_id]), _may_manage(actor, members[team_id]))
        for team_id, name in found
    ]


def get_team(session: Session, actor: Actor, team_id: int) -> TeamInfo:
    """One team. Raises NotFound."""
    found = next((team for team in teams(session, actor) if team.team_id == team_id), None)
    if found is None:
        raise NotFound("There is no such team.")
    return found


def people_to_add(session: Session, actor: Actor) -> dict[int, str]:
    """Whom a team may have: user id → name and e-mail of everybody who is active."""
    require(actor, Permission.TEAMS_MANAGE)
    rows = session.execute(
        select(User.user_id, User.name, User.email).where(User.is_active).order_by(folded(User.name))
    )
    return {user_id: f"{name} · {email}" for user_id, name, email in rows}


def create_team(session: Session, actor: Actor, name: str) -> int:
    """A new team: its number. A manager who makes one manages it from the start; an administrator stays outside."""
    require(actor, Permission.TEAMS_MANAGE)
    cleaned = clean_name(name)
    team_id: int = _named(session, cleaned, insert(Team).values(name=cleaned).returning(Team.team_id))
    audit.record(session, actor, "team:team:create", team=team_id, name=cleaned)
    if not _keeps_all(actor):
        _put(session, actor, team_id, cleaned, actor.user_id, is_manager=True)
    return team_id


def rename_team(session: Session, actor: Actor, team_id: int, name: str) -> None:
    """Give a team another name."""
    before, cleaned = _managed(session, actor, team_id), clean_name(name)
    _named(session, cleaned, update(Team).where(Team.team_id == team_id).values(name=cleaned).returning(Team.team_id))
    audit.record(session, actor, "team:team:rename", team=team_id, before=before, name=cleaned)


def delete_team(session: Session, actor: Actor, team_id: int) -> None:
    """Dissolve a team. Its people stay; what they had only through it is gone for them at once."""
    name = _managed(session, actor, team_id)
    members = [*session.scalars(select(TeamMember.user_id).where(TeamMember.team_id == team_id))]
    _notice(session, team_id, members)
    session.execute(delete(Team).where(Team.team_id == team_id))
    audit.record(session, actor, "team:team:delete", team=team_id, name=name, members=members)


def add_member(session: Session, actor: Actor, team_id: int, user_id: int, *, is_manager: bool = False) -> None:
    """Put a person into a team, or make a member of it a manager or none: whom the rows of the team are shown to."""
    name = _managed(session, actor, team_id)
    if not session.scalar(select(User.user_id).where(User.user_id == user_id, User.is_active)):
        raise NotFound("There is no such person in this workspace.")
    _put(session, actor, team_id, name, user_id, is_manager=is_manager)


def add_members(session: Session, actor: Actor, team_id: int, people: Iterable[int]) -> None:
    """Put several people into a team, all or none of them."""
    for user_id in people:
        add_member(session, actor, team_id, user_id)


def remove_member(session: Session, actor: Actor, team_id: int, user_id: int) -> None:
    """Take a person out of a team. What they had only through it is gone for them at once."""
    name = _managed(session, actor, team_id)
    _notice(session, team_id, [user_id])
    leaving = delete(TeamMember).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
    if session.scalar(leaving.returning(TeamMember.user_id)) is None:
        raise NotFound(f"This person is not in “{name}”.")
    audit.record(session, actor, "team:member:remove", team=team_id, name=name, user=user_id)


def _put(session: Session, actor: Actor, team_id: int, name: str, user_id: int, *, is_manager: bool) -> None:
    line = {"team": team_id, "user": user_id, "manages": is_manager}
    is_new = session.scalar(_PUT, line)
    if is_new is None:
        return  # They are exactly that already.
    _notice(session, team_id, [user_id])
    verb = "add" if is_new else "manage"
    audit.record(session, actor, f"team:member:{verb}", team=team_id, name=name, user=user_id, manager=is_manager)


def _managed(session: Session, actor: Actor, team_id: int) -> str:
    """The name of a team that this actor may change; of two who change it at once the second one waits."""
    require(actor, Permission.TEAMS_MANAGE)
    name = session.scalar(select(Team.name).where(Team.team_id == team_id).with_for_update())
    if name is None:
        raise NotFound("There is no such team.")
    mine = (TeamMember.team_id == team_id, TeamMember.user_id == actor.user_id, TeamMember.is_manager)
    if not (_keeps_all(actor) or session.scalar(select(TeamMember.user_id).where(*mine))):
        raise NotAllowed(f"You do not manage “{name}”. Ask one of its managers or an administrator.")
    return name


def _may_manage(actor: Actor, members: Iterable[MemberInfo]) -> bool:
    manages = any(one.user_id == actor.user_id and one.is_manager for one in members)
    return _keeps_all(actor) or (manages and Permission.TEAMS_MANAGE in ROLE_PERMISSIONS[actor.role])


def _keeps_all(actor: Actor) -> bool:
    """Whoever manages people keeps every team."""
    return Permission.PEOPLE_MANAGE in ROLE_PERMISSIONS[actor.role]


def _named(session: Session, name: str, statement: Executable) -> Any:
    """Carry out what gives a team its name; no two teams share one, however they are cased."""
    try:
        with session.begin_nested():
            return session.scalar(statement)
    except IntegrityError as error:
        raise Invalid(f"There is a team “{name}” already. Choose another name.") from error


def _notice(session: Session, team_id: int, people: Iterable[int]) -> None:
    """Who is in the team changes what these people may see, and which rows are the team's for the others."""
    for user_id in people:
        notice_person_rights(session, user_id)
    for sheet_id in session.scalars(_TOUCHED, {"team": team_id}):
        notice_sheet_rights(session, sheet_id)


_MEMBERS = text("""
    SELECT m.team_id, u.user_id, u.name, u.email, u.role, m.is_manager, u.is_active
    FROM team_members m JOIN users u USING (user_id)
    ORDER BY m.is_manager DESC, u.name, u.user_id
""")
_PUT = text("""
    INSERT INTO team_members AS m (team_id, user_id, is_manager) VALUES (:team, :user, :manages)
    ON CONFLICT (team_id, user_id) DO UPDATE SET is_manager = excluded.is_manager
    WHERE m.is_manager <> excluded.is_manager
    RETURNING xmax = 0 AS is_new
""")
# The sheets shared with the team, and those of which a member is given “their team's rows” by a share of their own.
_TOUCHED = text("""
    SELECT sheet_id FROM team_collaborators WHERE team_id = :team
    UNION SELECT c.sheet_id FROM collaborators c JOIN team_members m USING (user_id)
    WHERE m.team_id = :team AND c.row_scope = 'team'
""")

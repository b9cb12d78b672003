"""Teams: groups of people that sheets are shared with. Administrators manage all teams, managers those they lead.

A person whom an administrator adds is a member at once. A person whom a manager adds gets an offer and becomes a member
when they accept; until then the team changes nothing about whose rows anybody sees.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, TextClause, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts.accounts import clean_name
from core.base import audit
from core.base.actor import Actor, require
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import ROLE_PERMISSIONS, Permission, Role
from core.base.pg_notify import notify_sheet_rights, notify_user_rights
from db.folding import fold, folded
from db.tables.sharing import Team, TeamMember
from db.tables.sheets import User


@dataclass(frozen=True)
class MemberInfo:
    """A member of a team, or a person with an open offer of it (`is_accepted` is false)."""

    user_id: int
    name: str
    email: str
    role: Role
    is_manager: bool
    is_active: bool
    is_accepted: bool


@dataclass(frozen=True)
class Offer:
    """A team that the actor has been offered: by whom, and whether they would manage it."""

    team_id: int
    name: str
    by: str | None
    is_manager: bool


@dataclass(frozen=True)
class TeamInfo:
    """A team with its people, managers first; `may_manage`: whether the actor may change it."""

    team_id: int
    name: str
    members: tuple[MemberInfo, ...]
    may_manage: bool


def teams(session: Session, actor: Actor) -> list[TeamInfo]:
    """Return every team by name. Raises NotAllowed for actors who may not see people."""
    require(actor, Permission.PEOPLE_SEE)
    members: dict[int, list[MemberInfo]] = defaultdict(list)
    for team_id, user_id, name, email, role, *states in session.execute(_MEMBERS):
        members[team_id].append(MemberInfo(user_id, name, email, Role(role), *states))
    rows = session.execute(select(Team.team_id, Team.name).order_by(folded(Team.name), Team.team_id))
    return [
        TeamInfo(team_id, name, tuple(members[team_id]), _may_manage(actor, members[team_id])) for team_id, name in rows
    ]


def get_team(session: Session, actor: Actor, team_id: int) -> TeamInfo:
    """One team. Raises NotFound."""
    team = next((team for team in teams(session, actor) if team.team_id == team_id), None)
    if team is None:
        raise NotFound("This team does not exist.")
    return team


def people_to_add(session: Session, actor: Actor) -> dict[int, str]:
    """Whom a team may have: user id → name and e-mail of everybody who is active."""
    require(actor, Permission.TEAMS_MANAGE)
    rows = session.execute(
        select(User.user_id, User.name, User.email).where(User.is_active).order_by(folded(User.name))
    )
    return {user_id: f"{name} · {email}" for user_id, name, email in rows}


def create_team(session: Session, actor: Actor, name: str) -> int:
    """Create a team and return its id. A manager who creates it becomes its manager; an administrator doesn't join."""
    require(actor, Permission.TEAMS_MANAGE)
    cleaned = clean_name(name)
    insertion = insert(Team).values(name=cleaned).returning(Team.team_id)
    team_id: int = _save_name(session, cleaned, insertion, team_id=None)
    audit.record(session, actor, "team:team:create", team=team_id, name=cleaned)
    if not _manages_all(actor):
        _save_member(session, actor, team_id, cleaned, actor.user_id, is_manager=True)
    return team_id


def rename_team(session: Session, actor: Actor, team_id: int, name: str) -> None:
    """Rename a team. Raises Invalid if another team has the name."""
    before, cleaned = _lock_managed(session, actor, team_id), clean_name(name)
    renaming = update(Team).where(Team.team_id == team_id).values(name=cleaned).returning(Team.team_id)
    _save_name(session, cleaned, renaming, team_id=team_id)
    audit.record(session, actor, "team:team:rename", team=team_id, before=before, name=cleaned)


def delete_team(session: Session, actor: Actor, team_id: int) -> None:
    """Delete a team. Its people stay, but lose at once what was shared with them only through it."""
    name = _lock_managed(session, actor, team_id)
    members = [*session.scalars(select(TeamMember.user_id).where(TeamMember.team_id == team_id))]
    _notify(session, team_id, members)
    session.execute(delete(Team).where(Team.team_id == team_id))
    audit.record(session, actor, "team:team:delete", team=team_id, name=name, members=members)


def add_member(session: Session, actor: Actor, team_id: int, user_id: int, *, is_manager: bool = False) -> None:
    """Add a person to a team (an administrator) or offer it to them (a manager), or change whether they manage it.

    Managers of a team see the rows of its members.
    """
    name = _lock_managed(session, actor, team_id)
    if not session.scalar(select(User.user_id).where(User.user_id == user_id, User.is_active)):
        raise NotFound("This person is not in the workspace.")
    _save_member(session, actor, team_id, name, user_id, is_manager=is_manager)


def add_members(session: Session, actor: Actor, team_id: int, people: Iterable[int]) -> None:
    """Add several people to a team or offer it to them, all or none."""
    for user_id in people:
        add_member(session, actor, team_id, user_id)


def remove_member(session: Session, actor: Actor, team_id: int, user_id: int) -> None:
    """Remove a person from a team. They lose at once what was shared with them only through it."""
    name = _lock_managed(session, actor, team_id)
    _notify(session, team_id, [user_id])
    statement = delete(TeamMember).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
    if session.scalar(statement.returning(TeamMember.user_id)) is None:
        raise NotFound(f"This person is not in “{name}”.")
    audit.record(session, actor, "team:member:remove", team=team_id, name=name, user=user_id)


def my_offers(session: Session, actor: Actor) -> list[Offer]:
    """Return the actor's open offers by team name."""
    return [Offer(*row) for row in session.execute(_OFFERS, {"me": actor.user_id})]


def accept_offer(session: Session, actor: Actor, team_id: int) -> None:
    """Accept an offer: sheets of the team are shared with the actor, and its managers see the actor's rows."""
    name, is_manager = _answer_offer(session, actor, team_id, _ACCEPT)
    _notify(session, team_id, [actor.user_id])
    audit.record(session, actor, "team:member:accept", team=team_id, name=name, user=actor.user_id)
    _record_reach(session, actor, team_id, name, actor.user_id, is_manager=is_manager, joined=True)


def decline_offer(session: Session, actor: Actor, team_id: int) -> None:
    """Decline an offer of a team."""
    name, _ = _answer_offer(session, actor, team_id, _DECLINE)
    audit.record(session, actor, "team:member:decline", team=team_id, name=name, user=actor.user_id)


def _answer_offer(session: Session, actor: Actor, team_id: int, statement: TextClause) -> tuple[str, bool]:
    """Run the statement that answers an offer; return the team's name and whether the offer was to manage it."""
    name = session.scalar(select(Team.name).where(Team.team_id == team_id).with_for_update())
    is_manager = session.scalar(statement, {"team": team_id, "me": actor.user_id})
    if name is None or is_manager is None:
        raise NotFound("You have no offer of this team. You may already be a member, or the offer was withdrawn.")
    return name, is_manager


def _save_member(session: Session, actor: Actor, team_id: int, name: str, user_id: int, *, is_manager: bool) -> None:
    """Save a membership by an administrator or of the actor themselves; save an offer otherwise."""
    joins = _manages_all(actor) or user_id == actor.user_id
    parameters = {"team": team_id, "user": user_id, "manages": is_manager, "by": actor.user_id, "joins": joins}
    before = session.execute(_BEFORE, parameters).one_or_none()
    is_member = before is not None and before.is_member
    if before is not None and (before.is_manager, is_member) == (is_manager, is_member or joins):
        return  # Nothing changes.
    session.execute(_SAVE_MEMBER, parameters)
    _notify(session, team_id, [user_id])
    facts: dict[str, Any] = {"team": team_id, "name": name, "user": user_id, "manager": is_manager}
    if is_member or joins:
        audit.record(session, actor, "team:member:manage" if is_member else "team:member:add", **facts)
        if is_manager or not is_member:
            _record_reach(session, actor, team_id, name, user_id, is_manager=is_manager, joined=not is_member)
    else:
        audit.record(session, actor, "team:member:offer", **facts)


def _record_reach(
    session: Session, actor: Actor, team_id: int, name: str, user_id: int, *, is_manager: bool, joined: bool
) -> None:
    """Record an audit event for each sheet of which more rows become visible, so that its owner sees it."""
    parameters = {"team": team_id, "joined": joined}
    for sheet_id in session.scalars(_REACHED_SHEETS, parameters).all():
        facts: dict[str, Any] = {"team": team_id, "name": name, "user": user_id, "manager": is_manager}
        audit.record(session, actor, "sheet:share:reach", sheet_id=sheet_id, **facts, joined=joined)


def _lock_managed(session: Session, actor: Actor, team_id: int) -> str:
    """Lock a team that this actor may change and return its name. Raises NotFound and NotAllowed."""
    require(actor, Permission.TEAMS_MANAGE)
    name = session.scalar(select(Team.name).where(Team.team_id == team_id).with_for_update())
    if name is None:
        raise NotFound("This team does not exist.")
    is_my_team = (
        TeamMember.team_id == team_id,
        TeamMember.user_id == actor.user_id,
        TeamMember.is_manager,
        TeamMember.accepted_at.is_not(None),
    )
    if not (_manages_all(actor) or session.scalar(select(TeamMember.user_id).where(*is_my_team))):
        raise NotAllowed(f"You don't manage “{name}”. Ask one of its managers or an administrator.")
    return name


def _may_manage(actor: Actor, members: Iterable[MemberInfo]) -> bool:
    manages = any(member.user_id == actor.user_id and member.is_manager and member.is_accepted for member in members)
    return _manages_all(actor) or (manages and Permission.TEAMS_MANAGE in ROLE_PERMISSIONS[actor.role])


def _manages_all(actor: Actor) -> bool:
    """Return whether the actor's role manages every team."""
    return Permission.PEOPLE_MANAGE in ROLE_PERMISSIONS[actor.role]


def _save_name(session: Session, name: str, statement: Executable, *, team_id: int | None) -> Any:
    """Run the statement that names this team. Raises Invalid if another team has the name in any case or accents."""
    others = select(Team.team_id).where(folded(Team.name) == fold(name), Team.team_id.is_distinct_from(team_id))
    message = f"There is already a team “{name}”. Choose another name."
    if session.scalar(others.limit(1)):
        raise Invalid(message)
    try:
        # If two people choose one name at the same time, the unique index refuses the second.
        with session.begin_nested():
            return session.scalar(statement)
    except IntegrityError as error:
        raise Invalid(message) from error


def _notify(session: Session, team_id: int, people: Iterable[int]) -> None:
    """Notify open pages that the rights of these people, and on the sheets of the team, may have changed."""
    for user_id in people:
        notify_user_rights(session, user_id)
    for sheet_id in session.scalars(_TEAM_SHEETS, {"team": team_id}):
        notify_sheet_rights(session, sheet_id)


_MEMBERS = text("""
    SELECT m.team_id, u.user_id, u.name, u.email, u.role, m.is_manager, u.is_active, m.accepted_at IS NOT NULL
    FROM team_members m JOIN users u USING (user_id)
    ORDER BY m.is_manager DESC, u.name, u.user_id
""")
_BEFORE = text("""
    SELECT is_manager, accepted_at IS NOT NULL AS is_member FROM team_members WHERE team_id = :team AND user_id = :user
""")
_SAVE_MEMBER = text("""
    INSERT INTO team_members AS m (team_id, user_id, is_manager, offered_by, accepted_at)
    VALUES (:team, :user, :manages, :by, CASE WHEN :joins THEN now() END)
    ON CONFLICT (team_id, user_id) DO UPDATE
    SET is_manager = excluded.is_manager, accepted_at = coalesce(m.accepted_at, excluded.accepted_at)
""")
_OFFERS = text("""
    SELECT t.team_id, t.name, u.name AS by, m.is_manager
    FROM team_members m JOIN teams t USING (team_id) LEFT JOIN users u ON u.user_id = m.offered_by
    WHERE m.user_id = :me AND m.accepted_at IS NULL ORDER BY fold_text(t.name) COLLATE "C", t.team_id
""")
_ACCEPT = text("""
    UPDATE team_members SET accepted_at = now() WHERE team_id = :team AND user_id = :me AND accepted_at IS NULL
    RETURNING is_manager
""")
_DECLINE = text("""
    DELETE FROM team_members WHERE team_id = :team AND user_id = :me AND accepted_at IS NULL RETURNING is_manager
""")
# The sheets of which more rows become visible. When a person joins: sheets shared with the team, and sheets of which a
# member has “their team's rows” by a share of their own. When a person becomes a manager: sheets of which the team has
# its own rows.
_REACHED_SHEETS = text("""
    SELECT sheet_id FROM team_collaborators WHERE team_id = :team AND (:joined OR row_scope = 'own')
    UNION SELECT c.sheet_id FROM collaborators c JOIN team_members m USING (user_id)
    WHERE :joined AND m.team_id = :team AND m.accepted_at IS NOT NULL AND c.row_scope = 'team' AND EXISTS (
        SELECT FROM team_members o WHERE o.team_id = :team AND o.user_id <> m.user_id AND o.accepted_at IS NOT NULL)
    ORDER BY 1
""")
# The sheets shared with the team, and those of which a member has “their team's rows” by a share of their own.
_TEAM_SHEETS = text("""
    SELECT sheet_id FROM team_collaborators WHERE team_id = :team
    UNION SELECT c.sheet_id FROM collaborators c JOIN team_members m USING (user_id)
    WHERE m.team_id = :team AND c.row_scope = 'team'
""")

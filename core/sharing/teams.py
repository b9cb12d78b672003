"""Teams: people who are given sheets together. Administrators keep all of them, managers the ones that they manage.

Whom an administrator puts into a team is in it at once. Whom a manager puts there is offered it, and is in it once they
accept: until then it gives nobody's rows to anybody.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, TextClause, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts.accounts import clean_name, require
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.notify import notice_person_rights, notice_sheet_rights
from core.base.permissions import ROLE_PERMISSIONS, Permission, Role
from db.folding import fold, folded
from db.tables.sharing import Team, TeamMember
from db.tables.sheets import User


@dataclass(frozen=True)
class MemberInfo:
    """A person in a team, or who is offered it and has not accepted yet."""

    user_id: int
    name: str
    email: str
    role: Role
    is_manager: bool
    is_active: bool
    is_accepted: bool


@dataclass(frozen=True)
class Offer:
    """A team that I am offered: by whom, and whether I would manage it."""

    team_id: int
    name: str
    by: str | None
    is_manager: bool


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
        user_id, name, email, role, *states = known
        members[team_id].append(MemberInfo(user_id, name, email, Role(role), *states))
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
    team_id: int = _named(session, cleaned, insert(Team).values(name=cleaned).returning(Team.team_id), but=None)
    audit.record(session, actor, "team:team:create", team=team_id, name=cleaned)
    if not _keeps_all(actor):
        _put(session, actor, team_id, cleaned, actor.user_id, is_manager=True)
    return team_id


def rename_team(session: Session, actor: Actor, team_id: int, name: str) -> None:
    """Give a team another name."""
    before, cleaned = _managed(session, actor, team_id), clean_name(name)
    renaming = update(Team).where(Team.team_id == team_id).values(name=cleaned).returning(Team.team_id)
    _named(session, cleaned, renaming, but=team_id)
    audit.record(session, actor, "team:team:rename", team=team_id, before=before, name=cleaned)


def delete_team(session: Session, actor: Actor, team_id: int) -> None:
    """Dissolve a team. Its people stay; what they had only through it is gone for them at once."""
    name = _managed(session, actor, team_id)
    members = [*session.scalars(select(TeamMember.user_id).where(TeamMember.team_id == team_id))]
    _notice(session, team_id, members)
    session.execute(delete(Team).where(Team.team_id == team_id))
    audit.record(session, actor, "team:team:delete", team=team_id, name=name, members=members)


def add_member(session: Session, actor: Actor, team_id: int, user_id: int, *, is_manager: bool = False) -> None:
    """Put a person into a team, or make a member of it a manager or none: whom the rows of the team are shown to.

    By an administrator they are in it at once; by a manager they are offered it.
    """
    name = _managed(session, actor, team_id)
    if not session.scalar(select(User.user_id).where(User.user_id == user_id, User.is_active)):
        raise NotFound("There is no such person in this workspace.")
    _put(session, actor, team_id, name, user_id, is_manager=is_manager)


def add_members(session: Session, actor: Actor, team_id: int, people: Iterable[int]) -> None:
    """Put or offer several people a team, all or none of them."""
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


def my_offers(session: Session, actor: Actor) -> list[Offer]:
    """The teams that I am offered and have not accepted, by name."""
    return [Offer(*found) for found in session.execute(_OFFERS, {"me": actor.user_id})]


def accept_offer(session: Session, actor: Actor, team_id: int) -> None:
    """Be in a team that I am offered: what it is given is mine, and my rows are the team's."""
    name, is_manager = _answered(session, actor, team_id, _ACCEPT)
    _notice(session, team_id, [actor.user_id])
    audit.record(session, actor, "team:member:accept", team=team_id, name=name, user=actor.user_id)
    _grown(session, actor, team_id, name, actor.user_id, is_manager=is_manager, joined=True)


def decline_offer(session: Session, actor: Actor, team_id: int) -> None:
    """Stay out of a team that I am offered."""
    name, _ = _answered(session, actor, team_id, _DECLINE)
    audit.record(session, actor, "team:member:decline", team=team_id, name=name, user=actor.user_id)


def _answered(session: Session, actor: Actor, team_id: int, statement: TextClause) -> tuple[str, bool]:
    """Carry out an answer to an offer: the team's name, and whether it was to manage it."""
    name = session.scalar(select(Team.name).where(Team.team_id == team_id).with_for_update())
    is_manager = session.scalar(statement, {"team": team_id, "me": actor.user_id})
    if name is None or is_manager is None:
        raise NotFound("You are not offered this team. You may be in it already, or the offer was taken back.")
    return name, is_manager


def _put(session: Session, actor: Actor, team_id: int, name: str, user_id: int, *, is_manager: bool) -> None:
    """By an administrator, or as oneself, this counts at once; else it is an offer."""
    counts = _keeps_all(actor) or user_id == actor.user_id
    line = {"team": team_id, "user": user_id, "manages": is_manager, "by": actor.user_id, "counts": counts}
    before = session.execute(_BEFORE, line).one_or_none()
    is_in = before is not None and before.is_in
    if before is not None and (before.is_manager, is_in) == (is_manager, is_in or counts):
        return  # They are exactly that already.
    session.execute(_PUT, line)
    _notice(session, team_id, [user_id])
    facts: dict[str, Any] = {"team": team_id, "name": name, "user": user_id, "manager": is_manager}
    if is_in or counts:
        audit.record(session, actor, "team:member:manage" if is_in else "team:member:add", **facts)
        if is_manager or not is_in:
            _grown(session, actor, team_id, name, user_id, is_manager=is_manager, joined=not is_in)
    else:
        audit.record(session, actor, "team:member:offer", **facts)


def _grown(
    session: Session, actor: Actor, team_id: int, name: str, user_id: int, *, is_manager: bool, joined: bool
) -> None:
    """Tell the owner of each sheet that more of it is shown now, to this person or by them."""
    line = {"team": team_id, "joined": joined}
    for sheet_id in session.scalars(_GROWN, line).all():
        facts: dict[str, Any] = {"team": team_id, "name": name, "user": user_id, "manager": is_manager}
        audit.record(session, actor, "sheet:share:reach", sheet_id=sheet_id, **facts, joined=joined)


def _managed(session: Session, actor: Actor, team_id: int) -> str:
    """The name of a team that this actor may change; of two who change it at once the second one waits."""
    require(actor, Permission.TEAMS_MANAGE)
    name = session.scalar(select(Team.name).where(Team.team_id == team_id).with_for_update())
    if name is None:
        raise NotFound("There is no such team.")
    mine = (
        TeamMember.team_id == team_id,
        TeamMember.user_id == actor.user_id,
        TeamMember.is_manager,
        TeamMember.accepted_at.is_not(None),
    )
    if not (_keeps_all(actor) or session.scalar(select(TeamMember.user_id).where(*mine))):
        raise NotAllowed(f"You do not manage “{name}”. Ask one of its managers or an administrator.")
    return name


def _may_manage(actor: Actor, members: Iterable[MemberInfo]) -> bool:
    manages = any(one.user_id == actor.user_id and one.is_manager and one.is_accepted for one in members)
    return _keeps_all(actor) or (manages and Permission.TEAMS_MANAGE in ROLE_PERMISSIONS[actor.role])


def _keeps_all(actor: Actor) -> bool:
    """Whoever manages people keeps every team."""
    return Permission.PEOPLE_MANAGE in ROLE_PERMISSIONS[actor.role]


def _named(session: Session, name: str, statement: Executable, *, but: int | None) -> Any:
    """Carry out what gives a team its name; no two teams share one, however it is written. Raises Invalid."""
    same = select(Team.team_id).where(folded(Team.name) == fold(name), Team.team_id.is_distinct_from(but))
    taken = f"There is a team “{name}” already. Choose another name."
    if session.scalar(same.limit(1)):
        raise Invalid(taken)
    try:
        # Of two who choose one name at once the index refuses the second.
        with session.begin_nested():
            return session.scalar(statement)
    except IntegrityError as error:
        raise Invalid(taken) from error


def _notice(session: Session, team_id: int, people: Iterable[int]) -> None:
    """Who is in the team changes what these people may see, and which rows are the team's for the others."""
    for user_id in people:
        notice_person_rights(session, user_id)
    for sheet_id in session.scalars(_TOUCHED, {"team": team_id}):
        notice_sheet_rights(session, sheet_id)


_MEMBERS = text("""
    SELECT m.team_id, u.user_id, u.name, u.email, u.role, m.is_manager, u.is_active, m.accepted_at IS NOT NULL
    FROM team_members m JOIN users u USING (user_id)
    ORDER BY m.is_manager DESC, u.name, u.user_id
""")
_BEFORE = text("""
    SELECT is_manager, accepted_at IS NOT NULL AS is_in FROM team_members WHERE team_id = :team AND user_id = :user
""")
_PUT = text("""
    INSERT INTO team_members AS m (team_id, user_id, is_manager, offered_by, accepted_at)
    VALUES (:team, :user, :manages, :by, CASE WHEN :counts THEN now() END)
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
# Of which sheets more is shown once somebody joins: those shared with the team, and those of which one of its people is
# given “their team's rows” by a share of their own. A new manager sees more where the team is given its own rows.
_GROWN = text("""
    SELECT sheet_id FROM team_collaborators WHERE team_id = :team AND (:joined OR row_scope = 'own')
    UNION SELECT c.sheet_id FROM collaborators c JOIN team_members m USING (user_id)
    WHERE :joined AND m.team_id = :team AND m.accepted_at IS NOT NULL AND c.row_scope = 'team' AND EXISTS (
        SELECT FROM team_members o WHERE o.team_id = :team AND o.user_id <> m.user_id AND o.accepted_at IS NOT NULL)
    ORDER BY 1
""")
# The sheets shared with the team, and those of which a member is given “their team's rows” by a share of their own.
_TOUCHED = text("""
    SELECT sheet_id FROM team_collaborators WHERE team_id = :team
    UNION SELECT c.sheet_id FROM collaborators c JOIN team_members m USING (user_id)
    WHERE m.team_id = :team AND c.row_scope = 'team'
""")

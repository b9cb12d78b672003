"""Teams: who makes them, who is in them, and what their people gain and lose with them, at once."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Level, Role
from core.sharing.teams import (
    TeamInfo,
    add_member,
    create_team,
    delete_team,
    get_team,
    remove_member,
    rename_team,
    teams,
)
from tests.support.core.signing_in import actions

Command = Callable[[Session, Actor, int], object]
# What changes a team, each in the shape (session, actor, team).
CHANGES: dict[str, Command] = {
    "rename_team": lambda session, who, team: rename_team(session, who, team, "South"),
    "delete_team": delete_team,
    "add_member": lambda session, who, team: add_member(session, who, team, 5),
    "remove_member": lambda session, who, team: remove_member(session, who, team, 3),
}


@pytest.fixture
def mia(session: Session, dan: Actor) -> Actor:
    """Dan with the role of a manager."""
    session.execute(text("UPDATE users SET role = 'manager' WHERE user_id = :dan"), {"dan": dan.user_id})
    return replace(dan, role=Role.MANAGER)


@pytest.fixture
def north(session: Session, ada: Actor, ben: Actor) -> int:
    """A team of Ada's making with Ben in it."""
    team = create_team(session, ada, "North")
    add_member(session, ada, team, ben.user_id)
    return team


def share(session: Session, sheet: int, team: int) -> None:
    line = {"sheet": sheet, "team": team}
    session.execute(text("INSERT INTO team_collaborators VALUES (:sheet, :team, 'editor')"), line)


def people_of(team: TeamInfo) -> list[tuple[str, bool]]:
    return [(one.name, one.is_manager) for one in team.members]


def test_a_team_is_listed_with_its_managers_first_for_everybody(
    session: Session, ada: Actor, cleo: Actor, north: int
) -> None:
    create_team(session, ada, "east")
    add_member(session, ada, north, cleo.user_id, is_manager=True)
    found = teams(session, cleo)
    assert [(team.name, people_of(team)) for team in found] == [
        ("east", []),
        ("North", [("Cleo", True), ("Ben", False)]),
    ]
    assert not any(team.may_manage for team in found)
    assert all(team.may_manage for team in teams(session, ada))


@pytest.mark.parametrize("role", [Role.MEMBER, Role.ANALYST])
@pytest.mark.parametrize("change", CHANGES)
def test_members_and_analysts_change_no_team_even_one_that_they_lead(
    session: Session, ada: Actor, ann: Actor, north: int, role: Role, change: str
) -> None:
    add_member(session, ada, north, ann.user_id, is_manager=True)
    with pytest.raises(NotAllowed):
        CHANGES[change](session, replace(ann, role=role), north)
    with pytest.raises(NotAllowed):
        create_team(session, replace(ann, role=role), "Mine")
    assert [(team.name, people_of(team)) for team in teams(session, ann)] == [
        ("North", [("Ann", True), ("Ben", False)])
    ]


@pytest.mark.parametrize("change", CHANGES)
def test_a_manager_changes_the_teams_that_they_manage_and_no_other(
    session: Session, ada: Actor, mia: Actor, north: int, change: str
) -> None:
    for is_in in (False, True):
        if is_in:
            add_member(session, ada, north, mia.user_id)
        with pytest.raises(NotAllowed, match="don't manage “North”"):
            CHANGES[change](session, mia, north)
    add_member(session, ada, north, mia.user_id, is_manager=True)
    assert get_team(session, mia, north).may_manage
    CHANGES[change](session, mia, north)


def test_a_manager_manages_the_team_that_they_make(session: Session, mia: Actor, ben: Actor) -> None:
    team = create_team(session, mia, "  Inside   Sales ")
    add_member(session, mia, team, ben.user_id)
    found = get_team(session, mia, team)
    assert (found.name, people_of(found)) == ("Inside Sales", [("Dan", True), ("Ben", False)])


def test_two_teams_never_share_a_name(session: Session, ada: Actor, north: int) -> None:
    east = create_team(session, ada, "East")
    for attempt in (lambda: create_team(session, ada, "NORTH"), lambda: rename_team(session, ada, east, "north")):
        with pytest.raises(Invalid, match="Choose another name"):
            attempt()
    rename_team(session, ada, north, "NORTH")
    create_team(session, ada, "Łódź")
    with pytest.raises(Invalid, match="Choose another name"):
        create_team(session, ada, "LODZ")
    assert [team.name for team in teams(session, ada)] == ["East", "Łódź", "NORTH"]


@pytest.mark.parametrize("name", ["", " ", "a\u202eb", "x" * 101])
def test_a_team_has_a_name_that_others_can_read(session: Session, ada: Actor, name: str) -> None:
    with pytest.raises(Invalid):
        create_team(session, ada, name)


def test_what_is_not_there_is_said_so(session: Session, ada: Actor, cleo: Actor, north: int) -> None:
    session.execute(text("UPDATE users SET is_active = false WHERE user_id = :cleo"), {"cleo": cleo.user_id})
    for attempt in (
        lambda: get_team(session, ada, 999),
        lambda: delete_team(session, ada, 999),
        lambda: add_member(session, ada, north, 999),
        lambda: add_member(session, ada, north, cleo.user_id),
        lambda: remove_member(session, ada, north, cleo.user_id),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_sheet_comes_and_goes_with_the_team(session: Session, ada: Actor, dan: Actor, deals: Access) -> None:
    sheet, team = deals.sheet.sheet_id, create_team(session, ada, "North")
    share(session, sheet, team)
    for leave in (lambda: remove_member(session, ada, team, dan.user_id), lambda: delete_team(session, ada, team)):
        add_member(session, ada, team, dan.user_id)
        assert get_access(session, dan, sheet).level is Level.EDITOR
        leave()
        with pytest.raises(NotFound):
            get_access(session, dan, sheet)


def test_what_happens_to_a_team_is_told_once_in_the_audit_trail(session: Session, ada: Actor, ben: Actor) -> None:
    team = create_team(session, ada, "North")
    for is_manager in (False, False, True, True):
        add_member(session, ada, team, ben.user_id, is_manager=is_manager)
    remove_member(session, ada, team, ben.user_id)
    rename_team(session, ada, team, "South")
    delete_team(session, ada, team)
    assert actions(session) == [
        "team:team:create",
        "team:member:add",
        "team:member:manage",
        "team:member:remove",
        "team:team:rename",
        "team:team:delete",
    ]

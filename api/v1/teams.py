"""Teams, their members and managers."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field

from api.auth.request import MAX_ID, CallerDep, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.sharing import teams

router = APIRouter(prefix="/teams", tags=["Teams"], route_class=ExactRoute)

TeamId = Annotated[int, Path(description="The team's number.", ge=1, le=MAX_ID)]
MemberId = Annotated[int, Path(description="The person's number.", ge=1, le=MAX_ID)]


class NamedTeam(Strict):
    name: str


class Membership(Strict):
    is_manager: bool = Field(default=False, description="Whether the member also sees the rows of the others.")


@router.get("", summary="All teams with their members")
def listed(caller: CallerDep) -> Response:
    """Ordered by name. `may_manage` is true for teams that you may change."""
    with caller.transaction() as (session, actor):
        return answer({"teams": [_team_json(team) for team in teams.teams(session, actor)]})


@router.post("", summary="Make a team", status_code=201)
def create(caller: CallerDep, body: NamedTeam) -> Response:
    """Administrators and managers may. A manager becomes a manager of the new team."""
    with caller.transaction() as (session, actor):
        team_id = teams.create_team(session, actor, body.name)
        team = teams.get_team(session, actor, team_id)
        return answer(_team_json(team), 201, {"Location": f"/api/v1/teams/{team_id}"})


@router.get("/{team}", summary="A team with its members")
def detail(caller: CallerDep, team: TeamId) -> Response:
    """404 if the team does not exist."""
    with caller.transaction() as (session, actor):
        return answer(_team_json(teams.get_team(session, actor, team)))


@router.patch("/{team}", summary="Rename a team")
def rename(caller: CallerDep, team: TeamId, body: NamedTeam) -> Response:
    """Administrators and the team's managers may."""
    with caller.transaction() as (session, actor):
        teams.rename_team(session, actor, team, body.name)
        return answer(_team_json(teams.get_team(session, actor, team)))


@router.delete("/{team}", summary="Delete a team")
def dissolve(caller: CallerDep, team: TeamId) -> Response:
    """Access that members had only through the team ends at once."""
    with caller.transaction() as (session, actor):
        teams.delete_team(session, actor, team)
        return answer({"teams": [_team_json(info) for info in teams.teams(session, actor)]})


@router.put("/{team}/members/{user}", summary="Add a person to a team")
def put(caller: CallerDep, team: TeamId, user: MemberId, body: Membership) -> Response:
    """Add a person, or change whether a member is a manager. If an administrator adds a person, they are a member at
    once; if a manager does, they get an offer and become a member by accepting it."""
    with caller.transaction() as (session, actor):
        teams.add_member(session, actor, team, user, is_manager=body.is_manager)
        return answer(_team_json(teams.get_team(session, actor, team)))


@router.delete("/{team}/members/{user}", summary="Remove a person from a team")
def remove(caller: CallerDep, team: TeamId, user: MemberId) -> Response:
    """Access that the person had only through the team ends at once."""
    with caller.transaction() as (session, actor):
        teams.remove_member(session, actor, team, user)
        return answer(_team_json(teams.get_team(session, actor, team)))


def _team_json(team: teams.TeamInfo) -> dict[str, Any]:
    members = [
        {
            "id": member.user_id,
            "name": member.name,
            "email": member.email,
            "role": member.role,
            "is_manager": member.is_manager,
            "is_active": member.is_active,
            "is_accepted": member.is_accepted,
        }
        for member in team.members
    ]
    return {"id": team.team_id, "name": team.name, "may_manage": team.may_manage, "members": members}

"""Teams: who works together, and who manages whom."""

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
    is_manager: bool = Field(default=False, description="Whether the team's rows are theirs to see, too.")


@router.get("", summary="The teams and their people")
def listed(caller: CallerDep) -> Response:
    """By name; `may_manage` says which of them you may change."""
    with caller.transaction() as (session, actor):
        return answer({"teams": [_team_json(team) for team in teams.teams(session, actor)]})


@router.post("", summary="Make a team", status_code=201)
def create(caller: CallerDep, body: NamedTeam) -> Response:
    """For administrators and managers; a manager manages the team that they make."""
    with caller.transaction() as (session, actor):
        team_id = teams.create_team(session, actor, body.name)
        made = teams.get_team(session, actor, team_id)
        return answer(_team_json(made), 201, {"Location": f"/api/v1/teams/{team_id}"})


@router.get("/{team}", summary="A team with its people")
def detail(caller: CallerDep, team: TeamId) -> Response:
    """404 where there is no such team."""
    with caller.transaction() as (session, actor):
        return answer(_team_json(teams.get_team(session, actor, team)))


@router.patch("/{team}", summary="Rename a team")
def rename(caller: CallerDep, team: TeamId, body: NamedTeam) -> Response:
    """For administrators, and for managers who manage it."""
    with caller.transaction() as (session, actor):
        teams.rename_team(session, actor, team, body.name)
        return answer(_team_json(teams.get_team(session, actor, team)))


@router.delete("/{team}", summary="Dissolve a team")
def dissolve(caller: CallerDep, team: TeamId) -> Response:
    """What its people had only through it is gone for them at once."""
    with caller.transaction() as (session, actor):
        teams.delete_team(session, actor, team)
        return answer({"teams": [_team_json(one) for one in teams.teams(session, actor)]})


@router.put("/{team}/members/{user}", summary="Put a person into a team")
def put(caller: CallerDep, team: TeamId, user: MemberId, body: Membership) -> Response:
    """Or say whether a member manages it. By an administrator this counts at once; by a manager it is an offer, and the
    person is in the team once they accept it."""
    with caller.transaction() as (session, actor):
        teams.add_member(session, actor, team, user, is_manager=body.is_manager)
        return answer(_team_json(teams.get_team(session, actor, team)))


@router.delete("/{team}/members/{user}", summary="Take a person out of a team")
def remove(caller: CallerDep, team: TeamId, user: MemberId) -> Response:
    """Their open pages follow at once."""
    with caller.transaction() as (session, actor):
        teams.remove_member(session, actor, team, user)
        return answer(_team_json(teams.get_team(session, actor, team)))


def _team_json(team: teams.TeamInfo) -> dict[str, Any]:
    members = [
        {
            "id": one.user_id,
            "name": one.name,
            "email": one.email,
            "role": one.role,
            "is_manager": one.is_manager,
            "is_active": one.is_active,
            "is_accepted": one.is_accepted,
        }
        for one in team.members
    ]
    return {"id": team.team_id, "name": team.name, "may_manage": team.may_manage, "members": members}

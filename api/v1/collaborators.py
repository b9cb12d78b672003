"""Collaborators: the people and teams that a sheet is shared with."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.auth.request import MAX_ID, CallerDep, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.access.load import get_access
from core.base.actor import Actor
from core.base.permissions import Level, RowScope
from core.sharing import shares
from core.sharing.transfer import transfer_sheet

router = APIRouter(prefix="/sheets/{sheet}", tags=["Collaborators"], route_class=ExactRoute)

UserId = Annotated[int, Path(description="The person's number.", ge=1, le=MAX_ID)]


TeamId = Annotated[int, Path(description="The team's number.", ge=1, le=MAX_ID)]


class ShareBody(Strict):
    level: Literal["editor", "commenter", "viewer"]
    rows: Literal["all", "team", "own"] | None = Field(
        default=None, description="The rows they see. Without: unchanged; all rows for a new share."
    )

    @property
    def level_and_scope(self) -> dict[str, Any]:
        """The keyword arguments of share_sheet and share_with_team."""
        return {"level": Level(self.level), "row_scope": RowScope(self.rows) if self.rows else None}


class NewOwner(Strict):
    user: int = Field(ge=1, le=MAX_ID)


@router.get("/collaborators", summary="Who may use a sheet")
def listed(caller: CallerDep, sheet: SheetId) -> Response:
    """The owner first, then other people and teams by name."""
    with caller.transaction() as (session, actor):
        return _all(session, actor, sheet)


@router.put("/collaborators/{user}", summary="Share a sheet with a person")
def share(caller: CallerDep, sheet: SheetId, user: UserId, body: ShareBody) -> Response:
    """Share the sheet, or change the level and rows of an existing share. Only the owner may."""
    with caller.transaction() as (session, actor):
        shares.share_sheet(session, actor, sheet, user, **body.level_and_scope)
        return _all(session, actor, sheet)


@router.delete("/collaborators/{user}", summary="Stop sharing a sheet with a person")
def unshare(caller: CallerDep, sheet: SheetId, user: UserId) -> Response:
    """The person loses access at once, and their live connections to the sheet are closed."""
    with caller.transaction() as (session, actor):
        shares.unshare_sheet(session, actor, sheet, user)
        return _all(session, actor, sheet)


@router.put("/team-collaborators/{team}", summary="Share a sheet with a team")
def share_with_team(caller: CallerDep, sheet: SheetId, team: TeamId, body: ShareBody) -> Response:
    """With `own` rows, each member sees their own, and managers those of the whole team. A share with a person takes
    precedence over one with their team."""
    with caller.transaction() as (session, actor):
        shares.share_with_team(session, actor, sheet, team, **body.level_and_scope)
        return _all(session, actor, sheet)


@router.delete("/team-collaborators/{team}", summary="Stop sharing a sheet with a team")
def unshare_team(caller: CallerDep, sheet: SheetId, team: TeamId) -> Response:
    """Members keep access that they have another way."""
    with caller.transaction() as (session, actor):
        shares.unshare_team(session, actor, sheet, team)
        return _all(session, actor, sheet)


@router.post("/transfer", summary="Transfer a sheet to another owner", status_code=204)
def transfer(caller: CallerDep, sheet: SheetId, body: NewOwner) -> Response:
    """Only the owner may, and becomes an editor. If the owner is deactivated, an administrator may."""
    with caller.transaction() as (session, actor):
        transfer_sheet(session, actor, sheet, body.user)
        return Response(status_code=204)


def _all(session: Session, actor: Actor, sheet: int) -> Response:
    access = get_access(session, actor, sheet)
    people, teams = shares.collaborators(session, access), shares.team_shares(session, access)
    return answer({"collaborators": [*map(_person_json, people)], "teams": [*map(_team_json, teams)]})


def _person_json(person: shares.CollaboratorInfo) -> dict[str, Any]:
    return {
        "id": person.user_id,
        "name": person.name,
        "email": person.email,
        "level": person.level,
        "rows": person.row_scope,
    }


def _team_json(team: shares.TeamShare) -> dict[str, Any]:
    return {"id": team.team_id, "name": team.name, "size": team.size, "level": team.level, "rows": team.row_scope}

"""Collaborators: who else may use a sheet."""

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
        default=None, description="Which rows; left out: those they have, of a new share all."
    )

    @property
    def given(self) -> dict[str, Any]:
        """What the commands of sharing take."""
        return {"level": Level(self.level), "row_scope": RowScope(self.rows) if self.rows else None}


class NewOwner(Strict):
    user: int = Field(ge=1, le=MAX_ID)


@router.get("/collaborators", summary="Who may use a sheet")
def listed(caller: CallerDep, sheet: SheetId) -> Response:
    """The owner, then the others by name; and the teams by name."""
    with caller.transaction() as (session, actor):
        return _all(session, actor, sheet)


@router.put("/collaborators/{user}", summary="Share a sheet with a person")
def share(caller: CallerDep, sheet: SheetId, user: UserId, body: ShareBody) -> Response:
    """Or change the level and the rows that they have. Only the owner may."""
    with caller.transaction() as (session, actor):
        shares.share_sheet(session, actor, sheet, user, **body.given)
        return _all(session, actor, sheet)


@router.delete("/collaborators/{user}", summary="Take a sheet away from a person")
def unshare(caller: CallerDep, sheet: SheetId, user: UserId) -> Response:
    """It is gone for them at once; their open live connections are closed."""
    with caller.transaction() as (session, actor):
        shares.unshare_sheet(session, actor, sheet, user)
        return _all(session, actor, sheet)


@router.put("/team-collaborators/{team}", summary="Share a sheet with a team")
def share_with_team(caller: CallerDep, sheet: SheetId, team: TeamId, body: ShareBody) -> Response:
    """Given their `own` rows, the team's managers see the team's. A share made to a person counts more."""
    with caller.transaction() as (session, actor):
        shares.share_with_team(session, actor, sheet, team, **body.given)
        return _all(session, actor, sheet)


@router.delete("/team-collaborators/{team}", summary="Take a sheet away from a team")
def unshare_team(caller: CallerDep, sheet: SheetId, team: TeamId) -> Response:
    """Whoever has it otherwise, too, keeps that."""
    with caller.transaction() as (session, actor):
        shares.unshare_team(session, actor, sheet, team)
        return _all(session, actor, sheet)


@router.post("/transfer", summary="Transfer a sheet to another owner", status_code=204)
def transfer(caller: CallerDep, sheet: SheetId, body: NewOwner) -> Response:
    """The owner may, and becomes an editor; where the owner is deactivated, an administrator may."""
    with caller.transaction() as (session, actor):
        transfer_sheet(session, actor, sheet, body.user)
        return Response(status_code=204)


def _all(session: Session, actor: Actor, sheet: int) -> Response:
    access = get_access(session, actor, sheet)
    people, teams = shares.collaborators(session, access), shares.team_shares(session, access)
    return answer({"collaborators": [_person_json(one) for one in people], "teams": [_team_json(one) for one in teams]})


def _person_json(one: shares.CollaboratorInfo) -> dict[str, Any]:
    return {"id": one.user_id, "name": one.name, "email": one.email, "level": one.level, "rows": one.row_scope}


def _team_json(one: shares.TeamShare) -> dict[str, Any]:
    return {"id": one.team_id, "name": one.name, "size": one.size, "level": one.level, "rows": one.row_scope}

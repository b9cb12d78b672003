"""Collaborators: who else may use a sheet."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from sqlalchemy.orm import Session

from api.answers import answer
from api.bodies import ExactRoute
from api.v1.asked import MOST_ID, Asked, SheetId, Strict
from core import sharing
from core.actor import Actor
from core.permissions import Level

router = APIRouter(prefix="/sheets/{sheet}/collaborators", tags=["Collaborators"], route_class=ExactRoute)

UserId = Annotated[int, Path(description="The person's number.", ge=1, le=MOST_ID)]


class LevelBody(Strict):
    level: Literal["editor", "viewer"]


@router.get("", summary="Who may use a sheet")
def listed(asker: Asked, sheet: SheetId) -> Response:
    """The owner, then the others by name."""
    with asker.transaction() as (session, actor):
        return _all(session, actor, sheet)


@router.put("/{user}", summary="Share a sheet with a person")
def share(asker: Asked, sheet: SheetId, user: UserId, body: LevelBody) -> Response:
    """Or change the level that they have. Only the owner may."""
    with asker.transaction() as (session, actor):
        sharing.share_sheet(session, actor, sheet, user, level=Level(body.level))
        return _all(session, actor, sheet)


@router.delete("/{user}", summary="Take a sheet away from a person")
def unshare(asker: Asked, sheet: SheetId, user: UserId) -> Response:
    """It is gone for them at once; their open live connections are closed."""
    with asker.transaction() as (session, actor):
        sharing.unshare_sheet(session, actor, sheet, user)
        return _all(session, actor, sheet)


def _all(session: Session, actor: Actor, sheet: int) -> Response:
    found: list[dict[str, Any]] = [
        {"id": person.user_id, "name": person.name, "email": person.email, "level": person.level}
        for person in sharing.collaborators(session, actor, sheet)
    ]
    return answer({"collaborators": found})

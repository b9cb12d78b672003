"""Undo and redo of a user's own last actions on a sheet."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.auth.request import CallerDep, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from api.v1.rows import OperationId
from core.base.actor import Actor
from core.edits.undo import redo, undo
from core.edits.undo_stack import next_steps

router = APIRouter(prefix="/sheets/{sheet}", tags=["Undo"], route_class=ExactRoute)


class UndoBody(Strict):
    """`target` is the operation id of the action. Without it, the last action is used."""

    operation_id: OperationId
    target: Annotated[UUID, Field(strict=False)] | None = None


@router.get("/undo", summary="The next actions to undo and redo")
def steps(caller: CallerDep, sheet: SheetId) -> Response:
    """`undo` and `redo`: each is null, or an action with a description and its time."""
    with caller.transaction() as (session, actor):
        return answer(_steps(session, actor, sheet))


@router.post("/undo", summary="Undo my last action")
def back(caller: CallerDep, sheet: SheetId, body: UndoBody) -> Response:
    """A paste, an import or a deletion is one action. Other people's work stays: a cell or row that another person
    changed since is not undone, and is listed under `left` with person and time. 422 if there is nothing to undo."""
    with caller.transaction() as (session, actor):
        result = undo(session, actor, sheet, operation_id=body.operation_id, target=body.target)
        return answer(asdict(result) | {"next": _steps(session, actor, sheet)})


@router.post("/redo", summary="Redo my last undone action")
def again(caller: CallerDep, sheet: SheetId, body: UndoBody) -> Response:
    """Cells and rows that another person has changed since stay, as with undo. After a new action there is nothing to
    redo. `next` has the next actions to undo and redo."""
    with caller.transaction() as (session, actor):
        result = redo(session, actor, sheet, operation_id=body.operation_id, target=body.target)
        return answer(asdict(result) | {"next": _steps(session, actor, sheet)})


def _steps(session: Session, actor: Actor, sheet: int) -> dict[str, Any]:
    return {direction: asdict(step) if step else None for direction, step in next_steps(session, actor, sheet).items()}

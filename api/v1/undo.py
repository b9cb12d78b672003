"""Undo and redo of one's own last actions on a sheet."""

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
    """`target` names the action that shall be taken back; without it, it is the last one."""

    operation_id: OperationId
    target: Annotated[UUID, Field(strict=False)] | None = None


@router.get("/undo", summary="What undo and redo would take back")
def steps(caller: CallerDep, sheet: SheetId) -> Response:
    """`undo` and `redo`: each null, or the action with what it was in words and when it was done."""
    with caller.transaction() as (session, actor):
        return answer(_steps(session, actor, sheet))


@router.post("/undo", summary="Take back my last action")
def back(caller: CallerDep, sheet: SheetId, body: UndoBody) -> Response:
    """One paste, one import, one deletion is one action. Never anybody else's work: a cell or row that somebody else
    has changed since is left alone and named under `left`, with who and when. 422: there is nothing to take back."""
    with caller.transaction() as (session, actor):
        taken = undo(session, actor, sheet, operation_id=body.operation_id, target=body.target)
        return answer(asdict(taken) | {"next": _steps(session, actor, sheet)})


@router.post("/redo", summary="Do again what I took back last")
def again(caller: CallerDep, sheet: SheetId, body: UndoBody) -> Response:
    """Under the same rules; a new action ends the chance. `next` is what undo and redo would take back after it."""
    with caller.transaction() as (session, actor):
        taken = redo(session, actor, sheet, operation_id=body.operation_id, target=body.target)
        return answer(asdict(taken) | {"next": _steps(session, actor, sheet)})


def _steps(session: Session, actor: Actor, sheet: int) -> dict[str, Any]:
    return {which: asdict(step) if step else None for which, step in next_steps(session, actor, sheet).items()}

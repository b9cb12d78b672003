"""Changes: the changes since a version, for clients that catch up, and the history of a sheet, for people."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth.request import MAX_ID, MAX_ROW_ID, CallerDep, SheetId
from api.http.responses import answer
from api.live.change_feed import ChangesRequest, change_feed
from core.access.load import get_access
from core.history.history import LoggedChange, recent_changes

router = APIRouter(prefix="/sheets/{sheet}", tags=["Changes"])


@router.get("/changes", summary="What changed since a version")
async def since(
    caller: CallerDep,
    sheet: SheetId,
    since: Annotated[int, Query(ge=0, le=MAX_ID, description="The version that you have.")],
) -> Response:
    """Per row: the changed cells with their versions, who changed them, and whether the row was added, removed or
    restored. The answer is complete up to its `version`: pass it as the next `since`. `reset` means that there are too
    many changes; read the rows again."""
    return await change_feed.submit(ChangesRequest(caller, sheet, since))


@router.get("/history", summary="Who changed what, newest first")
def history(
    caller: CallerDep,
    sheet: SheetId,
    *,
    row: Annotated[int | None, Query(ge=1, le=MAX_ROW_ID, description="Changes of this row only.")] = None,
    by: Annotated[int | None, Query(ge=1, le=MAX_ID, description="Changes by this person only.")] = None,
    before: Annotated[
        str | None, Query(pattern="^[0-9]{1,18}:[0-9]{1,9}:[0-9]{1,9}$", description="`next` of the previous page.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Old and new values are text as people see it. `effective_at` differs from `recorded_at` for imported history."""
    position = tuple(int(number) for number in before.split(":")) if before else None
    with caller.transaction() as (session, actor):
        lines = recent_changes(session, get_access(session, actor, sheet), row=row, by=by, before=position, limit=limit)  # type: ignore[arg-type]
    next_page = _position(lines[-1]) if len(lines) == limit else None
    return answer({"changes": [asdict(line) for line in lines], "next": next_page})


def _position(line: LoggedChange) -> str:
    return f"{line.version}:{line.row}:{line.column_id}"

"""Differences: what turned the sheet of one instant into that of another."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.auth.request import CallerDep, SheetId
from api.http.responses import answer
from core.history.diff import DifferenceEntry, Position, difference

router = APIRouter(prefix="/sheets/{sheet}", tags=["Changes"])

INSTANT = "ISO with its zone (`2026-11-20T18:00:00Z`, else UTC), or `version:120`."


@router.get("/difference", summary="What differs between two instants")
def between(
    caller: CallerDep,
    sheet: SheetId,
    *,
    earlier: Annotated[str, Query(alias="from", max_length=60, description=INSTANT)],
    later: Annotated[str | None, Query(alias="to", max_length=60, description=f"{INSTANT} Without: now.")] = None,
    behind: Annotated[
        str | None, Query(pattern="^[0-9]{1,9},[0-9]{1,9}$", description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
) -> Response:
    """By row and column: cells that were `edited`, rows that were `added` or `deleted`, each with what it held before
    and after, and who did so last. What was done and taken back in between is no difference. The counts are of all
    pages; give the versions of the first one as `from` and `to` of the next."""
    with caller.transaction() as (session, actor):
        found = difference(session, actor, sheet, earlier, later, behind=_place(behind), limit=limit)
    following = None if found.next is None else f"{found.next[0]},{found.next[1]}"
    counts = {"edited": found.edited, "added": found.added, "deleted": found.deleted}
    told = {"from": found.earlier, "to": found.later, "differences": [_json(one) for one in found.entries]}
    return answer(told | counts | {"next": following})


def _place(given: str | None) -> Position | None:
    if given is None:
        return None
    row, column = given.split(",")
    return int(row), int(column)


def _json(one: DifferenceEntry) -> dict[str, Any]:
    told = asdict(one)
    return {"row": told.pop("row"), "title": told.pop("row_title")} | told

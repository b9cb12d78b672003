"""Differences between two states of a sheet."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.auth.request import CallerDep, SheetId
from api.http.responses import answer
from core.history.diff import DifferenceEntry, Position, difference

router = APIRouter(prefix="/sheets/{sheet}", tags=["Changes"])

INSTANT = "ISO 8601 with a time zone (`2026-11-20T18:00:00Z`; UTC without one), or `version:120`."


@router.get("/difference", summary="The differences between two points in time")
def between(
    caller: CallerDep,
    sheet: SheetId,
    *,
    earlier: Annotated[str, Query(alias="from", max_length=60, description=INSTANT)],
    later: Annotated[str | None, Query(alias="to", max_length=60, description=f"{INSTANT} Without: now.")] = None,
    behind: Annotated[
        str | None, Query(pattern="^[0-9]{1,9},[0-9]{1,9}$", description="`next` of the previous page.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
) -> Response:
    """By row and column: cells that were `edited`, rows that were `added` or `deleted`, each with its values before and
    after, and the last person who changed it. A change that was undone in between is not listed. The counts cover all
    pages. For the next page, pass the versions of the first one as `from` and `to`."""
    with caller.transaction() as (session, actor):
        page = difference(session, actor, sheet, earlier, later, behind=_position(behind), limit=limit)
    next_page = None if page.next is None else f"{page.next[0]},{page.next[1]}"
    differences = {
        "from": page.earlier,
        "to": page.later,
        "differences": [_entry_json(entry) for entry in page.entries],
    }
    counts = {"edited": page.edited, "added": page.added, "deleted": page.deleted}
    return answer(differences | counts | {"next": next_page})


def _position(text: str | None) -> Position | None:
    if text is None:
        return None
    row, column = text.split(",")
    return int(row), int(column)


def _entry_json(entry: DifferenceEntry) -> dict[str, Any]:
    fields = asdict(entry)
    return {"row": fields.pop("row"), "title": fields.pop("row_title")} | fields

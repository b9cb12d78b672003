"""A user's own favourites among the sheets."""

from fastapi import APIRouter, Response

from api.auth.request import CallerDep, SheetId
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.sheets.favourites import navigation_sheets, set_favourite

router = APIRouter(tags=["Sheets"], route_class=ExactRoute)


@router.get("/me/favourites", summary="My favourite sheets")
def favourites(caller: CallerDep) -> Response:
    """Their numbers and names."""
    with caller.transaction() as (session, actor):
        sheets = [sheet for sheet in navigation_sheets(session, actor) if sheet.is_favourite]
    return answer({"favourites": [{"id": sheet.sheet_id, "name": sheet.name} for sheet in sheets]})


@router.put("/me/favourites/{sheet}", summary="Add a sheet to my favourites", status_code=204)
def add(caller: CallerDep, sheet: SheetId) -> Response:
    """Nobody else sees them."""
    with caller.transaction() as (session, actor):
        set_favourite(session, actor, sheet, is_favourite=True)
    return Response(status_code=204)


@router.delete("/me/favourites/{sheet}", summary="Remove a sheet from my favourites", status_code=204)
def remove(caller: CallerDep, sheet: SheetId) -> Response:
    """It stays shared with you."""
    with caller.transaction() as (session, actor):
        set_favourite(session, actor, sheet, is_favourite=False)
    return Response(status_code=204)

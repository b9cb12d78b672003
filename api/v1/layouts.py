"""Layouts: how you like a sheet, remembered for you alone."""

from typing import Any

from fastapi import APIRouter, Response

from api.auth.request import CallerDep, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.access.load import get_access
from core.sheets.layouts import layout, save_layout

router = APIRouter(prefix="/sheets/{sheet}/layout", tags=["Layout"], route_class=ExactRoute)


class LayoutBody(Strict):
    """Only what is named changes."""

    widths: dict[str, int] | None = None
    hidden: list[int] | None = None
    order: list[int] | None = None
    frozen: int | None = None
    view: dict[str, Any] | None = None


@router.get("", summary="Your layout of a sheet")
def remembered(caller: CallerDep, sheet: SheetId) -> Response:
    """Widths, hidden columns, order, frozen columns and the view last used; empty where you never changed it."""
    with caller.transaction() as (session, actor):
        return answer(layout(session, get_access(session, actor, sheet)))


@router.put("", summary="Remember your layout of a sheet")
def remember(caller: CallerDep, sheet: SheetId, body: LayoutBody) -> Response:
    """Nobody else's view changes. Parts that are not named stay as they were."""
    with caller.transaction() as (session, actor):
        return answer(save_layout(session, actor, sheet, body.model_dump(mode="json", exclude_none=True)))

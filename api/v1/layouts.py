"""A user's own layout of a sheet."""

from typing import Any

from fastapi import APIRouter, Response

from api.auth.request import CallerDep, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.access.load import get_access
from core.sheets.layouts import layout, save_layout

router = APIRouter(prefix="/sheets/{sheet}/layout", tags=["Layout"], route_class=ExactRoute)


class LayoutBody(Strict):
    """Fields that are left out stay unchanged."""

    widths: dict[str, int] | None = None
    hidden: list[int] | None = None
    order: list[int] | None = None
    frozen: int | None = None
    view: dict[str, Any] | None = None
    groups: list[dict[str, Any]] | None = None
    colors: list[dict[str, Any]] | None = None
    totals: dict[str, str | None] | None = None


@router.get("", summary="Your layout of a sheet")
def remembered(caller: CallerDep, sheet: SheetId) -> Response:
    """Widths, hidden columns, order, frozen columns and the last view; empty if you have not changed it."""
    with caller.transaction() as (session, actor):
        return answer(layout(session, get_access(session, actor, sheet)))


@router.put("", summary="Save your layout of a sheet")
def remember(caller: CallerDep, sheet: SheetId, body: LayoutBody) -> Response:
    """Other people's layouts do not change."""
    with caller.transaction() as (session, actor):
        return answer(save_layout(session, actor, sheet, body.model_dump(mode="json", exclude_none=True)))

"""A user's own layout of a sheet: their changes of its first view, as programs knew them before there were views."""

from typing import Any

from fastapi import APIRouter, Response

from api.auth.request import CallerDep, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.access.load import get_access
from core.views.edit_views import change_settings
from core.views.settings import Settings
from core.views.views import first_view

router = APIRouter(prefix="/sheets/{sheet}/layout", tags=["Layout"], route_class=ExactRoute)
LAYOUT = ("widths", "hidden", "order", "frozen")
VIEW = ("filter", "sort", "search")


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


@router.get("", summary="Your changes of a sheet's first view", deprecated=True)
def remembered(caller: CallerDep, sheet: SheetId) -> Response:
    """Widths, hidden columns, order, frozen columns and the filter and sort; empty if you have not changed it."""
    with caller.transaction() as (session, actor):
        return answer(_layout(first_view(session, get_access(session, actor, sheet)).changes))


@router.put("", summary="Change a sheet's first view for yourself", deprecated=True)
def remember(caller: CallerDep, sheet: SheetId, body: LayoutBody) -> Response:
    """Other people see it as before. `PATCH …/views/{view}` can change every setting of every view."""
    layout = body.model_dump(mode="json", exclude_none=True)
    view = layout.pop("view", None)
    with caller.transaction() as (session, actor):
        first = first_view(session, get_access(session, actor, sheet))
        rows = {} if view is None else {key: view.get(key) for key in VIEW}
        return answer(_layout(change_settings(session, actor, sheet, first.view_id, layout | rows).changes))


def _layout(changes: Settings) -> dict[str, Any]:
    layout = {key: changes[key] for key in LAYOUT if key in changes}
    view = {key: changes[key] for key in VIEW if key in changes}
    return layout | ({"view": view} if view else {})

"""Stored views of a sheet: list, create and change them, and save one's own changes for everyone."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from api.auth.request import CallerDep, SheetId, Strict, ViewId
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.access.load import get_access
from core.views import edit_views
from core.views.views import get_view, views

router = APIRouter(prefix="/sheets/{sheet}/views", tags=["Views"], route_class=ExactRoute)


class NewView(Strict):
    name: str
    kind: Literal["grid", "board", "calendar"] = "grid"
    shared: bool = Field(default=False, description="A view for everyone; else one of your own.")
    settings: dict[str, Any] = Field(default_factory=dict)


class ViewBody(Strict):
    """Fields that are left out stay unchanged."""

    name: str | None = None
    shared: bool | None = Field(default=None, description="Make it a view for everyone, or one of your own.")
    changes: dict[str, Any] | None = Field(
        default=None,
        description="Settings that differ, by name; null takes your change back. On a view for everyone they are "
        "yours alone until you save them.",
    )
    base: int | None = Field(
        default=None, ge=1, description="The version of the view that you changed; by default the one that it has now."
    )


class OrderBody(Strict):
    order: list[int] = Field(max_length=edit_views.MAX_VIEWS * 2)


class CopyBody(Strict):
    name: str | None = Field(default=None, description="By default that of the view.")


class SaveBody(Strict):
    version: int | None = Field(
        default=None, description="The version that you replace; by default the one that you made your changes on."
    )


@router.get("", summary="The views of a sheet")
def listed(caller: CallerDep, sheet: SheetId) -> Response:
    """Those for everyone first, then your own. `settings` are those of everybody, `changes` yours; `incomplete` says
    that a condition, sort or rule is left out, because its column was removed or is hidden from you."""
    with caller.transaction() as (session, actor):
        return answer({"views": [view.as_json() for view in views(session, get_access(session, actor, sheet))]})


@router.post("", summary="Create a view", status_code=201)
def create(caller: CallerDep, sheet: SheetId, new: NewView) -> Response:
    """A view for everyone takes the right to edit the sheet."""
    with caller.transaction() as (session, actor):
        view = edit_views.create_view(
            session, actor, sheet, new.name, kind=new.kind, settings=new.settings, is_shared=new.shared
        )
        return answer(view.as_json(), 201, {"Location": f"/api/v1/sheets/{sheet}/views/{view.view_id}"})


@router.put("/order", summary="Reorder the views")
def reorder(caller: CallerDep, sheet: SheetId, body: OrderBody) -> Response:
    """Views that are left out follow in their current order."""
    with caller.transaction() as (session, actor):
        return answer(
            {"views": [view.as_json() for view in edit_views.reorder_views(session, actor, sheet, body.order)]}
        )


@router.get("/{view}", summary="A view")
def detail(caller: CallerDep, sheet: SheetId, view: ViewId) -> Response:
    """404 if it does not exist or is another person's."""
    with caller.transaction() as (session, actor):
        return answer(get_view(session, get_access(session, actor, sheet), view).as_json())


@router.patch("/{view}", summary="Rename, share or change a view")
def change(caller: CallerDep, sheet: SheetId, view: ViewId, body: ViewBody) -> Response:
    """Either all changes are made or none."""
    with caller.transaction() as (session, actor):
        if body.name is not None:
            edit_views.rename_view(session, actor, sheet, view, body.name)
        if body.changes is not None:
            edit_views.change_settings(session, actor, sheet, view, body.changes, base=body.base)
        if body.shared is not None:
            edit_views.share_view(session, actor, sheet, view, is_shared=body.shared)
        return answer(get_view(session, get_access(session, actor, sheet), view).as_json())


@router.post("/{view}/save", summary="Save your changes for everyone")
def save(caller: CallerDep, sheet: SheetId, view: ViewId, body: SaveBody) -> Response:
    """409 if another person has saved the view since you changed it: `version` is the one to save over."""
    with caller.transaction() as (session, actor):
        return answer(edit_views.save_for_everyone(session, actor, sheet, view, version=body.version).as_json())


@router.post("/{view}/discard", summary="Discard your changes")
def discard(caller: CallerDep, sheet: SheetId, view: ViewId) -> Response:
    """You see the view as everybody has it."""
    with caller.transaction() as (session, actor):
        return answer(edit_views.discard_changes(session, actor, sheet, view).as_json())


@router.post("/{view}/copy", summary="Duplicate a view", status_code=201)
def copy(caller: CallerDep, sheet: SheetId, view: ViewId, body: CopyBody) -> Response:
    """The copy is yours, and has your changes."""
    with caller.transaction() as (session, actor):
        return answer(edit_views.duplicate_view(session, actor, sheet, view, name=body.name).as_json(), 201)


@router.delete("/{view}", summary="Delete a view", status_code=204)
def delete(caller: CallerDep, sheet: SheetId, view: ViewId) -> Response:
    """Public links that show it end. The last view for everyone can't be deleted."""
    with caller.transaction() as (session, actor):
        edit_views.delete_view(session, actor, sheet, view)
    return Response(status_code=204)

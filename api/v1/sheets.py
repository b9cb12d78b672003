"""Sheets: list, create, read, change, archive and restore."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.auth.request import CallerDep, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.access.load import get_access
from core.base.actor import Principal
from core.base.permissions import Level
from core.sharing import shares
from core.sheets import sheets
from core.sheets.serialize import sheet_json

router = APIRouter(prefix="/sheets", tags=["Sheets"], route_class=ExactRoute)


class NewSheet(Strict):
    name: str
    template: str = Field(default="blank", description="One of pipeline, accounts, contacts and blank.")
    description: str = ""


class SheetChanges(Strict):
    """Fields that are left out stay unchanged."""

    name: str | None = None
    description: str | None = None
    pipeline: dict[str, int | None] | None = Field(
        default=None, description='The columns with the stage, the amount and so on: `{"stage": 4, "amount": 5}`.'
    )
    owner_column: int | None = Field(
        default=None,
        description="The person column that names a row's owner; 0 for the owner column of the pipeline, if any.",
    )
    workspace_level: Literal["editor", "commenter", "viewer", "none"] | None = Field(
        default=None, description="The level of everybody in the workspace."
    )


@router.get("", summary="The sheets that you may see")
def listed(
    caller: CallerDep, archived: Annotated[bool, Query(description="List archived sheets instead.")] = False
) -> Response:
    """Pipelines first, then other sheets; both ordered by name."""
    with caller.transaction() as (session, actor):
        rows = sheets.sheets(session, actor, archived=archived)
    return answer({"sheets": [_listed_json(sheet) for sheet in rows]})


@router.post("", summary="Create a sheet", status_code=201)
def create(caller: CallerDep, new: NewSheet) -> Response:
    """You become its owner. A template adds columns; `pipeline` also sets which column is the stage and so on."""
    with caller.transaction() as (session, actor):
        access = sheets.create_sheet(session, actor, new.name, template=new.template, description=new.description)
        return answer(sheet_json(access), 201, {"Location": f"/api/v1/sheets/{access.sheet.sheet_id}"})


@router.get("/{sheet}", summary="A sheet with its columns and what you may do in it")
def detail(caller: CallerDep, sheet: SheetId) -> Response:
    """404 if the sheet does not exist or is not shared with you."""
    with caller.principal_transaction() as (session, actor):
        return _detail(session, actor, sheet)


@router.patch("/{sheet}", summary="Rename, describe or configure a sheet")
def change(caller: CallerDep, sheet: SheetId, changes: SheetChanges) -> Response:
    """Only its owner may. Either all changes are made or none."""
    with caller.transaction() as (session, actor):
        if changes.name is not None:
            sheets.rename_sheet(session, actor, sheet, changes.name)
        if changes.description is not None:
            sheets.describe_sheet(session, actor, sheet, changes.description)
        if changes.pipeline is not None:
            sheets.configure_pipeline(session, actor, sheet, changes.pipeline)
        if changes.owner_column is not None:
            sheets.choose_owner_column(session, actor, sheet, changes.owner_column or None)
        if changes.workspace_level is not None:
            level = None if changes.workspace_level == "none" else Level(changes.workspace_level)
            shares.share_with_workspace(session, actor, sheet, level=level)
        return _detail(session, actor, sheet)


@router.post("/{sheet}/archive", summary="Archive a sheet")
def archive(caller: CallerDep, sheet: SheetId) -> Response:
    """An archived sheet can be read, but not changed until it is restored."""
    with caller.transaction() as (session, actor):
        sheets.archive_sheet(session, actor, sheet)
        return _detail(session, actor, sheet)


@router.post("/{sheet}/restore", summary="Restore an archived sheet")
def restore(caller: CallerDep, sheet: SheetId) -> Response:
    """The sheet can be changed again."""
    with caller.transaction() as (session, actor):
        sheets.restore_sheet(session, actor, sheet)
        return _detail(session, actor, sheet)


def _detail(session: Session, actor: Principal, sheet: int) -> Response:
    return answer(sheet_json(get_access(session, actor, sheet)))


def _listed_json(sheet: sheets.ListedSheet) -> dict[str, Any]:
    return {
        "id": sheet.sheet_id,
        "name": sheet.name,
        "description": sheet.description,
        "icon": sheet.icon,
        "level": sheet.level,
        "owner": sheet.owner,
        "is_pipeline": sheet.is_pipeline,
        "archived_at": sheet.archived_at,
    }

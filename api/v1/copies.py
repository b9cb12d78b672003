"""Copies of sheets, and templates that people have saved."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from api.auth.request import MAX_ID, CallerDep, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from api.v1.rows import OperationId
from core.access.load import get_access
from core.copies.duplicate import duplicate_sheet
from core.copies.saved_templates import create_from_template, delete_template, save_template, saved_templates
from core.sheets.serialize import sheet_json

router = APIRouter(tags=["Sheets"], route_class=ExactRoute)

TemplateId = Annotated[int, Path(description="The template's number.", ge=1, le=MAX_ID)]


class CopyBody(Strict):
    operation_id: OperationId
    name: str
    rows: bool = Field(default=False, description="Copy the rows that you see, too.")


class TemplateName(Strict):
    name: str


@router.post("/sheets/{sheet}/copies", summary="Copy a sheet", status_code=201)
def copy(caller: CallerDep, sheet: SheetId, body: CopyBody) -> Response:
    """You own the copy. It has the columns, views and, on request, rows that you see, without relations: `left_out` has
    the names of columns that are not in it."""
    with caller.transaction() as (session, actor):
        made = duplicate_sheet(session, actor, sheet, body.name, with_rows=body.rows, operation_id=body.operation_id)
        content = sheet_json(get_access(session, actor, made.sheet))
        facts = {"rows": made.rows, "left_out": made.left_out}
        return answer(content | facts, 201, {"Location": f"/api/v1/sheets/{made.sheet}"})


@router.post("/sheets/{sheet}/template", summary="Save a sheet as a template", status_code=201)
def save(caller: CallerDep, sheet: SheetId, body: TemplateName) -> Response:
    """Its columns, choices and views for everyone, without rows. All who can create sheets see it."""
    with caller.transaction() as (session, actor):
        return answer({"id": save_template(session, actor, sheet, body.name)}, 201)


@router.get("/templates", summary="Templates that people have saved")
def listed(caller: CallerDep) -> Response:
    """By name."""
    with caller.transaction() as (session, actor):
        return answer({"templates": [asdict(template) for template in saved_templates(session, actor)]})


@router.post("/templates/{template}", summary="Create a sheet from a saved template", status_code=201)
def create(caller: CallerDep, template: TemplateId, body: TemplateName) -> Response:
    """You become its owner."""
    with caller.transaction() as (session, actor):
        access = create_from_template(session, actor, body.name, template)
        return answer(sheet_json(access), 201, {"Location": f"/api/v1/sheets/{access.sheet.sheet_id}"})


@router.delete("/templates/{template}", summary="Delete a saved template", status_code=204)
def delete(caller: CallerDep, template: TemplateId) -> Response:
    """Sheets that were made from it stay."""
    with caller.transaction() as (session, actor):
        delete_template(session, actor, template)
    return Response(status_code=204)

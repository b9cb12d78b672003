"""Import: a CSV file into a sheet, with what was found in it, all or nothing."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.auth.request import CurrentActor, SheetId
from api.http.responses import answer
from api.http.upload_form import Upload, read_upload
from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import Permission
from core.imports.inspection import MAX_BYTES, Inspection, inspect
from core.imports.load import import_rows
from core.imports.plan import plan_from_json, propose
from core.imports.plan_types import ImportPlan
from core.imports.preview import check, preview
from core.limits.rate_limits import consume
from db.engine import transaction

router = APIRouter(prefix="/sheets/{sheet}", tags=["Import and export"])

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "The CSV, at most 100 MB."},
                        "plan": {
                            "type": "string",
                            "description": "JSON, only what differs from the proposal: "
                            '`{"format": {"delimiter": ";"}, "columns": [{"name": "Value", "column": 4, '
                            '"on_misfit": "empty"}, {"name": "Note", "skip": true}]}`. '
                            "`on_misfit` is refuse, empty or skip; `add_options` adds missing labels to a choice.",
                        },
                        "operation_id": {"type": "string", "format": "uuid"},
                    },
                }
            }
        },
    }
}


@router.post("/import", summary="Import a CSV file", status_code=201, openapi_extra=_FORM)
async def add(
    request: Request,
    actor: CurrentActor,
    sheet: SheetId,
    *,
    dry_run: Annotated[
        bool, Query(description="Answer what was found and what would come of it; write nothing.")
    ] = False,
) -> Response:
    """Encoding, delimiter, header, types, number and date formats are detected; columns of the same name go together,
    others become new ones (for which you must be the owner). All rows are added, or none: 422 names the values that do
    not fit, with their lines. Try `dry_run` first: its `plan` can be sent back, changed."""
    await run_in_threadpool(_may_import, actor, sheet)
    upload = await read_upload(request, MAX_BYTES)
    if dry_run:
        return answer(await run_in_threadpool(_tried, actor, sheet, upload))
    return answer(await run_in_threadpool(_imported, actor, sheet, upload), 201)


def _may_import(actor: Actor, sheet: int) -> None:
    """Who may not import, or not again already, is told so before a large file is read."""
    _names(actor, sheet)
    consume("import", actor.user_id)


def _names(actor: Actor, sheet: int) -> list[str]:
    """The sheet's columns."""
    with transaction() as session:
        return [column.name for column in get_access(session, actor, sheet, Permission.ROWS_IMPORT).columns]


def _imported(actor: Actor, sheet: int, upload: Upload) -> dict[str, Any]:
    operation_id = _operation_id(upload)
    given = _given(upload)
    inspection = inspect(upload.file, given.get("format"), known=_names(actor, sheet))
    with transaction() as session:
        access = get_access(session, actor, sheet, Permission.ROWS_IMPORT)
        plan = _plan(given, inspection, access)
        report = import_rows(session, actor, sheet, upload.file, plan, operation_id=operation_id, asked=given)
    return report.as_json() | {"notes": inspection.notes}


def _tried(actor: Actor, sheet: int, upload: Upload) -> dict[str, Any]:
    given = _given(upload)
    inspection = inspect(upload.file, given.get("format"), known=_names(actor, sheet))
    with transaction() as session:
        access = get_access(session, actor, sheet, Permission.ROWS_IMPORT)
        plan = _plan(given, inspection, access)
        found = check(upload.file, plan, access)
        shown = preview(inspection, plan, access)
    return {
        "plan": {"format": vars(plan.format), "columns": [column.as_json() for column in plan.columns]},
        "rows": found.rows,
        "notes": inspection.notes,
        "misfits": [misfits.as_json() for misfits in found.misfits],
        "refusal": found.refusal,
        "preview": shown,
    }


def _plan(given: Mapping[str, Any], inspection: Inspection, access: Access) -> ImportPlan:
    return plan_from_json(given, propose(inspection, access), inspection, access)


def _given(upload: Upload) -> dict[str, Any]:
    plan = upload.json("plan")
    if plan is not None and not isinstance(plan, dict):
        raise Invalid("The plan is a JSON object.")
    if plan and not isinstance(plan.get("format", {}), dict):
        raise Invalid("The format in the plan is a JSON object.")
    return plan or {}


def _operation_id(upload: Upload) -> UUID:
    given = upload.fields.get("operation_id")
    try:
        return UUID(given) if given else uuid4()
    except ValueError as error:
        raise Invalid("The operation_id is no UUID.") from error

"""Import of a CSV file into a sheet: all rows or none."""

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
                            "description": "JSON with only what differs from the proposed plan: "
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
        bool, Query(description="Return what was detected and what the import would do; write nothing.")
    ] = False,
) -> Response:
    """Encoding, delimiter, header, types, number and date formats are detected. Columns are matched by name; other ones
    become new columns, which only the owner may add. All rows are added or none: 422 names the values that don't fit,
    with their lines. Try `dry_run` first: you can change its `plan` and send it back."""
    await run_in_threadpool(_require_import, actor, sheet)
    upload = await read_upload(request, MAX_BYTES)
    if dry_run:
        return answer(await run_in_threadpool(_dry_run, actor, sheet, upload))
    return answer(await run_in_threadpool(_import, actor, sheet, upload), 201)


def _require_import(actor: Actor, sheet: int) -> None:
    """Raise if the permission is missing or the rate limit is reached, before a large file is read."""
    _column_names(actor, sheet)
    consume("import", actor.user_id)


def _column_names(actor: Actor, sheet: int) -> list[str]:
    with transaction() as session:
        return [column.name for column in get_access(session, actor, sheet, Permission.ROWS_IMPORT).columns]


def _import(actor: Actor, sheet: int, upload: Upload) -> dict[str, Any]:
    operation_id = _operation_id(upload)
    changes = _plan_changes(upload)
    inspection = inspect(upload.file, changes.get("format"), column_names=_column_names(actor, sheet))
    with transaction() as session:
        access = get_access(session, actor, sheet, Permission.ROWS_IMPORT)
        plan = _plan(changes, inspection, access)
        report = import_rows(session, actor, sheet, upload.file, plan, operation_id=operation_id, details=changes)
    return report.as_json() | {"notes": inspection.notes}


def _dry_run(actor: Actor, sheet: int, upload: Upload) -> dict[str, Any]:
    changes = _plan_changes(upload)
    inspection = inspect(upload.file, changes.get("format"), column_names=_column_names(actor, sheet))
    with transaction() as session:
        access = get_access(session, actor, sheet, Permission.ROWS_IMPORT)
        plan = _plan(changes, inspection, access)
        outcome = check(upload.file, plan, access)
        sample = preview(inspection, plan, access)
    return {
        "plan": {"format": vars(plan.format), "columns": [column.as_json() for column in plan.columns]},
        "rows": outcome.rows,
        "notes": inspection.notes,
        "misfits": [misfits.as_json() for misfits in outcome.misfits],
        "refusal": outcome.refusal,
        "preview": sample,
    }


def _plan(changes: Mapping[str, Any], inspection: Inspection, access: Access) -> ImportPlan:
    return plan_from_json(changes, propose(inspection, access), inspection, access)


def _plan_changes(upload: Upload) -> dict[str, Any]:
    """The changes to the proposed plan in the form; empty without. Raises Invalid."""
    changes = upload.json("plan")
    if changes is not None and not isinstance(changes, dict):
        raise Invalid("The plan must be a JSON object.")
    if changes and not isinstance(changes.get("format", {}), dict):
        raise Invalid("The format in the plan must be a JSON object.")
    return changes or {}


def _operation_id(upload: Upload) -> UUID:
    text = upload.fields.get("operation_id")
    try:
        return UUID(text) if text else uuid4()
    except ValueError as error:
        raise Invalid("The operation_id isn't a valid UUID.") from error

"""Trash: the rows that were deleted, and taking them out again."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.auth.request import CallerDep, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from api.v1.rows import OperationId, RowNumber
from core.base.exact_json import to_wire
from core.edits.trash import MAX_RESTORED, TrashedRow, restore_rows, trash

router = APIRouter(prefix="/sheets/{sheet}/trash", tags=["Trash"], route_class=ExactRoute)

SEARCH = "Text that occurs in any visible cell of a row."


class RestoreBody(Strict):
    """One action: all of it is one version of the sheet."""

    operation_id: OperationId
    rows: list[RowNumber] = Field(min_length=1, max_length=MAX_RESTORED)
    partial: bool = Field(default=False, description="Restore what can be restored, name the rest.")


@router.get("", summary="Deleted rows, the latest first")
def page(
    caller: CallerDep,
    sheet: SheetId,
    *,
    search: Annotated[str, Query(description=SEARCH)] = "",
    before: Annotated[
        str | None, Query(pattern="^[0-9]{1,18}:[0-9]{1,9}$", description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Rows as they were when they were deleted, by whom, when, and as which `version` of the sheet."""
    version, row = (int(part) for part in before.split(":")) if before else (0, 0)
    with caller.transaction() as (session, actor):
        found = trash(session, actor, sheet, search=search, before=(version, row) if before else None, limit=limit)
    more = f"{found[-1].version}:{found[-1].row}" if len(found) == limit else None
    return answer({"rows": [_wire(one) for one in found], "next": more})


@router.post("/restore", summary="Take rows out of the trash")
def restore(caller: CallerDep, sheet: SheetId, body: RestoreBody) -> Response:
    """All or nothing: 404 names rows that are not in the trash, 422 those whose unique value another row has by now.
    With `partial` the rest is restored and the answer (200) names them under `gone` and `refused`."""
    with caller.transaction() as (session, actor):
        outcome = restore_rows(session, actor, sheet, body.rows, operation_id=body.operation_id, partial=body.partial)
    told = ("version", "restored", "refused", "gone")
    return answer({name: getattr(outcome, name) for name in told})


def _wire(found: TrashedRow) -> dict[str, Any]:
    values = {key: to_wire(value) for key, value in found.values.items()}
    who = {"by": found.by, "deleted_at": found.deleted_at}
    return {"id": found.row, "title": found.title, "values": values, "version": found.version} | who

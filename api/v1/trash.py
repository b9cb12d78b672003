"""Trash: list and restore deleted rows."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.auth.request import CallerDep, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from api.v1.rows import OperationId, RowNumber
from core.edits.trash import MAX_RESTORED, TrashedRow, restore_rows, trash

router = APIRouter(prefix="/sheets/{sheet}/trash", tags=["Trash"], route_class=ExactRoute)

SEARCH = "Text in any visible cell of a row."


class RestoreBody(Strict):
    """Rows to restore as one action and one version of the sheet."""

    operation_id: OperationId
    rows: list[RowNumber] = Field(min_length=1, max_length=MAX_RESTORED)
    partial: bool = Field(default=False, description="Restore what is possible and list the rest.")


@router.get("", summary="Deleted rows, newest first")
def page(
    caller: CallerDep,
    sheet: SheetId,
    *,
    search: Annotated[str, Query(description=SEARCH)] = "",
    before: Annotated[
        str | None, Query(pattern="^[0-9]{1,18}:[0-9]{1,9}$", description="`next` of the previous page.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Each row with its values when it was deleted, who deleted it, when, and in which `version` of the sheet."""
    version, row = (int(number) for number in before.split(":")) if before else (0, 0)
    with caller.transaction() as (session, actor):
        rows = trash(session, actor, sheet, search=search, before=(version, row) if before else None, limit=limit)
    next_page = f"{rows[-1].version}:{rows[-1].row}" if len(rows) == limit else None
    return answer({"rows": [*map(_row_json, rows)], "next": next_page})


@router.post("/restore", summary="Restore rows from the trash")
def restore(caller: CallerDep, sheet: SheetId, body: RestoreBody) -> Response:
    """All or nothing: 404 names rows that are not in the trash, 422 rows whose unique value another row has now. With
    `partial` the rest is restored, and the answer (200) lists these rows under `gone` and `refused`."""
    with caller.transaction() as (session, actor):
        outcome = restore_rows(session, actor, sheet, body.rows, operation_id=body.operation_id, partial=body.partial)
    return answer({name: getattr(outcome, name) for name in ("version", "restored", "refused", "gone")})


def _row_json(row: TrashedRow) -> dict[str, Any]:
    return {
        "id": row.row,
        "title": row.title,
        "values": row.wire,
        "version": row.version,
        "by": row.by,
        "deleted_at": row.deleted_at,
    }

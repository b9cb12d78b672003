"""Histories: what happened to one row, and what one cell held."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.auth.request import MAX_ID, CallerDep, ColumnId, RowId, SheetId
from api.http.responses import answer
from core.access.load import get_access
from core.history.history import RowChange, cell_history, row_history

router = APIRouter(prefix="/sheets/{sheet}/rows/{row}", tags=["Changes"])

Before = Annotated[int | None, Query(ge=0, le=MAX_ID, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/history", summary="What happened to a row, newest first")
def of_row(caller: CallerDep, sheet: SheetId, row: RowId, *, before: Before = None, limit: Limit = 100) -> Response:
    """Change by change: its `kind` (add, edit, remove, restore), who, when, and the cells that it wrote. `old` and
    `new` are text as people see it, `value` is what the cell held from then on. Rows in the trash have theirs, too."""
    with caller.transaction() as (session, actor):
        found = row_history(session, get_access(session, actor, sheet), row, before=before, limit=limit)
    return answer({"changes": [asdict(one) for one in found], "next": _next(found, limit)})


@router.get("/cells/{column}/history", summary="What a cell held, newest first")
def of_cell(
    caller: CallerDep, sheet: SheetId, row: RowId, column: ColumnId, *, before: Before = None, limit: Limit = 100
) -> Response:
    """Down to what it held when its row was added. To restore a value, PATCH the cell with a `value` from here, the
    `version` of this answer as its `base`, and `source` “restore”: where somebody was quicker, that is a conflict."""
    with caller.transaction() as (session, actor):
        # Before the history is read: whatever comes between the two is then a conflict, and never overwritten.
        access = get_access(session, actor, sheet)
        found = cell_history(session, access, row, column, before=before, limit=limit)
    changes = [_flat(one) for one in found]
    return answer({"version": access.sheet.version, "changes": changes, "next": _next(found, limit)})


def _flat(change: RowChange) -> dict[str, Any]:
    """A change of one cell, with what became of the cell beside who and when."""
    (cell,) = change.cells
    told = asdict(change) | {"old": cell.old, "new": cell.new, "value": cell.value}
    del told["cells"]
    return told


def _next(found: list[RowChange], limit: int) -> int | None:
    return found[-1].version if len(found) == limit else None

"""The history of a row and of a cell."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.auth.request import MAX_ID, CallerDep, ColumnId, RowId, SheetId
from api.http.responses import answer
from core.access.load import get_access
from core.history.history import RowChange, cell_history, row_history

router = APIRouter(prefix="/sheets/{sheet}/rows/{row}", tags=["Changes"])

Before = Annotated[int | None, Query(ge=0, le=MAX_ID, description="`next` of the previous page.")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/history", summary="The history of a row, newest first")
def of_row(caller: CallerDep, sheet: SheetId, row: RowId, *, before: Before = None, limit: Limit = 100) -> Response:
    """Each change with its `kind` (add, edit, remove, restore), its author and time, and the cells that it wrote. `old`
    and `new` are text as people see it; `value` is the new value of the cell. Rows in the trash have a history, too."""
    with caller.transaction() as (session, actor):
        changes = row_history(session, get_access(session, actor, sheet), row, before=before, limit=limit)
    return answer({"changes": [asdict(change) for change in changes], "next": _next_version(changes, limit)})


@router.get("/cells/{column}/history", summary="The history of a cell, newest first")
def of_cell(
    caller: CallerDep, sheet: SheetId, row: RowId, column: ColumnId, *, before: Before = None, limit: Limit = 100
) -> Response:
    """All values since its row was added. To restore one, PATCH the cell with its `value`, the `version` of this answer
    as `base`, and “restore” as `source`. If another person changed the cell since, that is a conflict."""
    with caller.transaction() as (session, actor):
        # The version is read before the history: a change between the two becomes a conflict and is not overwritten.
        access = get_access(session, actor, sheet)
        changes = cell_history(session, access, row, column, before=before, limit=limit)
    next_version = _next_version(changes, limit)
    return answer({"version": access.sheet.version, "changes": [*map(_cell_change, changes)], "next": next_version})


def _cell_change(change: RowChange) -> dict[str, Any]:
    """A change of one cell: its author and time, and the values of the cell."""
    (cell,) = change.cells
    fields = asdict(change) | {"old": cell.old, "new": cell.new, "value": cell.value}
    del fields["cells"]
    return fields


def _next_version(changes: list[RowChange], limit: int) -> int | None:
    return changes[-1].version if len(changes) == limit else None

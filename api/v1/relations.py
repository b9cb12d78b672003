"""Relations: the rows that a cell may name, and how many rows are related to some."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth.request import CallerDep, ColumnId, SheetId
from api.http.responses import answer
from core.rows.related_rows import related_candidates, related_counts

router = APIRouter(prefix="/sheets/{sheet}", tags=["Relations"])


@router.get("/columns/{column}/candidates", summary="Rows that a relation can name")
def candidates(
    caller: CallerDep,
    sheet: SheetId,
    column: ColumnId,
    search: Annotated[str, Query(max_length=200, description="A part of the title.")] = "",
) -> Response:
    """At most 50 rows, by title. `new_title` is the column of `sheet` to fill in order to add a row there; null if you
    may not."""
    with caller.transaction() as (session, actor):
        result = related_candidates(session, actor, sheet, column, search=search)
    return answer(
        {"sheet": result.sheet_id, "name": result.sheet_name, "rows": result.rows, "new_title": result.new_title}
    )


@router.get("/related", summary="Count the rows that are related to some rows")
def related(
    caller: CallerDep,
    sheet: SheetId,
    rows: Annotated[str, Query(description="Row numbers: `4,7,12`.", pattern="^[0-9]{1,9}(,[0-9]{1,9})*$")],
) -> Response:
    """Per relation and mirror of the sheet that has some, as far as you see them. Deleted rows are not counted."""
    with caller.transaction() as (session, actor):
        counts = related_counts(session, actor, sheet, [*map(int, rows.split(","))])
    return answer({"related": [asdict(count) for count in counts]})

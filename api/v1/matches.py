"""Matches: which of some rows fulfil a filter."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth.request import AsOf, CallerDep, SheetId
from api.http.json_body import ExactRoute
from api.http.responses import answer
from api.v1.totals import json_list
from core.base.permissions import Permission
from core.rows.as_of import get_access_as_of
from core.rows.matches import matching_rows
from core.rows.query import View

router = APIRouter(prefix="/sheets/{sheet}", tags=["Rows"], route_class=ExactRoute)


@router.get("/matches", summary="Which of some rows fulfil filters")
def matches(
    caller: CallerDep,
    sheet: SheetId,
    rows: Annotated[str, Query(description="Row numbers: `4,7,12`.", pattern="^([0-9]{1,9}(,[0-9]{1,9})*)?$")] = "",
    views: Annotated[str, Query(description='JSON: `[{"filter": […], "search": ""}, …]`.', max_length=50_000)] = "",
    as_of: AsOf = None,
) -> Response:
    """`matches` has for each of the `views` the numbers of those rows that it has."""
    row_ids = [int(row_id) for row_id in rows.split(",") if row_id]
    view_list = [View.from_json(body) for body in json_list(views)]
    with caller.principal_transaction() as (session, actor):
        access = get_access_as_of(session, actor, sheet, as_of, Permission.ROWS_SEE)
        rows_by_view = matching_rows(session, access, row_ids, view_list)
    return answer({"version": access.sheet.version, "matches": rows_by_view})

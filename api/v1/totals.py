"""Totals: sums, averages and counts of a view's columns, for the whole view and by group."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.auth.request import AsOf, CallerDep, SheetId, ViewDep
from api.http.json_body import ExactRoute, read_json
from api.http.responses import answer
from core.base.errors import Invalid
from core.base.permissions import Permission
from core.rows.as_of import get_access_as_of
from core.rows.query import Sort
from core.rows.total_functions import Total
from core.rows.totals import view_totals

router = APIRouter(prefix="/sheets/{sheet}", tags=["Rows"], route_class=ExactRoute)

Groups = Annotated[
    str, Query(description='JSON, at most two: `[{"column": 3, "descending": false}]`.', max_length=1000)
]
TotalList = Annotated[
    str,
    Query(
        alias="totals",
        max_length=20_000,
        description='JSON: `[{"column": 4, "function": "sum"}]`. The functions are sum, average, min, max, filled, '
        "empty and unique.",
    ),
]


@router.get("/totals", summary="Totals of a view and of its groups")
def totals(
    caller: CallerDep,
    sheet: SheetId,
    view: ViewDep,
    *,
    functions: TotalList = "",
    groups: Groups = "",
    as_of: AsOf = None,
) -> Response:
    """`rows` of the view, `all_rows` of the sheet, and `totals` by "column:function"; numbers are exact decimal text.
    `groups` stand in the order of the rows, each outer group before those in it: its `values` (null is empty), `rows`
    and `totals`."""
    total_list = [Total.from_json(body) for body in json_list(functions)]
    group_sorts = groups_of(groups)
    with caller.principal_transaction() as (session, actor):
        access = get_access_as_of(session, actor, sheet, as_of, Permission.ROWS_SEE)
        totals_json = view_totals(session, access, view.rows(session, access), total_list, group_sorts).as_json()
    return answer(totals_json)


def groups_of(text: str) -> list[Sort]:
    """Return the groups in a query string. Raises Invalid."""
    try:
        return [Sort.from_json(body) for body in json_list(text)]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Invalid('Groups look like this: [{"column": 3, "descending": false}]') from error


def json_list(text: str) -> list[dict[str, Any]]:
    """Return the objects of a JSON list. Raises Invalid."""
    items = read_json(text.encode()) if text else []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Invalid("This parameter takes a JSON list of objects.")
    return items

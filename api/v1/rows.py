"""Rows: read a page or one row; add, edit and delete rows."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.auth.request import MAX_ID, MAX_ROW_ID, AsOf, CallerDep, RowId, SheetId, Strict, ViewDep
from api.http.etags import IfMatch, IfNoneMatch, expected_version, is_current, not_modified, tag_of, write_if_match
from api.http.json_body import ExactRoute
from api.http.responses import answer
from api.live.hub import hub
from api.v1.row_batches import EditRequest, edit_alone, edit_batcher
from api.v1.totals import Groups, groups_of
from core.base.errors import Invalid, NotFound
from core.base.permissions import Permission
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import RowEdit, write
from core.rows import read
from core.rows.as_of import get_access_as_of
from core.rows.query import View
from core.rows.row_order import cached_order, row_order
from core.rows.totals import grouped_view, view_totals

router = APIRouter(prefix="/sheets/{sheet}", tags=["Rows"], route_class=ExactRoute)

RowNumber = Annotated[int, Field(ge=-MAX_ROW_ID, le=MAX_ROW_ID)]
ColumnKey = Annotated[str, Field(pattern="^[0-9]{1,9}$")]
ClientKey = Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]
OperationId = Annotated[
    UUID,
    Field(strict=False, description="A UUID that you choose. A repeated request has no effect and the same answer."),
]


# Our own pages send this header. The source of edits by programs is “api”.
FromPage = Annotated[str | None, Header(alias="X-Contrivance", include_in_schema=False)]


class Cell(Strict):
    """The new content of a cell: either `text` as a person types it, or `value` as JSON. Null empties the cell."""

    text: str | None = None
    value: Any = None


class EditBody(Cell):
    """An edit of one cell. `base` is the version at which it was read: a cell that changed since is a conflict."""

    row: RowNumber
    column: RowNumber
    base: Annotated[int, Field(ge=0, le=MAX_ID)] | None = None


class AddBody(Strict):
    """A new row. `key` is a name that you choose; the answer maps it to the row's number. `base` is the version at
    which you read the columns: a `value` is refused if its column's type changed since."""

    key: ClientKey
    base: Annotated[int, Field(ge=0, le=MAX_ID)] | None = None
    cells: dict[ColumnKey, Cell] = Field(default_factory=dict)


class BatchBody(Strict):
    """Edits that form one action and one version of the sheet."""

    operation_id: OperationId
    partial: bool = Field(default=False, description="Write what is valid and list the rest.")
    edits: list[EditBody] = Field(default_factory=list)
    adds: list[AddBody] = Field(default_factory=list)
    deletes: list[RowNumber] = Field(default_factory=list)
    source: Literal["grid", "board", "form", "api", "restore"] | None = None
    person: int | None = Field(default=None, description="Your user id: 401 if another user is signed in.")


class NewRows(Strict):
    """New rows as `{"column number": JSON value}`."""

    rows: list[dict[ColumnKey, Any]] = Field(min_length=1)
    operation_id: OperationId | None = None


@router.get("/rows", summary="A page of rows")
def page(
    caller: CallerDep,
    sheet: SheetId,
    view: ViewDep,
    *,
    limit: Annotated[int, Query(description="1 to 1000 rows.")] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the previous page.", max_length=20_000)] = None,
    offset: Annotated[
        int | None, Query(ge=0, le=MAX_ROW_ID, description="Position in the order, instead of a cursor.")
    ] = None,
    order: Annotated[
        str | None, Query(description="A token of `…/order`: positions don't move while others edit.")
    ] = None,
    as_of: AsOf = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Numbers are decimal text, so nothing is rounded. Follow `next_cursor` until it is null: no row is skipped or
    repeated. To jump to a position, get a token from `…/order` once, then pass `order` and `offset`."""
    total = None
    with caller.principal_transaction() as (session, actor):
        access = get_access_as_of(session, actor, sheet, as_of, Permission.ROWS_SEE)
        shown = View() if order is not None else view.rows(session, access)
        tag = tag_of(access, shown)
        if is_current(if_none_match, tag):
            return not_modified(tag)
        if order is not None:
            fixed_order = cached_order(access, order)
            total = fixed_order.total
            rows = read.rows_in_order(session, access, fixed_order, offset=offset or 0, limit=limit)
        elif offset is not None:
            rows = read.first_rows(session, access, shown, limit=limit, offset=offset)
        else:
            rows = read.rows_after(session, access, shown, cursor=cursor, limit=limit)
    page = {"version": rows.version, "order": order, "total": total, "rows": rows.rows}
    return answer(page | {"next_cursor": rows.next_cursor}, headers={"ETag": tag})


@router.get("/order", summary="Fix the order of a view's rows")
def order(caller: CallerDep, sheet: SheetId, view: ViewDep, groups: Groups = "", as_of: AsOf = None) -> Response:
    """A token for `rows?order=…&offset=…`, and the number of rows. An expired token gets 410. A token that was made
    with `as_of` must be used with the same `as_of`; `version:N` with the `version` of this answer is fastest. With
    `groups` the rows are ordered by them first, and the answer has the groups of exactly this order."""
    group_sorts = groups_of(groups)
    with caller.principal_transaction() as (session, actor):
        access = get_access_as_of(session, actor, sheet, as_of, Permission.ROWS_SEE)
        rows = view.rows(session, access)
        fixed_order = row_order(session, access, grouped_view(rows, group_sorts))
        in_order = view_totals(session, access, rows, [], group_sorts).groups if group_sorts else ()
    token = {"order": fixed_order.token, "version": fixed_order.version, "total": fixed_order.total}
    return answer(token | {"groups": [group.as_json() for group in in_order]})


@router.get("/rows/{row}", summary="One row")
def one(
    caller: CallerDep, sheet: SheetId, row: RowId, as_of: AsOf = None, if_none_match: IfNoneMatch = None
) -> Response:
    """404 if the row does not exist or is in the trash, now or at the time of `as_of`."""
    with caller.principal_transaction() as (session, actor):
        access = get_access_as_of(session, actor, sheet, as_of, Permission.ROWS_SEE)
        row_json = read.rows_by_id(session, access, [row])[0]
        tag = tag_of(access)
    if row_json.get("deleted"):
        raise NotFound(f"Row {row} doesn't exist in this sheet.", row=row)
    if is_current(if_none_match, tag):
        return not_modified(tag)
    return answer(row_json | {"version": access.sheet.version}, headers={"ETag": tag})


@router.post("/rows", summary="Add rows", status_code=201)
def add(caller: CallerDep, sheet: SheetId, new: NewRows) -> Response:
    """All rows or none: 422 names every cell that breaks its column's rules. `added` has the order of your request."""
    adds = tuple(NewRow(str(index), _values(cells)) for index, cells in enumerate(new.rows))
    with caller.transaction() as (session, actor):
        operation_id = new.operation_id or uuid4()
        outcome = write(session, actor, sheet, Batch(adds=adds), operation_id=operation_id, source=ChangeSource.API)
    return answer({"version": outcome.version, "added": outcome.added}, 201)


@router.patch("/rows", summary="Edit cells, add and delete rows, as one action")
async def change(
    caller: CallerDep, sheet: SheetId, body: BatchBody, page: FromPage = None, if_match: IfMatch = None
) -> Response:
    """All or nothing: 409 shows mine, theirs and the original of every cell that changed since its `base`, 422 the
    reason for every refused cell, 404 the rows and columns that don't exist, rows to delete included. With `partial`
    the rest is written, and the answer (200) lists what was not. At most 5,000 cells and rows, and 4 MB. `If-Match` is
    the `base` of edits that have none; 412 if such a cell, or a row to delete, changed since."""
    version = expected_version(if_match)
    batch = Batch(
        edits=tuple(
            Edit(edit.row, edit.column, _cell_input(edit), version if edit.base is None else edit.base)
            for edit in body.edits
        ),
        adds=tuple(
            NewRow(add.key, {int(key): _cell_input(cell) for key, cell in add.cells.items()}, add.base)
            for add in body.adds
        ),
        deletes=tuple(body.deletes),
    )
    if len({add.key for add in batch.adds}) < len(batch.adds):
        raise Invalid("Two new rows have the same key. Use a different key for each.")
    source = ChangeSource(body.source or ("grid" if page else "api"))
    request = EditRequest(
        caller,
        sheet,
        RowEdit(batch, body.operation_id, source, body.partial),
        person=body.person,
        expected_version=version,
        unbased=tuple((edit.row, edit.column) for edit in body.edits if edit.base is None),
    )
    result = await (edit_batcher.submit(request, sheet) if request.is_plain else run_in_threadpool(edit_alone, request))
    hub.publish(sheet, result.version)
    return result.response


@router.delete("/rows", summary="Delete rows")
def delete(
    caller: CallerDep,
    sheet: SheetId,
    ids: Annotated[str, Query(description="Row numbers: `4,7,12`.", pattern="^[0-9]{1,9}(,[0-9]{1,9})*$")],
    operation_id: UUID | None = None,
    if_match: IfMatch = None,
) -> Response:
    """They go to the trash, with their history. If one of them does not exist (404) or changed after the `If-Match` of
    the request (412), nothing is deleted."""
    batch = Batch(deletes=tuple(dict.fromkeys(int(row_id) for row_id in ids.split(","))))
    with caller.transaction() as (session, actor):
        write_batch = partial(
            write, session, actor, sheet, batch, operation_id=operation_id or uuid4(), source=ChangeSource.API
        )
        outcome = write_if_match(session, actor, sheet, write_batch, version=expected_version(if_match))
    return answer({"version": outcome.version, "deleted": outcome.deleted})


def _cell_input(cell: Cell) -> CellInput:
    if cell.text is not None and cell.value is not None:
        raise Invalid("A cell takes `text` or `value`, not both.")
    if not cell.model_fields_set & {"text", "value"}:
        raise Invalid("A cell needs `text` or `value`. To empty it, send null.")
    return CellInput(cell.text, cell.value)


def _values(cells: dict[str, Any]) -> dict[int, CellInput]:
    return {int(key): CellInput(value=value) for key, value in cells.items()}

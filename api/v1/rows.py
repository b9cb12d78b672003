"""Rows: pages of a view, one row, and the writes: new rows in batches, edits, deletions."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.auth.request import MAX_ID, MAX_ROW_ID, AsOf, CallerDep, RowId, SheetId, Strict, ViewDep
from api.http.etags import IfMatch, IfNoneMatch, if_unmoved, is_known, not_modified, tag_of, version_seen
from api.http.json_body import ExactRoute
from api.http.responses import answer
from api.live.hub import hub
from api.v1.row_batches import EditRequest, edit_alone, edit_batcher
from core.base.errors import Invalid, NotFound
from core.base.permissions import Permission
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import RowEdit, write
from core.rows import read
from core.rows.as_of import get_access_as_of
from core.rows.row_order import kept_order, row_order

router = APIRouter(prefix="/sheets/{sheet}", tags=["Rows"], route_class=ExactRoute)

RowNumber = Annotated[int, Field(ge=-MAX_ROW_ID, le=MAX_ROW_ID)]
ColumnKey = Annotated[str, Field(pattern="^[0-9]{1,9}$")]
ClientKey = Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]
OperationId = Annotated[
    UUID,
    Field(strict=False, description="Made by you: a repeated request with it is done once, and answered the same."),
]


# Our own pages say with a header that they are asking; a program's edits are of source “api”.
FromPage = Annotated[str | None, Header(alias="X-Contrivance", include_in_schema=False)]


class Cell(Strict):
    """What a cell shall hold: `text` as a person types it, or `value` as JSON. Null empties it; one must be given."""

    text: str | None = None
    value: Any = None


class EditBody(Cell):
    """One cell. `base` is the version it was read at: a cell changed since then is a conflict, not overwritten."""

    row: RowNumber
    column: RowNumber
    base: Annotated[int, Field(ge=0, le=MAX_ID)] | None = None


class AddBody(Strict):
    """A new row; `key` is your own name for it, answered with the row's number."""

    key: ClientKey
    cells: dict[ColumnKey, Cell] = Field(default_factory=dict)


class BatchBody(Strict):
    """One action: all of it is one version of the sheet."""

    operation_id: OperationId
    partial: bool = Field(default=False, description="Write what can be written, name the rest.")
    edits: list[EditBody] = Field(default_factory=list)
    adds: list[AddBody] = Field(default_factory=list)
    deletes: list[RowNumber] = Field(default_factory=list)
    source: Literal["grid", "board", "form", "api", "restore"] | None = None
    person: int | None = Field(default=None, description="Whose change this is: 401 where somebody else is signed in.")


class NewRows(Strict):
    """Rows as `{"column number": JSON value}`."""

    rows: list[dict[ColumnKey, Any]] = Field(min_length=1)
    operation_id: OperationId | None = None


@router.get("/rows", summary="A page of rows")
def page(
    caller: CallerDep,
    sheet: SheetId,
    view: ViewDep,
    *,
    limit: Annotated[int, Query(description="1 to 1000 rows.")] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=20_000)] = None,
    offset: Annotated[
        int | None, Query(ge=0, le=MAX_ROW_ID, description="Place in the order, instead of a cursor.")
    ] = None,
    order: Annotated[str | None, Query(description="A token of `…/order`: places stay while others edit.")] = None,
    as_of: AsOf = None,
    known: IfNoneMatch = None,
) -> Response:
    """Numbers come as decimal text, so that nothing is rounded. Follow `next_cursor` until it is null: no row is
    skipped or doubled. For a jump to any place ask `…/order` once, then give `order` and `offset`."""
    total = None
    with caller.principal_transaction() as (session, actor):
        access = get_access_as_of(session, actor, sheet, as_of, Permission.ROWS_SEE)
        if is_known(known, access):
            return not_modified(access)
        if order is not None:
            kept = kept_order(access, order)
            total = kept.total
            found = read.rows_in_order(session, access, kept, offset=offset or 0, limit=limit)
        elif offset is not None:
            found = read.first_rows(session, access, view, limit=limit, offset=offset)
        else:
            found = read.rows_after(session, access, view, cursor=cursor, limit=limit)
    page = {"version": found.version, "order": order, "total": total, "rows": found.rows}
    return answer(page | {"next_cursor": found.next_cursor}, headers={"ETag": tag_of(access)})


@router.get("/order", summary="Fix the order of a view's rows")
def order(caller: CallerDep, sheet: SheetId, view: ViewDep, as_of: AsOf = None) -> Response:
    """A token for `rows?order=…&offset=…`, and how many rows there are. A token that is no longer kept answers 410.
    One of the past is read with the same `as_of`; `version:N` with the `version` of this answer is quickest."""
    with caller.principal_transaction() as (session, actor):
        access = get_access_as_of(session, actor, sheet, as_of, Permission.ROWS_SEE)
        kept = row_order(session, access, view)
    return answer({"order": kept.token, "version": kept.version, "total": kept.total})


@router.get("/rows/{row}", summary="One row")
def one(caller: CallerDep, sheet: SheetId, row: RowId, as_of: AsOf = None, known: IfNoneMatch = None) -> Response:
    """404 where it does not exist or is in the trash, or did not or was at the instant asked for."""
    with caller.principal_transaction() as (session, actor):
        access = get_access_as_of(session, actor, sheet, as_of, Permission.ROWS_SEE)
        found = read.rows_by_id(session, access, [row])[0]
    if found.get("deleted"):
        raise NotFound(f"There is no row {row} in this sheet.", row=row)
    if is_known(known, access):
        return not_modified(access)
    return answer(found | {"version": access.sheet.version}, headers={"ETag": tag_of(access)})


@router.post("/rows", summary="Add rows", status_code=201)
def add(caller: CallerDep, sheet: SheetId, new: NewRows) -> Response:
    """All rows or none: 422 names every cell that breaks its column's rules. `added` keeps the order that you gave."""
    adds = tuple(NewRow(str(place), _values(cells)) for place, cells in enumerate(new.rows))
    with caller.transaction() as (session, actor):
        operation_id = new.operation_id or uuid4()
        outcome = write(session, actor, sheet, Batch(adds=adds), operation_id=operation_id, source=ChangeSource.API)
    return answer({"version": outcome.version, "added": outcome.added}, 201)


@router.patch("/rows", summary="Edit cells, add and delete rows, as one action")
async def change(
    caller: CallerDep, sheet: SheetId, body: BatchBody, page: FromPage = None, if_match: IfMatch = None
) -> Response:
    """All or nothing: 409 shows mine, theirs and the original of every cell that moved on since its `base`, 422 the
    reason for every refused cell, 404 what is not there, rows to delete included. With `partial` the rest is written
    and the answer (200) names what was not. At most 5,000 cells and rows, and 4 MB. `If-Match` is the `base` of edits
    that have none; where such a cell, or a row to delete, moved on, 412 tells it."""
    seen = version_seen(if_match)
    batch = Batch(
        edits=tuple(
            Edit(edit.row, edit.column, _given(edit), seen if edit.base is None else edit.base) for edit in body.edits
        ),
        adds=tuple(NewRow(add.key, {int(key): _given(cell) for key, cell in add.cells.items()}) for add in body.adds),
        deletes=tuple(body.deletes),
    )
    if len({add.key for add in batch.adds}) < len(batch.adds):
        raise Invalid("Two new rows have the same key. Give each its own.")
    source = ChangeSource(body.source or ("grid" if page else "api"))
    request = EditRequest(
        caller,
        sheet,
        RowEdit(batch, body.operation_id, source, body.partial),
        person=body.person,
        seen=seen,
        unbased=tuple((edit.row, edit.column) for edit in body.edits if edit.base is None),
    )
    result = await (edit_batcher.ask(request, sheet) if request.is_plain else run_in_threadpool(edit_alone, request))
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
    """They go to the trash, with their history. 404, and nothing is deleted, where one of them is not there; 412 where
    one changed after the `If-Match` of the request."""
    wanted = tuple(dict.fromkeys(int(one) for one in ids.split(",")))
    with caller.transaction() as (session, actor):
        batch = Batch(deletes=wanted)
        writing = partial(
            write, session, actor, sheet, batch, operation_id=operation_id or uuid4(), source=ChangeSource.API
        )
        outcome = if_unmoved(session, actor, sheet, writing, version=version_seen(if_match))
    return answer({"version": outcome.version, "deleted": outcome.deleted})


def _given(cell: Cell) -> CellInput:
    if cell.text is not None and cell.value is not None:
        raise Invalid("A cell takes `text` or `value`, not both.")
    if not cell.model_fields_set & {"text", "value"}:
        raise Invalid("A cell takes `text` or `value`; null empties it. This one has neither.")
    return CellInput(cell.text, cell.value)


def _values(cells: dict[str, Any]) -> dict[int, CellInput]:
    return {int(key): CellInput(value=value) for key, value in cells.items()}

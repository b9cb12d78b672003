"""Columns of a sheet: list, add, change, reorder, retire and restore."""

from collections.abc import Iterable
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from api.auth.request import CallerDep, ColumnId, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.column_types.base import Option
from core.sheets import columns
from core.sheets.columns import NewColumn
from core.sheets.serialize import column_json

router = APIRouter(prefix="/sheets/{sheet}/columns", tags=["Columns"], route_class=ExactRoute)


class OptionBody(Strict):
    """A choice. A stage of a pipeline also has a probability (percent) and a kind: open, won or lost."""

    id: str = Field(description="Cells store this id, so renaming a choice changes no data.")
    label: str
    color: str = ""
    retired: bool = False
    probability: int | None = None
    kind: str | None = None


class ColumnBody(Strict):
    name: str
    type: str
    description: str = ""
    rules: dict[str, Any] = Field(default_factory=dict)
    options: list[OptionBody] = Field(default_factory=list)


class ColumnChanges(Strict):
    """Fields that are left out stay unchanged. The type of a column can't change."""

    name: str | None = None
    description: str | None = None
    rules: dict[str, Any] | None = None
    options: list[OptionBody] | None = None


Limit = Literal["hidden", "read-only"]


class ColumnOrder(Strict):
    order: list[int] = Field(description="Column ids. Columns that are left out follow in their present order.")


@router.get("", summary="The columns of a sheet")
def listed(caller: CallerDep, sheet: SheetId) -> Response:
    """`columns` in their order, and the `retired` ones."""
    with caller.transaction() as (session, actor):
        access = get_access(session, actor, sheet)
        retired = columns.retired_columns(session, access)
    return answer({"columns": _columns_json(access, access.columns), "retired": _columns_json(access, retired)})


@router.post("", summary="Add a column", status_code=201)
def add(caller: CallerDep, sheet: SheetId, new: ColumnBody) -> Response:
    """It becomes the last column."""
    plan = NewColumn(new.name, new.type, new.rules, _options(new.options), new.description)
    with caller.transaction() as (session, actor):
        column = columns.add_column(session, actor, sheet, plan)
        return answer(column_json(get_access(session, actor, sheet), column), 201)


@router.put("/order", summary="Reorder the columns")
def reorder(caller: CallerDep, sheet: SheetId, body: ColumnOrder) -> Response:
    """The default order for everybody. Each person can arrange the columns differently for themselves."""
    with caller.transaction() as (session, actor):
        columns.reorder_columns(session, actor, sheet, body.order)
        access = get_access(session, actor, sheet)
        return answer({"columns": _columns_json(access, access.columns)})


@router.patch("/{column}", summary="Change a column")
def change(caller: CallerDep, sheet: SheetId, column: ColumnId, changes: ColumnChanges) -> Response:
    """Its name, description, rules or options. An option that is left out of `options` is retired, not deleted."""
    fields = {name: getattr(changes, name) for name in changes.model_fields_set if getattr(changes, name) is not None}
    if changes.options is not None:
        fields["options"] = tuple(_options(changes.options))
    with caller.transaction() as (session, actor):
        info = columns.change_column(session, actor, sheet, column, **fields)
        return answer(column_json(get_access(session, actor, sheet), info))


@router.put("/{column}/limits", summary="Hide a column, or make it read-only")
def limit(caller: CallerDep, sheet: SheetId, column: ColumnId, limits: dict[str, Limit]) -> Response:
    """The keys are a level (editor, commenter, viewer), own for people who see only their own rows, or link for public
    links. The values are "hidden" or, for editor and own, "read-only". A key that is left out has no limit. If two keys
    apply to a person, both limits apply."""
    with caller.transaction() as (session, actor):
        info = columns.limit_column(session, actor, sheet, column, limits)
        return answer(column_json(get_access(session, actor, sheet), info))


@router.delete("/{column}", summary="Retire a column")
def retire(caller: CallerDep, sheet: SheetId, column: ColumnId) -> Response:
    """The column leaves the sheet. Its values and their history are kept, and return when it is restored."""
    with caller.transaction() as (session, actor):
        columns.retire_column(session, actor, sheet, column)
    return answer({"retired": column})


@router.post("/{column}/restore", summary="Restore a retired column")
def restore(caller: CallerDep, sheet: SheetId, column: ColumnId) -> Response:
    """It returns with all its values."""
    with caller.transaction() as (session, actor):
        columns.restore_column(session, actor, sheet, column)
        access = get_access(session, actor, sheet)
        return answer(column_json(access, access.column(column)))


def _columns_json(access: Access, infos: Iterable[ColumnInfo]) -> list[dict[str, Any]]:
    return [column_json(access, column) for column in infos]


def _options(bodies: list[OptionBody]) -> list[Option]:
    return [Option(**body.model_dump()) for body in bodies]

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
    """A choice. As a stage of a pipeline it has a probability (percent) and a kind: open, won or lost."""

    id: str = Field(description="Cells store this id, so that renaming a choice moves no data.")
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
    """Only what is named changes. The type stays: what was typed keeps its meaning."""

    name: str | None = None
    description: str | None = None
    rules: dict[str, Any] | None = None
    options: list[OptionBody] | None = None


Limit = Literal["hidden", "read-only"]


class ColumnOrder(Strict):
    order: list[int] = Field(description="Column ids; those not named follow in their present order.")


@router.get("", summary="The columns of a sheet")
def listed(caller: CallerDep, sheet: SheetId) -> Response:
    """In their order; those taken out of the sheet beside them under `retired`."""
    with caller.transaction() as (session, actor):
        access = get_access(session, actor, sheet)
        retired = columns.retired_columns(session, access)
    return answer({"columns": _listed(access, access.columns), "retired": _listed(access, retired)})


@router.post("", summary="Add a column", status_code=201)
def add(caller: CallerDep, sheet: SheetId, new: ColumnBody) -> Response:
    """It stands behind the others."""
    plan = NewColumn(new.name, new.type, new.rules, _options(new.options), new.description)
    with caller.transaction() as (session, actor):
        made = columns.add_column(session, actor, sheet, plan)
        return answer(column_json(get_access(session, actor, sheet), made), 201)


@router.put("/order", summary="Reorder the columns")
def reorder(caller: CallerDep, sheet: SheetId, wanted: ColumnOrder) -> Response:
    """The order that everybody starts with; each person may then arrange their own."""
    with caller.transaction() as (session, actor):
        columns.reorder_columns(session, actor, sheet, wanted.order)
        access = get_access(session, actor, sheet)
        return answer({"columns": _listed(access, access.columns)})


@router.patch("/{column}", summary="Change a column")
def change(caller: CallerDep, sheet: SheetId, column: ColumnId, changes: ColumnChanges) -> Response:
    """Its name, description, rules or options. An option that is left out of `options` is retired, not lost."""
    named = {name: getattr(changes, name) for name in changes.model_fields_set if getattr(changes, name) is not None}
    if changes.options is not None:
        named["options"] = tuple(_options(changes.options))
    with caller.transaction() as (session, actor):
        changed = columns.change_column(session, actor, sheet, column, **named)
        return answer(column_json(get_access(session, actor, sheet), changed))


@router.put("/{column}/limits", summary="Hide a column, or make it read-only")
def limit(caller: CallerDep, sheet: SheetId, column: ColumnId, limits: dict[str, Limit]) -> Response:
    """Per level (editor, commenter, viewer), for people who see only their own rows (own) or for public links (link):
    "hidden" or, for editor and own, "read-only". Whoever is not named is not limited; who is both is held to both."""
    with caller.transaction() as (session, actor):
        changed = columns.limit_column(session, actor, sheet, column, limits)
        return answer(column_json(get_access(session, actor, sheet), changed))


@router.delete("/{column}", summary="Retire a column")
def retire(caller: CallerDep, sheet: SheetId, column: ColumnId) -> Response:
    """It leaves the sheet; its values and their history are kept, and come back when it is restored."""
    with caller.transaction() as (session, actor):
        columns.retire_column(session, actor, sheet, column)
    return answer({"retired": column})


@router.post("/{column}/restore", summary="Restore a retired column")
def restore(caller: CallerDep, sheet: SheetId, column: ColumnId) -> Response:
    """With all its values."""
    with caller.transaction() as (session, actor):
        columns.restore_column(session, actor, sheet, column)
        access = get_access(session, actor, sheet)
        return answer(column_json(access, access.column(column)))


def _listed(access: Access, found: Iterable[ColumnInfo]) -> list[dict[str, Any]]:
    return [column_json(access, column) for column in found]


def _options(given: list[OptionBody]) -> list[Option]:
    return [Option(**option.model_dump()) for option in given]

"""Columns of a sheet: list, add, change, reorder, retire and restore."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from api.auth.request import CallerDep, ColumnId, SheetId, Strict
from api.http.json_body import ExactRoute
from api.http.responses import answer
from api.v1.rows import OperationId
from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.column_types.base import Option
from core.edits.change_type import change_type
from core.edits.conversion import Misfits, NewType, preview_type
from core.sheets import columns
from core.sheets.columns import NewColumn
from core.sheets.sales_columns import add_sales_columns
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


class DefaultBody(Strict):
    """What new rows get where nothing is given: a value, a text as typed, or a relative value. One of them."""

    value: Any = None
    text: str | None = None
    relative: Literal["today", "me"] | None = None

    def stored(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


class ColumnBody(Strict):
    name: str
    type: str
    description: str = ""
    rules: dict[str, Any] = Field(default_factory=dict)
    options: list[OptionBody] = Field(default_factory=list)
    default: DefaultBody | None = None


class ColumnChanges(Strict):
    """Fields that are left out stay unchanged. `POST type` changes the type."""

    name: str | None = None
    description: str | None = None
    rules: dict[str, Any] | None = None
    options: list[OptionBody] | None = None
    default: DefaultBody | None = Field(default=None, description="null removes the default.")


Limit = Literal["hidden", "read-only"]


class TypeBody(Strict):
    """A new type for a column. Rules and options that are left out are taken over or made of its values."""

    type: str
    rules: dict[str, Any] | None = None
    options: list[OptionBody] | None = None

    def new_type(self, misfits: Misfits = Misfits.REFUSE, name: str = "") -> NewType:
        options = None if self.options is None else tuple(_options(self.options))
        return NewType(self.type, self.rules, options, misfits, name)


class TypeChangeBody(TypeBody):
    operation_id: OperationId
    misfits: Literal["refuse", "beside", "copy"] = Field(
        default="refuse",
        description="Values that do not convert are refused, or kept as text in a new column beside; copy keeps all "
        "values in a copy of the column.",
    )
    name: str = Field(default="", description="The name of the column that keeps values.")


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
    default = new.default.stored() if new.default else None
    plan = NewColumn(new.name, new.type, new.rules, _options(new.options), new.description, default)
    with caller.transaction() as (session, actor):
        column = columns.add_column(session, actor, sheet, plan)
        return answer(column_json(get_access(session, actor, sheet), column), 201)


@router.post("/sales", summary="Add the sales columns of a pipeline", status_code=201)
def add_sales(caller: CallerDep, sheet: SheetId) -> Response:
    """Formulas for the weighted amount, age, days in stage and the like, those that the sheet has none of yet."""
    with caller.transaction() as (session, actor):
        added = add_sales_columns(session, actor, sheet)
        return answer({"columns": _columns_json(get_access(session, actor, sheet), added)}, 201)


@router.put("/order", summary="Reorder the columns")
def reorder(caller: CallerDep, sheet: SheetId, body: ColumnOrder) -> Response:
    """The default order for everybody. Each person can arrange the columns differently for themselves."""
    with caller.transaction() as (session, actor):
        columns.reorder_columns(session, actor, sheet, body.order)
        access = get_access(session, actor, sheet)
        return answer({"columns": _columns_json(access, access.columns)})


@router.patch("/{column}", summary="Change a column")
def change(caller: CallerDep, sheet: SheetId, column: ColumnId, changes: ColumnChanges) -> Response:
    """Its name, description, rules, options or default. Options that are left out are retired, not deleted."""
    sent = changes.model_fields_set - {"default"}
    fields: dict[str, Any] = {name: getattr(changes, name) for name in sent if getattr(changes, name) is not None}
    if "default" in changes.model_fields_set:
        fields["default_value"] = changes.default.stored() if changes.default else None
    if changes.options is not None:
        fields["options"] = tuple(_options(changes.options))
    with caller.transaction() as (session, actor):
        info = columns.change_column(session, actor, sheet, column, **fields)
        return answer(column_json(get_access(session, actor, sheet), info))


@router.post("/{column}/type/preview", summary="Preview a change of type")
def preview(caller: CallerDep, sheet: SheetId, column: ColumnId, body: TypeBody) -> Response:
    """How many values convert and how many do not, the most frequent of each, and the options that would be made."""
    with caller.transaction() as (session, actor):
        return answer(asdict(preview_type(session, actor, sheet, column, body.new_type())))


@router.post("/{column}/type", summary="Change the type of a column")
def convert(caller: CallerDep, sheet: SheetId, column: ColumnId, body: TypeChangeBody) -> Response:
    """Converts its values as one action, which undo takes back. 422 with `misfits` if values do not convert and are not
    to be kept. An edit whose base is older than the change is refused."""
    new = body.new_type(Misfits(body.misfits), body.name)
    with caller.transaction() as (session, actor):
        changed = change_type(session, actor, sheet, column, new, operation_id=body.operation_id)
        access = get_access(session, actor, sheet)
        counts = {"version": changed.version, "converted": changed.converted, "kept": changed.kept}
        return answer(counts | {"column": column_json(access, access.column(column)), "added": changed.added})


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

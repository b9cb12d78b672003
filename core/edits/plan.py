"""Planning a batch: what of it will be written, and what is refused, in conflict or gone, with the reason."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.row_gate import visible_sql
from core.base.errors import Invalid
from core.base.exact_json import Value
from core.column_types import column_type
from core.column_types.computed import COMPUTED
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.checks import run_checks
from core.edits.conflicts import Cell, Movement, StaleEdit, StoredRow, conflicts, movements_since_base
from core.edits.plan_types import EditPlan
from core.rows.projection import projection, wire_value
from core.sheets.defaults import default_values
from db.raw_sql import RawStatement

MIRROR = "Edit an existing row to change it, or ask the owner of that sheet for the right to edit there."
NO_ROW = "There is no row {} in this sheet. It may have been deleted meanwhile."


def plan_batch(session: Session, access: Access, batch: Batch) -> EditPlan:
    """Decide a whole batch. The sheet is locked: what this finds stays true until it is written."""
    rows = stored_rows(session, access, {edit.row for edit in batch.edits} | set(batch.deletes))
    plan, stale = EditPlan(Outcome(version=access.sheet.version)), list[StaleEdit]()
    _plan_edits(access, plan, batch, rows, stale)
    for add in batch.adds:
        _plan_add(access, plan, add, default_values(session, access, given=add.cells))
    for row_id in dict.fromkeys(batch.deletes):
        if row_id in rows:
            plan.deletes.append(row_id)
        else:
            plan.outcome.gone.append({"row": row_id, "column": None, "given": None, "reason": NO_ROW.format(row_id)})
    run_checks(session, access, plan)
    if stale:
        plan.outcome.conflicts = conflicts(access, rows, stale, movements_since_base(session, access, stale))
    return plan


def plan_optimistic(access: Access, batch: Batch) -> EditPlan | None:
    """Decide a few plain edits without having read their rows: they are written where nothing moved since their base.

    None where it takes the rows or the sheet's lock to decide them, or to say what is wrong.
    """
    if access.owners is not None or not batch.is_plain:
        return None
    plan = EditPlan(Outcome(version=access.sheet.version))
    for edit in batch.edits:
        column = access.by_id.get(edit.column)
        if column is None or column.rules.get("unique") or not access.may_write(column):
            return None
        if edit.base is not None and edit.base < column.type_version:
            return None
        if column_type(column.type).names_rows:  # What the cell names, and the writer does not see, stays.
            return None
        try:
            plan.edits[edit.row, edit.column] = value_to_store(access, column, edit.input, None)
        except Invalid:
            return None
    return plan


def plan_moved(
    access: Access, batch: Batch, rows: Mapping[int, StoredRow], movements: Mapping[Cell, Movement]
) -> EditPlan:
    """Decide plain edits that `plan_optimistic` took, now that their cells are known and locked."""
    plan, stale = EditPlan(Outcome(version=access.sheet.version)), list[StaleEdit]()
    _plan_edits(access, plan, batch, rows, stale)
    plan.outcome.conflicts = conflicts(access, rows, stale, movements)
    return plan


def stored_rows(session: Session, access: Access, row_ids: set[int]) -> dict[int, StoredRow]:
    """Return the rows as they are now, by id, without those that are gone or that this person does not see."""
    if not row_ids:
        return {}
    projected = projection(access)
    # All that a cell names: what of it the writer does not see is not theirs to change.
    rows = _STORED_ROWS.rows(session, access.row_gate.parameters() | {"ids": [*row_ids]})
    return {
        row_id: StoredRow(projected.complete(values), versions, created) for row_id, values, versions, created in rows
    }


def _plan_edits(
    access: Access, plan: EditPlan, batch: Batch, rows: Mapping[int, StoredRow], stale: list[StaleEdit]
) -> None:
    # Of two edits of one cell in one action the later one counts.
    for edit in {(edit.row, edit.column): edit for edit in batch.edits}.values():
        _plan_edit(access, plan, rows.get(edit.row), edit, stale)


def _plan_edit(access: Access, plan: EditPlan, row: StoredRow | None, edit: Edit, stale: list[StaleEdit]) -> None:
    column = access.by_id.get(edit.column)
    cell = {"row": edit.row, "column": edit.column, "given": edit.input.shown}
    if column is None or row is None:
        missing = "column" if column is None else "row"
        plan.outcome.gone.append(cell | {"reason": f"This {missing} has been deleted meanwhile."})
        return
    if edit.base is not None and edit.base < column.type_version:
        plan.outcome.refused.append(cell | {"reason": _type_changed(column)})
        return
    before = row.values.get(column.key)
    try:
        value = value_to_store(access, column, edit.input, before)
    except Invalid as refusal:
        plan.outcome.refused.append(cell | {"reason": refusal.message})
        return
    if value == before:
        plan.outcome.saved.append(_saved(access, edit.row, column, value, row.version_of(column)))
    elif edit.base is not None and not row.version_of(column) <= edit.base <= access.sheet.version:
        stale.append((edit, value))
    else:
        plan.edits[edit.row, edit.column] = value
        plan.inputs[edit.row, edit.column] = edit.input


def _plan_add(access: Access, plan: EditPlan, add: NewRow, defaults: Mapping[int, Value]) -> None:
    values: dict[int, Value | None] = {**defaults}
    refused: list[dict[str, Any]] = []
    columns = [column for column in access.columns if column.rules.get("required") and access.may_write(column)]
    required = [column.column_id for column in columns if column.column_id not in defaults]
    for column_id in dict.fromkeys([*add.cells, *required]):
        cell_input = add.cells.get(column_id, CellInput())
        cell = {"key": add.key, "column": column_id, "given": cell_input.shown}
        column = access.by_id.get(column_id)
        if column is None:
            refused.append(cell | {"reason": "This column has been deleted meanwhile."})
            continue
        # A text is read by the new type, and the row shows what came of it.
        if cell_input.value is not None and add.base is not None and add.base < column.type_version:
            refused.append(cell | {"reason": _type_changed(column)})
            continue
        try:
            values[column_id] = value_to_store(access, column, cell_input, None)
            plan.inputs[add.key, column_id] = cell_input
        except Invalid as refusal:
            refused.append(cell | {"reason": refusal.message})
    plan.outcome.refused += refused
    if not refused:
        plan.adds[add.key] = values


def value_to_store(access: Access, column: ColumnInfo, cell_input: CellInput, before: Value | None) -> Value | None:
    """Return the value to store, by the column's type and rules. Raise Invalid where it breaks them."""
    kind = column_type(column.type)
    if column.is_computed and kind.names_rows:
        raise Invalid(f"“{column.name}” shows a relation of another sheet. {MIRROR}")
    if column.is_computed:
        raise Invalid(COMPUTED.format(column.name))
    if cell_input.text is None:
        value = kind.check(cell_input.value, column, access.references, before)
    else:
        value = kind.parse(cell_input.text, column, access.references, before)
    value = kind.completed(value, column, access.references, before)
    if value is None and column.rules.get("required"):
        raise Invalid(f"“{column.name}” must not be empty.")
    if value != before and not access.may_write(column):
        raise Invalid(f"“{column.name}” is read-only for you. Ask the sheet's owner.")
    return value


def _type_changed(column: ColumnInfo) -> str:
    """Return the reason why an edit is refused that was typed before the column got its type."""
    before, now = column_type(column.earlier[-1].type).label, column_type(column.type).label
    return (
        f"“{column.name}” was changed from {before.lower()} to {now.lower()} while you were typing. "
        "Enter the value again."
    )


def add_saved(access: Access, plan: EditPlan, version: int | None) -> None:
    """Add every planned edit to the outcome's saved cells; the version may be known later."""
    plan.outcome.saved += [
        _saved(access, row, access.by_id[column], value, version) for (row, column), value in plan.edits.items()
    ]


def _saved(access: Access, row: int, column: ColumnInfo, value: Value | None, version: int | None) -> dict[str, Any]:
    return {"row": row, "column": column.column_id, "value": wire_value(access, column, value), "version": version}


_STORED_ROWS = RawStatement(f"""
    SELECT r.row_id, r.values::text, r.versions, r.created_version
    FROM rows r WHERE {visible_sql("r")} AND r.row_id = ANY(:ids)
""")  # noqa: S608 - a condition of core.access.row_gate.

"""Unique columns: refuse a value that another row has already. The sheet's lock makes the check free of races."""

from collections.abc import Iterable

from sqlalchemy import ARRAY, Text, func, literal, select
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.base.exact_json import Value, to_wire
from core.edits.plan_types import EditPlan
from core.edits.value_guesses import Guesses, not_tried
from core.rows.row_source import ROWS
from db.folding import fold
from db.tables.sheets import Row


def refuse_duplicates(session: Session, access: Access, plan: EditPlan) -> None:
    """Move every planned value that is taken already from the plan to its refusals."""
    guesses = Guesses(session, access)
    for column in access.columns:
        if column.rules.get("unique") and (new_values := _new_values(plan, column.column_id)):
            guesses.allow()
            _refuse_in(access, plan, column, new_values, guesses)


def _refuse_in(
    access: Access, plan: EditPlan, column: ColumnInfo, new_values: dict[int | str, str], guesses: Guesses
) -> None:
    refused: dict[int | str, int | str] = {}
    if not guesses.has_revealed:
        leaving = {row for row, column_id in plan.edits if column_id == column.column_id} | set(plan.deletes)
        refused = _clashes(new_values, _rows_with(guesses.session, access, column, set(new_values.values())), leaving)
    unseen = guesses.unseen({owner for owner in refused.values() if isinstance(owner, int)})
    for key in new_values:
        owner = refused.get(key)
        if guesses.has_revealed and owner in {None, *unseen}:
            plan.refuse(key, column.column_id, not_tried(column))
            continue
        if owner is None:
            continue
        if owner in unseen:
            guesses.count_revealed()
        where = row_label(access, owner) if isinstance(owner, int) else "another new row"
        plan.refuse(key, column.column_id, f"“{column.name}” must be unique, and {where} has this value already.")


def _clashes(
    new_values: dict[int | str, str], existing: list[tuple[str, int]], leaving: set[int]
) -> dict[int | str, int | str]:
    """Return the rows whose new value is taken, and by which row. The old value of a refused row may clash in turn."""
    owners: dict[str, int | str] = {}
    leaving_values: dict[int | str, str] = {}
    for value, row in existing:
        if row in leaving:
            leaving_values[row] = value
        else:
            owners[value] = row
    refused: dict[int | str, int | str] = {}
    for key, value in new_values.items():
        losing = [(key, owners.setdefault(value, key))]
        while losing:
            loser, owner = losing.pop()
            if owner == loser:
                continue
            refused[loser] = owner
            # A refused cell keeps its old value, which another cell of the batch may take.
            if loser in leaving_values:
                displaced = owners.get(leaving_values[loser], loser)
                owners[leaving_values[loser]] = loser
                losing += [(displaced, loser)] if new_values.get(displaced) == leaving_values[loser] else []
    return refused


def _new_values(plan: EditPlan, column_id: int) -> dict[int | str, str]:
    """Return the new value of each row (or new row's key), folded for comparison."""
    edits: dict[int | str, Value | None] = {
        row: value for (row, column), value in plan.edits.items() if column == column_id
    }
    adds: dict[int | str, Value | None] = {key: cells.get(column_id) for key, cells in plan.adds.items()}
    return {key: unique_key(value) for key, value in {**edits, **adds}.items() if value is not None}


def rows_holding(
    session: Session, access: Access, column: ColumnInfo, values: set[str], *, leaving: Iterable[int] = ()
) -> dict[str, int]:
    """Return the row that has each of these folded values, without rows whose value is about to change."""
    without = {*leaving}
    return {value: row for value, row in _rows_with(session, access, column, values) if row not in without}


def _rows_with(session: Session, access: Access, column: ColumnInfo, values: set[str]) -> list[tuple[str, int]]:
    if not values:
        return []
    value = ROWS.stored_cell(column).folded
    # An array, so that a paste of any size stays below the limit of parameters; unnested, so that it is hashed.
    is_among = value.in_(select(func.unnest(literal([*values], ARRAY(Text)))))
    rows = session.execute(select(value, Row.row_id).where(access.row_gate.every_row(), is_among))
    return [(str(text), int(row)) for text, row in rows]


def row_label(access: Access, row: int) -> str:
    """Return the label of the row that has a value; without its number for people who see only some rows."""
    return f"row #{row}" if access.owners is None else "another row"


def unique_key(value: Value) -> str:
    """Return a text that is equal for values that must not both be in a unique column."""
    return fold(str(to_wire(value)))

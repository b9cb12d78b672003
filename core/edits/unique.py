"""Unique columns: a value that another row has already is refused. The sheet's lock makes the check race-free."""

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
        if column.rules.get("unique") and (wanted := _wanted(plan, column.column_id)):
            guesses.allow()
            _refuse_in(access, plan, column, wanted, guesses)


def _refuse_in(
    access: Access, plan: EditPlan, column: ColumnInfo, wanted: dict[int | str, str], guesses: Guesses
) -> None:
    refused: dict[int | str, int | str] = {}
    if not guesses.has_told:
        leaving = {row for row, column_id in plan.edits if column_id == column.column_id} | set(plan.deletes)
        refused = _clashes(wanted, _held(guesses.session, access, column, set(wanted.values())), leaving)
    unseen = guesses.unseen({owner for owner in refused.values() if isinstance(owner, int)})
    for place in wanted:
        owner = refused.get(place)
        if guesses.has_told and owner in {None, *unseen}:
            plan.refuse(place, column.column_id, not_tried(column))
            continue
        if owner is None:
            continue
        if owner in unseen:
            guesses.tell()
        where = called(access, owner) if isinstance(owner, int) else "another new row"
        plan.refuse(place, column.column_id, f"“{column.name}” must be unique, and {where} has this value already.")


def _clashes(
    wanted: dict[int | str, str], held: list[tuple[str, int]], leaving: set[int]
) -> dict[int | str, int | str]:
    """Whose value is taken, and by whom. Each value is looked at once, and once more where its old holder stays."""
    taken: dict[str, int | str] = {}
    own: dict[int | str, str] = {}
    for value, row in held:
        if row in leaving:
            own[row] = value
        else:
            taken[value] = row
    refused: dict[int | str, int | str] = {}
    for place, value in wanted.items():
        losing = [(place, taken.setdefault(value, place))]
        while losing:
            loser, owner = losing.pop()
            if owner == loser:
                continue
            refused[loser] = owner
            # A refused cell keeps its old value, which may be the one that another cell of the batch was given.
            if loser in own:
                displaced = taken.get(own[loser], loser)
                taken[own[loser]] = loser
                losing += [(displaced, loser)] if wanted.get(displaced) == own[loser] else []
    return refused


def _wanted(plan: EditPlan, column_id: int) -> dict[int | str, str]:
    """Which row (or new row's key) wants which value, folded for comparison."""
    edits: dict[int | str, Value | None] = {
        row: value for (row, column), value in plan.edits.items() if column == column_id
    }
    adds: dict[int | str, Value | None] = {key: cells.get(column_id) for key, cells in plan.adds.items()}
    return {place: folded(value) for place, value in {**edits, **adds}.items() if value is not None}


def holders(
    session: Session, access: Access, column: ColumnInfo, wanted: set[str], *, leaving: Iterable[int] = ()
) -> dict[str, int]:
    """Which row has which of these folded values already, without the rows that are about to lose theirs."""
    without = {*leaving}
    return {value: row for value, row in _held(session, access, column, wanted) if row not in without}


def _held(session: Session, access: Access, column: ColumnInfo, wanted: set[str]) -> list[tuple[str, int]]:
    if not wanted:
        return []
    value = ROWS.cell(column).folded
    # An array, so that a paste of any size stays below the limit of parameters; unnested, so that it is hashed.
    is_wanted = value.in_(select(func.unnest(literal([*wanted], ARRAY(Text)))))
    found = session.execute(select(value, Row.row_id).where(access.row_gate.every_row(), is_wanted))
    return [(str(text), int(row)) for text, row in found]


def called(access: Access, row: int) -> str:
    """How the row that holds a value is called; for whoever sees only some rows, without its number."""
    return f"row #{row}" if access.owners is None else "another row"


def folded(value: Value) -> str:
    """The same text for values that must not both stand in a unique column."""
    return fold(str(to_wire(value)))

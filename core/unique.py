"""Unique columns: a value that another row has already is refused. The sheet's lock makes the check race-free."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import ARRAY, Integer, Text, all_, any_, literal, select
from sqlalchemy.orm import Session

from core.access import Access, ColumnInfo, every_row
from core.origin import ROWS
from core.values import Value, to_wire
from db.folding import fold
from db.tables import Row

if TYPE_CHECKING:
    from core.planning import Plan


def refuse_duplicates(session: Session, access: Access, plan: "Plan") -> None:
    """Move every planned value that is taken already from the plan to its refusals."""
    for column in access.columns:
        # A refused cell keeps its old value, which may be the one that another cell of the batch hoped for: look again.
        while column.rules.get("unique") and _refused_in(session, access, plan, column):
            pass


def _refused_in(session: Session, access: Access, plan: "Plan", column: ColumnInfo) -> bool:
    """Refuse what is taken; whether anything was."""
    wanted = _wanted(plan, column.column_id)
    leaving = {row for row, column_id in plan.edits if column_id == column.column_id} | set(plan.deletes)
    taken: dict[str, int | str] = {**holders(session, access, column, set(wanted.values()), leaving=leaving)}
    clashes = [(place, taken.setdefault(folded, place)) for place, folded in wanted.items()]
    refused = [(place, owner) for place, owner in clashes if owner != place]
    for place, owner in refused:
        _refuse(access, plan, place, column, owner)
    return bool(refused)


def _wanted(plan: "Plan", column_id: int) -> dict[int | str, str]:
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
    if not wanted:
        return {}
    value = ROWS.cell(column).folded
    # Arrays, so that a paste of any size stays below the limit of parameters.
    is_wanted = value == any_(literal([*wanted], ARRAY(Text)))
    stays = Row.row_id != all_(literal([*leaving], ARRAY(Integer)))
    found = session.execute(select(value, Row.row_id).where(every_row(access), is_wanted, stays))
    return {str(text): int(row) for text, row in found}


def called(access: Access, row: int) -> str:
    """How the row that holds a value is called; for whoever sees only some rows, without its number."""
    return f"row #{row}" if access.owners is None else "another row"


def _refuse(access: Access, plan: "Plan", place: int | str, column: ColumnInfo, owner: int | str) -> None:
    where = called(access, owner) if isinstance(owner, int) else "another new row"
    name = "row" if isinstance(place, int) else "key"
    given = plan.given[place, column.column_id].shown
    reason = f"“{column.name}” must be unique, and {where} has this value already."
    plan.outcome.refused.append({name: place, "column": column.column_id, "given": given, "reason": reason})
    if isinstance(place, int):
        del plan.edits[place, column.column_id]
    else:
        del plan.adds[place]


def folded(value: Value) -> str:
    """The same text for values that must not both stand in a unique column."""
    return fold(str(to_wire(value)))

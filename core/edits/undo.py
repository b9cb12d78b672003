"""Undo and redo: take back a user's own last action, cell by cell, as a change of its own."""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.access.row_gate import scope_sql, visible_sql
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid, Refused
from core.base.exact_json import Value, loads_stored, to_wire
from core.base.permissions import Permission
from core.edits.batch import CellInput, Outcome
from core.edits.change_type import TypeChange, take_back, type_change_of
from core.edits.checks import run_checks
from core.edits.conflicts import Cell, StoredRow
from core.edits.operation import Answer, ChangeSource, WriteOperation, carry_out_together, request_digest
from core.edits.plan import stored_rows, value_to_store
from core.edits.plan_types import EditPlan
from core.edits.trash import restorable
from core.edits.undo_stack import Action, described, other_sheets, related_sheets, stack_of

MAX_LEFT = 200
Direction = Literal["undo", "redo"]
FindAction = Callable[[Access], Action | None]


@dataclass
class UndoResult:
    """The result of an undo or redo: what was taken back, and what was left as it is, with author and time.

    left: {row, column or None, reason, by, at}, no more than MAX_LEFT of them; `left_count` counts all.
    """

    version: int
    operation: str
    said: str
    cells: int = 0
    deleted: int = 0
    restored: int = 0
    left: list[dict[str, Any]] = field(default_factory=list)
    left_count: int = 0
    type_change: dict[str, Any] | None = None


def undo(
    session: Session, actor: Actor, sheet_id: int, *, operation_id: UUID, target: UUID | None = None
) -> UndoResult:
    """Take back the user's last action on this sheet (or `target`, while it can be taken back), as one version.

    A cell goes back only while it holds what that action left there and no other user has changed it since, a new row
    goes to the trash only while no other user has changed it, a deleted row comes back only from that deletion. The
    result lists what is left as it is. Invalid where there is nothing to take back.
    """
    return _take_back(session, actor, sheet_id, "undo", operation_id=operation_id, target=target)


def redo(
    session: Session, actor: Actor, sheet_id: int, *, operation_id: UUID, target: UUID | None = None
) -> UndoResult:
    """Do again the action that was taken back last: the undo of an undo, under the rules of `undo`."""
    return _take_back(session, actor, sheet_id, "redo", operation_id=operation_id, target=target)


def _take_back(
    session: Session,
    actor: Actor,
    sheet_id: int,
    direction: Direction,
    *,
    operation_id: UUID,
    target: UUID | None,
) -> UndoResult:
    def find(access: Access) -> Action | None:
        """Return the action that is taken back: the last one, or the target while it can be."""
        actions: list[Action] = getattr(stack_of(session, access), direction)
        return next((action for action in reversed(actions) if target in {None, action.operation_id}), None)

    def decide(operations: dict[int, WriteOperation]) -> dict[int, Answer]:
        session.execute(_LONG_TIMEOUT)
        access = operations[sheet_id].access
        action = find(access)
        if action is None:
            raise Invalid(f"There is nothing of yours to {direction} in this sheet.")
        if change := type_change_of(session, sheet_id, action.operation_id):
            operations[sheet_id].undoes = action.operation_id
            return {sheet_id: _take_back_type(operations[sheet_id], action, change)}
        versions = other_sheets(session, access, action.operation_id) | {sheet_id: action.version}
        if versions.keys() != operations.keys():
            raise Conflict("Another action of yours came first. Try again.")
        said = described(session, access, action)
        inverses = {
            other: _Inverse(session, operation.access, replace(action, version=versions[other]))
            for other, operation in operations.items()
        }
        return {
            other: _finish(operation, action, said, inverses[other], inverses.values())
            for other, operation in operations.items()
        }

    answers = carry_out_together(
        session,
        actor,
        {sheet: [Permission.ROWS_EDIT] for sheet in _sheets(session, actor, sheet_id, operation_id, find)},
        decide,
        operation_id=operation_id,
        source=ChangeSource.UNDO,
        request=request_digest(direction, target),
    )
    return UndoResult(**answers[sheet_id])


def _sheets(session: Session, actor: Actor, sheet_id: int, operation_id: UUID, find: FindAction) -> set[int]:
    """Return the sheets that the action has written in: this one, and those of relations that it changed from here."""
    try:
        access = get_access(session, actor, sheet_id, Permission.ROWS_EDIT)
    except Refused:
        return {sheet_id}
    if not related_sheets(access):
        return {sheet_id}
    # A repeated request has the sheets of the first one.
    if others := other_sheets(session, access, operation_id):
        return {sheet_id, *others}
    action = find(access)
    return {sheet_id, *(other_sheets(session, access, action.operation_id) if action else ())}


def _finish(
    operation: WriteOperation, action: Action, said: str, inverse: "_Inverse", inverses: Collection["_Inverse"]
) -> Answer:
    """Write what takes an action back in one sheet, and answer with what was taken back in all."""
    operation.undoes = action.operation_id
    left = [place for one in inverses for place in one.left]
    result = UndoResult(
        version=operation.version,
        operation=str(action.operation_id),
        said=said,
        cells=sum(len(one.plan.edits) for one in inverses),
        deleted=sum(len(one.plan.deletes) for one in inverses),
        restored=sum(len(one.restores) for one in inverses),
        left=left[:MAX_LEFT],
        left_count=len(left),
    )
    changes = replace(inverse.plan.changes(), restores=inverse.restores)
    return operation.finish(changes, lambda version: asdict(replace(result, version=version)))


def _take_back_type(operation: WriteOperation, action: Action, change: TypeChange) -> Answer:
    said = described(operation.session, operation.access, action)
    taken_back, cells, left = take_back(operation, change, action.version)
    result = UndoResult(operation.version, str(action.operation_id), said, cells=cells, left=left, left_count=len(left))
    result.type_change = asdict(taken_back)
    operation.keep_answer(asdict(result))
    return asdict(result)


class _Inverse:
    """The changes that take an action back, decided under the sheet's lock; `left` has what cannot be taken back."""

    def __init__(self, session: Session, access: Access, action: Action) -> None:
        self.session, self.access, self.action = session, access, action
        self.plan = EditPlan(Outcome(version=access.sheet.version))
        self.restores: list[int] = []
        self.left: list[dict[str, Any]] = []
        self.others = self._changed_by_others()
        lines = self._lines()
        # Deleted rows free unique values for cells that go back, and these for rows that are restored.
        self._delete([line.row_id for line in lines if line.kind in {"add", "restore"}])
        self._revert_edits([line for line in lines if line.kind == "edit"])
        self._restore([line.row_id for line in lines if line.kind == "remove"])

    def _lines(self) -> list[Any]:
        return [*self.session.execute(_LINES, self._parameters())]

    def _changed_by_others(self) -> dict[Cell, Any]:
        """Return the last change by another user, since the action, of each cell (column 0: whole row) of its rows."""
        lines = self.session.execute(_OTHERS, self._parameters() | {"me": self.access.actor.user_id})
        return {(line.row_id, line.column_id): line for line in lines}

    def _parameters(self) -> dict[str, Any]:
        version, operation = self.action.version, self.action.operation_id
        return self.access.row_gate.parameters() | {"version": version, "operation": operation}

    def _revert_edits(self, lines: list[Any]) -> None:
        rows = stored_rows(self.session, self.access, {line.row_id for line in lines})
        for line in lines:
            self._revert_cell(line, rows.get(line.row_id))
        run_checks(self.session, self.access, self.plan)
        for refused in self.plan.outcome.refused:
            self._leave(refused["row"], refused["column"], refused["reason"])

    def _revert_cell(self, line: Any, row: StoredRow | None) -> None:
        cell, column = (line.row_id, line.column_id), self.access.by_id.get(line.column_id)
        if column is None:
            self._leave(line.row_id, None, "The column has been deleted meanwhile.")
        elif self.action.version < column.type_version:
            self._leave(*cell, f"The type of “{column.name}” has been changed since.")
        elif row is None:
            self._leave(*cell, "The row has been deleted meanwhile.", self.others.get((line.row_id, 0)))
        elif cell in self.others:
            self._leave(*cell, "Another user has changed this cell since.", self.others[cell])
        elif row.values.get(column.key) != _value(line.new):
            self._leave(*cell, "You have changed this cell since.")
        else:
            cell_input = CellInput(value=to_wire(_value(line.old)))
            try:
                value = value_to_store(self.access, column, cell_input, row.values.get(column.key))
            except Invalid as refusal:
                self._leave(*cell, refusal.message)
                return
            self.plan.edits[cell], self.plan.inputs[cell] = value, cell_input

    def _delete(self, rows: list[int]) -> None:
        if not rows:
            return
        self.access.require(Permission.ROWS_DELETE)
        live_rows = self.session.execute(_LIVE, self.access.row_gate.parameters() | {"rows": rows})
        live, touched = set(live_rows.scalars()), self._touched()
        for row in rows:
            if row in live and row not in touched:
                self.plan.deletes.append(row)
            elif row in live:
                self._leave(row, None, "Another user has worked on this row since.", touched[row])

    def _restore(self, rows: list[int]) -> None:
        if not rows:
            return
        self.access.require(Permission.ROWS_DELETE)
        parameters = self._parameters() | {"rows": rows, "me": self.access.actor.user_id}
        deleted = set(self.session.execute(_DELETED, parameters).scalars())
        row_ids = [row for row in rows if row in deleted and (row, 0) not in self.others]
        outcome = restorable(self.session, self.access, row_ids, edits=self.plan.edits)
        self.restores = outcome.restored
        for refused in outcome.refused:
            self._leave(refused["row"], refused["column"], refused["reason"])
        for row in [row for row in rows if row not in deleted or (row, 0) in self.others]:
            other = self.others.get((row, 0))
            subject = "Another user has" if other else "You have"
            self._leave(row, None, f"{subject} restored or deleted this row since.", other)

    def _touched(self) -> dict[int, Any]:
        """Return each row that another user has changed, with the last of these changes that this person may see."""
        columns = {0, *self.access.by_id}
        in_order = sorted(self.others.items(), key=lambda item: item[1].version)
        hidden = {row: None for (row, _), _ in in_order}
        return hidden | {row: line for (row, column), line in in_order if column in columns}

    def _leave(self, row: int, column: int | None, reason: str, line: Any = None) -> None:
        change = {"by": line.name if line else None, "at": line.recorded_at.isoformat() if line else None}
        self.left.append({"row": row, "column": column, "reason": reason} | change)


def _value(logged: str | None) -> Value | None:
    value: Value | None = None if logged is None else loads_stored(logged)
    return value


# The action may have been an import of hundreds of thousands of rows.
_LONG_TIMEOUT = text("SELECT set_config('statement_timeout', '120s', true)")
# A whole row's values are not needed to take its adding or deletion back, and an import has many of them.
_LINES = text(f"""
    SELECT c.row_id, c.column_id, c.kind,
           CASE WHEN c.kind = 'edit' THEN c.old::text END AS old, CASE WHEN c.kind = 'edit' THEN c.new::text END AS new
    FROM changes c JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    WHERE c.sheet_id = :sheet AND c.version = :version AND c.batch = :operation
      AND {scope_sql("r")}
    ORDER BY c.row_id, c.column_id
""")  # noqa: S608 - a condition of core.access.row_gate.
_OTHERS = text(f"""
    SELECT DISTINCT ON (c.row_id, c.column_id) c.row_id, c.column_id, c.version, c.recorded_at, u.name
    FROM changes c
    JOIN (SELECT DISTINCT row_id FROM changes
          WHERE sheet_id = :sheet AND version = :version AND batch = :operation) mine ON mine.row_id = c.row_id
    JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    LEFT JOIN users u ON u.user_id = c.actor_id
    WHERE c.sheet_id = :sheet AND c.version > :version AND c.actor_id <> :me AND {scope_sql("r")}
    ORDER BY c.row_id, c.column_id, c.version DESC
""")  # noqa: S608 - a condition of core.access.row_gate.
_LIVE = text(f"""
    SELECT r.row_id FROM rows r WHERE {visible_sql("r")} AND r.row_id = ANY(:rows)
""")  # noqa: S608 - a condition of core.access.row_gate.
# In the trash by the action itself, or because the actor took back a later change of the row.
_DELETED = text(f"""
    SELECT r.row_id FROM rows r
    WHERE {scope_sql("r")} AND r.row_id = ANY(:rows) AND (r.deleted_version = :version OR EXISTS (
        SELECT FROM changes c WHERE c.sheet_id = r.sheet_id AND c.version = r.deleted_version AND c.row_id = r.row_id
        AND c.column_id = 0 AND c.version > :version AND c.actor_id = :me AND c.source = 'undo'))
""")  # noqa: S608 - a condition of core.access.row_gate.

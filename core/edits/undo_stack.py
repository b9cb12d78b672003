"""A user's last actions on a sheet, and which of them undo and redo take back. They survive a reload."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.permissions import Permission
from core.column_types import column_type

MAX_ACTIONS = 500


@dataclass(frozen=True)
class Action:
    """One action of a user: one typed cell, one paste, one import, one deletion.

    `origin` is the action that an undo or redo is about, else the action itself.
    """

    operation_id: UUID
    version: int
    at: datetime
    undoes: UUID | None
    origin: tuple[UUID, int]


@dataclass
class Stack:
    """The actions that undo and redo would take back, the next one last."""

    undo: list[Action]
    redo: list[Action]


@dataclass(frozen=True)
class Next:
    """The action that a button would take back, in words, and when it was done."""

    operation_id: UUID
    said: str
    at: datetime


def next_steps(session: Session, actor: Actor, sheet_id: int) -> dict[str, Next | None]:
    """Return what “undo” and “redo” would take back now; None where there is nothing."""
    access = get_access(session, actor, sheet_id, Permission.ROWS_EDIT)
    stack = stack_of(session, access)
    return {"undo": _next(session, access, stack.undo), "redo": _next(session, access, stack.redo)}


def stack_of(session: Session, access: Access) -> Stack:
    """Replay the user's actions: an undo moves the action that it took back to `redo`; a new action clears `redo`.

    A redo takes back an undo, so one column (`operations.undoes`) is enough for both.
    """
    parameters = {"sheet": access.sheet.sheet_id, "actor": access.actor.user_id, "limit": MAX_ACTIONS}
    stack, origins = Stack([], []), dict[UUID, tuple[UUID, int]]()
    for operation_id, version, at, undoes in reversed(session.execute(_MINE, parameters).all()):
        origin = origins.setdefault(operation_id, origins.get(undoes, (operation_id, version)))
        action = Action(operation_id, version, at, undoes, origin)
        if undoes is None:
            stack.undo.append(action)
            stack.redo.clear()
        elif _take(stack.undo, undoes):
            stack.redo.append(action)
        elif _take(stack.redo, undoes):
            stack.undo.append(action)
    return stack


def described(session: Session, access: Access, action: Action) -> str:
    """Return the action in words: “Change of 12 cells”."""
    operation_id, version = action.origin
    parameters = {"sheet": access.sheet.sheet_id, "version": version, "operation": operation_id}
    if source_type := session.scalar(_TYPE_CHANGE, parameters):
        return f"Change of a column's type from {column_type(source_type).label.lower()}"
    done = {kind: (source, count) for kind, source, count in session.execute(_DONE, parameters)}
    for kind, single, plural, noun in _KINDS:
        if kind in done:
            source, count = done[kind]
            if source == "import":
                return f"Import of {count:,} rows"
            return single if count == 1 else f"{plural} of {count:,} {noun}"
    return "Change of related rows" if other_sheets(session, access, operation_id) else "An action"


def related_sheets(access: Access) -> set[int]:
    """Return the other sheets in which an action in this sheet may write: those of its relations and mirrors."""
    rules = (column.rules for column in access.every_column if column_type(column.type).names_rows)
    return {column_rules["sheet"] for column_rules in rules} - {access.sheet.sheet_id}


def other_sheets(session: Session, access: Access, operation_id: UUID) -> dict[int, int]:
    """Return the other sheets in which the person's operation was carried out, with its version in each."""
    if not (sheets := related_sheets(access)):
        return {}
    parameters = {"sheets": [*sheets], "operation": operation_id, "actor": access.actor.user_id}
    return {line.sheet_id: line.version for line in session.execute(_ELSEWHERE, parameters)}


def _next(session: Session, access: Access, actions: list[Action]) -> Next | None:
    return Next(actions[-1].operation_id, described(session, access, actions[-1]), actions[-1].at) if actions else None


def _take(actions: list[Action], operation_id: UUID) -> bool:
    """Remove an action; return whether it was there."""
    others = [action for action in actions if action.operation_id != operation_id]
    is_removed = len(others) < len(actions)
    actions[:] = others
    return is_removed


# Of an action that did several things, the first of these names it.
_KINDS = (
    ("add", "New row", "Adding", "rows"),
    ("remove", "Deletion of a row", "Deletion", "rows"),
    ("restore", "Restoring of a row", "Restoring", "rows"),
    ("edit", "Change of a cell", "Change", "cells"),
)
# An undo that found nothing to take back has the version that it found, and comes after what it would have taken back.
_MINE = text("""
    SELECT operation_id, version, created_at, undoes FROM operations
    WHERE sheet_id = :sheet AND actor_id = :actor AND version IS NOT NULL
    ORDER BY version DESC, (undoes IS NOT NULL) DESC, created_at DESC
    LIMIT :limit
""")
_TYPE_CHANGE = text("""
    SELECT result -> 'type_change' ->> 'before' FROM operations
    WHERE sheet_id = :sheet AND operation_id = :operation AND version = :version
""")
_ELSEWHERE = text("""
    SELECT sheet_id, version FROM operations
    WHERE sheet_id = ANY(CAST(:sheets AS bigint[])) AND operation_id = :operation AND actor_id = :actor
      AND version IS NOT NULL
""")
_DONE = text("""
    SELECT kind, min(source), count(*) FROM changes
    WHERE sheet_id = :sheet AND version = :version AND batch = :operation GROUP BY kind
""")

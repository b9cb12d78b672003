"""My last actions on a sheet, and which of them undo and redo would take back: after a reload and a day later, too."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.permissions import Permission

MOST_ACTIONS = 500


@dataclass(frozen=True)
class Action:
    """One action of mine: one typed cell, one paste, one import, one deletion. `origin` is what it is about, where it
    took something back itself."""

    operation_id: UUID
    version: int
    at: datetime
    undoes: UUID | None
    origin: tuple[UUID, int]


@dataclass
class Stack:
    """What undo and redo would take back, the next one last."""

    undo: list[Action]
    redo: list[Action]


@dataclass(frozen=True)
class Next:
    """What a button would take back, in words, and when it was done; None where there is nothing."""

    operation_id: UUID
    said: str
    at: datetime


def next_steps(session: Session, actor: Actor, sheet_id: int) -> dict[str, Next | None]:
    """What “undo” and “redo” would do now."""
    access = get_access(session, actor, sheet_id, Permission.ROWS_EDIT)
    stack = stack_of(session, access)
    return {"undo": _next(session, access, stack.undo), "redo": _next(session, access, stack.redo)}


def stack_of(session: Session, access: Access) -> Stack:
    """Replay my actions: an undo puts what it took back among those to do again, a new action forgets those.

    Doing again is taking back an undo, so one column (`operations.undoes`) tells all of it.
    """
    parameters = {"sheet": access.sheet.sheet_id, "actor": access.actor.user_id, "most": MOST_ACTIONS}
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
    """What the action was, in words: “Change of 12 cells”."""
    operation_id, version = action.origin
    parameters = {"sheet": access.sheet.sheet_id, "version": version, "operation": operation_id}
    done = {kind: (source, count) for kind, source, count in session.execute(_DONE, parameters)}
    for kind, one, several, noun in _KINDS:
        if kind in done:
            source, count = done[kind]
            if source == "import":
                return f"Import of {count:,} rows"
            return one if count == 1 else f"{several} of {count:,} {noun}"
    return "An action"


def _next(session: Session, access: Access, actions: list[Action]) -> Next | None:
    return Next(actions[-1].operation_id, described(session, access, actions[-1]), actions[-1].at) if actions else None


def _take(actions: list[Action], operation_id: UUID) -> bool:
    """Take an action out; whether it was there."""
    left = [action for action in actions if action.operation_id != operation_id]
    found = len(left) < len(actions)
    actions[:] = left
    return found


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
    LIMIT :most
""")
_DONE = text("""
    SELECT kind, min(source), count(*) FROM changes
    WHERE sheet_id = :sheet AND version = :version AND batch = :operation GROUP BY kind
""")

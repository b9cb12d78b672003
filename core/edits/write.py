"""Writing cells: the one command by which any path changes the rows of a sheet. Loses nothing, overwrites nothing."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from core.access.access import Access, get_access
from core.access.cache import forget, keep, recalled
from core.base.actor import Actor
from core.base.errors import Invalid, Refused
from core.base.exact_json import Value, dumps, to_wire
from core.base.permissions import Permission
from core.edits.batch import MAX_CELLS, Batch, Outcome
from core.edits.operation import Change, Decided, Source, digest, edit_unmoved, kept_answer, open_change
from core.edits.plan import answer_edits, plan_batch, plan_unseen
from core.edits.plan_types import Plan


def write(
    session: Session,
    actor: Actor,
    sheet_id: int,
    batch: Batch,
    *,
    operation_id: UUID,
    source: Source,
    partial: bool = False,
) -> Outcome:
    """Write a batch as one version of the sheet.

    A cell that moved on since its edit's base is a conflict and is not written; a value that breaks its column's
    rules is refused; a cell that is gone is said to be gone. With `partial` the rest is written and the outcome
    names them; without, Conflict, Invalid or NotFound is raised and nothing is written. The same operation_id is
    carried out once and answered the same every time; Conflict where it comes with other content.
    """
    request = _digest(batch)
    try:
        access = get_access(session, actor, sheet_id, *_needed(batch))
    except Refused:
        # The right may have been withdrawn since the first copy of this request was carried out.
        if (kept := kept_answer(session, sheet_id, actor, operation_id, request)) is None:
            raise
        return Outcome.from_json(kept)
    (outcome,) = _write_unmoved(session, sheet_id, [(access, Wish(actor, batch, operation_id, source))])
    if outcome:
        return outcome
    change = open_change(session, access, operation_id=operation_id, source=source, request=request)
    if change.answered is not None:
        return Outcome.from_json(change.answered)
    # Rights and columns may have changed while we waited for the lock.
    change.access = get_access(session, actor, sheet_id, *_needed(batch))
    plan = plan_batch(session, change.access, batch)
    if not partial:
        plan.outcome.raise_first()
    if plan.writes:
        _carry_out(change, plan)
    else:
        # A late copy of this request must not be decided anew, after its person was told that it was not written.
        change.answer(plan.outcome.as_json(), wrote=False)
    return plan.outcome


@dataclass(frozen=True)
class Wish:
    """What somebody asks to write, as one operation."""

    actor: Actor
    batch: Batch
    operation_id: UUID
    source: Source


def write_together(session: Session, sheet_id: int, wishes: Sequence[Wish]) -> list[Outcome | None]:
    """Write what several people wish at the same time: each as a version of its own, one after the other.

    None for whatever is not plainly written (a refusal, a conflict, a cell that another of these has changed): nothing
    of it is, and write() decides it. It begins a transaction: what it remembers of somebody must be committed.
    """
    # By actor and not by person: each of their sessions may have ended.
    known = {actor: _editor(session, actor, sheet_id) for actor in dict.fromkeys(wish.actor for wish in wishes)}
    return _write_unmoved(session, sheet_id, [(known[wish.actor], wish) for wish in wishes])


def _editor(session: Session, actor: Actor, sheet_id: int) -> Access | None:
    """What they may do as far as this process remembers, which edit_unmoved() looks at again."""
    try:
        if access := recalled(session, actor.session_id, sheet_id):
            access.require(Permission.ROWS_EDIT)
            return access
        access = get_access(session, actor, sheet_id, Permission.ROWS_EDIT)
    except Refused:
        forget(session, actor.session_id, sheet_id)
        return None
    keep(session, access)
    return access


def _needed(batch: Batch) -> Iterable[Permission]:
    if not batch.size:
        raise Invalid("There is nothing to write: give edits, adds or deletes.")
    if batch.size > MAX_CELLS:
        raise Invalid(
            f"At most {MAX_CELLS:,} cells and rows are written at once, and these are {batch.size:,}. "
            "Send them in parts, or import a file."
        )
    if batch.edits:
        yield Permission.ROWS_EDIT
    if batch.adds:
        yield Permission.ROWS_ADD
    if batch.deletes:
        yield Permission.ROWS_DELETE


def _write_unmoved(
    session: Session, sheet_id: int, asked: Sequence[tuple[Access | None, Wish]]
) -> list[Outcome | None]:
    """Decide a few plain edits before the lock, and write what has not moved when it is held; None for all else.

    Most edits end here, and the sheet is locked for one round trip instead of three. Whatever needs the lock to be
    decided (new rows' ids, unique values, whose a row is) or to be told (a conflict, a refusal) is done under it.
    """
    plans: list[tuple[int, Plan, Decided]] = []
    for place, (access, wish) in enumerate(asked):
        plan = plan_unseen(access, wish.batch) if access else None
        if access is None or plan is None:
            continue
        answer_edits(access, plan, None)
        result = plan.outcome.as_json()
        edits, bases = _patches(plan), _bases(wish.batch)
        decided = Decided(access, wish.operation_id, wish.source, edits, bases, result, _digest(wish.batch))
        plans.append((place, plan, decided))
    outcomes: list[Outcome | None] = [None] * len(asked)
    versions = edit_unmoved(session, sheet_id, [decided for _, _, decided in plans])
    for (place, plan, _), version in zip(plans, versions, strict=True):
        if version:
            outcomes[place] = plan.outcome.at(version)
        else:
            forget(session, asked[place][1].actor.session_id, sheet_id)
    return outcomes


def _carry_out(change: Change, plan: Plan) -> None:
    outcome = plan.outcome
    outcome.version = change.version + 1
    answer_edits(change.access, plan, outcome.version)
    outcome.deleted = plan.deletes
    adds = [_filled(cells) for cells in plan.adds.values()]
    outcome.added = [
        {"key": key, "row": row, "values": {name: to_wire(value) for name, value in values.items()}}
        for row, (key, values) in enumerate(zip(plan.adds, adds, strict=True), change.last_row_id + 1)
    ]
    added = [dumps(values) for values in adds]
    change.apply(outcome.as_json(), edits=_patches(plan), adds=added, deletes=plan.deletes)


def _patches(plan: Plan) -> dict[int, str]:
    """Per row the changed values as JSON text; a null takes the key away."""
    patches: dict[int, dict[str, Value | None]] = {}
    for (row, column), value in plan.edits.items():
        patches.setdefault(row, {})[str(column)] = value
    return {row: dumps(patch) for row, patch in patches.items()}


def _bases(batch: Batch) -> dict[int, str]:
    """Per row the versions by which its cells were seen, as JSON text; null where none is to be checked."""
    bases: dict[int, dict[str, int | None]] = {}
    for edit in batch.edits:
        bases.setdefault(edit.row, {})[str(edit.column)] = edit.base
    return {row: json.dumps(seen) for row, seen in bases.items()}


def _digest(batch: Batch) -> bytes:
    """Of what shall be written. Not of the bases: a copy that was sent again may know newer ones."""
    edits = [(edit.row, edit.column, edit.given.text, edit.given.value) for edit in batch.edits]
    adds = [(add.key, {key: (given.text, given.value) for key, given in add.cells.items()}) for add in batch.adds]
    return digest("write", edits, adds, batch.deletes)


def _filled(cells: dict[int, Value | None]) -> dict[str, Value]:
    return {str(column): value for column, value in cells.items() if value is not None}

"""Writing rows: the one command that edits cells and adds and deletes rows. It never overwrites silently."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.cache import access_cache
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, Refused
from core.base.exact_json import Value, Wire
from core.base.permissions import Permission
from core.edits.batch import MAX_CELLS, Batch, Outcome
from core.edits.mirrors import mirrors_in, plan_mirrors, without_mirrors
from core.edits.operation import (
    FOREIGN_OPERATION,
    Answer,
    ChangeSource,
    WriteOperation,
    carry_out,
    carry_out_together,
    lock_again,
    refuse_other_request,
    request_digest,
)
from core.edits.optimistic import DECIDABLE, Judgement, PlannedEdit, Verdict, cells_of, replay_of, write_edits
from core.edits.plan import add_saved, plan_batch, plan_moved, plan_optimistic
from core.edits.plan_types import EditPlan, filled
from core.rows.projection import wire_value


@dataclass(frozen=True, slots=True)
class RowEdit:
    """A batch as one operation. With `partial` what cannot be written does not hold back the rest."""

    batch: Batch
    operation_id: UUID
    source: ChangeSource
    partial: bool = False


def write(
    session: Session,
    actor: Actor,
    sheet_id: int,
    batch: Batch,
    *,
    operation_id: UUID,
    source: ChangeSource,
    partial: bool = False,
) -> Outcome:
    """Write a batch as one version of the sheet.

    A cell that moved on since its edit's base is a conflict and is not written; a value that breaks its column's
    rules is refused; a cell that was deleted is reported as gone. With `partial` the rest is written and the outcome
    names them; without, raise Conflict, Invalid or NotFound and write nothing. An operation_id is carried out once, and
    a copy of its request gets the same answer; Conflict where it comes with other content.
    """
    needs = [*_needs(batch)]
    access = _access_or_none(session, actor, sheet_id, needs)
    if access and (mirrors := mirrors_in(access, batch)):
        edit = RowEdit(batch, operation_id, source, partial)
        return _write_with_mirrors(session, access, edit, needs, mirrors)
    if access and batch.is_plain:
        edit = RowEdit(batch, operation_id, source, partial)
        (outcome,) = _write_optimistic(session, sheet_id, [(access, edit)])
        if isinstance(outcome, Refused):
            raise outcome
        if outcome:
            return outcome

    def decide(operation: WriteOperation) -> Answer:
        return _finish(operation, plan_batch(session, operation.access, batch), partial=partial)

    answer = carry_out(
        session,
        actor,
        sheet_id,
        decide,
        operation_id=operation_id,
        source=source,
        request=_request(batch),
        needs=needs,
        access=access,
    )
    return Outcome.from_json(answer)


def write_round(
    session: Session, sheet_id: int, edits: Sequence[tuple[Actor, RowEdit]]
) -> list[Outcome | Refused | None]:
    """Write what several people edit at the same time in one sheet: each as a version of its own, in order.

    A Refused is what `write` would raise. None where an edit has to be decided alone, by `write`: nothing of it is
    written then. It must begin a transaction, because it remembers accesses that are read in it.
    """
    # By actor and not by person: each session of theirs may have ended.
    accesses = {actor: _editor(session, actor, sheet_id) for actor in dict.fromkeys(actor for actor, _ in edits)}
    return _write_optimistic(session, sheet_id, [(accesses[actor], edit) for actor, edit in edits])


def _editor(session: Session, actor: Actor, sheet_id: int) -> Access | None:
    """Return what they may do as far as this process remembers; the statement that writes judges it again."""
    try:
        if access := access_cache(session).access(session, actor.session_id, sheet_id):
            access.require(Permission.ROWS_EDIT)
            return access
        access = get_access(session, actor, sheet_id, Permission.ROWS_EDIT)
    except Refused:
        access_cache(session).evict_access(actor.session_id, sheet_id)
        return None
    access_cache(session).store_access(access)
    return access


def _access_or_none(session: Session, actor: Actor, sheet_id: int, needs: Iterable[Permission]) -> Access | None:
    try:
        return get_access(session, actor, sheet_id, *needs)
    except Refused:
        return None


def _needs(batch: Batch) -> Iterable[Permission]:
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


def _write_optimistic(
    session: Session, sheet_id: int, edits: Sequence[tuple[Access | None, RowEdit]]
) -> list[Outcome | Refused | None]:
    """Decide plain edits before the lock and write those whose cells have not moved; None for those left undecided.

    Most edits end here, in one statement. An edit whose cells moved is decided by the cells that the statement gives.
    What needs more of the sheet to be decided (ids of new rows, unique values, the owner of a row) is left.
    """
    planned: dict[int, PlannedEdit] = {}
    for index, (access, edit) in enumerate(edits):
        if access and (plan := plan_optimistic(access, edit.batch)):
            add_saved(access, plan, None)
            planned[index] = PlannedEdit(access, edit.batch, plan, edit.operation_id, edit.source, _request(edit.batch))
    answers: list[Outcome | Refused | None] = [None] * len(edits)
    moved: list[tuple[int, Judgement]] = []
    for index, judgement in zip(planned, write_edits(session, sheet_id, [*planned.values()]), strict=True):
        if judgement.verdict is Verdict.WRITTEN:
            answers[index] = planned[index].plan.outcome.at(judgement.version)
        else:
            moved.append((index, judgement))
    is_newest = True
    for index, first_judgement in moved:
        planned_edit, judgement = planned[index], first_judgement
        if first_judgement.verdict is Verdict.AGAIN or not is_newest:
            (judgement,) = write_edits(session, sheet_id, [planned_edit])
        answers[index] = _judged(session, planned_edit, judgement, partial=edits[index][1].partial)
        # What the statement found is true no longer once anything else is written.
        is_newest = is_newest and first_judgement.verdict not in {Verdict.AGAIN, *DECIDABLE}
    return answers


def _judged(session: Session, edit: PlannedEdit, judgement: Judgement, *, partial: bool) -> Outcome | Refused | None:
    """Answer an edit by what the statement found; None where that does not decide it."""
    access, (verdict, version, facts) = edit.access, judgement
    try:
        if verdict is Verdict.WRITTEN:
            return edit.plan.outcome.at(version)
        if verdict is Verdict.REPLAYED and facts:
            replay = replay_of(facts)
            if replay.is_foreign:
                raise Invalid(FOREIGN_OPERATION)
            refuse_other_request(replay.request, edit.request)
            return Outcome.from_json(replay.answer)
        if verdict in DECIDABLE and facts:
            access = replace(access, sheet=replace(access.sheet, version=version))
            plan = plan_moved(access, edit.batch, *cells_of(facts))
            operation = lock_again(
                session, access, edit.operation_id, edit.source, edit.request, writes=bool(plan.edits)
            )
            return Outcome.from_json(_finish(operation, plan, partial=partial))
    except Refused as refusal:
        return refusal
    access_cache(session).evict_access(access.actor.session_id, access.sheet.sheet_id)
    return None


def _finish(operation: WriteOperation, plan: EditPlan, *, partial: bool, is_action: bool = False) -> Answer:
    """Write what the plan writes and return its outcome. Raise the first refusal of a batch that is not partial.

    `is_action`: it counts among the person's actions in this sheet although it may write only in another.
    """
    outcome = plan.outcome
    if not partial:
        outcome.raise_first()

    def answer(version: int) -> Answer:
        outcome.version = version
        add_saved(operation.access, plan, version)
        outcome.deleted = plan.deletes
        outcome.added = [
            {"key": key, "row": row, "values": _shown(operation.access, filled(cells))}
            for row, (key, cells) in enumerate(plan.adds.items(), operation.last_row_id + 1)
        ]
        return outcome.as_json()

    return operation.finish(plan.changes(), answer, is_action=is_action)


def _write_with_mirrors(
    session: Session,
    access: Access,
    edit: RowEdit,
    needs: Sequence[Permission],
    mirrors: Mapping[int, ColumnInfo],
) -> Outcome:
    """Write a batch of which some cells are stored in other sheets: there and here as one operation."""
    sheet_id = access.sheet.sheet_id
    every_need: dict[int, Sequence[Permission]] = {
        mirror.rules["sheet"]: [Permission.ROWS_EDIT] for mirror in mirrors.values()
    } | {sheet_id: needs}

    def decide(operations: dict[int, WriteOperation]) -> dict[int, Answer]:
        own = operations[sheet_id]
        plan = plan_batch(session, own.access, without_mirrors(edit.batch, mirrors))
        edits, plans = plan_mirrors(own, operations, edit.batch, plan, mirrors)
        if not edit.partial:
            plan.outcome.raise_first()
        own_part = plans.pop(sheet_id, None)
        if own_part:
            plan.edits |= own_part.edits
        others = {
            other_id: _finish(operation, plans.get(other_id) or EditPlan(Outcome(operation.version)), partial=True)
            for other_id, operation in operations.items()
            if other_id != sheet_id
        }
        plan.outcome.saved += edits.cells(own.version)
        return others | {sheet_id: _finish(own, plan, partial=edit.partial, is_action=bool(edits.saved))}

    answers = carry_out_together(
        session,
        access.actor,
        every_need,
        decide,
        operation_id=edit.operation_id,
        source=edit.source,
        request=_request(edit.batch),
        accesses={sheet_id: access},
    )
    return Outcome.from_json(answers[sheet_id])


def _shown(access: Access, cells: Mapping[str, Value]) -> dict[str, Wire]:
    """Return the cells of a new row that its author may see: a hidden column can have a default."""
    by_id = access.by_id
    return {key: wire_value(access, by_id[int(key)], value) for key, value in cells.items() if int(key) in by_id}


def _request(batch: Batch) -> bytes:
    """Return the digest of what shall be written. Not of the bases: a copy that was sent again may know newer ones."""
    edits = [(edit.row, edit.column, edit.input.text, edit.input.value) for edit in batch.edits]
    adds = [(add.key, {key: (cell.text, cell.value) for key, cell in add.cells.items()}) for add in batch.adds]
    return request_digest("write", edits, adds, batch.deletes)

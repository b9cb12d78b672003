"""A write operation: the sheet's lock, the answer of a repeated request, and the next version of the change log.

Every command that changes rows goes through `carry_out`: access, lock, replay of the operation id, access again,
decide, and then either the next version of the sheet or an answer that is kept although nothing was written.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid, Refused
from core.base.permissions import Permission
from core.edits.sheet_queue import acquire_sheet_slot

Answer = dict[str, Any]
FOREIGN_OPERATION = "This operation id belongs to another person's change. Use a new one."


class ChangeSource(StrEnum):
    """The way by which a change came."""

    GRID = "grid"
    BOARD = "board"
    FORM = "form"
    API = "api"
    IMPORT = "import"
    UNDO = "undo"
    RESTORE = "restore"
    COLUMN = "column"
    COPY = "copy"
    SEED = "seed"


@dataclass(frozen=True)
class RowChanges:
    """What one version of a sheet changes: patches per row and new rows as JSON text, and the ids of other rows."""

    edits: Mapping[int, str]
    adds: Sequence[str] = ()
    deletes: Sequence[int] = ()
    restores: Sequence[int] = ()

    def __bool__(self) -> bool:
        return bool(self.edits or self.adds or self.deletes or self.restores)


@dataclass
class WriteOperation:
    """An operation on one sheet. The sheet is locked: nobody else writes to it until the transaction ends.

    `version` and `last_row_id` are the sheet's; `request` is the digest of what was asked, `undoes` the operation that
    this one takes back.
    """

    session: Session
    access: Access
    operation_id: UUID
    source: ChangeSource
    request: bytes
    version: int
    last_row_id: int
    undoes: UUID | None = None

    @property
    def sheet_id(self) -> int:
        return self.access.sheet.sheet_id

    def finish(self, changes: RowChanges, answer: Callable[[int], Answer], *, is_action: bool = False) -> Answer:
        """Write the changes as the next version; without changes keep the answer alone. Return the answer.

        `is_action`: without changes it counts among the person's actions, too: it has written in another sheet.

        `answer(version)` gives the JSON that this request, and each repeated copy of it, is answered with. It is kept
        where nothing is written, too: a late copy must not be decided a second time.
        """
        if not changes:
            if is_action:  # A version of its own, so that it comes behind the actions before it.
                self.next_version(new_rows=0)
            result = answer(self.version)
            self.keep_answer(result, wrote=is_action)
            return result
        result = answer(self.version + 1)
        parameters = {
            "sheet": self.sheet_id,
            "edited": list(changes.edits),
            "patches": list(changes.edits.values()),
            "added": list(changes.adds),
            "deleted": list(changes.deletes),
            "restored": list(changes.restores),
            "undone": self.undoes,
            "result": json.dumps(result, ensure_ascii=False),
            "request": self.request,
        }
        self.version, self.last_row_id = self.session.execute(_APPLY, parameters).one()
        return result

    def next_version(self, new_rows: int) -> int:
        """Open the next version of the sheet, with the ids of new rows, for rows that are written by a statement."""
        parameters = {"sheet": self.sheet_id, "new_rows": new_rows}
        self.version, self.last_row_id = self.session.execute(_NEXT, parameters).one()
        return self.version

    def keep_answer(self, answer: Mapping[str, Any], *, wrote: bool = True) -> None:
        """Keep the answer, so that a repeated request gets the same answer and is never carried out twice."""
        parameters = {
            "sheet": self.sheet_id,
            "operation": self.operation_id,
            "actor": self.access.actor.user_id,
            "result": json.dumps(answer, ensure_ascii=False),
            # An undo that wrote nothing counts among the actions all the same: the next one goes on behind it.
            "version": self.version if wrote or self.undoes else None,
            "undone": self.undoes,
            "request": self.request,
        }
        self.session.execute(_KEEP, parameters)


def carry_out(
    session: Session,
    actor: Actor,
    sheet_id: int,
    decide: Callable[[WriteOperation], Answer],
    *,
    operation_id: UUID,
    source: ChangeSource,
    request: bytes,
    needs: Collection[Permission],
    access: Access | None = None,
) -> Answer:
    """Carry out an operation on one sheet, once: the answer, which a repeated request gets again.

    `access` may be given where it was read in this transaction. `decide` is called while the sheet is locked and calls
    `finish`. Raise NotFound or NotAllowed without the needed permissions, Conflict where the operation id was used for
    another request, Invalid where it is another person's.
    """
    together = carry_out_together(
        session,
        actor,
        {sheet_id: needs},
        lambda operations: {sheet_id: decide(operations[sheet_id])},
        operation_id=operation_id,
        source=source,
        request=request,
        accesses={sheet_id: access} if access else {},
    )
    return together[sheet_id]


def carry_out_together(
    session: Session,
    actor: Actor,
    needs: Mapping[int, Collection[Permission]],
    decide: Callable[[dict[int, WriteOperation]], dict[int, Answer]],
    *,
    operation_id: UUID,
    source: ChangeSource,
    request: bytes,
    accesses: Mapping[int, Access] = {},
) -> dict[int, Answer]:
    """Carry out one operation on several sheets, once: the answer of each sheet.

    `needs` gives the permissions per sheet. Sheets are locked in the order of their ids, so that two operations over
    the same sheets never wait for each other. Errors are those of `carry_out`.
    """
    answers: dict[int, Answer] = {}
    operations: dict[int, WriteOperation] = {}
    for sheet_id in sorted(needs):
        try:
            access = accesses.get(sheet_id) or get_access(session, actor, sheet_id, *needs[sheet_id])
        except Refused:
            # The right may have been withdrawn since the first copy of this request was carried out.
            if (answer := kept_answer(session, sheet_id, actor, operation_id, request)) is None:
                raise
            answers[sheet_id] = answer
            continue
        operation, answer = _lock(session, access, operation_id, source, request)
        if answer is not None:
            answers[sheet_id] = answer
        operations[sheet_id] = operation
    if len(answers) == len(needs):
        return answers
    if answers:
        raise Conflict("This operation id was used for other sheets. Use a new one.")
    for sheet_id, operation in operations.items():
        # Rights and columns may have changed while we waited for the lock.
        operation.access = get_access(session, actor, sheet_id, *needs[sheet_id])
    return decide(operations)


def _lock(
    session: Session, access: Access, operation_id: UUID, source: ChangeSource, request: bytes
) -> tuple[WriteOperation, Answer | None]:
    acquire_sheet_slot(session, access.sheet.sheet_id)
    parameters = {
        "sheet": access.sheet.sheet_id,
        "actor": access.actor.user_id,
        "source": source.value,
        "operation": operation_id,
    }
    version, last_row_id, earlier_answer, is_foreign, earlier_request = session.execute(_LOCK, parameters).one()
    if is_foreign:
        raise Invalid(FOREIGN_OPERATION)
    refuse_other_request(earlier_request, request)
    return WriteOperation(session, access, operation_id, source, request, version, last_row_id), earlier_answer


def lock_again(
    session: Session, access: Access, operation_id: UUID, source: ChangeSource, request: bytes, *, writes: bool
) -> WriteOperation:
    """Return the operation of an edit whose sheet is locked already; it may write if it says so."""
    if writes:
        return _lock(session, access, operation_id, source, request)[0]
    return WriteOperation(session, access, operation_id, source, request, access.sheet.version, 0)


def kept_answer(session: Session, sheet_id: int, actor: Actor, operation_id: UUID, request: bytes) -> Answer | None:
    """Return what this person's operation was answered when it was carried out, whatever they may do by now.

    None where it was not carried out, or for another request.
    """
    parameters = {"sheet": sheet_id, "operation": operation_id, "actor": actor.user_id, "request": request}
    answer: Answer | None = session.scalar(_KEPT, parameters)
    return answer


def request_digest(*content: Any) -> bytes:
    """Return the digest of a request: the same for the same content in the same order."""
    return sha256(json.dumps(content, separators=(",", ":"), default=str).encode()).digest()


def refuse_other_request(earlier_request: bytes | None, request: bytes) -> None:
    """Raise Conflict where an operation was carried out for another request. Old operations have no digest."""
    if earlier_request is not None and earlier_request != request:
        raise Conflict("This operation id was used for another change. Use a new one.")


_LOCK = text("""
    SELECT version, last_row_id, answered, foreign_operation, request
    FROM lock_sheet(:sheet, :actor, :source, :operation)
""")
_NEXT = text("SELECT version, last_row_id FROM next_version(:sheet, :new_rows)")
_APPLY = text("""
    SELECT version, last_row_id FROM apply_batch(
        :sheet, CAST(:edited AS integer[]), CAST(CAST(:patches AS text[]) AS jsonb[]),
        CAST(CAST(:added AS text[]) AS jsonb[]), CAST(:deleted AS integer[]), CAST(:restored AS integer[]),
        CAST(:result AS jsonb), CAST(:undone AS uuid), :request)
""")
_KEPT = text("""
    SELECT result || jsonb_build_object('version', coalesce(version, CAST(result ->> 'version' AS bigint)))
    FROM operations WHERE sheet_id = :sheet AND operation_id = :operation AND actor_id = :actor
      AND (request IS NULL OR request = :request)
""")
_KEEP = text("""
    INSERT INTO operations (sheet_id, operation_id, actor_id, result, version, undoes, request)
    VALUES (:sheet, :operation, :actor, CAST(:result AS jsonb), :version, :undone, :request)
""")

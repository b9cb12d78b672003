"""A change of a sheet: takes the sheet's lock, answers repeated operations, opens the next version of the log."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid
from core.credentials.sessions import WHO_SQL
from core.edits.sheet_queue import take_turn
from db.raw_sql import Quick


class Source(StrEnum):
    """By which way a change came."""

    GRID = "grid"
    BOARD = "board"
    FORM = "form"
    API = "api"
    IMPORT = "import"
    UNDO = "undo"
    RESTORE = "restore"
    SEED = "seed"


@dataclass
class Change:
    """A change that is being made: the sheet is locked, nobody else writes to it until the transaction ends."""

    session: Session
    access: Access
    operation_id: UUID
    version: int
    last_row_id: int
    answered: dict[str, Any] | None
    request: bytes
    undoes: UUID | None = None

    def next_version(self, new_rows: int = 0) -> int:
        """Count the sheet's version up and open the log for it; reserves the ids of new rows."""
        found = self.session.execute(_NEXT, {"sheet": self.access.sheet.sheet_id, "new_rows": new_rows}).one()
        self.version, self.last_row_id = found
        return self.version

    def apply(
        self,
        result: Mapping[str, Any],
        *,
        edits: Mapping[int, str],
        adds: Sequence[str] = (),
        deletes: Sequence[int] = (),
        restores: Sequence[int] = (),
    ) -> None:
        """Write a decided batch as the next version: patches per row and new rows as JSON text, row ids, the answer.

        The lock is held, so the version and the ids of new rows that `result` names are known beforehand.
        """
        parameters = {
            "sheet": self.access.sheet.sheet_id,
            "edited": list(edits),
            "patches": list(edits.values()),
            "added": list(adds),
            "deleted": list(deletes),
            "restored": list(restores),
            "undone": self.undoes,
            "result": json.dumps(result, ensure_ascii=False),
            "request": self.request,
        }
        self.version, self.last_row_id = self.session.execute(_APPLY, parameters).one()

    def answer(self, result: Mapping[str, Any], *, wrote: bool = True) -> None:
        """Keep what this operation answers, so that a repeated request is answered the same and never applied twice."""
        parameters = {
            "sheet": self.access.sheet.sheet_id,
            "operation": self.operation_id,
            "actor": self.access.actor.user_id,
            "result": json.dumps(result, ensure_ascii=False),
            # An undo that wrote nothing counts among the actions all the same: the next one goes on behind it.
            "version": self.version if wrote or self.undoes else None,
            "undone": self.undoes,
            "request": self.request,
        }
        self.session.execute(_ANSWER, parameters)


@dataclass(frozen=True)
class Decided:
    """Edits that were decided before the sheet was locked.

    `edits` are patches per row as JSON text, `bases` the versions by which those cells were seen, in the same shape.
    """

    access: Access
    operation_id: UUID
    source: Source
    edits: Mapping[int, str]
    bases: Mapping[int, str]
    result: Mapping[str, Any]
    request: bytes

    def parameters(self) -> dict[str, Any]:
        """What EDIT_UNMOVED takes."""
        return _signature(self.access, self.operation_id, self.source) | {
            "id": self.access.actor.session_id,
            "columns": self.access.sheet.columns_version,
            "level": self.access.level,
            "edited": list(self.edits),
            "bases": [self.bases[row] for row in self.edits],
            "patches": list(self.edits.values()),
            "result": json.dumps(self.result, ensure_ascii=False),
            "request": self.request,
        }


def edit_unmoved(session: Session, sheet_id: int, decided: Sequence[Decided]) -> list[int | None]:
    """Write each of these as a version of the sheet: the version, or None where something has moved.

    The person's session, level and rows, the columns and the cells are looked at again by the statement that writes: an
    Access that is only remembered will do. After a None nothing of that one is written: decide it again in
    open_change().
    """
    if not decided:
        return []
    take_turn(session, sheet_id)
    return _EDIT_UNMOVED.values(session, [one.parameters() for one in decided])


def open_change(session: Session, access: Access, *, operation_id: UUID, source: Source, request: bytes) -> Change:
    """Lock the sheet for writing. `answered` is set where this operation was carried out before.

    `request` is the digest of what is asked. Conflict where the operation was carried out for another request.
    """
    take_turn(session, access.sheet.sheet_id)
    signature = _signature(access, operation_id, source)
    version, last_row_id, answered, foreign, before = session.execute(_LOCK, signature).one()
    if foreign:
        raise Invalid("This operation id belongs to somebody else's change. Use a new one.")
    refuse_other(before, request)
    return Change(session, access, operation_id, version, last_row_id, answered, request)


def kept_answer(
    session: Session, sheet_id: int, actor: Actor, operation_id: UUID, request: bytes
) -> dict[str, Any] | None:
    """What an operation of this person's was answered when it was carried out, whatever they may do by now.

    None where it was not, or for another request.
    """
    parameters = {"sheet": sheet_id, "operation": operation_id, "actor": actor.user_id, "request": request}
    kept: dict[str, Any] | None = session.execute(_KEPT, parameters).scalar()
    return kept


def digest(*content: Any) -> bytes:
    """The digest of what is asked: the same for the same content, in the same order."""
    return sha256(json.dumps(content, separators=(",", ":"), default=str).encode()).digest()


def refuse_other(before: bytes | None, request: bytes) -> None:
    """Raise Conflict where an operation was carried out for another request. Old operations have no digest."""
    if before is not None and before != request:
        raise Conflict("This operation id was used for another change. Use a new one.")


def _signature(access: Access, operation_id: UUID, source: Source) -> dict[str, Any]:
    return {
        "sheet": access.sheet.sheet_id,
        "actor": access.actor.user_id,
        "source": source.value,
        "operation": operation_id,
    }


_LOCK = text("""
    SELECT version, last_row_id, answered, foreign_operation, request
    FROM lock_sheet(:sheet, :actor, :source, :operation)
""")
_NEXT = text("SELECT version, last_row_id FROM next_version(:sheet, :new_rows)")
_APPLY = text("""
    SELECT version, last_row_id FROM apply_batch(
        :sheet, CAST(:edited AS integer[]), CAST(CAST(:patches AS text[]) AS jsonb[]),
        CAST(CAST(:added AS text[]) AS jsonb[]),
        CAST(:deleted AS integer[]), CAST(:restored AS integer[]), CAST(:result AS jsonb), CAST(:undone AS uuid),
        :request)
""")
_EDIT_UNMOVED = Quick(f"""
    SELECT edit_unmoved(
        :sheet, :actor, :source, :operation, :columns, :level, CAST(:edited AS integer[]),
        CAST(CAST(:bases AS text[]) AS jsonb[]), CAST(CAST(:patches AS text[]) AS jsonb[]), CAST(:result AS jsonb),
        :request)
    WHERE CAST(:id AS uuid) IS NULL OR EXISTS ({WHO_SQL} AND u.user_id = :actor)
""")
_KEPT = text("""
    SELECT result || jsonb_build_object('version', coalesce(version, CAST(result ->> 'version' AS bigint)))
    FROM operations WHERE sheet_id = :sheet AND operation_id = :operation AND actor_id = :actor
      AND (request IS NULL OR request = :request)
""")
_ANSWER = text("""
    INSERT INTO operations (sheet_id, operation_id, actor_id, result, version, undoes, request)
    VALUES (:sheet, :operation, :actor, CAST(:result AS jsonb), :version, :undone, :request)
""")

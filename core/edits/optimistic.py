"""Optimistic writes: plain edits that were decided before the sheet was locked, written where nothing has moved since.

A round of them is one statement and one commit, each a version and an operation of its own. The statement judges the
session, level, columns and cells again, so an access from the cache is enough, and says what became of each edit.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.exact_json import dumps, loads_stored
from core.credentials.sessions import ACTOR_SQL
from core.edits.batch import Batch
from core.edits.conflicts import Cell, Movement, StoredRow
from core.edits.operation import ChangeSource
from core.edits.plan_types import EditPlan
from core.edits.sheet_queue import acquire_sheet_slot
from db.raw_sql import RawStatement


class Verdict(StrEnum):
    """What became of an edit. Only WRITTEN and REPLAYED are final; nothing of all others is written."""

    WRITTEN = "written"
    REPLAYED = "replayed"
    SIGNED_OUT = "signed_out"
    RIGHTS_MOVED = "rights_moved"
    COLUMNS_MOVED = "columns_moved"
    ARCHIVED = "archived"
    GONE = "gone"
    STALE = "stale"
    UNCHANGED = "unchanged"
    AGAIN = "again"


# The statement has found the rights and columns as they were decided by, and gives the cells as they are now.
DECIDABLE = {Verdict.GONE, Verdict.STALE, Verdict.UNCHANGED}


@dataclass(frozen=True)
class PlannedEdit:
    """A plain edit that was decided before the lock: the access and plan it was decided by, and what it answers."""

    access: Access
    batch: Batch
    plan: EditPlan
    operation_id: UUID
    source: ChangeSource
    request: bytes


class Judgement(NamedTuple):
    """The verdict on an edit, its version (or the sheet's, where it is not written), and the facts as JSON text."""

    verdict: Verdict
    version: int
    facts: str | None


def write_edits(session: Session, sheet_id: int, edits: Sequence[PlannedEdit]) -> list[Judgement]:
    """Write a round of edits of one sheet, each as a version of its own, in order. The sheet stays locked."""
    if not edits:
        return []
    acquire_sheet_slot(session, sheet_id)
    numbers, rows, columns, bases, cells = [], [], [], [], []
    for number, edit in enumerate(edits, 1):
        base_by_cell = {(cell_edit.row, cell_edit.column): cell_edit.base for cell_edit in edit.batch.edits}
        for (row, column), value in edit.plan.edits.items():
            numbers.append(number)
            rows.append(row)
            columns.append(column)
            bases.append(base_by_cell[row, column])
            cells.append(dumps(value))
    parameters = {
        "sheet": sheet_id,
        "actors": [edit.access.actor.user_id for edit in edits],
        "sessions": [edit.access.actor.session_id for edit in edits],
        "sources": [edit.source.value for edit in edits],
        "operations": [edit.operation_id for edit in edits],
        "columns_versions": [edit.access.sheet.columns_version for edit in edits],
        "levels": [edit.access.level.value for edit in edits],
        "results": [json.dumps(edit.plan.outcome.as_json(), ensure_ascii=False) for edit in edits],
        "requests": [edit.request for edit in edits],
        "places": numbers,
        "rows": rows,
        "columns": columns,
        "bases": bases,
        "cells": cells,
    }
    judgements = _WRITE_EDITS.rows(session, parameters)
    return [Judgement(Verdict(verdict), version, facts) for verdict, version, facts in judgements]


def cells_of(facts: str) -> tuple[dict[int, StoredRow], dict[Cell, Movement]]:
    """Read the facts of an edit that moved: its cells as they are now, and what happened to each since its base."""
    rows: dict[int, StoredRow] = {}
    movements: dict[Cell, Movement] = {}
    for fact in loads_stored(facts):
        row, column = int(fact["row"]), int(fact["column"])
        if not fact["is_there"]:
            continue
        stored_row = rows.setdefault(row, StoredRow({}, {}, 0))
        stored_row.versions[str(column)] = int(fact["version"])
        if fact["value"] is not None:
            stored_row.values[str(column)] = fact["value"]
        at = datetime.fromisoformat(fact["at"]) if fact["at"] else None
        movements[row, column] = Movement(fact["original"], fact["by"], at)
    return rows, movements


class Replay(NamedTuple):
    """The answer of an operation that was carried out before, for which request, and whether it is another person's."""

    answer: dict[str, Any]
    request: bytes | None
    is_foreign: bool


def replay_of(facts: str) -> Replay:
    """Read the facts of an operation that was carried out before."""
    fields = json.loads(facts)
    request = bytes.fromhex(fields["request"]) if fields["request"] else None
    return Replay(fields["result"], request, fields["is_foreign"])


_WRITE_EDITS = RawStatement(f"""
    SELECT verdict, version, facts::text FROM write_edits(
        :sheet, CAST(:actors AS bigint[]), CAST(:sources AS text[]), CAST(:operations AS uuid[]),
        ARRAY(SELECT o.session_id IS NULL OR EXISTS ({ACTOR_SQL.replace(":id", "o.session_id")} AND u.user_id = o.actor)
              FROM unnest(CAST(:sessions AS uuid[]), CAST(:actors AS bigint[]))
                   WITH ORDINALITY AS o (session_id, actor, place) ORDER BY o.place),
        CAST(:columns_versions AS bigint[]), CAST(:levels AS text[]), CAST(CAST(:results AS text[]) AS jsonb[]),
        CAST(:requests AS bytea[]), CAST(:places AS integer[]), CAST(:rows AS integer[]), CAST(:columns AS integer[]),
        CAST(:bases AS bigint[]), CAST(CAST(:cells AS text[]) AS jsonb[]))
""")  # noqa: S608 - ACTOR_SQL is a constant of core.credentials.sessions.

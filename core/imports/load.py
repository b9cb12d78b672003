"""Loading: a file into a sheet, all of it or nothing. Read and staged without the sheet's lock, written in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO, Self
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.access.row_ownership import assign_default_owner_staged
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid
from core.base.exact_json import dumps
from core.edits.operation import (
    Answer,
    ChangeSource,
    WriteOperation,
    carry_out,
    kept_answer,
    refuse_other_request,
    request_digest,
)
from core.imports.duplicates import refuse_duplicates
from core.imports.plan import with_labels
from core.imports.plan_types import ImportPlan
from core.imports.read import FileReader, Progress, columns_for, new_columns
from core.imports.staging import staged
from core.sheets.columns import add_columns, change_column
from core.sheets.defaults import default_values
from core.sheets.sheets import configure_pipeline, create_sheet
from core.sheets.templates import Template
from db.tables.sheets import Sheet


@dataclass
class Report:
    """What an import did."""

    sheet: int
    version: int
    rows: int
    first_row: int
    columns: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    emptied: int = 0
    left_out: list[int] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**stored)


def import_rows(
    session: Session,
    actor: Actor,
    sheet_id: int,
    file: BinaryIO,
    plan: ImportPlan,
    *,
    operation_id: UUID,
    details: Any = None,
    progress: Progress | None = None,
) -> Report:
    """Add the rows of a file to a sheet, with the columns and options that the plan makes, as one version.

    Raises Invalid (with the misfits) where a value does not fit and the plan does not say what becomes of it, and
    Conflict where the columns were changed meanwhile. The same operation_id is carried out once; Conflict where it
    comes with another file, or with other `details`.
    """
    request = _digest(file, details)
    access = get_access(session, actor, sheet_id, *plan.needs)
    # A repeated file is not staged again.
    if answer := kept_answer(session, sheet_id, actor, operation_id, request):
        return Report.from_json(answer)
    session.execute(_PATIENCE)
    columns = columns_for(access, plan, _next_column(session, sheet_id))
    reading = FileReader(file, plan, columns)
    rows = staged(session, reading, progress)
    if not rows:
        raise Invalid(
            "No line of the file is left to import.", misfits=[column.misfits.as_json() for column in columns]
        )

    def decide(operation: WriteOperation) -> Answer:
        if operation.access.sheet.columns_version != access.sheet.columns_version:
            raise Conflict(
                "The columns of this sheet were changed during the import. Nothing was imported: start again."
            )
        return _write(operation, reading, rows).as_json()

    answer = carry_out(
        session,
        actor,
        sheet_id,
        decide,
        operation_id=operation_id,
        source=ChangeSource.IMPORT,
        request=request,
        needs=plan.needs,
        access=access,
    )
    return Report.from_json(answer)


def import_new_sheet(
    session: Session,
    actor: Actor,
    name: str,
    file: BinaryIO,
    plan: ImportPlan,
    *,
    operation_id: UUID,
    parts: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Make a new sheet of this actor with the rows of a file. `parts` (role → source) makes it a pipeline.

    The same operation_id makes one sheet, however often it is sent.
    """
    details = ["a new sheet", name, dict(parts or {})]
    if earlier := _made_before(session, actor, operation_id, _digest(file, details)):
        return earlier
    access = create_sheet(session, actor, name, template=Template("Import", "", "table"))
    sheet_id = access.sheet.sheet_id
    report = import_rows(
        session, actor, sheet_id, file, plan, operation_id=operation_id, details=details, progress=progress
    )
    if parts:
        ids = {column.source: column_id for column_id, column in enumerate(plan.taken, 1)}
        if missing := [role for role, source in parts.items() if source not in ids]:
            raise Invalid(f"The column chosen as the pipeline's {missing[0].replace('_', ' ')} is left out.")
        configure_pipeline(session, actor, sheet_id, {role: ids[source] for role, source in parts.items()})
    return report


def _write(operation: WriteOperation, reading: FileReader, rows: int) -> Report:
    """Write columns, options and rows under the lock, in the order of the ids that the reader was given."""
    new_names, options = _make_columns(operation, reading)
    if reading.plan.fills_defaults and (defaults := default_values(operation.session, operation.access)):
        cells = dumps({str(column): value for column, value in defaults.items()})
        operation.session.execute(_FILL_DEFAULTS, {"cells": cells, "is_ascii": cells.isascii()})
    assign_default_owner_staged(operation.session, operation.access)
    refuse_duplicates(operation, reading.columns)
    operation.next_version(new_rows=rows)
    first = operation.last_row_id - rows + 1
    sheet_id = operation.access.sheet.sheet_id
    operation.session.execute(_INSERT, {"sheet": sheet_id, "before": first - 1, "version": operation.version})
    report = Report(
        sheet_id, operation.version, rows, first, new_names, options, reading.emptied, reading.left_out[:10_000]
    )
    operation.keep_answer(report.as_json())
    audit.record(
        operation.session,
        operation.access.actor,
        "sheet:rows:import",
        sheet_id=sheet_id,
        rows=rows,
        columns=new_names,
        emptied=report.emptied,
        left_out=len(reading.left_out),
    )
    return report


def _make_columns(operation: WriteOperation, reading: FileReader) -> tuple[list[str], list[str]]:
    access = operation.access
    session, sheet_id, actor = operation.session, access.sheet.sheet_id, access.actor
    news = new_columns(reading.plan)
    columns = add_columns(session, actor, sheet_id, news) if news else []
    labels: list[str] = []
    for column_plan in reading.plan.taken:
        if column_plan.column is not None and column_plan.labels:
            options = with_labels(access.column(column_plan.column), column_plan.labels)
            change_column(session, actor, sheet_id, column_plan.column, options=options)
            labels += column_plan.labels
    return [column.name for column in columns], labels


def _next_column(session: Session, sheet_id: int) -> int:
    return (session.scalar(select(Sheet.last_column_id).where(Sheet.sheet_id == sheet_id)) or 0) + 1


def _digest(file: BinaryIO, details: Any) -> bytes:
    """Return the digest of the file and the details. Without the plan: it changes once the import has made columns."""
    file.seek(0)
    content = sha256()
    while chunk := file.read(_CHUNK_BYTES):
        content.update(chunk)
    return request_digest("import", content.hexdigest(), details)


def _first_report(operations: Sequence[Any], request: bytes) -> Report | None:
    for result, earlier_request in operations:
        refuse_other_request(earlier_request, request)
        return Report.from_json(result)
    return None


def _made_before(session: Session, actor: Actor, operation_id: UUID, request: bytes) -> Report | None:
    """Return the report of the sheet that this operation made before. Of two copies at once one waits for the other."""
    session.execute(_ALONE, {"key": operation_id.int & (2**63 - 1)})
    operations = session.execute(_MADE_BEFORE, {"actor": actor.user_id, "operation": operation_id}).all()
    return _first_report(operations, request)


_CHUNK_BYTES = 2**20
# Reading a large file takes longer than an edit may; the lock is taken once everything is staged.
_PATIENCE = text("""
    SELECT set_config('statement_timeout', '600s', true), set_config('lock_timeout', '30s', true)
""")
_FILL_DEFAULTS = text("""
    UPDATE staged_rows SET values = CAST(:cells AS jsonb) || values, is_ascii = is_ascii AND :is_ascii
""")
_INSERT = text("""
    INSERT INTO rows (sheet_id, row_id, values, folded, created_version)
    SELECT :sheet, :before + place, values, CASE WHEN is_ascii THEN '{}' ELSE fold_cells(values) END, :version
    FROM staged_rows
""")
_ALONE = text("SELECT pg_advisory_xact_lock(:key)")
_MADE_BEFORE = text("""
    SELECT o.result, o.request FROM sheets s
    JOIN operations o ON o.sheet_id = s.sheet_id AND o.operation_id = :operation
    WHERE s.owner_id = :actor
""")

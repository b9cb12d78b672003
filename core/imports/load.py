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
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        return cls(**kept)


def import_rows(
    session: Session,
    actor: Actor,
    sheet_id: int,
    file: BinaryIO,
    plan: ImportPlan,
    *,
    operation_id: UUID,
    asked: Any = None,
    progress: Progress | None = None,
) -> Report:
    """Add the rows of a file to a sheet, with the columns and options that the plan makes, as one version.

    Raises Invalid (with the misfits) where a value does not fit and the plan does not say what becomes of it, and
    Conflict where the columns were changed meanwhile. The same operation_id is carried out once; Conflict where it
    comes with another file, or with something else `asked` of it.
    """
    request = _digest(file, asked)
    access = get_access(session, actor, sheet_id, *plan.needs)
    # So that a repeated file is not staged again.
    if answer := kept_answer(session, sheet_id, actor, operation_id, request):
        return Report.from_json(answer)
    session.execute(_PATIENCE)
    columns = columns_for(access, plan, _next_column(session, sheet_id))
    reading = FileReader(file, plan, columns)
    rows = staged(session, reading, progress)
    if not rows:
        raise Invalid("No line of the file is left to import.", misfits=[one.misfits.as_json() for one in columns])

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
    """A new sheet of this actor's with the rows of a file. `parts` (part → place in the file) makes it a pipeline.

    The same operation_id makes one sheet, however often it is sent.
    """
    asked = ["a new sheet", name, dict(parts or {})]
    if kept := _made_before(session, actor, operation_id, _digest(file, asked)):
        return kept
    access = create_sheet(session, actor, name, template=Template("Import", "", "table"))
    sheet_id = access.sheet.sheet_id
    report = import_rows(
        session, actor, sheet_id, file, plan, operation_id=operation_id, asked=asked, progress=progress
    )
    if parts:
        ids = {one.source: column_id for column_id, one in enumerate(plan.taken, 1)}
        if missing := [part for part, source in parts.items() if source not in ids]:
            raise Invalid(f"The column chosen as the pipeline's {missing[0].replace('_', ' ')} is left out.")
        configure_pipeline(session, actor, sheet_id, {part: ids[source] for part, source in parts.items()})
    return report


def _write(operation: WriteOperation, reading: FileReader, rows: int) -> Report:
    """Under the lock: columns, options and rows, in the order in which the ids were foreseen."""
    made, options = _columns_made(operation, reading)
    assign_default_owner_staged(operation.session, operation.access)
    refuse_duplicates(operation, reading.columns)
    operation.next_version(new_rows=rows)
    first = operation.last_row_id - rows + 1
    sheet_id = operation.access.sheet.sheet_id
    operation.session.execute(_INSERT, {"sheet": sheet_id, "before": first - 1, "version": operation.version})
    report = Report(sheet_id, operation.version, rows, first, made, options, reading.emptied, reading.left_out[:10_000])
    operation.keep_answer(report.as_json())
    audit.record(
        operation.session,
        operation.access.actor,
        "sheet:rows:import",
        sheet_id=sheet_id,
        rows=rows,
        columns=made,
        emptied=report.emptied,
        left_out=len(reading.left_out),
    )
    return report


def _columns_made(operation: WriteOperation, reading: FileReader) -> tuple[list[str], list[str]]:
    access = operation.access
    session, sheet_id, actor = operation.session, access.sheet.sheet_id, access.actor
    news = new_columns(reading.plan)
    made = add_columns(session, actor, sheet_id, news) if news else []
    labels: list[str] = []
    for one in reading.plan.taken:
        if one.column is not None and one.labels:
            options = with_labels(access.column(one.column), one.labels)
            change_column(session, actor, sheet_id, one.column, options=options)
            labels += one.labels
    return [column.name for column in made], labels


def _next_column(session: Session, sheet_id: int) -> int:
    return (session.scalar(select(Sheet.last_column_id).where(Sheet.sheet_id == sheet_id)) or 0) + 1


def _digest(file: BinaryIO, asked: Any) -> bytes:
    """Of the file and what was asked of it. Not of the plan: it is another one once the import has made columns."""
    file.seek(0)
    content = sha256()
    while part := file.read(_PART):
        content.update(part)
    return request_digest("import", content.hexdigest(), asked)


def _same(found: Sequence[Any], request: bytes) -> Report | None:
    for kept, before in found:
        refuse_other_request(before, request)
        return Report.from_json(kept)
    return None


def _made_before(session: Session, actor: Actor, operation_id: UUID, request: bytes) -> Report | None:
    """The sheet that this operation made before. The lock makes one wait for the other where two come at once."""
    session.execute(_ALONE, {"key": operation_id.int & (2**63 - 1)})
    found = session.execute(_MADE_BEFORE, {"actor": actor.user_id, "operation": operation_id}).all()
    return _same(found, request)


_PART = 2**20
# Reading a large file takes longer than an edit may; the lock is asked for once everything is staged.
_PATIENCE = text("""
    SELECT set_config('statement_timeout', '600s', true), set_config('lock_timeout', '30s', true)
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

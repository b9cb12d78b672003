"""A copy of a sheet: its structure, with or without its rows, as far as the person who makes it sees them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.access.row_gate import visible_sql
from core.base import audit
from core.base.actor import Actor
from core.base.permissions import Permission
from core.copies.structure import copied_columns, create_from_structure, structure_of
from core.edits.operation import Answer, ChangeSource, WriteOperation, carry_out, request_digest
from db.tables.sheets import Column


@dataclass(frozen=True)
class SheetCopy:
    """The new sheet, its number of rows, and the names of columns that were left out."""

    sheet: int
    rows: int
    left_out: list[str]


def duplicate_sheet(
    session: Session, actor: Actor, sheet_id: int, name: str, *, with_rows: bool, operation_id: UUID
) -> SheetCopy:
    """Make a copy of a sheet, owned by the actor. It has no history, comments, shares or trash.

    It contains the columns, rows and views that they see; relations are left out. Raises Invalid and NotAllowed.
    """
    needs = [Permission.ROWS_SEE, Permission.ROWS_EXPORT] if with_rows else []
    source = get_access(session, actor, sheet_id, *needs)
    structure = structure_of(session, source)
    copy = create_from_structure(session, actor, name, structure, label=f"A copy of {source.sheet.name}")
    rows = _copy_rows(session, source, copy, operation_id) if with_rows else 0
    kept = {column.column_id for column in copied_columns(source)}
    audit.record(session, actor, "sheet:sheet:copy", sheet_id=sheet_id, name=source.sheet.name, rows=rows)
    return SheetCopy(
        copy.sheet.sheet_id, rows, [column.name for column in source.columns if column.column_id not in kept]
    )


def _copy_rows(session: Session, source: Access, copy: Access, operation_id: UUID) -> int:
    """Copy the rows that the reader sees, without the cells of other columns, as one version; return how many."""

    def decide(operation: WriteOperation) -> Answer:
        session.execute(_PATIENCE)
        parameters = source.row_gate.parameters()
        rows = session.scalar(_COUNT, parameters) or 0
        if rows:
            kept = {column.column_id for column in copied_columns(source)}
            every = session.scalars(select(Column.column_id).where(Column.sheet_id == source.sheet.sheet_id))
            left_out = [str(column_id) for column_id in every if column_id not in kept]
            operation.next_version(new_rows=rows)
            target = {"copy": operation.sheet_id, "version": operation.version, "left_out": left_out, "count": rows}
            session.execute(_INSERT, parameters | target)
        answer = {"version": operation.version, "rows": rows}
        operation.keep_answer(answer, wrote=bool(rows))
        return answer

    answer = carry_out(
        session,
        copy.actor,
        copy.sheet.sheet_id,
        decide,
        operation_id=operation_id,
        source=ChangeSource.COPY,
        request=request_digest("copy", source.sheet.sheet_id),
        needs=[Permission.ROWS_IMPORT],
    )
    return int(answer["rows"])


_PATIENCE = text("SELECT set_config('statement_timeout', '600s', true)")
_COUNT = text(f"SELECT count(*) FROM rows r WHERE {visible_sql('r')}")  # noqa: S608 - the gate of core.access.
_INSERT = text(f"""
    INSERT INTO rows (sheet_id, row_id, values, folded, created_version)
    SELECT :copy, row_number() OVER (ORDER BY r.row_id), r.values - CAST(:left_out AS text[]),
           r.folded - CAST(:left_out AS text[]), :version
    FROM rows r WHERE {visible_sql("r")}
    ORDER BY r.row_id LIMIT :count
""")  # noqa: S608 - the gate of core.access.

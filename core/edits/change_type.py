"""Change of a column's type: its cells are converted as one version of the sheet, which undo takes back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.row_gate import scope_sql
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.exact_json import Value, loads_stored
from core.base.permissions import Permission
from core.column_types import LongText, column_type
from core.edits.conversion import (
    CHANGED_SINCE,
    MAX_EXAMPLES,
    Conversion,
    Misfits,
    NewType,
    cells_of,
    convert_cells,
    patches_of,
    plan_conversion,
    text_of,
)
from core.edits.operation import Answer, ChangeSource, WriteOperation, carry_out, request_digest
from core.sheets.column_types import (
    add_beside,
    check_new_type,
    move_cells,
    restore_added,
    retire_added,
    store_type,
)
from core.sheets.columns import NewColumn


@dataclass(frozen=True)
class TypeChange:
    """What an operation did to a column, as it is stored in the operation: the columns that it added and retired."""

    column: int
    before: str
    after: str
    added: int | None = None
    retired: int | None = None


@dataclass(frozen=True)
class TypeChanged:
    """What a change of type did. `kept` counts the cells that did not convert, which the column `added` has."""

    version: int
    column: int
    converted: int
    kept: int
    added: int | None
    type_change: dict[str, Any]


def change_type(
    session: Session, actor: Actor, sheet_id: int, column_id: int, new: NewType, *, operation_id: UUID
) -> TypeChanged:
    """Change the type of a column and convert its cells, as one version.

    Cells that do not convert are kept as `new.misfits` says. Raises Invalid where they are to be refused, or where the
    column can't have the type; nothing is changed then.
    """

    def decide(operation: WriteOperation) -> Answer:
        session.execute(_PATIENCE)
        conversion = plan_conversion(session, operation.access, operation.access.column(column_id), new)
        if conversion.reasons and new.misfits is Misfits.REFUSE:
            raise _refusal(operation.access, conversion)
        return _change(operation, conversion, new)

    answer = carry_out(
        session,
        actor,
        sheet_id,
        decide,
        operation_id=operation_id,
        source=ChangeSource.COLUMN,
        request=request_digest("type", column_id, asdict(new)),
        needs=[Permission.COLUMNS_EDIT],
    )
    return TypeChanged(**answer)


def type_change_of(session: Session, sheet_id: int, operation_id: UUID) -> TypeChange | None:
    """Return what an operation did to a column's type; None for every other operation."""
    stored = session.scalar(_TYPE_CHANGE, {"sheet": sheet_id, "operation": operation_id})
    return TypeChange(**stored) if stored else None


def take_back(
    operation: WriteOperation, change: TypeChange, version: int
) -> tuple[TypeChange, int, list[dict[str, Any]]]:
    """Give a column the type back that it had before an operation, which wrote a version.

    Return what was changed, how many cells, and what is left because somebody has worked in it: the column added then.

    Cells that nobody has changed since get their value of then. The others are converted, and a new column keeps those
    that do not convert. Raises Invalid where the type was changed since, or the column is gone.
    """
    session, access = operation.session, operation.access
    access.require(Permission.COLUMNS_EDIT)
    session.execute(_PATIENCE)
    column = access.by_id.get(change.column)
    if column is None:
        raise Invalid("The column whose type was changed has been retired since. Restore it first.")
    if column.type_version != version:
        raise Invalid(f"The type of “{column.name}” was changed again since.")
    check_new_type(access, column, column_type(column.earlier[-1].type))
    old = column.at(version - 1)
    counts, live_counts = cells_of(session, access, column, since=version)
    back = replace(
        column, type=old.type, rules=old.rules, options=old.options, default_value=column.earlier[-1].default_value
    )
    conversion = convert_cells(access, column, back, counts, live_counts)
    keeper, kept = _keeper(operation, conversion, Misfits.BESIDE, "")
    if change.retired is not None:
        restore_added(session, access, change.retired)
    left = _worked_in(operation, change.added, version) if change.added is not None else []
    retired = None if left else change.added
    if retired is not None:
        retire_added(session, access.sheet.sheet_id, retired)
    operation.next_version(new_rows=0)
    stored = store_type(session, operation.sheet_id, column, conversion.new, operation.version)
    parameters = access.row_gate.parameters() | {"column": column.column_id, "key": column.key}
    restored = session.scalar(_RESTORE, parameters | {"version": version}) or 0
    _write(operation, column, patches_of(conversion, kept, keeper), since=version)
    move_cells(session, operation.sheet_id, column, stored)
    _record(operation, conversion)
    added = keeper.column_id if keeper else None
    taken_back = TypeChange(column.column_id, column.type, old.type, added, retired)
    return taken_back, restored + sum(counts.values()), left


def _change(operation: WriteOperation, conversion: Conversion, new: NewType) -> Answer:
    session, old = operation.session, conversion.old
    keeper, kept = _keeper(operation, conversion, new.misfits, new.name)
    operation.next_version(new_rows=0)
    stored = store_type(session, operation.sheet_id, old, conversion.new, operation.version)
    _write(operation, old, patches_of(conversion, kept, keeper))
    move_cells(session, operation.sheet_id, old, stored)
    _record(operation, conversion)
    added = keeper.column_id if keeper else None
    change = TypeChange(old.column_id, old.type, stored.type, added)
    changed = TypeChanged(
        version=operation.version,
        column=old.column_id,
        converted=conversion.converted_count,
        kept=conversion.misfit_count,
        added=added,
        type_change=asdict(change),
    )
    operation.keep_answer(asdict(changed))
    return asdict(changed)


def _keeper(
    operation: WriteOperation, conversion: Conversion, misfits: Misfits, name: str
) -> tuple[ColumnInfo | None, Mapping[str, Value]]:
    """Add the column that keeps old cells, if there is anything to keep; return it, and what it has for each cell."""
    access, old = operation.access, conversion.old
    label = column_type(old.type).label.lower()
    if misfits is Misfits.COPY and conversion.counts:
        new = NewColumn(name or f"{old.name} ({label})", old.type, _optional(old), list(old.options), old.description)
        kept = {cell: loads_stored(cell) for cell in conversion.counts}
    elif conversion.reasons:
        new = NewColumn(name or f"{old.name} ({label})", LongText.name)
        kept = {cell: text_of(access, old, cell) for cell in conversion.reasons}
    else:
        return None, {}
    return add_beside(operation.session, access, old, new), kept


def _optional(column: ColumnInfo) -> dict[str, Any]:
    """Return the rules of a column for its copy, whose cells may be empty and occur twice."""
    return {key: value for key, value in column.rules.items() if key not in {"required", "unique"}}


def _write(operation: WriteOperation, column: ColumnInfo, patches: Mapping[str, str], *, since: int = 0) -> None:
    """Write the patches over the rows with these cells, in one statement."""
    if not patches:
        return
    parameters = {"key": column.key, "cells": [*patches], "patches": [*patches.values()]}
    range_ = {"since": since, "now": operation.version}
    operation.session.execute(_CONVERT, operation.access.row_gate.parameters() | parameters | range_)


def _worked_in(operation: WriteOperation, column_id: int, version: int) -> list[dict[str, Any]]:
    """Return a cell of a column that was written after a version, as undo lists what it leaves; none: []."""
    parameters = operation.access.row_gate.parameters() | {"column": column_id, "version": version}
    lines = operation.session.execute(_TOUCHED, parameters | {"key": str(column_id)})
    reason = "Somebody has worked in this column since, so it stays."
    return [
        {"row": row, "column": column_id, "reason": reason, "by": by, "at": at.isoformat()} for row, by, at in lines
    ]


def _record(operation: WriteOperation, conversion: Conversion) -> None:
    old, new = conversion.old, conversion.new
    audit.record(
        operation.session,
        operation.access.actor,
        "sheet:column:type",
        sheet_id=operation.sheet_id,
        column=old.column_id,
        name=old.name,
        before=old.type,
        after=new.type,
        kept=conversion.misfit_count,
    )


def _refusal(access: Access, conversion: Conversion) -> Invalid:
    count, label = conversion.misfit_count, column_type(conversion.new.type).label
    first = next(iter(conversion.reasons))
    texts = {cell: text_of(access, conversion.old, cell) for cell in [*conversion.reasons][:MAX_EXAMPLES]}
    return Invalid(
        f"{count:,} value{'' if count == 1 else 's'} of “{conversion.old.name}” can't be {label.lower()}, such as "
        f"“{texts[first][:80]}”. Keep them in another column, or change them first.",
        misfits=[
            {"text": texts[cell], "count": conversion.counts[cell], "reason": conversion.reasons[cell]}
            for cell in texts
        ],
    )


# A sheet may have hundreds of thousands of rows. Each is compared with the patches by hash, whatever is estimated.
_PATIENCE = text("SELECT set_config('statement_timeout', '600s', true), set_config('enable_nestloop', 'off', true)")
_CONVERT = text(f"""
    UPDATE rows r SET values = jsonb_strip_nulls(r.values || CAST(p.patch AS jsonb))
    FROM unnest(CAST(:cells AS text[]), CAST(:patches AS text[])) AS p (cell, patch)
    WHERE {scope_sql("r")} AND r.values -> CAST(:key AS text) = CAST(p.cell AS jsonb)
      AND (:since = 0 OR {CHANGED_SINCE} AND {CHANGED_SINCE.replace("> :since", "<> :now")})
""")  # noqa: S608 - the gate of core.access.
# Cells that hold what the operation left there get what they had before.
_RESTORE = text(f"""
    WITH restored AS (
        UPDATE rows r SET values = jsonb_strip_nulls(r.values || jsonb_build_object(CAST(:key AS text), c.old))
        FROM changes c
        WHERE {scope_sql("r")} AND c.sheet_id = :sheet AND c.version = :version AND c.column_id = :column
          AND c.row_id = r.row_id AND CAST(r.versions ->> CAST(:key AS text) AS bigint) = :version
        RETURNING 1)
    SELECT count(*) FROM restored
""")  # noqa: S608 - the gate of core.access.
# The log has one line of a new row, with column 0.
_TOUCHED = text(f"""
    SELECT c.row_id, u.name, c.recorded_at
    FROM changes c JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    LEFT JOIN users u ON u.user_id = c.actor_id
    WHERE {scope_sql("r")} AND c.sheet_id = :sheet AND c.version > :version
      AND (c.column_id = :column OR c.kind = 'add' AND r.values ? CAST(:key AS text))
    ORDER BY c.version DESC LIMIT 1
""")  # noqa: S608 - the gate of core.access.
_TYPE_CHANGE = text("""
    SELECT result -> 'type_change' FROM operations WHERE sheet_id = :sheet AND operation_id = :operation
""")

"""Planning a batch: what of it will be written, and what is refused, in conflict or gone, with the reason."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import VISIBLE_SQL, Access, ColumnInfo
from core.access.row_ownership import own, refuse_losing
from core.base.errors import Invalid
from core.base.exact_json import Value, Wire, loads_stored, to_wire
from core.column_types import column_type
from core.edits.batch import Add, Batch, Edit, Given, Outcome
from core.edits.plan_types import Plan
from core.edits.unique import refuse_duplicates
from db.raw_sql import Quick

NO_ROW = "There is no row {} in this sheet. It may have been deleted meanwhile."
UNSEEN = (
    "This was typed over version {} of the sheet, which is at version {}: a backup may have been restored. "
    "See what the cell holds now, and decide."
)
# An edit whose cell moved on since its base, or whose base is newer than the sheet, with the value that it would write.
Stale = tuple[Edit, Value | None]


@dataclass(frozen=True)
class Stored:
    """A row as it is now."""

    values: dict[str, Value]
    versions: dict[str, int]
    created: int

    def version_of(self, column: ColumnInfo) -> int:
        return self.versions.get(column.key, self.created)


def plan_batch(session: Session, access: Access, batch: Batch) -> Plan:
    """Decide a whole batch. The sheet is locked: what this finds stays true until it is written."""
    rows = stored_rows(session, access, {edit.row for edit in batch.edits} | set(batch.deletes))
    plan, stale = Plan(Outcome(version=access.sheet.version)), list[Stale]()
    # Of two edits of one cell in one action the later one counts.
    for edit in {(edit.row, edit.column): edit for edit in batch.edits}.values():
        _plan_edit(access, plan, rows.get(edit.row), edit, stale)
    for add in batch.adds:
        _plan_add(access, plan, add)
    for row_id in dict.fromkeys(batch.deletes):
        if row_id in rows:
            plan.deletes.append(row_id)
        else:
            plan.outcome.gone.append({"row": row_id, "column": None, "given": None, "reason": NO_ROW.format(row_id)})
    refuse_duplicates(session, access, plan)
    plan.outcome.conflicts = _conflicts(session, access, rows, stale)
    return plan


def plan_unseen(access: Access, batch: Batch) -> Plan | None:
    """Decide a few plain edits without having read their rows: what is written where nothing has moved since they were
    seen. None where it takes the rows or the sheet's lock to decide them, or to tell what is wrong."""
    plan = Plan(Outcome(version=access.sheet.version))
    if access.owners is not None or not batch.is_plain:
        return None
    for edit in batch.edits:
        column = access.by_id.get(edit.column)
        if column is None or column.rules.get("unique") or not access.may_write(column):
            return None
        try:
            plan.edits[edit.row, edit.column] = value_to_store(access, column, edit.given, None)
        except Invalid:
            return None
    return plan


def stored_rows(session: Session, access: Access, row_ids: set[int]) -> dict[int, Stored]:
    """The rows as they are now, by id; those that are gone, or not to be seen, are missing."""
    if not row_ids:
        return {}
    found = _STORED.rows(session, access.gate | {"ids": [*row_ids]})
    return {row_id: Stored(loads_stored(values), versions, created) for row_id, values, versions, created in found}


def _plan_edit(access: Access, plan: Plan, row: Stored | None, edit: Edit, stale: list[Stale]) -> None:
    column = access.by_id.get(edit.column)
    place = {"row": edit.row, "column": edit.column, "given": edit.given.shown}
    if column is None or row is None:
        missing = "column" if column is None else "row"
        plan.outcome.gone.append(place | {"reason": f"This {missing} has been deleted meanwhile."})
        return
    try:
        value = value_to_store(access, column, edit.given, row.values.get(column.key))
        refuse_losing(access, column, value)
    except Invalid as refusal:
        plan.outcome.refused.append(place | {"reason": refusal.message})
        return
    if value == row.values.get(column.key):
        plan.outcome.saved.append(_saved(edit.row, column, value, row.version_of(column)))
    elif edit.base is not None and not row.version_of(column) <= edit.base <= access.sheet.version:
        stale.append((edit, value))
    else:
        plan.edits[edit.row, edit.column] = value
        plan.given[edit.row, edit.column] = edit.given


def _plan_add(access: Access, plan: Plan, add: Add) -> None:
    values: dict[int, Value | None] = {}
    refused: list[dict[str, Any]] = []
    columns = [column for column in access.columns if column.rules.get("required") and access.may_write(column)]
    required = [column.column_id for column in columns]
    for column_id in dict.fromkeys([*add.cells, *required]):
        given = add.cells.get(column_id, Given())
        place = {"key": add.key, "column": column_id, "given": given.shown}
        column = access.by_id.get(column_id)
        if column is None:
            refused.append(place | {"reason": "This column has been deleted meanwhile."})
            continue
        try:
            values[column_id] = value_to_store(access, column, given, None)
            plan.given[add.key, column_id] = given
        except Invalid as refusal:
            refused.append(place | {"reason": refusal.message})
    if not refused:
        try:
            own(access, values)
        except Invalid as refusal:
            owner = access.sheet.owner_column
            given = add.cells.get(owner or 0, Given()).shown
            refused.append({"key": add.key, "column": owner, "given": given, "reason": refusal.message})
    plan.outcome.refused += refused
    if not refused:
        plan.adds[add.key] = values


def value_to_store(access: Access, column: ColumnInfo, given: Given, before: Value | None) -> Value | None:
    """The value to store, by the column's type and rules. Raises Invalid."""
    kind = column_type(column.type)
    if given.text is None:
        value = kind.check(given.value, column, access.references, before)
    else:
        value = kind.parse(given.text, column, access.references, before)
    if value is None and column.rules.get("required"):
        raise Invalid(f"“{column.name}” must not be empty.")
    if value != before and not access.may_write(column):
        raise Invalid(f"“{column.name}” is read-only for you. Ask the sheet's owner.")
    return value


def _conflicts(session: Session, access: Access, rows: dict[int, Stored], stale: list[Stale]) -> list[dict[str, Any]]:
    if not stale:
        return []
    since = session.execute(
        _SINCE,
        {
            "sheet": access.sheet.sheet_id,
            "rows": [edit.row for edit, _ in stale],
            "columns": [edit.column for edit, _ in stale],
            "bases": [edit.base for edit, _ in stale],
        },
    ).mappings()
    by_cell: dict[tuple[int, int], list[Any]] = {}
    for line in since:
        by_cell.setdefault((line["row_id"], line["column_id"]), []).append(line)
    return [
        _conflict(access, edit, mine, rows[edit.row], by_cell.get((edit.row, edit.column), [])) for edit, mine in stale
    ]


def _conflict(access: Access, edit: Edit, mine: Value | None, row: Stored, lines: list[Any]) -> dict[str, Any]:
    column, base, now = access.column(edit.column), edit.base, access.sheet.version
    # What stood in a cell at a version that the sheet has not, or has no more, nobody can tell.
    first, last = (lines[0], lines[-1]) if lines else (None, None)
    return {
        "row": edit.row,
        "column": edit.column,
        "given": edit.given.shown,
        "mine": _wired(mine),
        "theirs": _wired(row.values.get(column.key)),
        "original": _wired(loads_stored(first["old"])) if first and first["old"] else None,
        "by": last["name"] if last else None,
        "at": last["recorded_at"].isoformat() if last else None,
        "version": row.version_of(column),
        "reason": UNSEEN.format(base, now) if base is not None and base > now else None,
    }


def answer_edits(access: Access, plan: Plan, version: int | None) -> None:
    """Say of every planned edit that it is saved; as which version, may be known later."""
    plan.outcome.saved += [
        _saved(row, access.by_id[column], value, version) for (row, column), value in plan.edits.items()
    ]


def _saved(row: int, column: ColumnInfo, value: Value | None, version: int | None) -> dict[str, Any]:
    return {"row": row, "column": column.column_id, "value": _wired(value), "version": version}


def _wired(value: Value | None) -> Wire:
    return None if value is None else to_wire(value)


_STORED = Quick(f"""
    SELECT r.row_id, r.values::text, r.versions, r.created_version
    FROM rows r WHERE {VISIBLE_SQL} AND r.row_id = ANY(:ids)
""")  # noqa: S608 - VISIBLE_SQL is a constant of core.access.
# A cell's lines since its base; where the whole row is younger, the line that added it.
_SINCE = text("""
    SELECT w.row_id, w.column_id, c.version, c.old::text AS old, u.name, c.recorded_at
    FROM unnest(CAST(:rows AS integer[]), CAST(:columns AS integer[]), CAST(:bases AS bigint[]))
         AS w (row_id, column_id, base)
    JOIN changes c ON c.sheet_id = :sheet AND c.row_id = w.row_id AND c.version > w.base
         AND (c.column_id = w.column_id OR c.kind = 'add')
    LEFT JOIN users u ON u.user_id = c.actor_id
    ORDER BY c.version
""")

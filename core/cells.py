"""Writing cells: the one command by which any path changes the rows of a sheet. Loses nothing, overwrites nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access import VISIBLE_SQL, Access, ColumnInfo, get_access
from core.actor import Actor
from core.batch import MAX_CELLS, Add, Batch, Edit, Given, Outcome
from core.changes import Change, Source, edit_unmoved, open_change
from core.column_types import column_type
from core.errors import Invalid
from core.permissions import Permission
from core.unique import refuse_duplicates
from core.values import Value, Wire, dumps, stored, to_wire
from db.quick import Quick


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
    carried out once and answered the same every time.
    """
    access = get_access(session, actor, sheet_id, *_needed(batch))
    if outcome := _write_unmoved(session, access, batch, operation_id, source):
        return outcome
    change = open_change(session, access, operation_id=operation_id, source=source)
    if change.answered is not None:
        return Outcome.from_json(change.answered)
    # Rights and columns may have changed while we waited for the lock.
    change.access = get_access(session, actor, sheet_id, *_needed(batch))
    plan = _plan(session, change.access, batch)
    if not partial:
        plan.outcome.raise_first()
    if plan.writes:
        _carry_out(change, plan)
    else:
        # A late copy of this request must not be decided anew, after its person was told that it was not written.
        change.answer(plan.outcome.as_json(), wrote=False)
    return plan.outcome


FEW = 100  # Edits that are worth deciding before the lock: more of them, and something has moved.
# An edit whose cell moved on since its base, with the value that it would have written.
Stale = tuple[Edit, Value | None]


@dataclass
class Plan:
    """What a batch will write, and what it will not."""

    outcome: Outcome
    edits: dict[tuple[int, int], Value | None] = field(default_factory=dict)
    adds: dict[str, dict[int, Value | None]] = field(default_factory=dict)
    deletes: list[int] = field(default_factory=list)
    given: dict[tuple[int | str, int], Given] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        return bool(self.edits or self.adds or self.deletes)


@dataclass(frozen=True)
class Stored:
    """A row as it is now."""

    values: dict[str, Value]
    versions: dict[str, int]
    created: int

    def version_of(self, column: ColumnInfo) -> int:
        return self.versions.get(column.key, self.created)


def _needed(batch: Batch) -> Iterable[Permission]:
    if not batch.size:
        raise Invalid("There is nothing to write: give edits, adds or deletes.")
    if batch.size > MAX_CELLS:
        raise Invalid(
            f"At most {MAX_CELLS:,} cells are written at once, and this is {batch.size:,}. Import a file instead."
        )
    if batch.edits:
        yield Permission.ROWS_EDIT
    if batch.adds:
        yield Permission.ROWS_ADD
    if batch.deletes:
        yield Permission.ROWS_DELETE


def _write_unmoved(
    session: Session, access: Access, batch: Batch, operation_id: UUID, source: Source
) -> Outcome | None:
    """Decide a few plain edits before the lock, and write them if nothing has moved when it is held; else None.

    Most edits end here, and the sheet is locked for one round trip instead of three. Whatever needs the lock to be
    decided (new rows' ids, unique values) or to be told (a conflict, a refusal) is left to be done under it.
    """
    columns = [access.by_id.get(edit.column) for edit in batch.edits]
    if batch.adds or batch.deletes or len(batch.edits) > FEW:
        return None
    if any(column is None or column.rules.get("unique") for column in columns):
        return None
    rows = _stored(session, access, {edit.row for edit in batch.edits})
    plan, stale = _plan_edits(access, rows, batch)
    if stale or plan.outcome.refused or plan.outcome.gone or not plan.edits:
        return None
    _answer_edits(access, plan, None)
    edits = _patches(plan)
    seen = [dumps(rows[row].versions) for row in edits]
    version = edit_unmoved(
        session, access, plan.outcome.as_json(), operation_id=operation_id, source=source, edits=edits, seen=seen
    )
    return plan.outcome.at(version) if version else None


def _plan(session: Session, access: Access, batch: Batch) -> Plan:
    rows = _stored(session, access, {edit.row for edit in batch.edits} | set(batch.deletes))
    plan, stale = _plan_edits(access, rows, batch)
    for add in batch.adds:
        _plan_add(access, plan, add)
    plan.deletes = [row for row in dict.fromkeys(batch.deletes) if row in rows]
    refuse_duplicates(session, access, plan)
    plan.outcome.conflicts = _conflicts(session, access, rows, stale)
    return plan


def _plan_edits(access: Access, rows: dict[int, Stored], batch: Batch) -> tuple[Plan, list[Stale]]:
    plan, stale = Plan(Outcome(version=access.sheet.version)), list[Stale]()
    # Of two edits of one cell in one action the later one counts.
    for edit in {(edit.row, edit.column): edit for edit in batch.edits}.values():
        _plan_edit(access, plan, rows.get(edit.row), edit, stale)
    return plan, stale


def _stored(session: Session, access: Access, row_ids: set[int]) -> dict[int, Stored]:
    if not row_ids:
        return {}
    found = _STORED.rows(session, {"sheet": access.sheet.sheet_id, "ids": [*row_ids]})
    return {row_id: Stored(stored(values), versions, created) for row_id, values, versions, created in found}


def _plan_edit(access: Access, plan: Plan, row: Stored | None, edit: Edit, stale: list[Stale]) -> None:
    column = access.by_id.get(edit.column)
    place = {"row": edit.row, "column": edit.column, "given": edit.given.shown}
    if column is None or row is None:
        missing = "column" if column is None else "row"
        plan.outcome.gone.append(place | {"reason": f"This {missing} has been deleted meanwhile."})
        return
    try:
        value = _value(access, column, edit.given, row.values.get(column.key))
    except Invalid as refusal:
        plan.outcome.refused.append(place | {"reason": refusal.message})
        return
    if value == row.values.get(column.key):
        plan.outcome.saved.append(_saved(edit.row, column, value, row.version_of(column)))
    elif edit.base is not None and row.version_of(column) > edit.base:
        stale.append((edit, value))
    else:
        plan.edits[edit.row, edit.column] = value
        plan.given[edit.row, edit.column] = edit.given


def _plan_add(access: Access, plan: Plan, add: Add) -> None:
    values: dict[int, Value | None] = {}
    refused: list[dict[str, Any]] = []
    required = [column.column_id for column in access.columns if column.rules.get("required")]
    for column_id in dict.fromkeys([*add.cells, *required]):
        given = add.cells.get(column_id, Given())
        place = {"key": add.key, "column": column_id, "given": given.shown}
        column = access.by_id.get(column_id)
        if column is None:
            refused.append(place | {"reason": "This column has been deleted meanwhile."})
            continue
        try:
            values[column_id] = _value(access, column, given, None)
            plan.given[add.key, column_id] = given
        except Invalid as refusal:
            refused.append(place | {"reason": refusal.message})
    plan.outcome.refused += refused
    if not refused:
        plan.adds[add.key] = values


def _value(access: Access, column: ColumnInfo, given: Given, before: Value | None) -> Value | None:
    """The value to store, by the column's type and rules."""
    kind = column_type(column.type)
    people = access.people if column.type == "person" else {}
    if given.text is None:
        value = kind.check(given.value, column, people, before)
    else:
        value = kind.parse(given.text, column, people, before)
    if value is None and column.rules.get("required"):
        raise Invalid(f"“{column.name}” must not be empty.")
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
        _conflict(access.column(edit.column), edit, mine, rows[edit.row], by_cell[edit.row, edit.column])
        for edit, mine in stale
    ]


def _conflict(column: ColumnInfo, edit: Edit, mine: Value | None, row: Stored, lines: list[Any]) -> dict[str, Any]:
    first, last = lines[0], lines[-1]
    return {
        "row": edit.row,
        "column": edit.column,
        "given": edit.given.shown,
        "mine": _wired(mine),
        "theirs": _wired(row.values.get(column.key)),
        "original": _wired(stored(first["old"])) if first["old"] else None,
        "by": last["name"],
        "at": last["recorded_at"].isoformat(),
        "version": row.version_of(column),
    }


def _carry_out(change: Change, plan: Plan) -> None:
    outcome = plan.outcome
    outcome.version = change.version + 1
    _answer_edits(change.access, plan, outcome.version)
    outcome.deleted = plan.deletes
    adds = [_filled(cells) for cells in plan.adds.values()]
    outcome.added = [
        {"key": key, "row": row, "values": {name: to_wire(value) for name, value in values.items()}}
        for row, (key, values) in enumerate(zip(plan.adds, adds, strict=True), change.last_row_id + 1)
    ]
    added = [dumps(values) for values in adds]
    change.apply(outcome.as_json(), edits=_patches(plan), adds=added, deletes=plan.deletes)


def _answer_edits(access: Access, plan: Plan, version: int | None) -> None:
    """Say of every planned edit that it is saved; as which version, may be known later."""
    plan.outcome.saved += [
        _saved(row, access.by_id[column], value, version) for (row, column), value in plan.edits.items()
    ]


def _patches(plan: Plan) -> dict[int, str]:
    """Per row the changed values as JSON text; a null takes the key away."""
    patches: dict[int, dict[str, Value | None]] = {}
    for (row, column), value in plan.edits.items():
        patches.setdefault(row, {})[str(column)] = value
    return {row: dumps(patch) for row, patch in patches.items()}


def _filled(cells: dict[int, Value | None]) -> dict[str, Value]:
    return {str(column): value for column, value in cells.items() if value is not None}


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

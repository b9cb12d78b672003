"""Edits of mirrors: what is put into the mirror of a relation is written in the sheet that stores the relation.

Both sheets are locked together and get one operation, so that an undo on either side takes back both. The rights are
those of the sheet that stores the relation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access, ColumnInfo
from core.access.row_gate import visible_sql
from core.base.errors import Invalid
from core.base.exact_json import Wire
from core.column_types import Mirror, column_type
from core.edits.batch import Batch, CellInput, Edit
from core.edits.operation import WriteOperation
from core.edits.plan import plan_batch, stored_rows
from core.edits.plan_types import EditPlan
from core.rows.projection import wire_value

Cell = tuple[int, int]
MOVED = "“{}” may have changed in “{}” since you read it. Open the cell, and add or remove single rows."


def mirrors_in(access: Access, batch: Batch) -> dict[int, ColumnInfo]:
    """Return the mirrors that a batch writes to and its writer may change, by column id."""
    written = {edit.column for edit in batch.edits}
    columns = [access.by_id[column_id] for column_id in written if column_id in access.by_id]
    return {column.column_id: column for column in columns if column.type == Mirror.name and access.may_write(column)}


def without_mirrors(batch: Batch, mirrors: Mapping[int, ColumnInfo]) -> Batch:
    """Return the rest of a batch, which its own sheet stores."""
    return replace(batch, edits=tuple(edit for edit in batch.edits if edit.column not in mirrors))


@dataclass
class MirrorEdits:
    """The edits of mirrors of a batch, once the plan of its own sheet is made and both sheets are locked."""

    session: Session
    access: Access
    storing: Mapping[int, Access]
    lists: dict[tuple[int, int], dict[int, list[str]]] = field(default_factory=dict)
    saved: dict[Cell, list[str]] = field(default_factory=dict)

    def put(self, row: int, column: ColumnInfo, cell: CellInput, base: int | None = None) -> None:
        """Plan what a mirror's cell of a row shall name. Raises Invalid where it cannot.

        What replaces the whole cell must not remove a row that may have been added since the base.
        """
        storing, relation = self.storing[column.rules["sheet"]], column.rules["relation"]
        before = self._named_by(storing, relation, row)
        after = self._after(column, cell, before)
        if base is not None and not _is_change(cell) and self._moved(storing, relation, {*before} - {*after}, base):
            raise Invalid(MOVED.format(column.name, storing.sheet.name))
        lists = self.lists.setdefault((storing.sheet.sheet_id, relation), {})
        is_single = bool(storing.by_id[relation].rules.get("single"))
        changed = [int(identity) for identity in {*before} ^ {*after}]
        rows = stored_rows(self.session, storing, {row_id for row_id in changed if row_id not in lists})
        for row_id in changed:
            stored = rows[row_id].values.get(str(relation)) if row_id in rows else None
            names = lists.setdefault(row_id, [*stored] if isinstance(stored, list) else [])
            lists[row_id] = [identity for identity in names if identity != str(row)]
            if str(row_id) in after:
                lists[row_id] = [str(row)] if is_single else [*lists[row_id], str(row)]
        self.saved[row, column.column_id] = after

    def batches(self) -> dict[int, Batch]:
        """Return what is written per sheet that stores a relation."""
        edits: dict[int, list[Edit]] = {}
        for (sheet_id, relation), lists in self.lists.items():
            edits.setdefault(sheet_id, []).extend(
                Edit(row_id, relation, CellInput(value=names or None)) for row_id, names in sorted(lists.items())
            )
        return {sheet_id: Batch(edits=tuple(sheet_edits)) for sheet_id, sheet_edits in edits.items()}

    def cells(self, version: int) -> list[dict[str, Any]]:
        """Return the saved cells of mirrors as an outcome has them."""
        return [
            {"row": row, "column": column_id, "value": self._wire(column_id, names), "version": version}
            for (row, column_id), names in self.saved.items()
        ]

    def _wire(self, column_id: int, names: list[str]) -> Wire:
        return wire_value(self.access, self.access.by_id[column_id], names) if names else None

    def _after(self, column: ColumnInfo, cell: CellInput, before: list[str]) -> list[str]:
        """Return what the cell shall name: a list, or what is added to it and removed from it."""
        kind, references = column_type(column.type), self.access.references
        if cell.text is not None:
            return list(kind.parse(cell.text, column, references, before) or ())
        if _is_change(cell):
            added = kind.check(cell.value.get("add") or None, column, references) or []
            removed = kind.check(cell.value.get("remove") or None, column, references, before) or []
            rest = [identity for identity in before if identity not in removed]
            return [*rest, *(identity for identity in added if identity not in rest)]
        return list(kind.check(cell.value, column, references, before) or ())

    def _moved(self, storing: Access, relation: int, removed: set[str], base: int) -> bool:
        """Tell whether one of the rows may have been linked since the base, which is a version of the own sheet."""
        own = {"own": self.access.sheet.sheet_id, "base": base, "me": self.access.actor.user_id}
        parameters = storing.row_gate.parameters() | own | {"relation": relation, "removed": [*map(int, removed)]}
        return bool(removed) and self.session.execute(_MOVED, parameters).first() is not None

    def _named_by(self, storing: Access, relation: int, row: int) -> list[str]:
        parameters = storing.row_gate.parameters() | {"relation": relation, "row": row}
        return [str(row_id) for row_id in self.session.scalars(_NAMED_BY, parameters)]


def _is_change(cell: CellInput) -> bool:
    """Tell whether an input says what it adds to the cell and removes from it."""
    return cell.text is None and isinstance(cell.value, dict) and {*cell.value} <= {"add", "remove", "shown"}


def plan_mirrors(
    own: WriteOperation,
    operations: Mapping[int, WriteOperation],
    batch: Batch,
    plan: EditPlan,
    mirrors: Mapping[int, ColumnInfo],
) -> tuple[MirrorEdits, dict[int, EditPlan]]:
    """Plan the edits of mirrors; return them and the plan of each sheet that stores their relations.

    What cannot be written is refused in the plan of the own sheet, and nothing of it is written in the other.
    """
    session = own.session
    accesses = {sheet_id: operation.access for sheet_id, operation in operations.items()}
    edits = MirrorEdits(session, own.access, accesses)
    cells = [(edit.row, mirrors[edit.column], edit.input, edit.base) for edit in batch.edits if edit.column in mirrors]
    live = stored_rows(session, own.access, {row for row, *_ in cells})
    refused = plan.outcome.refused
    for row, column, cell, base in cells:
        cell_json = {"row": row, "column": column.column_id, "given": cell.shown}
        if row not in live:
            plan.outcome.gone.append(cell_json | {"reason": "This row has been deleted meanwhile."})
            continue
        try:
            edits.put(row, column, cell, base)
        except Invalid as refusal:
            refused.append(cell_json | {"reason": refusal.message})
    plans: dict[int, EditPlan] = {}
    for sheet_id, sheet_batch in edits.batches().items():
        plans[sheet_id] = plan_batch(session, accesses[sheet_id], sheet_batch)
        outcome = plans[sheet_id].outcome
        if problems := [*outcome.refused, *outcome.gone, *outcome.conflicts]:
            reason = f"In “{accesses[sheet_id].sheet.name}”: {problems[0]['reason']}"
            refused += [{"row": row, "column": column, "given": None, "reason": reason} for row, column in edits.saved]
            edits.saved.clear()
            return edits, {}
    return edits, plans


_NAMED_BY = text(f"""
    SELECT r.row_id FROM links l JOIN rows r ON r.sheet_id = l.sheet_id AND r.row_id = l.row_id
    WHERE {visible_sql("r")} AND l.sheet_id = :sheet AND l.column_id = :relation AND l.target_row = :row
    ORDER BY r.row_id
""")  # noqa: S608 - the gate of core.access.
# An operation that stands in both sheets has a version in each. Any other is compared by time: what others did after
# the base's version may be unseen, what this person did is unseen only where a later version came before it.
_MOVED = text(f"""
    SELECT 1 FROM changes c JOIN rows r ON r.sheet_id = c.sheet_id AND r.row_id = c.row_id
    LEFT JOIN operations o ON o.sheet_id = :own AND o.operation_id = c.batch
    WHERE {visible_sql("r")} AND c.sheet_id = :sheet AND c.row_id = ANY(CAST(:removed AS integer[]))
      AND (c.column_id = :relation OR c.kind = 'add')
      AND CASE WHEN o.version IS NOT NULL THEN o.version > :base
               WHEN c.actor_id = :me THEN c.recorded_at > (
                   SELECT recorded_at FROM changes WHERE sheet_id = :own AND version > :base ORDER BY version LIMIT 1)
               ELSE c.recorded_at > coalesce((
                   SELECT recorded_at FROM changes WHERE sheet_id = :own AND version <= :base
                   ORDER BY version DESC LIMIT 1), '-infinity') END
    LIMIT 1
""")  # noqa: S608 - the gate of core.access.

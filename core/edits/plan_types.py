"""The plan of a batch: what it will write, and what it will not."""

from dataclasses import dataclass, field

from core.base.exact_json import Value, dumps
from core.edits.batch import CellInput, Outcome
from core.edits.operation import RowChanges


@dataclass
class EditPlan:
    """What a batch will write, and what it will not.

    `edits` gives the new value by (row, column), `adds` the cells of each new row by its key, `inputs` what was given
    for each planned cell. None empties a cell.
    """

    outcome: Outcome
    edits: dict[tuple[int, int], Value | None] = field(default_factory=dict)
    adds: dict[str, dict[int, Value | None]] = field(default_factory=dict)
    deletes: list[int] = field(default_factory=list)
    inputs: dict[tuple[int | str, int], CellInput] = field(default_factory=dict)

    def changes(self) -> RowChanges:
        """Return what the plan writes, as the database takes it; a null takes a cell's value away."""
        patches: dict[int, dict[str, Value | None]] = {}
        for (row, column), value in self.edits.items():
            patches.setdefault(row, {})[str(column)] = value
        return RowChanges(
            edits={row: dumps(patch) for row, patch in patches.items()},
            adds=[dumps(filled(cells)) for cells in self.adds.values()],
            deletes=self.deletes,
        )

    def refuse(self, key: int | str, column: int, reason: str) -> None:
        """Move a planned cell (of a row, or of a new row by its key) to the refusals; a new row goes as a whole."""
        name = "row" if isinstance(key, int) else "key"
        shown = self.inputs[key, column].shown if (key, column) in self.inputs else CellInput().shown
        self.outcome.refused.append({name: key, "column": column, "given": shown, "reason": reason})
        if isinstance(key, int):
            del self.edits[key, column]
        else:
            self.adds.pop(key, None)


def filled(cells: dict[int, Value | None]) -> dict[str, Value]:
    """Return the cells that hold a value, by the key of their column."""
    return {str(column): value for column, value in cells.items() if value is not None}

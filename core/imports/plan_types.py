"""The plan of an import: what becomes of each column of the file, and of values that do not fit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from core.base.permissions import Permission
from core.imports.format import FileFormat
from core.sheets.columns import NewColumn


class OnMisfit(StrEnum):
    """What becomes of a value that its column cannot take."""

    REFUSE = "refuse"
    EMPTY = "empty"
    SKIP = "skip"

    @property
    def label(self) -> str:
        return {"refuse": "Refuse the file", "empty": "Leave the cell empty", "skip": "Leave the line out"}[self.value]


@dataclass(frozen=True)
class ColumnPlan:
    """Where a column of the file goes: into an existing `column`, into a `new` one, or (neither) nowhere.

    `labels` are options that an existing choice column gets beforehand; `undecided` names what the texts leave open.
    """

    source: int
    name: str
    column: int | None = None
    new: NewColumn | None = None
    reading: Mapping[str, str] = field(default_factory=dict)
    on_misfit: OnMisfit = OnMisfit.REFUSE
    labels: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()

    @property
    def taken(self) -> bool:
        return self.column is not None or self.new is not None

    def as_json(self) -> dict[str, Any]:
        """As the API shows it and takes it back."""
        plain = {"source": self.source, "name": self.name, "reading": dict(self.reading), "on_misfit": self.on_misfit}
        target: dict[str, Any] = {"column": self.column, "new": asdict(self.new) if self.new else None}
        return plain | target | {"labels": list(self.labels), "undecided": list(self.undecided)}


@dataclass(frozen=True)
class ImportPlan:
    """What an import will do. Nothing is written before a person has seen it."""

    format: FileFormat
    columns: tuple[ColumnPlan, ...]
    rows: int = 0
    fills_defaults: bool = False  # Whether empty cells get the default of their column.

    @property
    def taken(self) -> list[ColumnPlan]:
        """The columns that go somewhere."""
        return [column for column in self.columns if column.taken]

    @property
    def needs(self) -> list[Permission]:
        """What it takes to carry it out."""
        changes_columns = any(column.new or column.labels for column in self.taken)
        return [Permission.ROWS_IMPORT, *([Permission.COLUMNS_EDIT] if changes_columns else [])]

    def changed(self, source: int, **changes: Any) -> "ImportPlan":
        """The plan with another decision on one column."""
        columns = [replace(column, **changes) if column.source == source else column for column in self.columns]
        return replace(self, columns=tuple(columns))

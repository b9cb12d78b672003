"""A batch: what one user action asks to write (edits, new rows, deletions), and what came of it."""

from dataclasses import dataclass, field
from typing import Any, Self

from core.base.errors import Conflict, Invalid, NotFound

MAX_CELLS = 5_000  # So many hold their sheet for less than a second.
MAX_SHOWN = 1000
MAX_OPTIMISTIC = 100  # Edits to decide before the lock. Of more edits the cells have often moved.


@dataclass(frozen=True, slots=True)
class CellInput:
    """An input for a cell: `text` that a person typed or pasted, else a JSON `value` from a program."""

    text: str | None = None
    value: Any = None

    @property
    def shown(self) -> Any:
        """Return the input as the outcome of a refused edit shows it: a short text, or a JSON value without text."""
        value = self.value if self.text is None else self.text
        return value if value is None or isinstance(value, bool) else _as_text(value)


def _as_text(value: Any) -> Any:
    """Return a text without NUL, which JSON in PostgreSQL cannot hold, cut to MAX_SHOWN."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        if sum(map(len, value)) + len(value) <= MAX_SHOWN:
            return [_as_text(item) for item in value]
        value = ", ".join(value[:MAX_SHOWN])
    text = value if isinstance(value, str) else str(value)
    return (text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…").replace("\x00", "\ufffd")


@dataclass(frozen=True, slots=True)
class Edit:
    """One cell. `base` is the sheet's version on the screen when the editor opened; None asks for no check."""

    row: int
    column: int
    input: CellInput
    base: int | None = None


@dataclass(frozen=True, slots=True)
class NewRow:
    """A new row. `key` is the client's own name for it, given back with the row's id; `base` is as that of an edit."""

    key: str
    cells: dict[int, CellInput]
    base: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one user action writes, as one version of the sheet."""

    edits: tuple[Edit, ...] = ()
    adds: tuple[NewRow, ...] = ()
    deletes: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How many cells and rows it touches."""
        return len(self.edits) + len(self.deletes) + sum(len(add.cells) + 1 for add in self.adds)

    @property
    def is_plain(self) -> bool:
        """A few edits, and no row that comes or goes."""
        return 0 < len(self.edits) <= MAX_OPTIMISTIC and not (self.adds or self.deletes)


@dataclass
class Outcome:
    """What came of a batch: JSON-ready lists, so that it can be kept and answered again.

    saved: {row, column, value, version} · added: {key, row, values} · deleted: [row] · restored: [row] ·
    refused: {row or key, column, given, reason} · gone: {row, column, given, reason} ·
    conflicts: {row, column, mine, given, theirs, original, by, at, version, reason}
    """

    version: int
    saved: list[dict[str, Any]] = field(default_factory=list)
    added: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    gone: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {**vars(self)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(**stored).at(stored["version"])

    def at(self, version: int) -> Self:
        """Return the outcome as written at this version, which was not known when it was decided."""
        self.version = version
        for cell in self.saved:
            cell["version"] = cell["version"] or version
        return self

    def raise_first(self) -> None:
        """Refuse the whole batch where any part of it cannot be written."""
        if self.gone:
            rows = sorted({cell["row"] for cell in self.gone})
            raise NotFound(self.gone[0]["reason"], cells=self.gone, rows=rows)
        if self.refused:
            first = self.refused[0]
            raise Invalid(first["reason"], cells=self.refused)
        if self.conflicts:
            conflict = self.conflicts[0]
            reason = conflict["reason"] or f"{conflict['by'] or 'Another user'} changed this cell meanwhile."
            raise Conflict(reason, cells=self.conflicts)

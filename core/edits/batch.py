"""A batch: what one user action asks to write (edits, new rows, deletions), and what came of it."""

from dataclasses import dataclass, field
from typing import Any, Self

from core.base.errors import Conflict, Invalid, NotFound

MAX_CELLS = 5_000  # So many hold their sheet for less than a second.
MAX_SHOWN = 1000
FEW = 100  # Edits that are worth deciding before the lock: more of them, and something has moved.


@dataclass(frozen=True, slots=True)
class CellInput:
    """A value as it was given: `text` typed or pasted by a person, else a JSON `value` from a program."""

    text: str | None = None
    value: Any = None

    @property
    def shown(self) -> Any:
        """What to show the person again when it was not written; as text where no cell holds it, and cut short."""
        given = self.value if self.text is None else self.text
        return given if given is None or isinstance(given, bool) else _as_text(given)


def _as_text(given: Any) -> Any:
    """Text without NUL, which no JSON of the database's can hold. Of a long one the beginning is enough."""
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        if sum(map(len, given)) + len(given) <= MAX_SHOWN:
            return [_as_text(one) for one in given]
        given = ", ".join(given[:MAX_SHOWN])
    text = given if isinstance(given, str) else str(given)
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
    """A new row. `key` is the client's own name for it, given back with the row's id."""

    key: str
    cells: dict[int, CellInput]


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
        return 0 < len(self.edits) <= FEW and not (self.adds or self.deletes)


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
    def from_json(cls, kept: dict[str, Any]) -> Self:
        return cls(**kept).at(kept["version"])

    def at(self, version: int) -> Self:
        """The outcome of what was written as this version, which nobody knew when it was decided."""
        self.version = version
        for cell in self.saved:
            cell["version"] = cell["version"] or version
        return self

    def raise_first(self) -> None:
        """Refuse the whole batch where any part of it cannot be written."""
        if self.gone:
            rows = sorted({one["row"] for one in self.gone})
            raise NotFound(self.gone[0]["reason"], cells=self.gone, rows=rows)
        if self.refused:
            first = self.refused[0]
            raise Invalid(first["reason"], cells=self.refused)
        if self.conflicts:
            theirs = self.conflicts[0]
            reason = theirs["reason"] or f"{theirs['by'] or 'Somebody'} changed this cell meanwhile."
            raise Conflict(reason, cells=self.conflicts)

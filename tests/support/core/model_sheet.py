"""A sheet in plain Python: what core.edits.write.write promises, without a database, a lock or a shortcut."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.edits.batch import Batch, Edit, NewRow, Outcome

# A line of the log: (version, row, column, kind, old, new, who, operation).
Line = tuple[int, int, int, str, Any, Any, str, str]
Table = dict[int, dict[int, str]]


@dataclass
class Judged:
    """What a batch comes to: each of its cells stands in exactly one of these."""

    saved: dict[tuple[int, int], tuple[str | None, int | None]] = field(default_factory=dict)
    conflicts: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    refused: list[tuple[int | str, int]] = field(default_factory=list)
    gone: list[tuple[int, int | None]] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)

    @property
    def misfits(self) -> bool:
        return bool(self.gone or self.refused or self.conflicts)

    def writes(self) -> bool:
        return bool(self.added or self.deleted or any(version is None for _, version in self.saved.values()))


class ModelSheet:
    """Columns hold text, but for one of numbers, which refuses everything else."""

    def __init__(self, columns: list[int], number: int) -> None:
        self.columns, self.number = columns, number
        self.version = self.last_row = 0
        self.table: Table = {}
        self.born: dict[int, int] = {}
        self.changed: dict[tuple[int, int], tuple[int, str]] = {}
        self.trash: set[int] = set()
        self.retired: set[int] = set()
        self.log: list[Line] = []
        self.past: dict[int, Table] = {0: {}}

    # --- what is there

    def visible(self) -> Table:
        """What a person sees now."""
        return self.seen_through(self.past[self.version])

    def seen_through(self, table: Table) -> Table:
        """The table without the columns that are retired now."""
        return {
            row: {column: value for column, value in cells.items() if column not in self.retired}
            for row, cells in table.items()
        }

    def moved(self, row: int, column: int) -> int:
        """The version at which a cell last changed."""
        return self.changed.get((row, column), (self.born[row], ""))[0]

    # --- what a batch comes to

    def judge(self, batch: Batch) -> Judged:
        judged = Judged()
        for edit in batch.edits:
            self._judge_edit(edit, judged)
        for add in batch.adds:
            refused = [(add.key, column) for column, given in add.cells.items() if self._is_bad(column, given.text)]
            judged.refused += refused
            judged.added += [] if refused else [add.key]
        judged.gone += [
            (row, None) for row in dict.fromkeys(batch.deletes) if row not in self.table or row in self.trash
        ]
        judged.deleted = [row for row in dict.fromkeys(batch.deletes) if row in self.table and row not in self.trash]
        return judged

    def _judge_edit(self, edit: Edit, judged: Judged) -> None:
        place, value = (edit.row, edit.column), edit.input.text or None
        if edit.column in self.retired or edit.row not in self.table or edit.row in self.trash:
            judged.gone.append(place)
        elif self._is_bad(edit.column, edit.input.text):
            judged.refused.append(place)
        elif value == self.table[edit.row].get(edit.column):
            judged.saved[place] = (value, self.moved(*place))
        elif edit.base is not None and edit.base > self.version:
            theirs = self.table[edit.row].get(edit.column)
            facts = {"mine": value, "theirs": theirs, "original": None, "by": None, "version": self.moved(*place)}
            judged.conflicts[place] = facts
        elif edit.base is not None and self.moved(*place) > edit.base:
            version, by = self.changed[place]
            original = self.past[edit.base].get(edit.row, {}).get(edit.column)
            theirs = self.table[edit.row].get(edit.column)
            facts = {"mine": value, "theirs": theirs, "original": original, "by": by, "version": version}
            judged.conflicts[place] = facts
        else:
            judged.saved[place] = (value, None)

    def _is_bad(self, column: int, text: str | None) -> bool:
        return column in self.retired or (column == self.number and not (text or "0").isdecimal())

    # --- what it does

    def carry_out(self, batch: Batch, judged: Judged, who: str, operation: str) -> None:
        """Write what was judged to be written, as one version."""
        self.version += 1
        for place, (value, version) in judged.saved.items():
            if version is None:
                self._write(place, value, who, operation)
        for add in batch.adds:
            if add.key in judged.added:
                self._add(add, who, operation)
        self.bin(judged.deleted, who, operation)
        self.remember()

    def _write(self, place: tuple[int, int], value: str | None, who: str, operation: str) -> None:
        row, column = place
        old = self.table[row].pop(column, None)
        if value is not None:
            self.table[row][column] = value
        self.changed[place] = (self.version, who)
        self.log.append((self.version, row, column, "edit", old, value, who, operation))

    def _add(self, add: NewRow, who: str, operation: str) -> None:
        self.last_row += 1
        cells = {column: given.text for column, given in add.cells.items() if given.text}
        self.table[self.last_row] = cells
        self.born[self.last_row] = self.version
        self.log.append((self.version, self.last_row, 0, "add", None, dict(cells), who, operation))

    def bin(self, rows: list[int], who: str, operation: str) -> None:
        for row in rows:
            self.trash.add(row)
            self.log.append((self.version, row, 0, "remove", dict(self.table[row]), None, who, operation))

    def bring_back(self, row: int, who: str, operation: str) -> None:
        """Take a row out of the trash, as a version of its own."""
        self.version += 1
        self.trash.remove(row)
        self.log.append((self.version, row, 0, "restore", None, dict(self.table[row]), who, operation))
        self.remember()

    def remember(self) -> None:
        self.past[self.version] = {row: dict(cells) for row, cells in self.table.items() if row not in self.trash}


def assert_agrees(outcome: Outcome, judged: Judged, version: int) -> None:
    """The command said of every cell of the batch what the model says, and named no other cell."""
    saved = {(one["row"], one["column"]): (one["value"], one["version"]) for one in outcome.saved}
    assert saved == {place: (value, at or version) for place, (value, at) in judged.saved.items()}
    conflicts = {(one["row"], one["column"]): one for one in outcome.conflicts}
    assert conflicts.keys() == judged.conflicts.keys()
    for place, facts in judged.conflicts.items():
        assert {name: conflicts[place][name] for name in facts} == facts
    assert sorted(map(str, refusals(outcome))) == sorted(map(str, judged.refused))
    gone = [(one["row"], one["column"]) for one in outcome.gone]
    assert sorted(gone, key=str) == sorted(judged.gone, key=str)
    assert [one["key"] for one in outcome.added] == judged.added
    assert outcome.deleted == judged.deleted


def refusals(outcome: Outcome) -> Iterator[tuple[int | str, int]]:
    for one in outcome.refused:
        yield one.get("row") or one["key"], one["column"]


def assert_chained(log: list[Line]) -> None:
    """Each line begins with what the cell's line before it ended with; each operation is one version and no more."""
    cells: dict[tuple[int, int], Any] = {}
    for _, row, column, kind, old, new, *_ in log:
        if column:
            assert cells.get((row, column)) == old, (row, column, kind)
            cells[row, column] = new
        elif kind == "add":
            cells |= {(row, one): value for one, value in new.items()}
        else:
            whole = {one: value for (of, one), value in cells.items() if of == row and value is not None}
            assert whole == (old if kind == "remove" else new)
    versions = [line[0] for line in log]
    assert sorted(set(versions)) == list(range(1, max(versions, default=0) + 1))
    assert len({(line[0], line[7]) for line in log}) == len({line[7] for line in log}) == len(set(versions))

"""Inspection: what a file is found to hold, before anything is decided or written."""

import codecs
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from core.base.errors import Invalid
from core.base.spreadsheet_text import unescape_formula
from core.imports.encoding import detect_encoding
from core.imports.file_kinds import refuse_other_kinds
from core.imports.format import FileFormat, detect_format, records_of
from core.imports.header import find_header, repaired_names
from core.imports.records import Block, blocks, header, refuse_too_wide
from core.sheets.columns import MAX_COLUMNS

MAX_BYTES = 100 * 2**20
MAX_ROWS = 1_000_000
_HEAD = 256 * 2**10
_FIRST = 1_000
_KEPT = 20_000
_NOTES = 8


@dataclass
class Sample:
    """Texts of one column: the first ones as they come, and each different one once (of a very large file, many)."""

    first: list[str] = field(default_factory=list)
    different: dict[str, None] = field(default_factory=dict)
    complete: bool = True

    def add(self, texts: tuple[str, ...]) -> None:
        if len(self.first) < _FIRST:
            self.first += texts[: _FIRST - len(self.first)]
        # Beyond what is kept whole a stride goes on, so that the end of the file has its say.
        if len(self.different) >= _KEPT:
            self.complete = False
            texts = texts[::50]
        if len(self.different) < 2 * _KEPT:
            self.different.update(dict.fromkeys(texts))

    @property
    def labels(self) -> list[str]:
        """Each different text once, as the import will read it."""
        return list(dict.fromkeys(unescape_formula(text) for text in self.different if text.strip()))


@dataclass(frozen=True)
class Inspection:
    """A file: its format, its columns by name, how many rows it has, and what a person should know of it."""

    format: FileFormat
    names: list[str]
    rows: int
    samples: list[Sample]
    first: list[list[str]]
    above: list[str]
    notes: list[str]

    @property
    def width(self) -> int:
        return len(self.names)


def inspect(file: BinaryIO, chosen: dict[str, Any] | None = None, *, known: Collection[str] = ()) -> Inspection:
    """Look through the whole file. `chosen` parts of its format are taken as they are, the others are detected.

    `known` are the names of the columns of the sheet that it goes to: a line of them is the header.
    Raises Invalid where it is empty, too large, no CSV, or cannot be read to its end.
    """
    head = _head(file)
    file_format = _format(file, head, chosen or {}, known)
    cells = header(file, file_format)
    return _looked_through(file, file_format, cells, _above(head, file_format))


def _head(file: BinaryIO) -> bytes:
    size = file.seek(0, io.SEEK_END)
    if size > MAX_BYTES:
        raise Invalid(
            f"The file has {size / 2**20:,.0f} MB; an import takes at most {MAX_BYTES // 2**20} MB. Split it."
        )
    file.seek(0)
    head = file.read(_HEAD)
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise Invalid("The file is empty.")
    refuse_other_kinds(head)
    return head


def _format(file: BinaryIO, head: bytes, chosen: dict[str, Any], known: Collection[str]) -> FileFormat:
    encoding = chosen.get("encoding") or detect_encoding(file, head)
    text = _decoded(head, FileFormat(encoding).checked().encoding)
    detected = detect_format(text, encoding)
    wanted = FileFormat.from_json(
        {name: value for name, value in chosen.items() if name not in {"lines_above", "has_header"}}, detected
    )
    records = records_of(io.StringIO(text, newline="").readlines(), wanted)
    # What is far too wide is counted and refused later; looking at each of its names would take long.
    too_wide = any(len(record) > MAX_COLUMNS for record in records)
    found = wanted if too_wide else find_header(records, wanted, known)
    return FileFormat.from_json(chosen, found)


def _decoded(head: bytes, encoding: str) -> str:
    """The beginning as text; a character cut at its end is left out. What is wrong is found when all is read."""
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    return text.removeprefix("\ufeff")


def _above(head: bytes, file_format: FileFormat) -> list[str]:
    lines = io.StringIO(_decoded(head, file_format.encoding), newline=None).readlines()
    return [line.strip()[:200] for line in lines[: file_format.lines_above]]


def _looked_through(file: BinaryIO, file_format: FileFormat, cells: list[str], above: list[str]) -> Inspection:
    width = max((place for place, cell in enumerate(cells, 1) if cell.strip()), default=0)
    refuse_too_wide(width)
    look = _Look(file_format.has_header, width)
    for block in blocks(file, file_format):
        look.through(block)
    if not look.rows:
        raise Invalid("The file has no rows" + (" under its column names." if any(cells) else "."))
    names, notes = repaired_names(cells, look.width)
    kept = notes[:_NOTES] + ([f"… and {len(notes) - _NOTES} names more."] if len(notes) > _NOTES else [])
    return Inspection(file_format, names, look.rows, look.samples, look.first, above, [*look.notes(), *kept])


class _Look:
    """What is learnt while a file is read."""

    def __init__(self, has_header: bool, width: int) -> None:
        self.named, self.width, self.rows, self.empty, self.short = width if has_header else 0, width, 0, 0, 0
        self.samples: list[Sample] = [Sample() for _ in range(width)]
        self.first: list[list[str]] = []
        self.long: list[int] = []
        self.broken = 0

    def through(self, block: Block) -> None:
        filled = block.filled
        self.rows += len(filled)
        self.empty += len(block.records) - len(filled)
        if self.rows > MAX_ROWS:
            raise Invalid(f"The file has more than {MAX_ROWS:,} rows. Split it.")
        self._measure(block)
        for sample, texts in zip(self.samples, block.columns(self.width), strict=True):
            sample.add(texts)
        if len(self.first) < 20:
            self.first += [[*record, *[""] * self.width][: self.width] for record in filled[: 20 - len(self.first)]]

    def _measure(self, block: Block) -> None:
        """Widen the table where a record has more filled cells than it, and remember which records do."""
        width = block.width(self.width)
        if self.named:
            uneven = [place for place, record in enumerate(block.filled) if len(record) != self.named]
            self.short += sum(len(block.filled[place]) < self.named for place in uneven)
            wide = (place for place in uneven if any(block.filled[place][self.named :]))
            self.long += [block.lines[place] for place in wide]
        if width > self.width:
            refuse_too_wide(width)
            before = self.rows - len(block.filled)
            added = [Sample(first=[""] * min(before, _FIRST)) for _ in range(width - self.width)]
            self.samples, self.width = [*self.samples, *added], width
            self.first = [[*record, *[""] * width][:width] for record in self.first]

    def notes(self) -> Iterator[str]:
        if self.long:
            lines = ", ".join(f"{line:,}" for line in self.long[:5]) + (" …" if len(self.long) > 5 else "")
            more = "columns of their own" if self.width - self.named > 1 else "a column of their own"
            yield (
                f"{_counted(len(self.long), 'line has', 'lines have')} more cells than the header ({lines}): "
                f"the extra cells stand in {more}."
            )
        if self.short:
            lines = _counted(self.short, "line is", "lines are")
            yield f"{lines} shorter than the header: the missing cells are empty."
        if self.empty:
            yield f"{_counted(self.empty, 'empty line is', 'empty lines are')} left out."
        if any("\ufffd" in text for sample in self.samples for text in sample.different):
            yield "The file holds the character �, which stands for letters lost before it came here."


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"

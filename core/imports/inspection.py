"""Inspection: what a file holds, before anything is decided or written."""

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
_MAX_WHOLE = 20_000
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
        # Behind the first texts every fiftieth counts, so that the end of the file is in the sample.
        if len(self.different) >= _MAX_WHOLE:
            self.complete = False
            texts = texts[::50]
        if len(self.different) < 2 * _MAX_WHOLE:
            self.different.update(dict.fromkeys(texts))

    @property
    def labels(self) -> list[str]:
        """Each different text once, as the import will read it."""
        return list(dict.fromkeys(unescape_formula(text) for text in self.different if text.strip()))


@dataclass(frozen=True)
class Inspection:
    """A file: its format, its columns by name, how many rows it has, and notes for the person who imports it."""

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


def inspect(
    file: BinaryIO, settings: dict[str, Any] | None = None, *, column_names: Collection[str] = ()
) -> Inspection:
    """Look through the whole file. The `settings` of its format are taken as they are, the others are detected.

    `column_names` are those of the sheet that it goes to: a line of them is the header.
    Raises Invalid where it is empty, too large, not a CSV file, or cannot be read to its end.
    """
    head = _head(file)
    file_format = _format(file, head, settings or {}, column_names)
    cells = header(file, file_format)
    return _read_through(file, file_format, cells, _above(head, file_format))


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


def _format(file: BinaryIO, head: bytes, settings: dict[str, Any], column_names: Collection[str]) -> FileFormat:
    encoding = settings.get("encoding") or detect_encoding(file, head)
    text = _decoded(head, FileFormat(encoding).checked().encoding)
    detected = detect_format(text, encoding)
    readable = FileFormat.from_json(
        {name: value for name, value in settings.items() if name not in {"lines_above", "has_header"}}, detected
    )
    records = records_of(io.StringIO(text, newline="").readlines(), readable)
    # What is far too wide is counted and refused later; looking at each of its names would take long.
    too_wide = any(len(record) > MAX_COLUMNS for record in records)
    file_format = readable if too_wide else find_header(records, readable, column_names)
    return FileFormat.from_json(settings, file_format)


def _decoded(head: bytes, encoding: str) -> str:
    """Return the beginning as text, without a character that is cut at its end. Errors show when all is read."""
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    return text.removeprefix("\ufeff")


def _above(head: bytes, file_format: FileFormat) -> list[str]:
    lines = io.StringIO(_decoded(head, file_format.encoding), newline=None).readlines()
    return [line.strip()[:200] for line in lines[: file_format.lines_above]]


def _read_through(file: BinaryIO, file_format: FileFormat, cells: list[str], above: list[str]) -> Inspection:
    width = max((position for position, cell in enumerate(cells, 1) if cell.strip()), default=0)
    refuse_too_wide(width)
    look = _Look(file_format.has_header, width)
    for block in blocks(file, file_format):
        look.through(block)
    if not look.rows:
        raise Invalid("The file has no rows" + (" under its column names." if any(cells) else "."))
    names, notes = repaired_names(cells, look.width)
    name_notes = notes[:_NOTES] + ([f"… and {len(notes) - _NOTES} names more."] if len(notes) > _NOTES else [])
    return Inspection(file_format, names, look.rows, look.samples, look.first, above, [*look.notes(), *name_notes])


class _Look:
    """What is counted while a file is read."""

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
            uneven = [index for index, record in enumerate(block.filled) if len(record) != self.named]
            self.short += sum(len(block.filled[index]) < self.named for index in uneven)
            wide = (index for index in uneven if any(block.filled[index][self.named :]))
            self.long += [block.lines[index] for index in wide]
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


def _counted(number: int, singular: str, plural: str) -> str:
    return f"{number:,} {singular if number == 1 else plural}"

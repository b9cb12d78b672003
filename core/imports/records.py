"""Records: the rows of a file in blocks, every line accounted for, in memory that does not grow with the file."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, BinaryIO, NoReturn, TextIO, TypeVar

from core.base.errors import Invalid
from core.imports.encoding import ENCODINGS, opened_text
from core.imports.format import FileFormat
from core.sheets.columns import MAX_COLUMNS

BLOCK = 500
MAX_LINE_LENGTH = 4_000_000
MAX_CELL_LENGTH = 131_072
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Block:
    """Some records one after the other. `line` is the line in the file at which the first begins."""

    records: list[list[str]]
    line: int

    @cached_property
    def filled(self) -> list[list[str]]:
        """The records that are not empty."""
        return [record for record in self.records if any(record)]

    def columns(self, width: int) -> list[tuple[str, ...]]:
        """The filled records by column, short ones filled up with empty cells. None may be longer than `width`."""
        records = self.filled
        if any(len(record) != width for record in records):
            records = [[*record, *[""] * (width - len(record))][:width] for record in records]
        return list(zip(*records, strict=True)) if records else [()] * width

    def width(self, at_least: int) -> int:
        """The width of the longest record, empty cells at its end not counted; at least `known`."""
        longer = [record for record in self.filled if len(record) > at_least]
        return max((_filled_width(record) for record in longer), default=at_least)

    @cached_property
    def lines(self) -> list[int]:
        """The line in the file at which each filled record begins."""
        line, lines = self.line, []
        for record in self.records:
            if any(record):
                lines.append(line)
            line += 1 + sum(_line_ends(cell) for cell in record if "\n" in cell or "\r" in cell)
        return lines


def blocks(file: BinaryIO, file_format: FileFormat) -> Iterator[Block]:
    """The records of the table, its header not among them. Raises Invalid on what cannot be read."""
    text = opened_text(file, file_format.encoding)
    reader = csv.reader(_lines(text), **file_format.reading)
    try:
        above = file_format.lines_above + file_format.has_header
        _read(reader, file_format, lambda: list(islice(reader, above)))
        while True:
            line = reader.line_num + 1
            records = _read(reader, file_format, lambda: list(islice(reader, BLOCK)))
            if not records:
                return
            yield Block(records, line)
    finally:
        text.detach()


def header(file: BinaryIO, file_format: FileFormat) -> list[str]:
    """The cells of the header line; empty where the file has none."""
    text = opened_text(file, file_format.encoding)
    reader = csv.reader(_lines(text), **file_format.reading)
    try:
        above = _read(reader, file_format, lambda: list(islice(reader, file_format.lines_above + 1)))
    finally:
        text.detach()
    return above[-1] if file_format.has_header and len(above) > file_format.lines_above else []


def refuse_too_wide(width: int) -> None:
    """Refuse more columns than a sheet holds."""
    if width > MAX_COLUMNS:
        raise Invalid(f"The file has {width:,} columns; a sheet holds at most {MAX_COLUMNS}.")


def _lines(text: TextIO) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE_LENGTH):
        number += 1
        if len(line) == MAX_LINE_LENGTH:
            raise Invalid(
                f"Line {number:,} is longer than {MAX_LINE_LENGTH:,} characters, so this is not a usual CSV file."
            )
        yield line


def _read(reader: Any, file_format: FileFormat, read: Callable[[], _Result]) -> _Result:
    """Read on. Raises Invalid with one sentence that says what stopped it."""
    began = reader.line_num + 1
    try:
        return read()
    except csv.Error as error:
        _refuse(str(error), began, reader.line_num)
    except UnicodeError as error:
        name = ENCODINGS.get(file_format.encoding, file_format.encoding)
        message = f"The text near line {reader.line_num + 1:,} cannot be read as {name}. Choose another encoding."
        raise Invalid(message) from error


def _refuse(reason: str, began: int, line: int) -> NoReturn:
    if "field limit" in reason:
        raise Invalid(
            f"Before line {line:,} a cell has more than {MAX_CELL_LENGTH:,} characters: is a quotation mark left open?"
        )
    if "unexpected end" in reason:
        raise Invalid(f"A quotation mark is opened in or after line {began:,} and never closed.")
    if "expected after" in reason:
        raise Invalid(
            f"In line {line:,} a quotation mark stands in the middle of a cell. Double it there, "
            "or say that this file has no quotation marks."
        )
    raise Invalid(f"Line {line:,} cannot be read as CSV: {reason}.")


def _filled_width(record: list[str]) -> int:
    return max((width for width, cell in enumerate(record, 1) if cell), default=0)


def _line_ends(cell: str) -> int:
    return cell.count("\n") + cell.count("\r") - cell.count("\r\n")

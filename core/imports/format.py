"""The format of a file: encoding, delimiter, quotation marks, where the table begins. Detected, shown, changeable."""

import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from core.base.errors import Invalid
from core.imports.encoding import checked_encoding

DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar", ":": "Colon", " ": "Space"}
QUOTES = {'"': 'Double (")', "'": "Single (')", "": "None"}
_SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?[\r\n]", re.IGNORECASE)
_LOOKED_AT = 200
# A colon is in every time and link: it can be chosen, and is never guessed.
_DETECTED = [delimiter for delimiter in DELIMITERS if delimiter != ":"]


@dataclass(frozen=True)
class FileFormat:
    """How a file is read. `lines_above` stand before the table; `has_header` says whether its first line names it."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    backslash: bool = False
    lines_above: int = 0
    has_header: bool = True

    @property
    def reading(self) -> dict[str, Any]:
        """Return the format as arguments of the csv module. Strict: the module refuses what it cannot read."""
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quote or None,
            "quoting": csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            "escapechar": "\\" if self.backslash else None,
            "doublequote": not self.backslash,
            "skipinitialspace": self.delimiter != " ",
            "strict": True,
        }

    @classmethod
    def from_json(cls, settings: dict[str, Any], detected: "FileFormat") -> Self:
        """Return the detected format with these settings in place of its own. Raises Invalid."""
        defaults = vars(detected)
        if unknown := set(settings) - set(defaults):
            raise Invalid(f"A file's format has no “{min(unknown)}”; it has {', '.join(defaults)}.")
        kinds = {name: type(value) for name, value in defaults.items()}
        for name, value in settings.items():
            if type(value) is not kinds[name]:
                raise Invalid(f"“{name}” of a file's format takes {kinds[name].__name__}, not {value!r:.40}.")
        return cls(**(defaults | settings)).checked()

    def checked(self) -> Self:
        """Return the format. Raises Invalid where one of its settings is not possible."""
        checked_encoding(self.encoding)
        if len(self.delimiter) != 1 or self.delimiter in "\r\n\0\"'" or self.delimiter == self.quote:
            raise Invalid("A delimiter is one character, and neither a line end nor a quotation mark.")
        if self.quote not in QUOTES:
            raise Invalid("A quotation mark is \" or ' or nothing.")
        if not 0 <= self.lines_above <= 10_000:
            raise Invalid("Between 0 and 10,000 lines can stand above the table.")
        return self


def detect_format(text: str, encoding: str) -> FileFormat:
    """The format of a file that begins with this text, whose last line may be cut."""
    if separator := _SEPARATOR_LINE.match(text):  # Excel's way to say it.
        rest = text[separator.end() :]
        return FileFormat(encoding, separator[1], '"', _uses_backslash(rest, '"'), lines_above=1)
    lines = _whole_lines(text)
    candidates = [
        FileFormat(encoding, delimiter, quote, _uses_backslash(text, quote))
        for quote in ('"', "'")
        if quote in text or quote == '"'
        for delimiter in _DETECTED
        if delimiter in text
    ]
    best = max(candidates, key=lambda candidate: _regularity(lines, candidate), default=FileFormat(encoding))
    return best if _regularity(lines, best)[0] > 0 else FileFormat(encoding)


def records_of(lines: list[str], file_format: FileFormat) -> list[list[str]]:
    """The first records of these lines, up to the first that cannot be read."""
    records: list[list[str]] = []
    reader = csv.reader(lines, **file_format.reading)
    try:
        records.extend(islice(reader, _LOOKED_AT))
    except csv.Error:
        return records
    return records


def _whole_lines(text: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    return lines[:-1] if len(lines) > 1 and not text.endswith(("\n", "\r")) else lines


def _regularity(lines: list[str], candidate: FileFormat) -> tuple[float, int]:
    """How much of the beginning becomes a table of even rows with clean cells, and of how many columns."""
    records = [record for record in records_of(lines, candidate) if record]
    widths = Counter(len(record) for record in records)
    width, count = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]), default=(1, 0))
    if width < 2:
        return 0.0, 0
    cells = [cell for record in records if len(record) == width for cell in record]
    others = [delimiter for delimiter in ",;\t|" if delimiter != candidate.delimiter]
    clean = sum(not _is_torn(cell, others, candidate.quote) for cell in cells) / len(cells)
    # A space is in every text: it takes a table that is all even to believe it.
    weight = 0.6 if candidate.delimiter == " " else 1.0
    # What could not be read counts against it: an odd quotation mark ends the reading early.
    read = min(len(records) / max(min(len(lines), _LOOKED_AT) * 0.3, 1), 1.0)
    return round(weight * clean * read * (count / len(records)) ** 2, 3), width


def _is_torn(cell: str, delimiters: list[str], quote: str) -> bool:
    """Whether the cell looks as if it was cut at the wrong place."""
    if any(delimiter in cell for delimiter in delimiters) and not any(mark in cell for mark in "{[\n"):
        return True
    other = "'" if quote == '"' else '"'
    return cell[:1] in {quote, other} and len(cell) > 1 and (cell[-1:] == cell[:1] or cell[-1:] not in {quote, other})


def _uses_backslash(text: str, quote: str) -> bool:
    """Whether quotation marks inside of cells are written \\" and not doubled."""
    return f"\\{quote}" in text and f"{quote}{quote}" not in text.replace(f"\\{quote}", "")

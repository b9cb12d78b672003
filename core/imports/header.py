"""The header: where the table of a file begins, whether its first line names the columns, and what they are called."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from core.base.errors import Invalid
from core.base.spreadsheet_text import unescape_formula
from core.base.text import clean, folded_key, one_line
from core.column_types import Checkbox, Date, DateTime, Email, Link, Money, Number, Percent, Phone
from core.imports.format import FileFormat
from core.imports.type_guess import propose_type
from core.sheets.columns import MAX_NAME

_TYPED = {kind.name for kind in (Number, Money, Percent, Date, DateTime, Checkbox, Email, Link, Phone)}


def find_header(records: list[list[str]], file_format: FileFormat, column_names: Collection[str] = ()) -> FileFormat:
    """The format with the place where the table begins in these first records, and whether it has a header.

    A record that holds mostly `column_names` is the header, also where its cells look like values.
    """
    above = file_format.lines_above
    keys = {folded_key(name) for name in column_names}
    for position, record in enumerate(records[above:], above):
        filled = [name for cell in record if (name := _cleaned(cell))]
        if len(filled) > 0 and sum(folded_key(name) in keys for name in filled) * 2 > len(filled):
            return replace(file_format, lines_above=position, has_header=True)
    above += _preamble(records[above:])
    table = [record for record in records[above:] if any(record)]
    return replace(file_format, lines_above=above, has_header=bool(table) and _names_columns(table))


def repaired_names(cells: list[str], width: int) -> tuple[list[str], list[str]]:
    """Return a name for every column, all different, and a note on each name that was changed."""
    names: list[str] = []
    used: set[str] = set()
    notes: list[str] = []
    for number in range(1, width + 1):
        written = _cleaned(cells[number - 1]) if number <= len(cells) else ""
        name = _free(written or f"Column {number}", used)
        if written and name != written:
            notes.append(f"Two columns are called “{written}”: the second is “{name}” here.")
        elif not written and number <= len(cells):
            notes.append(f"Column {number} has no name in the file: it is “{name}” here.")
        names.append(name)
        used.add(name.lower())
    return names, notes


def _preamble(records: list[list[str]]) -> int:
    """How many records stand before the first that is as wide as most, filled like a row of a table."""
    widths = Counter(_filled(record) for record in records if len(record) > 1)
    if not widths:
        return 0
    usual = min(len(record) for record in records if widths[_filled(record)] == max(widths.values()))
    for position, record in enumerate(records):
        if len(record) >= usual * 0.8 and _filled(record) * 2 > usual:
            return position
    return 0


def _filled(record: list[str]) -> int:
    return sum(1 for cell in record if cell.strip())


def _names_columns(table: list[list[str]]) -> bool:
    """Whether the first record names the columns: texts, all different, where typed values stand below."""
    first, below = table[0], table[1:]
    filled = [cell.strip() for cell in first if cell.strip()]
    if not filled or any(_type([cell]) in _TYPED - {Checkbox.name, Link.name} for cell in filled):
        return False
    for position, cell in enumerate(first):
        texts = [record[position] for record in below if position < len(record) and record[position].strip()]
        if cell.strip() and texts and _type(texts) in _TYPED:
            return True
    repeated = sum(any(cell in record for record in below) for cell in filled)
    return repeated * 2 <= len(filled)


def _type(texts: list[str]) -> str:
    return propose_type(texts).type


def _cleaned(cell: str) -> str:
    try:
        return one_line(clean(unescape_formula(cell)))[:MAX_NAME].strip()
    except Invalid:
        return ""


def _free(name: str, used: set[str]) -> str:
    """The name, with a number behind it where it is taken."""
    number, unused = 1, name
    while unused.lower() in used:
        number += 1
        unused = f"{name[: MAX_NAME - 8]} {number}"
    return unused

"""XLSX: numbers as numbers, dates as dates, and every text as a text, also one that starts like a formula.

The parts of a workbook (ECMA-376) are written here as text, row by row: a library that makes an object of each cell
takes six times as long, and the server's other users wait for it.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

from openpyxl.utils import get_column_letter

from core.access.access import ColumnInfo
from core.base.errors import Invalid
from core.base.exact_json import CellError, decimal_text
from core.column_types import column_type
from core.column_types.dates import clock_of
from core.column_types.traits import Form
from core.exports import xlsx_parts as parts
from core.exports.source import ExportSource

MAX_ROWS = 1_048_575
MAX_CHARACTERS = 32_767
# Excel counts 29 February 1900, a day that did not exist: days before 1 March 1900 would be off by one.
_FIRST_DAY = "1900-03-01"
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel knows no time zones.
_SECONDS = 86_400
_REMEMBERED = 50_000
# What no XML may hold, and what Excel would read as the code of a character.
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CODE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# The end of a cell's XML, behind its address: style, type and value.
CellXml = str


def write_workbook(file: IO[bytes], source: ExportSource) -> int:
    """Write the records as the one sheet of a workbook; how many. Raises Invalid beyond what Excel can hold."""
    count = 0
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(parts.SHEET_HEAD.encode())
            sheet.write(_names(source).encode())
            for rows in _rows(source):
                count += len(rows)
                sheet.write("".join(rows).encode())
            sheet.write(parts.SHEET_TAIL.encode())
        for name, content in parts.OTHERS.items():
            archive.writestr(name, content)
        archive.writestr("xl/workbook.xml", parts.BOOK.format(name=quoteattr(_title(source.title))))
    return count


def _names(source: ExportSource) -> str:
    cells = (
        f'<c r="{get_column_letter(number)}1"{_text(column.name, parts.BOLD)}'
        for number, column in _numbered_columns(source)
    )
    return f'<row r="1">{"".join(cells)}</row>'


def _rows(source: ExportSource) -> Iterator[list[str]]:
    """The records as rows of XML, a block at a time."""
    makers = [
        (column.key, f'<c r="{get_column_letter(number)}', _maker(source, column))
        for number, column in _numbered_columns(source)
    ]
    row_number = 1
    for records in source.blocks:
        if row_number + len(records) > MAX_ROWS + 1:
            raise Invalid(f"Excel takes at most {MAX_ROWS:,} rows. Export as CSV or Parquet, or filter.")
        rows = []
        for record in records:
            row_number += 1
            cells = [
                f'{cell_start}{row_number}"{make(record[key])}' for key, cell_start, make in makers if key in record
            ]
            rows.append(f'<row r="{row_number}">{"".join(cells)}</row>')
        yield rows


def _numbered_columns(source: ExportSource) -> Iterator[tuple[int, ColumnInfo]]:
    return enumerate(source.columns, 1)


def _typed(column: ColumnInfo) -> Callable[[Any], CellXml | None] | None:
    form = column_type(column.type).form
    return partial(_instant, zone=clock_of(column)) if form is Form.INSTANT else _TYPED.get(form)


def _maker(source: ExportSource, column: ColumnInfo) -> Callable[[Any], CellXml]:
    """Return the function that makes the cell of a value of this column; it remembers what it has made."""
    write, typed = source.writer(column), _typed(column)
    cells: dict[Any, CellXml] = {}

    def make(value: Any) -> CellXml:
        key = tuple(value) if isinstance(value, list) else value
        cell = cells.get(key)
        if cell is None:
            is_typed = typed and not isinstance(value, CellError)
            cell = (typed(value) if typed and is_typed else None) or _text(write(value))
            if len(cells) < _REMEMBERED:
                cells[key] = cell
        return cell

    return make


def _text(text: str, style: int = 0) -> CellXml:
    """A cell of text: said outright, so that nothing in it is ever a formula."""
    if len(text) > MAX_CHARACTERS:
        raise Invalid(
            f"A cell has {len(text):,} characters, and Excel takes at most {MAX_CHARACTERS:,}. "
            "Export as CSV or Parquet."
        )
    safe = text if text.isprintable() else _UNSAFE.sub("", text)
    return f' s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(_CODE.sub("_x005F_", safe))}</t></is></c>'


def _number(value: Decimal, style: int = 0) -> CellXml | None:
    """The number where Excel holds it exactly; it keeps 15 digits, longer ones stay whole as text."""
    exact = len(value.as_tuple().digits) <= 15 and Decimal(repr(float(value))) == value
    return f' s="{style}"><v>{decimal_text(value)}</v></c>' if exact else None


def _money(value: Decimal) -> CellXml | None:
    return _number(value, parts.MONEY)


def _percent(value: Decimal) -> CellXml | None:
    return _number(value.scaleb(-2), parts.PERCENT)


def _date(value: str) -> CellXml | None:
    days = date.fromisoformat(value).toordinal() - _DAY_ZERO.toordinal()
    return f' s="{parts.DATE}"><v>{days}</v></c>' if value >= _FIRST_DAY else None


def _instant(value: str, zone: ZoneInfo) -> CellXml | None:
    """Excel knows no time zones: it is the time by the column's clock, as the grid shows it."""
    local = datetime.fromisoformat(value).astimezone(zone)
    if local.replace(fold=1 - local.fold).utcoffset() != local.utcoffset():
        return None  # Clocks show this hour twice: only the text says which.
    elapsed = local.replace(tzinfo=None) - _DAY_ZERO
    days = elapsed.days + elapsed.seconds / _SECONDS
    return f' s="{parts.DATETIME}"><v>{days!r}</v></c>' if value >= _FIRST_DAY else None


def _checkbox(value: bool) -> CellXml:
    return f' t="b"><v>{int(value)}</v></c>'


_TYPED: dict[Form, Callable[[Any], CellXml | None]] = {
    Form.NUMBER: _number,
    Form.MONEY: _money,
    Form.PERCENT: _percent,
    Form.DAY: _date,
    Form.BOOLEAN: _checkbox,
}


def _title(name: str) -> str:
    """The sheet's name as Excel takes it."""
    allowed = "".join(" " if character in "[]:*?/\\" else character for character in _UNSAFE.sub("", name))
    return allowed.strip("' ")[:31].strip("' ") or "Sheet"

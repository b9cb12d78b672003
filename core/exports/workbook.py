"""XLSX: numbers as numbers, dates as dates, texts as texts, whatever they begin with."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from core.access import ColumnInfo
from core.errors import Invalid
from core.exports.source import Source
from core.values import plain

MOST_ROWS = 1_048_575
MOST_CHARACTERS = 32_767
# Excel counts a 29 February 1900 that never was: days before 1 March 1900 would be off by one.
_FIRST_DAY = "1900-03-01"
_FORMATS = {
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm:ss",
    "money": "#,##0.00",
    "percent": "0.##########%",
}
# A cell's value and the format in which Excel shows it.
Cell = tuple[Any, str | None]


def write_workbook(file: IO[bytes], source: Source) -> int:
    """Write the records as the one sheet of a workbook; how many. Raises Invalid beyond what Excel can hold."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_title(source.title))
    sheet.freeze_panes = "A2"
    sheet.append([_text(sheet, column.name, bold=True) for column in source.columns])
    makers = [(column.key, _maker(sheet, source, column)) for column in source.columns]
    count = 0
    for records in source.blocks:
        count += len(records)
        if count > MOST_ROWS:
            raise Invalid(f"Excel takes at most {MOST_ROWS:,} rows. Export as CSV or Parquet, or filter.")
        for record in records:
            sheet.append([make(record[key]) if key in record else None for key, make in makers])
    book.save(file)
    return count


def _maker(sheet: Any, source: Source, column: ColumnInfo) -> Callable[[Any], Any]:
    """What makes the cell of a value of this column."""
    write = source.writer(column)
    number_format = _FORMATS.get(column.type)
    typed = _TYPED.get(column.type)

    def make(value: Any) -> Any:
        held = typed(value) if typed else None
        if held is None:
            return _text(sheet, write(value))
        if number_format is None:
            return held
        cell = WriteOnlyCell(sheet, value=held)
        cell.number_format = number_format
        return cell

    return make


def _text(sheet: Any, text: str, *, bold: bool = False) -> Any:
    """A cell of text. Said outright, because openpyxl takes a text that begins with = for a formula."""
    if len(text) > MOST_CHARACTERS:
        raise Invalid(
            f"A cell has {len(text):,} characters, and Excel takes at most {MOST_CHARACTERS:,}. "
            "Export as CSV or Parquet."
        )
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def _number(value: Decimal) -> Decimal | None:
    """The number where Excel holds it exactly; it keeps 15 digits, longer ones stay whole as text."""
    return value if len(value.as_tuple().digits) <= 15 and Decimal(repr(float(value))) == value else None


def _percent(value: Decimal) -> Decimal | None:
    exact = Decimal(plain(value.scaleb(-2)))
    return _number(exact)


def _date(value: str) -> date | None:
    return date.fromisoformat(value) if value >= _FIRST_DAY else None


def _instant(value: str) -> datetime | None:
    """Excel knows no time zones: it is the time in UTC."""
    return datetime.fromisoformat(value.removesuffix("Z")) if value >= _FIRST_DAY else None


_TYPED: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "money": _number,
    "percent": _percent,
    "date": _date,
    "datetime": _instant,
    "checkbox": bool,
}


def _title(name: str) -> str:
    """The sheet's name as Excel takes it."""
    return "".join(" " if character in "[]:*?/\\" else character for character in name).strip("' ")[:31] or "Sheet"

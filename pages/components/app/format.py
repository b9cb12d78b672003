"""How things are written: dates and numbers as the person likes them, other people's text as nothing but text."""

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal
from zoneinfo import ZoneInfo

from core.access.access import ColumnInfo
from core.accounts.locale import NUMBER_FORMATS, Locale
from core.column_types import column_type
from core.column_types.dates import clock_of
from core.column_types.number_text import trimmed
from core.column_types.traits import Form

PATTERNS = {"iso": "%Y-%m-%d", "day first": "%d.%m.%Y", "month first": "%m/%d/%Y"}
# The same formats in the words of the grid, and of date inputs.
DATE_PATTERNS = {"iso": "YYYY-MM-DD", "day first": "DD.MM.YYYY", "month first": "MM/DD/YYYY"}
Color = Literal["blue", "green", "violet", "orange", "red"]
COLORS: tuple[Color, ...] = ("blue", "green", "violet", "orange", "red")
# What Markdown reads as formatting: some of it wherever it stands, some only at the beginning of a line.
_MARKS = re.compile(r"([\\`*_{}\[\]<~:$&^!|#]|^[-+>=])")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
# Streamlit makes arrows, icons and links of these when Markdown is done. An empty element keeps them apart: unlike a
# character without width it is not copied with them.
_JOINED = re.compile(r"(?<=[<>~-])(?=[-=>])|(?<=:)(?=[a-z/])|(?<=www)(?=\.)|(?<=@)(?=\w)", re.IGNORECASE)
_SEPARATORS = {
    "1,234.5": {},
    "1.234,5": str.maketrans(",.", ".,"),
    "1 234,5": str.maketrans(",.", "\u202f,"),
    "1’234.5": str.maketrans(",", "’"),
}
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_APART = ":small[]"


def day(value: date, locale: Locale) -> str:
    """Return the date in the user's date format."""
    return value.strftime(PATTERNS[locale.date_format])


def moment(value: datetime, locale: Locale) -> str:
    """Return the instant to the minute, in the user's date format and time zone."""
    return _in_zone(value, locale.zone, locale)


def _in_zone(value: datetime, zone: ZoneInfo, locale: Locale) -> str:
    local = value.astimezone(zone)
    return f"{day(local, locale)} {local:%H:%M %Z}"


def grid_formats(locale: Locale) -> dict[str, str]:
    """Return the formats that the grid uses for this user."""
    return {
        "date": DATE_PATTERNS[locale.date_format],
        "locale": NUMBER_FORMATS[locale.number_format],
        "time_zone": locale.time_zone,
    }


def with_separators(text: str, number_format: str) -> str:
    """Return text whose numbers are written like 1,234.5 with the separators of the number format."""
    return text.translate(_SEPARATORS[number_format])


def literal(text: str) -> str:
    """Text of a sheet or a person for Markdown: shown letter by letter, never read as formatting."""
    segments = _JOINED.split(" ".join(_BIDI.sub("", text).split()))
    return _NUMBERED.sub(r"\1\\\2", _APART.join(_MARKS.sub(r"\\\1", segment) for segment in segments))


def shortened(text: str, longest: int) -> str:
    """The text in one line, its end left out where it is too long for its place."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def cell(text: str, column: ColumnInfo, locale: Locale) -> str:
    """Return the canonical text of a cell in the user's formats; text that does not parse stays unchanged."""
    try:
        return _WRITTEN.get(column_type(column.type).form, _as_it_is)(text, column, locale)
    except (ValueError, InvalidOperation):
        return text


def initials(name: str) -> str:
    """One or two letters that stand for a person."""
    words = [word for word in re.split(r"[\s.\-]+", name) if word[:1].isalnum()]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else "?"


def color_of(user_id: int) -> Color:
    """The colour of a person, the same as in the grid."""
    return COLORS[sum(map(ord, str(user_id))) % len(COLORS)]


def _as_it_is(text: str, _column: ColumnInfo, _locale: Locale) -> str:
    return text


def _date(text: str, _column: ColumnInfo, locale: Locale) -> str:
    return day(date.fromisoformat(text), locale)


def _instant(text: str, column: ColumnInfo, locale: Locale) -> str:
    """By the clock of the column, as in the grid: the same time for everybody who speaks of it."""
    return _in_zone(datetime.fromisoformat(text), clock_of(column), locale)


def _number(text: str, column: ColumnInfo, locale: Locale) -> str:
    places = column.rules.get("decimals")
    # Canonical text may end in a zero that is not shown.
    number = trimmed(Decimal(text))
    written = f"{number:,.{places}f}" if isinstance(places, int) else f"{number:,}"
    return with_separators(written, locale.number_format)


def _money(text: str, column: ColumnInfo, locale: Locale) -> str:
    return f"{_number(text, column, locale)} {column.rules.get('currency', '')}".strip()


def _percent(text: str, column: ColumnInfo, locale: Locale) -> str:
    return f"{_number(text, column, locale)} %"


_WRITTEN = {
    Form.DAY: _date,
    Form.INSTANT: _instant,
    Form.NUMBER: _number,
    Form.MONEY: _money,
    Form.PERCENT: _percent,
}

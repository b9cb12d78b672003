"""Date text: reading dates and instants as people and programs write them, and refusing what could be two dates."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NoReturn
from unicodedata import combining, normalize
from zoneinfo import ZoneInfo

from core.base.errors import Invalid
from core.base.text import quoted

DAY_FIRST, MONTH_FIRST = "day first", "month first"
ORDERS = (DAY_FIRST, MONTH_FIRST)
FIRST_YEAR, LAST_YEAR = 1900, 2199
# The same today and in ten years: the years from 1950 to 2049 can be written with their last two digits.
PIVOT = 50
SHORT_YEARS = "A year of two digits is one from 1950 to 2049."
_MAX_LENGTH = 80

_ISO = re.compile(r"(\d{4,6})([-/.])(\d{1,2})\2(\d{1,2})", re.ASCII)
_NUMERIC = re.compile(r"(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{2,6})", re.ASCII)
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|\.|º)?[\s-]+(?:(?:de|of)\s+)?([^\W\d_]+)\.?,?[\s-]+(?:(?:de|del)\s+)?(\d{2,6})",
)
_MONTH_DAY = re.compile(r"([^\W\d_]+)\.?[\s-]+(\d{1,2})(?:st|nd|rd|th)?,?[\s-]+(\d{2,6})")
_SHORT_YEAR = re.compile(r"(?<!\d)\d{2}$")
_WITH_TIME = re.compile(
    r"""(?P<day>.*?\d{2})(?:T|,?\s+(?:(?:at|um|à|a\slas)\s)?)
        (?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?
        (?:\s?(?P<half>[ap])\.?m\.?)?
        (?:\s?(?P<zone>Z|UTC|GMT|[-+\u2212]\d{2}(?::?\d{2})?))?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)

# English, German, French, Spanish; accents are taken off before a name is looked up.
_MONTH_NAMES = (
    "january jan janner januar janvier janv enero ene",
    "february feb februar fevrier fevr fev febrero",
    "march mar marz mrz maerz mars marzo",
    "april apr avril avr abril abr",
    "may mai mayo",
    "june jun juni juin junio",
    "july jul juli juillet juil julio",
    "august aug aout agosto ago",
    "september sep sept septembre septiembre setiembre set",
    "october oct oktober okt octobre octubre",
    "november nov novembre noviembre",
    "december dec dezember dez decembre diciembre dic",
)
MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}


def date_of(text: str, order: str | None = None) -> date:
    """Return the date that the text names. Raises Invalid unless the text is one date without a time of day."""
    timed = _WITH_TIME.fullmatch(text) if 10 < len(text) <= _MAX_LENGTH else None
    if timed is None:
        return _date_of(text, order)
    if _time_of(timed, text) != time() or (timed["zone"] or "Z").upper() not in {"Z", "UTC", "GMT", "+00:00", "+0000"}:
        raise Invalid(f"{quoted(text)} has a time of day; this column takes dates alone, such as 2026-12-31.")
    return _date_of(timed["day"], order)


def instant_of(text: str, zone: ZoneInfo, order: str | None = None) -> datetime:
    """The instant that the text names, in UTC and whole seconds. Without an offset it is taken in `zone`."""
    timed = _WITH_TIME.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if timed is None:
        return _in_zone(datetime.combine(_date_of(text, order), time()), zone, text)
    moment = datetime.combine(_date_of(timed["day"], order), _time_of(timed, text))
    if timed["zone"] is None:
        return _in_zone(moment, zone, text)
    return _in_years((moment - _offset(timed["zone"], text)).replace(tzinfo=UTC), text)


def orders_of(text: str) -> frozenset[str]:
    """The orders in which the text is a date with slashes or dashes; both where it does not matter."""
    timed = _WITH_TIME.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    numeric = _NUMERIC.fullmatch(timed["day"] if timed else text)
    if numeric is None or numeric[2] == ".":
        return frozenset(ORDERS)
    first, second = int(numeric[1]), int(numeric[3])
    fits = {DAY_FIRST: second <= 12, MONTH_FIRST: first <= 12}
    return frozenset(ORDERS) if first == second else frozenset(order for order in ORDERS if fits[order])


def _date_of(text: str, order: str | None) -> date:
    if len(text) > _MAX_LENGTH:
        _refuse(text)
    if match := _ISO.fullmatch(text):
        return _checked(text, match[1], int(match[3]), int(match[4]))
    if match := _NUMERIC.fullmatch(text):
        _check_year(text, match[4])
        _refuse_year_first(text, match)
        day, month = _by_order(text, match, DAY_FIRST if match[2] == "." else order)
        return _checked(text, match[4], month, day)
    return _with_month_name(text)


def _with_month_name(text: str) -> date:
    plain = "".join(character for character in normalize("NFD", text.casefold()) if not combining(character))
    if match := _DAY_MONTH.fullmatch(plain):
        day, name, year = match.groups()
    elif match := _MONTH_DAY.fullmatch(plain):
        name, day, year = match.groups()
    else:
        _refuse(text)
    if name not in MONTHS:
        _refuse(text)
    return _checked(text, year, MONTHS[name], int(day))


def _by_order(text: str, match: re.Match[str], order: str | None) -> tuple[int, int]:
    """Day and month of 03/04/2026: as the column says, else the one way in which it is a date."""
    first, second = int(match[1]), int(match[3])
    if order is None and first != second and 1 <= first <= 12 and 1 <= second <= 12:
        year = _full_year(match[4])
        raise Invalid(
            f"{quoted(text)} can be {first} {_name(second)} or {second} {_name(first)}. Write it as "
            f"{year}-{second:02}-{first:02} or {year}-{first:02}-{second:02}, or set the date order of the column.",
        )
    month_first = order == MONTH_FIRST or (order is None and second > 12)
    day, month = (second, first) if month_first else (first, second)
    if month > 12 and order and match[2] != ".":
        raise Invalid(f"{quoted(text)} does not fit the date order of this column, which is {order}.")
    return day, month


def _refuse_year_first(text: str, match: re.Match[str]) -> None:
    """26-12-31 is 2026-12-31 to some and 26 December 2031 to others. Raises Invalid where both are dates."""
    if match[2] != "-" or len(match[1]) != 2 or len(match[4]) != 2 or match[1] == match[4]:
        return
    year_first = f"{_full_year(match[1])}-{int(match[3]):02}-{match[4]}"
    try:
        date.fromisoformat(year_first)
    except ValueError:
        return
    raise Invalid(
        f"{quoted(text)} has a year of two digits, and it could stand first or last. Write the year with four digits, "
        f"as in {year_first}.",
    )


def _full_year(year: str) -> int:
    """The year that the digits mean: 26 is 2026, 75 is 1975."""
    number = int(year)
    return number + (2000 if number < PIVOT else 1900) if len(year) == 2 else number


def has_short_year(text: str) -> bool:
    """Whether a text that is a date has a year of two digits."""
    timed = _WITH_TIME.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    day = timed["day"] if timed else text
    return bool(_SHORT_YEAR.search(day)) and not _ISO.fullmatch(day)


def _name(month: int) -> str:
    return _MONTH_NAMES[month - 1].split()[0].capitalize()


def _checked(text: str, year: str, month: int, day: int) -> date:
    _check_year(text, year)
    try:
        return date(_full_year(year), month, day)
    except ValueError:
        raise Invalid(f"{quoted(text)} is not a date in the calendar.") from None


def _check_year(text: str, year: str) -> None:
    if len(year) == 3:
        raise Invalid(f"{quoted(text)} has a year of 3 digits. Write it with four, as in 2026-12-31.")
    if not FIRST_YEAR <= _full_year(year) <= LAST_YEAR:
        raise Invalid(f"{quoted(text)} is out of range: years go from {FIRST_YEAR} to {LAST_YEAR}.")


def _time_of(timed: re.Match[str], text: str) -> time:
    """The time of day in the text, to the second. Raises Invalid on 25:00 and on 13:00 pm."""
    hour, half = int(timed["hour"]), timed["half"]
    if half and not 1 <= hour <= 12:
        hour = 99
    elif half:
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    try:
        return time(hour, int(timed["minute"]), int(timed["second"] or 0))
    except ValueError:
        raise Invalid(f"{quoted(text)} has no valid time of day.") from None


def _offset(zone: str, text: str) -> timedelta:
    if zone.upper() in {"Z", "UTC", "GMT"}:
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if int(digits[2:]) > 59 or offset > timedelta(hours=14):
        raise Invalid(f"{quoted(text)} has no valid offset from UTC.")
    return offset if zone[0] == "+" else -offset


def _in_zone(moment: datetime, zone: ZoneInfo, text: str) -> datetime:
    """The instant at which clocks in the zone show this. Raises Invalid where they never do, or do so twice."""
    early, late = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early != late:
        twice = early.astimezone(zone).replace(tzinfo=None) == moment
        raise Invalid(
            f"{quoted(text)} {'happens twice' if twice else 'does not exist'} in {zone.key}, where the clocks change. "
            "Write it with its offset, as in 2026-12-31T10:00:00+01:00.",
        )
    return _in_years(early, text)


def _in_years(moment: datetime, text: str) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Invalid(f"{quoted(text)} is out of range: years go from {FIRST_YEAR} to {LAST_YEAR} in UTC.")
    return moment


def _refuse(text: str) -> NoReturn:
    raise Invalid(f"{quoted(text)} is not a date. Write it as 2026-12-31 or 31.12.2026.")

"""Calendar periods: months, quarters and years, by name and as consecutive ranges."""

from collections.abc import Collection
from datetime import date, timedelta

# By unit: its length in months, how many periods a chart shows by default, and how many it can show.
MONTHS = {"month": 1, "quarter": 3, "year": 12}
DEFAULT_PERIODS = {"month": 18, "quarter": 8}
MAX_PERIODS = {"month": 240, "quarter": 80}
NAMED_PERIODS = ("This month", "Last month", "This quarter", "Last quarter", "This year", "Last year")


def named_period(name: str, today: date, *, year_starts: int = 1) -> tuple[date, date]:
    """Return the first and last day of one of the NAMED_PERIODS, relative to today."""
    relation, unit = name.split()
    start = _start_month(today, unit, year_starts) - (MONTHS[unit] if relation == "Last" else 0)
    return _first_day(start), _last_day(start, unit)


def period_of(start: date, unit: str, *, year_starts: int = 1) -> tuple[date, date]:
    """Return the first and last day of the month, quarter or year that contains a day; years start in this month."""
    month = _start_month(start, unit, year_starts)
    return _first_day(month), _last_day(month, unit)


def period_starts(starts: Collection[date], unit: str, today: date, *, year_starts: int = 1) -> list[date]:
    """Return the first days of the periods that a chart may show, without gaps: twenty years up to the last with data.

    Future periods are included only if all data lies in the future.
    """
    months = sorted(_start_month(start, unit, year_starts) for start in starts)
    past = [month for month in months if month <= _start_month(today, unit, year_starts)]
    if not months:
        return []
    last = past[-1] if past else months[-1]
    first = max(months[0], last - (MAX_PERIODS[unit] - 1) * MONTHS[unit])
    return [_first_day(month) for month in range(first, last + 1, MONTHS[unit])]


def period_label(start: date, unit: str, *, year_starts: int = 1) -> str:
    """Return the label of a month or quarter: Nov 2026, 2026 Q4, or FY2027 Q3 in the fiscal year that ends in 2027."""
    if unit != "quarter":
        return f"{start:%b %Y}"
    quarter = (start.month - year_starts) % 12 // 3 + 1
    if year_starts == 1:
        return f"{start.year} Q{quarter}"
    return f"FY{start.year + (start.month >= year_starts)} Q{quarter}"


def _start_month(day: date, unit: str, year_starts: int = 1) -> int:
    """Return the first month of the period that contains a day, counted from the year 0."""
    month = day.year * 12 + day.month - 1
    return month - (month - year_starts + 1) % MONTHS[unit]


def _first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _last_day(month: int, unit: str) -> date:
    return _first_day(month + MONTHS[unit]) - timedelta(days=1)

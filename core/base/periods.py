"""Periods: months, quarters and years of the calendar, by name and in a row."""

from collections.abc import Collection
from datetime import date, timedelta

# Per unit its length in months, how many a chart over time shows at first, and how many where all are asked for.
MONTHS = {"month": 1, "quarter": 3, "year": 12}
SHOWN = {"month": 18, "quarter": 8}
MOST = {"month": 240, "quarter": 80}
NAMED = ("This month", "Last month", "This quarter", "Last quarter", "This year", "Last year")


def span(name: str, today: date) -> tuple[date, date]:
    """First and last day of one of the NAMED periods, as seen from today."""
    which, unit = name.split()
    start = _start(today, unit) - (MONTHS[unit] if which == "Last" else 0)
    return _first_of(start), _last_of(start, unit)


def period_of(start: date, unit: str) -> tuple[date, date]:
    """First and last day of the month or quarter in which a day lies."""
    place = _start(start, unit)
    return _first_of(place), _last_of(place, unit)


def shown(starts: Collection[date], unit: str, today: date) -> list[date]:
    """The periods that a chart may show, without gaps: twenty years up to the latest one that has something.

    Those of the future are shown only where there are no others.
    """
    places = sorted(_start(start, unit) for start in starts)
    past = [place for place in places if place <= _start(today, unit)]
    if not places:
        return []
    last = past[-1] if past else places[-1]
    first = max(places[0], last - (MOST[unit] - 1) * MONTHS[unit])
    return [_first_of(place) for place in range(first, last + 1, MONTHS[unit])]


def label(start: date, unit: str) -> str:
    """How a month or quarter is called: Nov 2026, 2026 Q4."""
    return f"{start.year} Q{(start.month + 2) // 3}" if unit == "quarter" else f"{start:%b %Y}"


def _start(day: date, unit: str) -> int:
    """The first month of the period in which a day lies, counted from the year 0."""
    place = day.year * 12 + day.month - 1
    return place - place % MONTHS[unit]


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _last_of(month: int, unit: str) -> date:
    return _first_of(month + MONTHS[unit]) - timedelta(days=1)

"""Relative dates: spans of days that are named by their distance from today, such as “this quarter”."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from core.base.periods import period_of

UNITS = ("week", "month", "quarter", "year")
# Every name without a number, with its label, in the order in which an editor offers them.
_OF_UNITS = [f"{which}_{unit}" for unit in UNITS for which in ("this", "last", "next")]
NAMES = ("today", "yesterday", "tomorrow", *_OF_UNITS)
_DISTANCE = {"last": -1, "this": 0, "next": 1, "yesterday": -1, "today": 0, "tomorrow": 1}
_COUNTED = re.compile(r"(last|next)_([1-9][0-9]{0,3})_days", re.ASCII)


@dataclass(frozen=True, slots=True)
class Calendar:
    """What relative dates depend on: the instant, the time zone, and where weeks and years start.

    `week_starts` is an ISO weekday (1 is Monday), `year_starts` the first month of the fiscal year.
    """

    now: datetime
    zone: tzinfo = UTC
    week_starts: int = 1
    year_starts: int = 1

    def today(self, zone: tzinfo | None = None) -> date:
        """Return the current day in a time zone, else in the calendar's own."""
        return self.now.astimezone(zone or self.zone).date()


def is_relative(value: object) -> bool:
    """Return whether a value is the name of a relative date: one of NAMES, `last_N_days` or `next_N_days`."""
    return isinstance(value, str) and (value in NAMES or _COUNTED.fullmatch(value) is not None)


def relative_label(name: str) -> str:
    """Return a relative date as people read it."""
    return name.replace("_", " ")


def days_of(name: str, today: date, calendar: Calendar) -> tuple[date, date]:
    """Return the first and last day of a relative date. Both `last_N_days` and `next_N_days` include today."""
    if match := _COUNTED.fullmatch(name):
        others = timedelta(days=int(match[2]) - 1)
        return (today - others, today) if match[1] == "last" else (today, today + others)
    which, _, unit = name.partition("_")
    distance = _DISTANCE[which]
    if not unit:
        day = today + timedelta(days=distance)
        return day, day
    if unit == "week":
        first = today - timedelta(days=(today.isoweekday() - calendar.week_starts) % 7) + timedelta(weeks=distance)
        return first, first + timedelta(days=6)
    first, last = period_of(today, unit, year_starts=calendar.year_starts)
    if distance:
        beyond = last + timedelta(days=1) if distance > 0 else first - timedelta(days=1)
        return period_of(beyond, unit, year_starts=calendar.year_starts)
    return first, last

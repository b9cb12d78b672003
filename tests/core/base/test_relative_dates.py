"""Relative dates: which days their names mean, by the zone, the first day of weeks and the fiscal year."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.base.relative_dates import NAMES, Calendar, days_of, is_relative

TODAY = date(2026, 11, 25)  # A Wednesday.
CALENDAR = Calendar(datetime(2026, 11, 25, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", "2026-11-25", "2026-11-25"),
        ("yesterday", "2026-11-24", "2026-11-24"),
        ("tomorrow", "2026-11-26", "2026-11-26"),
        ("this_week", "2026-11-23", "2026-11-29"),
        ("last_week", "2026-11-16", "2026-11-22"),
        ("next_week", "2026-11-30", "2026-12-06"),
        ("this_month", "2026-11-01", "2026-11-30"),
        ("next_month", "2026-12-01", "2026-12-31"),
        ("this_quarter", "2026-10-01", "2026-12-31"),
        ("last_quarter", "2026-07-01", "2026-09-30"),
        ("next_quarter", "2027-01-01", "2027-03-31"),
        ("last_year", "2025-01-01", "2025-12-31"),
        ("last_7_days", "2026-11-19", "2026-11-25"),
        ("next_30_days", "2026-11-25", "2026-12-24"),
        ("next_1_days", "2026-11-25", "2026-11-25"),
    ],
)
def test_a_name_means_these_days(name: str, first: str, last: str) -> None:
    assert days_of(name, TODAY, CALENDAR) == (date.fromisoformat(first), date.fromisoformat(last))


def test_weeks_start_on_the_day_of_the_calendar() -> None:
    sunday = Calendar(CALENDAR.now, week_starts=7)
    assert days_of("this_week", TODAY, sunday) == (date(2026, 11, 22), date(2026, 11, 28))
    assert days_of("this_week", date(2026, 11, 22), sunday)[0] == date(2026, 11, 22)


def test_quarters_and_years_are_fiscal_ones() -> None:
    april = Calendar(CALENDAR.now, year_starts=4)
    assert days_of("this_year", TODAY, april) == (date(2026, 4, 1), date(2027, 3, 31))
    assert days_of("last_year", TODAY, april) == (date(2025, 4, 1), date(2026, 3, 31))
    assert days_of("this_quarter", TODAY, Calendar(CALENDAR.now, year_starts=2)) == (
        date(2026, 11, 1),
        date(2027, 1, 31),
    )
    assert days_of("next_month", TODAY, april) == (date(2026, 12, 1), date(2026, 12, 31))


@pytest.mark.parametrize("year_starts", range(1, 13))
def test_every_name_has_days_in_order_and_last_this_and_next_touch(year_starts: int) -> None:
    calendar = Calendar(CALENDAR.now, year_starts=year_starts)
    spans = {name: days_of(name, TODAY, calendar) for name in NAMES}
    assert all(first <= last for first, last in spans.values())
    for unit in ("week", "month", "quarter", "year"):
        assert spans[f"last_{unit}"][1] + timedelta(days=1) == spans[f"this_{unit}"][0]
        assert spans[f"this_{unit}"][1] + timedelta(days=1) == spans[f"next_{unit}"][0]


def test_today_is_a_day_of_a_zone() -> None:
    late = Calendar(datetime(2026, 11, 25, 23, 30, tzinfo=UTC), ZoneInfo("Asia/Tokyo"))
    assert late.today() == date(2026, 11, 26)
    assert late.today(UTC) == TODAY


def test_what_is_not_a_name_is_not_relative() -> None:
    assert not any(
        map(is_relative, ["next_0_days", "last_10000_days", "this_fortnight", "2026-11-25", None, 7, ["today"]])
    )

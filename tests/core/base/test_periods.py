"""Months, quarters and years of the calendar."""

from datetime import date

import pytest

from core.base import periods

TODAY = date(2026, 2, 14)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("This month", "2026-02-01", "2026-02-28"),
        ("Last month", "2026-01-01", "2026-01-31"),
        ("This quarter", "2026-01-01", "2026-03-31"),
        ("Last quarter", "2025-10-01", "2025-12-31"),
        ("This year", "2026-01-01", "2026-12-31"),
        ("Last year", "2025-01-01", "2025-12-31"),
    ],
)
def test_a_named_period_has_its_first_and_last_day(name: str, first: str, last: str) -> None:
    assert periods.named_period(name, TODAY) == (date.fromisoformat(first), date.fromisoformat(last))


def test_every_named_period_can_be_asked_for() -> None:
    assert all(first <= last for first, last in (periods.named_period(name, TODAY) for name in periods.NAMED_PERIODS))


def test_periods_are_shown_without_gaps() -> None:
    months = periods.period_starts([date(2025, 11, 1), date(2026, 2, 1)], "month", TODAY)
    assert [f"{month:%y-%m}" for month in months] == ["25-11", "25-12", "26-01", "26-02"]
    assert periods.period_starts([], "month", TODAY) == []


def test_no_more_are_shown_than_twenty_years() -> None:
    assert len(periods.period_starts([date(1990, 1, 1), date(2026, 1, 1)], "month", TODAY)) == 240
    assert len(periods.period_starts([date(1990, 1, 1), date(2026, 1, 1)], "quarter", TODAY)) == 80


def test_a_slip_of_the_pen_in_the_far_future_does_not_push_the_present_out_of_the_chart() -> None:
    assert periods.period_starts([date(2026, 1, 1), date(2199, 12, 1)], "month", TODAY)[-1] == date(2026, 1, 1)
    assert periods.period_starts([date(2199, 12, 1)], "month", TODAY) == [date(2199, 12, 1)]


def test_months_and_quarters_have_names() -> None:
    assert periods.period_label(date(2026, 11, 1), "month") == "Nov 2026"
    assert periods.period_label(date(2026, 10, 1), "quarter") == "2026 Q4"
    assert periods.period_of(date(2026, 11, 20), "quarter") == (date(2026, 10, 1), date(2026, 12, 31))


def test_quarters_are_those_of_the_fiscal_year() -> None:
    assert periods.period_label(date(2026, 4, 1), "quarter", year_starts=4) == "FY2027 Q1"
    assert periods.period_label(date(2026, 2, 1), "quarter", year_starts=2) == "FY2027 Q1"
    assert periods.period_label(date(2026, 1, 1), "quarter", year_starts=4) == "FY2026 Q4"
    assert periods.named_period("This quarter", date(2026, 1, 15), year_starts=2) == (
        date(2025, 11, 1),
        date(2026, 1, 31),
    )
    starts = periods.period_starts([date(2026, 1, 1), date(2026, 6, 1)], "quarter", date(2026, 6, 2), year_starts=2)
    assert starts == [date(2025, 11, 1), date(2026, 2, 1), date(2026, 5, 1)]

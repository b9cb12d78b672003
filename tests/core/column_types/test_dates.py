"""Dates and instants: a date is a day wherever one is, and what could be two days is refused."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import Invalid
from core.column_types import column_type
from core.column_types.base import NO_REFERENCES
from core.column_types.date_text import DAY_FIRST, ORDERS, has_short_year
from tests.core.column_types import check, column, outcome, parse, refusal

days = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-03-31",
            "31.03.2026",
            "31.3.2026",
            "31/03/2026",
            "03/31/2026",
            "31-3-2026",
            "2026/03/31",
            "31. 3. 2026",
        ),
        *("31 Mar 2026", "March 31, 2026", "Mar 31 2026", "31st March 2026", "31. März 2026", "31 mars 2026"),
        *("31 de marzo de 2026", "31-Mar-2026", "2026-03-31 00:00:00", "2026-03-31T00:00:00.000Z", "31\u00a0mars 2026"),
    ],
)
def test_a_date_is_read_as_people_write_it(text: str) -> None:
    assert parse("date", text) == "2026-03-31"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *(("30.02.2026", "not a date in the calendar"), ("2026-02-30", "not a date"), ("12.31.2026", "not a date")),
        *(("12026-01-01", "from 1900 to 2199"), ("0000-01-01", "1900"), ("1899-12-31", "1900"), ("2200-01-01", "2199")),
        *(("infinity", "not a date"), ("vmx-15", "not a date"), ("46000", "not a date"), ("20261231", "not a date")),
        *(
            ("31/12/126", "four"),
            ("03/04/26", "2026-04-03 or 2026-03-04"),
            ("26-12-31", "first or last"),
            ("3 March", "not a date"),
            ("2026-12-31T10:00", "time of day"),
        ),
        *(("2026-12-31T00:00:00+02:00", "time of day"), ("3 Brumaire 2026", "not a date"), ("٣/٤/٢٠٢٦", "not a date")),
    ],
)
def test_what_is_no_date_is_refused_with_the_reason(text: str, reason: str) -> None:
    assert reason in refusal("date", text)


def test_a_date_that_could_be_two_days_is_refused_with_both() -> None:
    reason = refusal("date", "03/04/2026")
    assert "3 April or 4 March" in reason
    assert "2026-04-03 or 2026-03-04" in reason
    assert parse("date", "03/03/2026") == "2026-03-03"


def test_the_date_order_of_the_column_decides_and_holds() -> None:
    assert parse("date", "03/04/2026", date_order="day first") == "2026-04-03"
    assert parse("date", "03/04/2026", date_order="month first") == "2026-03-04"
    assert "day first" in refusal("date", "12/31/2026", date_order="day first")
    assert "month first" in refusal("date", "31/12/2026", date_order="month first")
    assert parse("date", "03.04.2026", date_order="month first") == "2026-04-03"


@given(day=days, order=st.sampled_from(["auto", "day first", "month first"]))
def test_an_iso_date_is_itself_in_every_column(day: date, order: str) -> None:
    assert parse("date", day.isoformat(), date_order=order) == check("date", day.isoformat()) == day.isoformat()


@given(day=days)
def test_a_date_written_in_the_columns_order_is_that_date(day: date) -> None:
    assert parse("date", f"{day:%d/%m/%Y}", date_order="day first") == day.isoformat()
    assert parse("date", f"{day:%m/%d/%Y}", date_order="month first") == day.isoformat()
    assert parse("date", f"{day:%d.%m.%Y}") == day.isoformat()
    assert parse("date", f"{day:%B} {day.day}, {day.year}") == day.isoformat()


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        *(("2026-12-31T10:00:00Z", "2026-12-31T10:00:00Z"), ("2026-12-31T10:00+01:00", "2026-12-31T09:00:00Z")),
        *(("2026-12-31 10:00", "2026-12-31T09:00:00Z"), ("31.12.2026, 10:00", "2026-12-31T09:00:00Z")),
        *(("12/31/2026 10:05 PM", "2026-12-31T21:05:00Z"), ("12/31/2026 12:00 am", "2026-12-30T23:00:00Z")),
        *(("2026-07-01", "2026-06-30T22:00:00Z"), ("2026-07-01 10:00:00.999", "2026-07-01T08:00:00Z")),
    ],
)
def test_an_instant_is_kept_in_utc_and_read_in_the_columns_time_zone(text: str, instant: str) -> None:
    assert parse("datetime", text, time_zone="Europe/Berlin") == instant


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *(
            ("2026-03-29 02:30", "does not exist"),
            ("2026-10-25 02:30", "happens twice"),
            ("2026-01-01 25:00", "time of day"),
        ),
        *(
            ("2026-01-01 13:00 pm", "time of day"),
            ("2026-01-01 10:00+15:00", "offset"),
            ("1900-01-01 00:00+14:00", "1900"),
        ),
    ],
)
def test_an_instant_that_no_clock_shows_once_is_refused(text: str, reason: str) -> None:
    assert reason in refusal("datetime", text, time_zone="Europe/Berlin")


@given(
    moment=st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]),
)
def test_an_instant_written_with_its_offset_is_that_instant_in_every_column(moment: datetime, zone: str) -> None:
    local = moment.replace(microsecond=0).astimezone(ZoneInfo(zone))
    assert parse("datetime", local.isoformat(), time_zone="Asia/Tokyo") == f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def test_earliest_and_latest_hold_and_are_kept_as_iso() -> None:
    rules = column_type("date").check_rules({"min": "01.01.2026", "max": "2026-12-31"})
    assert rules == {"min": "2026-01-01", "max": "2026-12-31"}
    assert "earliest here is 2026-01-01" in refusal("date", "31.12.2025", **rules)
    assert "latest here is 2026-12-31" in refusal("date", "01.01.2027", **rules)
    for bad in ({"min": "tomorrow"}, {"min": "2026-12-31", "max": "2026-01-01"}):
        with pytest.raises(Invalid):
            column_type("date").check_rules(bad)
    with pytest.raises(Invalid):
        column_type("datetime").check_rules({"time_zone": "../etc/passwd"})


def test_the_text_of_a_date_is_iso() -> None:
    assert column_type("date").text("2026-12-31", column("date"), NO_REFERENCES) == "2026-12-31"


@pytest.mark.parametrize(
    ("text", "date"),
    [
        *(("31.12.26", "2026-12-31"), ("31/12/49", "2049-12-31"), ("31/12/50", "1950-12-31"), ("1.1.00", "2000-01-01")),
        *(
            ("12/31/99", "1999-12-31"),
            ("3 March 26", "2026-03-03"),
            ("Mar 3, 26", "2026-03-03"),
            ("31-12-99", "1999-12-31"),
        ),
    ],
)
def test_a_year_of_two_digits_is_one_from_1950_to_2049(text: str, date: str) -> None:
    assert parse("date", text) == date
    assert parse("datetime", f"{text} 10:00") == f"{date}T10:00:00Z"
    assert has_short_year(text)
    assert has_short_year(f"{text} 10:00")


def test_the_column_says_how_a_year_of_two_digits_is_read() -> None:
    (order,) = (rule for rule in column_type("date").takes if rule.key == "date_order")
    assert "two digits is one from 1950 to 2049" in order.help
    assert not has_short_year("2026-12-31")
    assert not has_short_year("31.12.2026")


@given(day=st.dates(min_value=date(1950, 1, 1), max_value=date(2049, 12, 31)), order=st.sampled_from(ORDERS))
def test_a_short_year_is_never_another_date(day: date, order: str) -> None:
    first, second = (day.day, day.month) if order == DAY_FIRST else (day.month, day.day)
    short = f"{first}/{second}/{day:%y}"
    assert parse("date", short, date_order=order) == day.isoformat()
    read = outcome("date", short)
    assert read == day.isoformat() or "Write it as" in read

"""Search: a cell is found by what people read in it, in each of the formats for numbers and dates."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.column_types import column_type
from core.column_types.cell_sql import cell_of
from tests.core.column_types import OPTIONS, REFERENCES, column
from tests.core.column_types.test_conditions import source

NUMBERS = [Decimal(text) for text in ("25", "0.25", "1234.5", "-1234567.125", "12", "100000")]
BERLIN = {"time_zone": "Europe/Berlin"}
HALF_PAST_MIDNIGHT = "2026-12-31T23:30:00Z"  # In Berlin it is 2027 by then.


def found(session: Session, name: str, values: list[Any], wanted: str, **rules: Any) -> list[Any]:
    """The values of those rows that a search finds."""
    rows = source(values)
    condition = column_type(name).contains(wanted, cell_of(rows, 7), column(name, **rules), REFERENCES)
    places = session.scalars(select(rows.op("->>")("n")).where(condition))
    return [values[int(place)] for place in places]


@pytest.mark.parametrize(
    ("name", "rules", "wanted", "expected"),
    [
        ("percent", {}, "25%", ["25", "0.25", "-1234567.125"]),
        ("percent", {}, "25 %", ["25", "0.25", "-1234567.125"]),
        ("percent", {}, "12%", ["12"]),
        ("percent", {}, "€25", []),
        ("number", {}, "25%", []),
        ("number", {}, "1,234.5", ["1234.5"]),
        ("number", {}, "1.234,5", ["1234.5"]),
        ("number", {}, "1 234,5", ["1234.5"]),
        ("number", {}, "1’234.5", ["1234.5"]),
        ("number", {}, "1\u202f234,5", ["1234.5"]),
        ("number", {}, "1234", ["1234.5", "-1234567.125"]),
        ("number", {}, "-1,234,567.125", ["-1234567.125"]),
        ("number", {}, "1,2", ["1234.5", "-1234567.125"]),
        ("number", {}, "12.50", []),
        ("number", {"decimals": 2}, "1,234.50", ["1234.5"]),
        ("number", {}, "100.000", ["100000"]),
        ("number", {}, "acme", []),
        ("number", {}, ".", []),
        ("money", {"currency": "EUR"}, "€1,234.50", ["1234.5"]),
        ("money", {"currency": "EUR"}, "1.234,50 €", ["1234.5"]),
        ("money", {"currency": "EUR"}, "eur", [str(number) for number in NUMBERS]),
        ("money", {"currency": "EUR"}, "$25", []),
        ("money", {"currency": "JPY"}, "¥25", ["25"]),
        ("money", {"currency": "JPY"}, "25.00", []),
    ],
)
def test_a_number_is_found_as_it_is_shown(
    session: Session, name: str, rules: dict[str, Any], wanted: str, expected: list[str]
) -> None:
    assert found(session, name, [*NUMBERS, None], wanted, **rules) == [Decimal(one) for one in expected]


@pytest.mark.parametrize(
    ("wanted", "is_found"),
    [(text, True) for text in ("2027-01-01", "01.01.2027 00:30", "01/01/2027", "00:30")]
    + [(text, False) for text in ("2026-12-31", "z", "T23", "23:30", "-")],
)
def test_an_instant_is_found_by_the_clock_of_its_column(session: Session, wanted: str, is_found: bool) -> None:
    assert bool(found(session, "datetime", [HALF_PAST_MIDNIGHT, None], wanted, **BERLIN)) is is_found


@pytest.mark.parametrize(
    ("wanted", "is_found"),
    [(text, True) for text in ("2026-12-31", "31.12.2026", "12/31/2026", "31.12", "12/31", "2026")]
    + [(text, False) for text in ("12.31", "31/12", "00:00")],
)
def test_a_day_is_found_as_it_is_shown(session: Session, wanted: str, is_found: bool) -> None:
    assert bool(found(session, "date", ["2026-12-31", None], wanted)) is is_found


def test_a_tick_is_found_by_no_text_and_options_and_people_by_their_names(session: Session) -> None:
    assert found(session, "checkbox", [True, False, None], "true") == []
    assert found(session, "choice", ["o1", "o2", None], OPTIONS[0].label.upper()) == ["o1"]
    assert found(session, "choice", ["o1", "o2", None], "o1") == []
    assert found(session, "choices", [["o1", "o2"], ["o2"]], OPTIONS[0].label[:4]) == [["o1", "o2"]]
    person = next(iter(REFERENCES.people.names))
    assert person in found(session, "person", [person, None], REFERENCES.people.names[person][:3].upper())


FORMS = {"en": ",.", "de": ".,", "fr": " ,", "ch": "'."}


def written(number: Decimal, decimals: int) -> set[str]:
    """Every way in which the number may stand on a screen or be typed without groups."""
    places = max(decimals, -int(number.as_tuple().exponent))
    forms = set()
    for group, mark in FORMS.values():
        grouped = f"{number:,.{places}f}"
        forms |= {grouped.translate({ord(","): group, ord("."): mark}), grouped.replace(",", "").replace(".", mark)}
    return forms


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.decimals(min_value=-(10**9), max_value=10**9, places=2).map(lambda one: one.normalize() + 0),
    decimals=st.integers(0, 3),
    data=st.data(),
)
def test_a_number_is_found_by_every_part_of_what_it_shows_and_by_nothing_else(
    session: Session, number: Decimal, decimals: int, data: st.DataObject
) -> None:
    forms = written(number, decimals)
    form = data.draw(st.sampled_from(sorted(forms)))
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(form))] * 2)))
    noise = data.draw(st.text("0123456789.,'", max_size=3))
    for wanted in (form[first:last].strip(), noise):
        if any(sign.isdigit() for sign in wanted):
            shows = any(wanted in one for one in forms)
            assert bool(found(session, "number", [number], wanted, decimals=decimals)) is shows, (wanted, forms)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=st.dates(date(1900, 1, 1), date(2199, 12, 31)), data=st.data())
def test_a_day_is_found_by_every_part_of_what_it_shows_and_by_nothing_else(
    session: Session, day: date, data: st.DataObject
) -> None:
    for shown in (day, day + timedelta(days=data.draw(st.integers(1, 400)))):
        form = data.draw(st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"]))
        text = shown.strftime(form)
        first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        wanted = text[first:last]
        if any(sign.isdigit() for sign in wanted):
            shows = any(wanted in day.strftime(one) for one in ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"))
            assert bool(found(session, "date", [day.isoformat()], wanted)) is shows

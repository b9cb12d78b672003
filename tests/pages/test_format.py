"""How things are written: as the person likes them, and never as formatting."""

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.access import ColumnInfo
from core.accounts.locale import Locale
from pages.components.app.format import cell, color_of, day, grid_formats, initials, literal, moment, shortened

MARKS = set("\\`*_{}[]<~:$&^!|#")


def column(kind: str, **rules: object) -> ColumnInfo:
    return ColumnInfo(1, "Column", kind, "", 1, rules, ())


@pytest.mark.parametrize(
    ("date_format", "written"), [("iso", "2026-12-31"), ("day first", "31.12.2026"), ("month first", "12/31/2026")]
)
def test_dates_are_written_as_the_person_likes_them(date_format: str, written: str) -> None:
    locale = Locale(date_format)
    assert day(date(2026, 12, 31), locale) == written
    assert moment(datetime(2026, 12, 31, 9, 5, 7, tzinfo=UTC), locale) == f"{written} 09:05 UTC"
    assert cell("2026-12-31", column("date"), locale) == written
    assert cell("2026-12-31T09:05:07Z", column("datetime"), locale) == f"{written} 09:05 UTC"


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("UTC", "2026-12-31 23:30 UTC"),
        ("Asia/Tokyo", "2027-01-01 08:30 JST"),
        ("America/New_York", "2026-12-31 18:30 EST"),
    ],
)
def test_moments_stand_in_the_time_zone_of_who_reads_and_cells_in_that_of_their_column(zone: str, written: str) -> None:
    mine = Locale(time_zone=zone)
    assert moment(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), mine) == written
    assert cell("2026-12-31T23:30:00Z", column("datetime"), mine) == "2026-12-31 23:30 UTC"
    assert cell("2026-12-31T23:30:00Z", column("datetime", time_zone=zone), Locale()) == written


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("1,234.5", "1,234,567.50 EUR"),
        ("1.234,5", "1.234.567,50 EUR"),
        ("1 234,5", "1\u202f234\u202f567,50 EUR"),
        ("1’234.5", "1’234’567.50 EUR"),
    ],
)
def test_numbers_are_written_as_the_person_likes_them(style: str, written: str) -> None:
    money = column("money", decimals=2, currency="EUR")
    assert cell("1234567.5", money, Locale(number_format=style)) == written


def test_the_grid_is_told_how_this_person_reads() -> None:
    assert grid_formats(Locale(number_format="1.234,5")) == {
        "date": "YYYY-MM-DD",
        "locale": "de-DE",
        "time_zone": "UTC",
    }


@pytest.mark.parametrize(
    ("text", "kind", "rules", "written"),
    [
        ("1234567.5", "number", {}, "1,234,567.5"),
        ("1234567.5", "money", {"decimals": 2, "currency": "EUR"}, "1,234,567.50 EUR"),
        ("25", "percent", {}, "25 %"),
        ("0", "number", {"decimals": 0}, "0"),
        ("Lead", "choice", {}, "Lead"),
        ("not a number", "number", {}, "not a number"),
        ("12026-13-45", "date", {}, "12026-13-45"),
    ],
)
def test_a_cell_is_written_by_its_type_and_one_bad_cell_closes_nothing(
    text: str, kind: str, rules: dict[str, object], written: str
) -> None:
    assert cell(text, column(kind, **rules), Locale()) == written


@given(st.text())
def test_whatever_is_typed_no_mark_of_markdown_stands_without_its_backslash(text: str) -> None:
    # An empty element of ours keeps apart what Streamlit would make a link or an arrow of.
    written, place = literal(text).replace(":small[]", ""), 0
    while place < len(written):
        if written[place] == "\\":
            place += 2
            continue
        assert written[place] not in MARKS
        place += 1


@pytest.mark.parametrize(
    "text",
    ["**b** _i_ `c`", "[l](http://x) ![i](http://x/a.png)", "<b>h</b> &lt;", "$x^2$ ~~s~~", ":red[x] :smile:", "# h"],
)
def test_what_a_reader_sees_is_what_was_typed(text: str) -> None:
    seen = re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", literal(text).replace(":small[]", ""))
    assert seen == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1. one", "1\\. one"),
        ("12) x", "12\\) x"),
        ("- item", "\\- item"),
        ("> quote", "\\> quote"),
        ("=====", "\\====="),
        ("a -> b", "a -:small[]\\> b"),
        ("https://evil.example", "https\\::small[]//evil.example"),
        ("www.evil.example", "www:small[].evil.example"),
        ("ann@evil.example", "ann@:small[]evil.example"),
        ("two\nlines\tand  spaces", "two lines and spaces"),
        ("turned \u202eround", "turned round"),
        ("An ordinary sentence, 10.5 % - fine (really).", "An ordinary sentence, 10.5 % - fine (really)."),
    ],
)
def test_what_markdown_or_streamlit_would_read_into_a_line_is_kept_apart(text: str, written: str) -> None:
    assert literal(text) == written


def test_a_long_text_is_shortened_to_its_place() -> None:
    assert shortened("one  two\nthree", 7) == "one tw…"
    assert shortened("one  two", 8) == "one two"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ann", "A"),
        ("Nora Lindqvist", "NL"),
        ("jean-luc de la cour", "JC"),
        ("李 小龙", "李小"),
        ("", "?"),
        ("***", "?"),
    ],
)
def test_a_person_has_initials_and_always_the_same_colour(name: str, letters: str) -> None:
    assert initials(name) == letters
    assert color_of(7) == color_of(7)

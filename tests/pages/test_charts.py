"""Charts: literal labels, colours that can be drawn, bars that stay apart, amounts at a glance."""

import json
from datetime import date
from decimal import Decimal

import plotly.graph_objects as go
import pytest

from core.accounts.locale import Locale
from core.pipeline.figure_types import Bar, Breakdown, ClosedPeriod
from core.rows.query import Condition, View
from pages.components.dashboard import charts
from pages.components.dashboard.chart_style import Currency, literal, money, short, steps

VIEW = View(filter=(Condition(3, "is_any_of", ["o1"]),))


def bar(label: str, count: int = 1, amount: int = 100, color: str = "blue") -> Bar:
    return Bar(label, count, Decimal(amount), VIEW, color, Decimal(amount) / 2, "open")


def month(start: date, won: int, lost: int) -> ClosedPeriod:
    label = f"{start:%b %Y}"
    return ClosedPeriod(start, label, bar(label, won), bar(label, lost), bar(label, won + lost))


def test_every_bar_carries_the_view_of_its_rows() -> None:
    party = Breakdown("Ann", bar("Ann"), bar("Ann"), 1)
    months = [month(date(2026, place, 1), 2, 3) for place in range(1, 13)]
    made = [
        charts.stages([bar("Lead")], "EUR", by_count=False),
        charts.owners([party], "EUR", by_count=False),
        charts.accounts([party], "EUR", by_count=True),
        charts.ages([bar("0–30 days")], "EUR", by_count=False),
        charts.closed(months, "EUR", by_count=False),
        charts.win_rate(months, Decimal("0.4")),
    ]
    for figure in map(go.Figure, made):  # Which raises where plotly's schema does not know an attribute.
        for trace in figure.data:
            assert [json.loads(view) for view in trace.customdata] == [VIEW.as_json()] * len(trace.x)
        assert figure.layout.uirevision == "kept"


@pytest.mark.parametrize("label", ["<b>x</b>", "a & b", "2026", "1e3", "%{x}", "<a href='javascript:1'>x</a>"])
def test_a_label_is_shown_letter_by_letter(label: str) -> None:
    figure = go.Figure(charts.stages([bar(label)], "EUR", by_count=False))
    (shown,) = figure.layout.yaxis.ticktext
    assert shown == short(label)
    assert "<" not in shown
    assert all(literal(label) in hover for trace in figure.data for hover in trace.hovertext)
    assert figure.data[0].hovertemplate is None


def test_two_groups_of_the_same_name_stay_two_bars() -> None:
    figure = go.Figure(charts.stages([bar("Same"), bar("Same")], "EUR", by_count=True))
    assert list(figure.data[0].y) == [0, 1]


@pytest.mark.parametrize("color", ["nonsense", "", "#12345", "#ABCDEF", "gray"])
def test_any_colour_of_an_option_can_be_drawn(color: str) -> None:
    for by_count in (True, False):
        assert go.Figure(charts.stages([bar("x", color=color)], "EUR", by_count=by_count)).to_json()


def test_a_long_label_leaves_room_for_its_bar() -> None:
    assert len(short("x" * 200)) <= 26
    assert short("Acme") == "Acme"


def test_nothing_to_draw_is_drawn_as_nothing() -> None:
    assert go.Figure(charts.stages([bar("x", 0, 0)], "EUR", by_count=False)).to_json()
    assert go.Figure(charts.closed([month(date(2026, 1, 1), 0, 0)], "", by_count=True)).to_json()
    assert go.Figure(charts.stages([], "EUR", by_count=False)).to_json()


def test_negative_amounts_do_no_harm() -> None:
    assert go.Figure(charts.stages([bar("x", 1, -50)], "EUR", by_count=False)).to_json()


def test_the_year_stands_under_its_first_month() -> None:
    months = [month(date(2025 + place // 12, place % 12 + 1, 1), 1, 1) for place in range(6, 20)]
    assert charts.win_rate(months, None)["layout"]["xaxis"]["ticktext"] == [
        "Jul<br>2025",
        "Oct",
        "Jan<br>2026",
        "Apr",
        "Jul",
    ]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "€ 0"),
        ("950.4", "€ 950"),
        ("999.7", "€ 1.0 k"),
        ("1234", "€ 1.2 k"),
        ("340000", "€ 340 k"),
        ("999999", "€ 1.0 M"),
        ("1234567890", "€ 1.2 bn"),
        ("-5400", "€ -5.4 k"),
    ],
)
def test_an_amount_is_read_at_a_glance(amount: str, shown: str) -> None:
    assert money(Decimal(amount), "EUR") == shown


def test_an_amount_without_a_currency_has_no_sign() -> None:
    assert money(Decimal(1500), "") == "1.5 k"
    assert money(Decimal(1500), "CHF") == "CHF 1.5 k"


@pytest.mark.parametrize("highest", [0.4, 1, 3, 7, 99, 12345.6, 10**9])
def test_an_axis_has_a_few_round_marks(highest: float) -> None:
    assert 0 <= len(steps(highest)) <= 4
    assert all(mark <= highest for mark in steps(highest))


@pytest.mark.parametrize(
    ("style", "amount", "count"),
    [("1,234.5", "€ 1.5 M", "1,234"), ("1.234,5", "€ 1,5 M", "1.234"), ("1 234,5", "€ 1,5 M", "1\u202f234")],
)
def test_charts_write_numbers_as_the_person_likes_them(style: str, amount: str, count: str) -> None:
    euro = Currency.of("EUR", Locale(number_format=style))
    figure = go.Figure(charts.stages([bar("Lead", 1234, 1_500_000)], euro, by_count=False))
    assert figure.data[0].text == (f"{amount} · {count}",)
    assert f"{count} deals, {amount}" in figure.data[0].hovertext[0]

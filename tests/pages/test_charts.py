"""Charts: escaped labels, valid colors, separate bars, rounded amounts."""

import json
from datetime import date
from decimal import Decimal

import plotly.graph_objects as go
import pytest

from core.pipeline.figure_types import Bar, Breakdown, ClosedPeriod
from core.rows.filter_tree import Condition
from core.rows.query import View
from pages.components.dashboard import charts
from pages.components.dashboard.chart_style import escaped, short_label, tick_values
from pages.components.dashboard.money_format import MoneyFormat

EURO = MoneyFormat("EUR")
VIEW = View(filter=(Condition(3, "is_any_of", ["o1"]),))


def bar(label: str, count: int = 1, amount: int = 100, color: str = "blue") -> Bar:
    return Bar(label, count, Decimal(amount), VIEW, color, Decimal(amount) / 2, "open")


def month(start: date, won: int, lost: int) -> ClosedPeriod:
    label = f"{start:%b %Y}"
    return ClosedPeriod(start, label, bar(label, won), bar(label, lost), bar(label, won + lost))


def test_every_bar_carries_the_view_of_its_rows() -> None:
    breakdown = Breakdown("Ann", bar("Ann"), bar("Ann"), 1)
    months = [month(date(2026, number, 1), 2, 3) for number in range(1, 13)]
    all_charts = [
        charts.stages([bar("Lead")], EURO, by_count=False),
        charts.owners([breakdown], EURO, by_count=False),
        charts.accounts([breakdown], EURO, by_count=True),
        charts.ages([bar("0–30 days")], EURO, by_count=False),
        charts.closed(months, EURO, by_count=False),
        charts.win_rate(months, Decimal("0.4"), EURO),
    ]
    for figure in map(go.Figure, all_charts):  # Raises if an attribute is not in plotly's schema.
        for trace in figure.data:
            assert [json.loads(view) for view in trace.customdata] == [VIEW.as_json()] * len(trace.x)
        assert figure.layout.uirevision == "kept"


@pytest.mark.parametrize("label", ["<b>x</b>", "a & b", "2026", "1e3", "%{x}", "<a href='javascript:1'>x</a>"])
def test_the_markup_of_a_label_is_escaped(label: str) -> None:
    figure = go.Figure(charts.stages([bar(label)], EURO, by_count=False))
    (tick,) = figure.layout.yaxis.ticktext
    assert tick == short_label(label)
    assert "<" not in tick
    assert all(escaped(label) in hover for trace in figure.data for hover in trace.hovertext)
    assert figure.data[0].hovertemplate is None


def test_two_groups_of_the_same_name_stay_two_bars() -> None:
    figure = go.Figure(charts.stages([bar("Same"), bar("Same")], EURO, by_count=True))
    assert list(figure.data[0].y) == [0, 1]


@pytest.mark.parametrize("color", ["nonsense", "", "#12345", "#ABCDEF", "gray"])
def test_any_colour_of_an_option_can_be_drawn(color: str) -> None:
    for by_count in (True, False):
        assert go.Figure(charts.stages([bar("x", color=color)], EURO, by_count=by_count)).to_json()


def test_a_long_label_leaves_room_for_its_bar() -> None:
    assert len(short_label("x" * 200)) <= 26
    assert short_label("Acme") == "Acme"


def test_charts_without_deals_are_valid() -> None:
    assert go.Figure(charts.stages([bar("x", 0, 0)], EURO, by_count=False)).to_json()
    assert go.Figure(charts.closed([month(date(2026, 1, 1), 0, 0)], MoneyFormat(), by_count=True)).to_json()
    assert go.Figure(charts.stages([], EURO, by_count=False)).to_json()


def test_a_chart_with_a_negative_amount_is_valid() -> None:
    assert go.Figure(charts.stages([bar("x", 1, -50)], EURO, by_count=False)).to_json()


def test_the_year_stands_under_its_first_month() -> None:
    months = [month(date(2025 + number // 12, number % 12 + 1, 1), 1, 1) for number in range(6, 20)]
    assert charts.win_rate(months, None, EURO)["layout"]["xaxis"]["ticktext"] == [
        "Jul<br>2025",
        "Oct",
        "Jan<br>2026",
        "Apr",
        "Jul",
    ]


@pytest.mark.parametrize(
    ("amount", "text"),
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
def test_an_amount_is_rounded_and_has_a_unit(amount: str, text: str) -> None:
    assert EURO.amount(Decimal(amount)) == text


def test_an_amount_without_a_currency_has_no_sign() -> None:
    assert MoneyFormat().amount(Decimal(1500)) == "1.5 k"
    assert MoneyFormat("CHF").amount(Decimal(1500)) == "CHF 1.5 k"


@pytest.mark.parametrize("highest", [0.4, 1, 3, 7, 99, 12345.6, 10**9])
def test_an_axis_has_a_few_round_marks(highest: float) -> None:
    assert 0 <= len(tick_values(highest)) <= 4
    assert all(value <= highest for value in tick_values(highest))


@pytest.mark.parametrize(
    ("number_format", "amount", "count"),
    [("1,234.5", "€ 1.5 M", "1,234"), ("1.234,5", "€ 1,5 M", "1.234"), ("1 234,5", "€ 1,5 M", "1\u202f234")],
)
def test_charts_write_numbers_in_the_number_format_of_the_user(number_format: str, amount: str, count: str) -> None:
    euro = MoneyFormat("EUR", number_format)
    figure = go.Figure(charts.stages([bar("Lead", 1234, 1_500_000)], euro, by_count=False))
    assert figure.data[0].text == (f"{amount} · {count}",)
    assert f"{count} deals, {amount}" in figure.data[0].hovertext[0]

"""The headline tiles of the dashboard: up to eight figures, each with its formula."""

from decimal import Decimal

import streamlit as st

from core.pipeline.figure_types import Figures, Headline
from pages.components.dashboard.money_format import MoneyFormat, percent


def show(figures: Figures, money_format: MoneyFormat, *, has_close_date: bool, by_period: bool) -> None:
    """Draw the tiles; those that need an amount or a close date only if the user sees that column."""
    headline = figures.headline
    this_quarter = has_close_date and not by_period
    period = " in the selected period" if by_period else " this quarter" if has_close_date else ""
    with st.grid(4 if money_format.has_amounts else 5, min_column_width=140):
        note, formula = f"of {money_format.deals(figures.total)}", "Number of deals in an open stage."
        _tile("Open deals", money_format.count(headline.open_count), note, formula)
        if money_format.has_amounts:
            _open_amount(headline, money_format)
            _weighted_amount(headline, money_format)
        if has_close_date:
            _overdue(headline, money_format)
        if money_format.has_amounts:
            _won_amount(headline, money_format, period, this_quarter=this_quarter)
        else:
            _won_count(figures, money_format, period, this_quarter=this_quarter)
        _win_rate(headline, money_format)
        if money_format.has_amounts:
            _average_won(headline, money_format)
        days = "–" if headline.median_cycle_days is None else f"{headline.median_cycle_days.normalize():f} days"
        formula = "Median number of days from created to closed, over the won deals."
        _tile("Median cycle", days, "created to won", formula)


def _open_amount(headline: Headline, money_format: MoneyFormat) -> None:
    average = headline.average_open
    note = "no open deals" if average is None else f"{money_format.amount(average)} each"
    formula = "Sum of the open deals' amounts; each: that sum ÷ the number of open deals that have an amount."
    value = _amount(headline.open_amount, headline.open_count, headline.open_valued, money_format)
    _tile("Open", value, _with_missing(note, headline.open_count, headline.open_valued), formula)


def _weighted_amount(headline: Headline, money_format: MoneyFormat) -> None:
    share = headline.weighted / headline.open_amount if headline.open_amount else None
    formula = "Sum of amount × probability over the open deals; the deal's own probability, otherwise its stage's."
    value = _amount(headline.weighted, headline.open_count, headline.open_valued, money_format)
    _tile("Weighted", value, f"{percent(share)} of open", formula)


def _overdue(headline: Headline, money_format: MoneyFormat) -> None:
    share = Decimal(headline.overdue_count) / max(headline.open_count, 1)
    formula = "Open deals whose expected close is before today."
    _tile("Overdue", money_format.count(headline.overdue_count), f"{percent(share)} of open", formula)


def _won_amount(headline: Headline, money_format: MoneyFormat, period: str, *, this_quarter: bool) -> None:
    count, valued, amount = headline.won_count, headline.won_valued, headline.won_amount
    if this_quarter:
        count, valued, amount = headline.won_now_count, headline.won_now_valued, headline.won_now_amount
    value = _amount(amount, count, valued, money_format)
    note = _with_missing(money_format.deals(count), count, valued)
    _tile(_won_label(this_quarter=this_quarter), value, note, f"Sum of the amounts of the deals won{period}.")


def _won_count(figures: Figures, money_format: MoneyFormat, period: str, *, this_quarter: bool) -> None:
    headline = figures.headline
    count = headline.won_now_count if this_quarter else headline.won_count
    note = f"of {money_format.deals(figures.total)}"
    formula = f"Number of deals won{period}."
    _tile(_won_label(this_quarter=this_quarter), money_format.count(count), note, formula)


def _won_label(*, this_quarter: bool) -> str:
    return "Won this quarter" if this_quarter else "Won"


def _win_rate(headline: Headline, money_format: MoneyFormat) -> None:
    closed_count = headline.won_count + headline.lost_count
    note = f"{money_format.count(headline.won_count)} of {money_format.count(closed_count)} closed"
    _tile("Win rate", percent(headline.win_rate), note, "Won ÷ (won + lost), by number of deals.")


def _average_won(headline: Headline, money_format: MoneyFormat) -> None:
    average = "–" if headline.average_won is None else money_format.amount(headline.average_won)
    note = f"of {money_format.deals(headline.won_valued)}"
    formula = "Amount of the won deals ÷ the number of won deals that have an amount."
    _tile("Average won", average, _with_missing(note, headline.won_count, headline.won_valued), formula)


def _amount(amount: Decimal, count: int, valued: int, money_format: MoneyFormat) -> str:
    """Return the amount of `count` deals, `valued` of which have one; a dash if none has."""
    return money_format.amount(amount) if valued or not count else "–"


def _with_missing(note: str, count: int, valued: int) -> str:
    """Return the note of an amount with the number of deals that have no amount."""
    if valued == count:
        return note
    return f"{note}, {count - valued} without an amount" if valued else "none has an amount"


def _tile(label: str, value: str, note: str, formula: str) -> None:
    st.metric(label, value, note, delta_color="off", delta_arrow="off", border=True, help=formula)

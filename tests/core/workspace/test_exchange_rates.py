"""Exchange rates: stored by day, imported line by line, and used by the figures of a pipeline in another currency."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.pipeline.figure_types import Figures
from core.pipeline.figures import figures
from core.rows.query import View
from core.sheets.columns import change_column
from core.workspace.exchange_rates import Rate, exchange_rates, import_exchange_rates, set_exchange_rates
from core.workspace.settings import change_workspace_settings
from tests.conftest import actor

DEAL, STAGE, AMOUNT, CLOSE = 1, 3, 4, 7
TODAY = date(2026, 11, 30)
USD = [Rate("USD", date(2026, 11, 1), Decimal("0.9")), Rate("USD", date(2026, 1, 1), Decimal("0.8"))]


def test_a_rate_replaces_the_one_of_its_day_and_others_are_removed(session: Session, ada: Actor) -> None:
    set_exchange_rates(session, ada, USD)
    set_exchange_rates(session, ada, [Rate("usd", date(2026, 11, 1), Decimal("0.95"))], removed=[("USD", USD[1].day)])
    assert exchange_rates(session) == [Rate("USD", date(2026, 11, 1), Decimal("0.95"))]


def test_rates_are_those_to_the_currency_of_the_workspace(session: Session, ada: Actor) -> None:
    set_exchange_rates(session, ada, USD)
    change_workspace_settings(session, ada, currency="CHF")
    assert exchange_rates(session) == []
    change_workspace_settings(session, ada, currency="EUR")
    assert exchange_rates(session) == USD


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("USD;2026-01-02;0,9\nGBP;2026-01-02;1.15\n", 2),
        ("Currency,Day,Rate\nUSD,2026-01-02,0.9", 1),
        ("USD\t2026-01-02\t0.9\n\nUSD\t2026-01-03\t0.91", 2),
    ],
)
def test_pasted_lines_are_imported(session: Session, ada: Actor, text: str, count: int) -> None:
    assert import_exchange_rates(session, ada, text) == count
    assert len(exchange_rates(session)) == count


def test_each_refused_line_is_named_and_nothing_is_stored(session: Session, ada: Actor) -> None:
    text = "USD;2026-01-02;0.9\nXYZ;2026-01-02;1\nUSD;yesterday;1\nUSD;2026-01-02\nEUR;2026-01-02;1\nUSD;2026-01-05;-1"
    with pytest.raises(Invalid, match="Line 2 and 4 more lines can't be read, so nothing was stored") as refusal:
        import_exchange_rates(session, ada, text)
    assert [line["line"] for line in refusal.value.facts["lines"]] == [2, 3, 4, 5, 6]
    assert exchange_rates(session) == []


def test_a_rate_that_could_have_thousands_is_refused(session: Session, ada: Actor) -> None:
    with pytest.raises(Invalid, match=r"“15,800” can be read as 15800 or as 15\.800\. Write it as 15800 or 15\.8000\."):
        import_exchange_rates(session, ada, "USD;2026-11-30;15,800")
    assert import_exchange_rates(session, ada, "USD;2026-11-30;0,925\nUSD;2026-11-29;15,8000") == 2


def test_only_administrators_change_rates(session: Session, ann: Actor) -> None:
    with pytest.raises(NotAllowed):
        set_exchange_rates(session, ann, USD)


# --- figures


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor) -> int:
    """Deals in dollars: one won in March, one won in 2025, and an open one."""
    sheet_id = deals.sheet.sheet_id
    change_column(session, ann, sheet_id, AMOUNT, rules={"currency": "USD"})
    rows = (("Lead", "100", "2027-01-31"), ("Won", "1000", "2026-03-15"), ("Won", "5000", "2025-06-01"))
    adds = tuple(
        NewRow(
            stage + amount,
            {DEAL: CellInput("D"), STAGE: CellInput(stage), AMOUNT: CellInput(amount), CLOSE: CellInput(close)},
        )
        for stage, amount, close in rows
    )
    write(session, ann, sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    return sheet_id


def read(session: Session, sheet: int) -> Figures:
    return figures(session, get_access(session, actor("Ann"), sheet), View(), today=TODAY)


def test_without_rates_amounts_stay_in_their_currency(session: Session, sheet: int) -> None:
    found = read(session, sheet)
    assert found.conversion is None
    assert (found.headline.open_amount, found.headline.won_amount) == (100, 6000)


def test_closed_deals_convert_by_the_day_they_closed_and_open_ones_by_today(
    session: Session, ada: Actor, sheet: int
) -> None:
    read(session, sheet)  # What is cached without rates is not used with them.
    set_exchange_rates(session, ada, USD)
    found = read(session, sheet)
    assert found.conversion is not None
    assert found.conversion.target == "EUR"
    assert found.headline.open_amount == Decimal(90)
    assert found.headline.won_amount == Decimal(800), "The deal of 2025 closed before the first rate."
    assert (found.headline.won_count, found.headline.won_valued) == (2, 1)
    set_exchange_rates(session, ada, [Rate("USD", date(2025, 1, 1), Decimal("0.5"))])
    assert read(session, sheet).headline.won_amount == Decimal(3300)


def test_a_sheet_in_the_currency_of_the_workspace_has_the_same_figures_with_rates(
    session: Session, ada: Actor, ann: Actor, sheet: int
) -> None:
    change_column(session, ann, sheet, AMOUNT, rules={"currency": "EUR"})
    before = read(session, sheet)
    set_exchange_rates(session, ada, USD)
    assert read(session, sheet) == before


def test_quarters_of_figures_are_those_of_the_fiscal_year(session: Session, ada: Actor, sheet: int) -> None:
    assert [period.label for period in read(session, sheet).quarters][-1] == "2026 Q1"
    change_workspace_settings(session, ada, fiscal_year_start=2)
    assert [period.label for period in read(session, sheet).quarters][-1] == "FY2027 Q1"

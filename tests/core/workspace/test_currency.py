"""The workspace's currency, and that a column of money has one from the start."""

import io
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed
from core.column_types.base import NO_REFERENCES
from core.imports.inspection import inspect
from core.imports.plan import new_column, propose
from core.imports.preview import check
from core.sheets.columns import NewColumn, add_column, change_column
from core.sheets.sheets import create_sheet
from core.workspace.settings import change_workspace_settings, workspace_settings


@pytest.fixture
def sheet(deals: Access) -> int:
    return deals.sheet.sheet_id


def test_a_column_of_money_is_in_the_workspaces_currency_unless_it_names_another(
    session: Session, ada: Actor, ann: Actor, sheet: int
) -> None:
    assert add_column(session, ann, sheet, NewColumn("Cost", "money")).rules["currency"] == "EUR"
    change_workspace_settings(session, ada, currency="usd ")
    assert workspace_settings(session).currency == "USD"
    assert add_column(session, ann, sheet, NewColumn("Fee", "money")).rules["currency"] == "USD"
    assert add_column(session, ann, sheet, NewColumn("Tax", "money", {"currency": "JPY"})).rules["currency"] == "JPY"
    assert "currency" not in add_column(session, ann, sheet, NewColumn("Seats", "number")).rules
    pipeline = create_sheet(session, ann, "Later", template="pipeline")
    assert {one.rules["currency"] for one in pipeline.columns if one.type == "money"} == {"USD"}


def test_only_an_administrator_chooses_the_workspaces_currency_and_only_one_that_there_is(
    session: Session, ada: Actor, ann: Actor
) -> None:
    with pytest.raises(NotAllowed):
        change_workspace_settings(session, ann, currency="USD")
    with pytest.raises(Invalid, match="not a currency code"):
        change_workspace_settings(session, ada, currency="Taler")
    assert workspace_settings(session).currency == "EUR"


def test_a_column_of_money_may_change_its_currency_and_not_lose_it(session: Session, ann: Actor, sheet: int) -> None:
    with pytest.raises(Invalid, match="needs a currency, such as EUR"):
        change_column(session, ann, sheet, 4, rules={"decimals": 2})
    assert change_column(session, ann, sheet, 4, rules={"currency": "USD"}).rules == {"currency": "USD"}


@pytest.mark.parametrize(
    ("amounts", "currency", "misfits"),
    [
        (("5", "7"), "CHF", 0),
        (("$5", "$7"), "USD", 0),
        (("5 kr", "7 kr"), "CHF", 2),  # Which crown is meant, the file does not say: the person does.
        (("$5", "€7"), None, 0),  # Two currencies are no column of money.
    ],
)
def test_an_import_proposes_a_currency_and_never_drops_one(
    session: Session, ada: Actor, ann: Actor, amounts: tuple[str, ...], currency: str | None, misfits: int
) -> None:
    change_workspace_settings(session, ada, currency="CHF")
    file = file_of(*amounts)
    found = inspect(file)
    for plan in (propose(found, currency="CHF"), propose(found, create_sheet(session, ann, "Empty"))):
        one = plan.columns[1]
        assert one.new
        assert one.new.rules.get("currency") == currency
        assert sum(line.count for line in check(file, plan, None).misfits) == misfits


def test_amounts_of_an_import_go_into_no_column_that_would_drop_their_currency(
    session: Session, ann: Actor, sheet: int
) -> None:
    file = file_of("$5", "$7")
    found = inspect(file)
    plan = propose(found, get_access(session, ann, sheet))
    numbers = new_column(plan.columns[1], found.samples[1], "number", NO_REFERENCES)
    for wanted in (plan.columns[1], numbers):
        decided = replace(plan, columns=(plan.columns[0], wanted))
        (misfits,) = check(file, decided, get_access(session, ann, sheet)).misfits
        assert misfits.count == 2


def file_of(*amounts: str) -> io.BytesIO:
    return io.BytesIO("\n".join(["Deal;Amount", *(f"Deal;{amount}" for amount in amounts)]).encode())

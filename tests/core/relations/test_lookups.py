"""Lookups and rollups have the values of the column that they show, and no row that their reader may not see."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import Level
from core.edits.change_type import change_type
from core.edits.conversion import NewType
from core.rows.query import View
from core.rows.row_order import row_order
from core.rows.total_functions import Total
from core.rows.totals import view_totals
from core.sharing.shares import share_sheet
from core.sharing.transfer import transfer_sheet
from core.sheets.columns import NewColumn, add_column, change_column, limit_column
from core.sheets.serialize import column_json
from tests.conftest import actor
from tests.support.core.clock import pass_days
from tests.support.core.two_sheets import AMOUNT, CITY, DEAL, NAME, TwoSheets, two_sheets

STAGE, OWNER_OF_DEAL, CLOSE = 3, 5, 7


@pytest.fixture
def sheets(session: Session, ann: Actor) -> TwoSheets:
    sheets = two_sheets(session, ann)
    sheets.add(ann, sheets.accounts, {NAME: "Acme", CITY: "Wien"}, {NAME: "Bolt", CITY: "Bern"}, {NAME: "Cord"})
    sheets.add(
        ann,
        sheets.deals,
        {DEAL: "One", AMOUNT: "10.50", STAGE: "o1", CLOSE: "2026-03-01", sheets.account: ["1"]},
        {DEAL: "Two", AMOUNT: "4", STAGE: "o5", CLOSE: "2026-01-01", sheets.account: ["1"]},
        {DEAL: "Three", AMOUNT: "7.5", STAGE: "o2", sheets.account: ["2", "3"]},
        {DEAL: "Four"},
    )
    return sheets


def looked_up(sheets: TwoSheets, who: Actor, sheet: int, **rules: Any) -> int:
    return add_column(sheets.session, who, sheet, NewColumn(f"L{rules}"[:100], "lookup", rules)).column_id


def values(sheets: TwoSheets, who: Any, sheet: int, column: int) -> list[Any]:
    return [row.get(str(column)) for row in sheets.rows(who, sheet).values()]


@pytest.mark.parametrize(
    ("summary", "column", "expected"),
    [
        ("sum", AMOUNT, ["14.5", "7.5", "7.5"]),
        ("count", DEAL, ["2", "1", "1"]),
        ("min", AMOUNT, ["4", "7.5", "7.5"]),
        ("max", AMOUNT, ["10.5", "7.5", "7.5"]),
        ("average", AMOUNT, ["7.25", "7.5", "7.5"]),
        ("min", CLOSE, ["2026-01-01", None, None]),
        ("max", CLOSE, ["2026-03-01", None, None]),
        ("first", DEAL, ["One", "Three", "Three"]),
        ("last", STAGE, ["Won", "Qualified", "Qualified"]),
        ("list", DEAL, ["One, Two", "Three", "Three"]),
        ("list", STAGE, ["Lead, Won", "Qualified", "Qualified"]),
    ],
)
def test_several_rows_are_summed_up(
    sheets: TwoSheets, ann: Actor, summary: str, column: int, expected: list[Any]
) -> None:
    lookup = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=column, summary=summary)
    assert values(sheets, ann, sheets.accounts, lookup) == expected
    in_order = sorted(expected, key=lambda value: (value is None, value or ""))
    by_value = sheets.rows(ann, sheets.accounts, {"sort": [{"column": lookup}]}).values()
    assert summary in {"min", "max", "average", "sum"} or [row.get(str(lookup)) for row in by_value] == in_order


def test_a_lookup_shows_a_cell_of_the_first_related_row_and_has_its_type(sheets: TwoSheets, ann: Actor) -> None:
    city = looked_up(sheets, ann, sheets.deals, relation=sheets.account, column=CITY)
    assert values(sheets, ann, sheets.deals, city) == ["Wien", "Wien", "Bern", None]
    total = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=AMOUNT, summary="sum")
    column = get_access(sheets.session, ann, sheets.accounts).column(total)
    assert (column.type, column.rules["currency"]) == ("lookup_money", "EUR")


def test_a_rollup_follows_the_currency_of_its_column(sheets: TwoSheets, ann: Actor) -> None:
    total = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=AMOUNT, summary="sum")
    before = get_access(sheets.session, ann, sheets.accounts).sheet.columns_version
    change_column(sheets.session, ann, sheets.deals, AMOUNT, rules={"currency": "USD"})
    access = get_access(sheets.session, ann, sheets.accounts)
    assert access.column(total).rules["currency"] == "USD"
    assert access.sheet.columns_version > before, "Open grids read their columns again."


def test_a_column_keeps_the_type_that_a_lookup_shows(sheets: TwoSheets, ann: Actor) -> None:
    session, deals = sheets.session, sheets.deals
    size = add_column(session, ann, deals, NewColumn("Size", "number")).column_id
    lookup = NewColumn("Sum", "lookup", {"relation": sheets.mirror, "column": size, "summary": "sum"})
    add_column(session, ann, sheets.accounts, lookup)
    with pytest.raises(Invalid, match=r"“Sum” in “Accounts” shows “Size” as number\. Retire that lookup first\."):
        change_type(session, ann, deals, size, NewType("money"), operation_id=uuid4())


def test_a_list_of_people_has_their_names(sheets: TwoSheets, ann: Actor) -> None:
    owner = 5
    sheets.edit(ann, sheets.deals, 1, owner, str(ann.user_id))
    names = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=owner, summary="list")
    first = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=owner)
    assert values(sheets, ann, sheets.accounts, names)[0] == "Ann"
    assert values(sheets, ann, sheets.accounts, first)[0] == str(ann.user_id)


def test_of_no_related_rows_the_sum_and_the_count_are_zero(sheets: TwoSheets, ann: Actor) -> None:
    sheets.edit(ann, sheets.deals, 3, sheets.account, ["2"])
    for summary in ("sum", "count"):
        total = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=AMOUNT, summary=summary)
        assert values(sheets, ann, sheets.accounts, total)[2] == "0"
        assert [*sheets.rows(ann, sheets.accounts, {"filter": [{"column": total, "op": "eq", "value": "0"}]})] == [3]


def test_a_rollup_has_a_filter_of_its_own(sheets: TwoSheets, ann: Actor) -> None:
    won = {"any": [{"column": STAGE, "op": "is_any_of", "value": ["o5"]}, {"column": AMOUNT, "op": "gt", "value": "9"}]}
    total = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=AMOUNT, summary="sum", filter=won)
    assert values(sheets, ann, sheets.accounts, total) == ["14.5", "0", "0"]


def test_lookups_filter_sort_and_search_like_their_values(sheets: TwoSheets, ann: Actor) -> None:
    total = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=AMOUNT, summary="sum")
    city = looked_up(sheets, ann, sheets.deals, relation=sheets.account, column=CITY)
    big = {"filter": [{"column": total, "op": "gt", "value": "8"}], "sort": [{"column": total, "descending": True}]}
    assert [*sheets.rows(ann, sheets.accounts, big)] == [1]
    assert [*sheets.rows(ann, sheets.accounts, {"sort": [{"column": total}]})] == [2, 3, 1]
    bern = {"filter": [{"column": city, "op": "is", "value": "BERN"}]}
    assert [*sheets.rows(ann, sheets.deals, bern)] == [3]
    assert [*sheets.rows(ann, sheets.deals, {"search": "bern"})] == [3]
    by_account = {"sort": [{"column": sheets.account, "descending": True}]}
    assert [*sheets.rows(ann, sheets.deals, by_account)] == [3, 1, 2, 4]
    assert [*sheets.rows(ann, sheets.deals, {"filter": [{"column": sheets.account, "op": "is_empty"}]})] == [4]
    assert [*sheets.rows(ann, sheets.accounts, {"search": "three"})] == [2, 3]


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"relation": DEAL, "column": CITY},
        {"relation": "account", "column": 99},
        {"relation": "account", "column": NAME, "summary": "sum"},
        {"relation": "account", "column": NAME, "summary": "worst"},
        {"relation": "account", "column": "mirror"},
        {"relation": "account", "column": NAME, "filter": "x"},
    ],
)
def test_a_lookup_that_cannot_be_is_refused(sheets: TwoSheets, ann: Actor, rules: dict[str, Any]) -> None:
    ids = {"account": sheets.account, "mirror": sheets.mirror}
    with pytest.raises(Invalid):
        looked_up(sheets, ann, sheets.deals, **{key: ids.get(value, value) for key, value in rules.items()})


def test_two_sheets_cannot_be_computed_from_each_other(sheets: TwoSheets, ann: Actor) -> None:
    total = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=AMOUNT, summary="sum")
    with pytest.raises(Invalid, match="is itself computed from another sheet"):
        looked_up(sheets, ann, sheets.deals, relation=sheets.account, column=total)


def test_a_filter_of_a_lookup_is_shown_and_kept_by_what_its_reader_sees(sheets: TwoSheets, ann: Actor) -> None:
    """The values of the filter say what stands in a column that somebody may not see."""
    ben = actor("Ben")
    rules = {"relation": sheets.mirror, "column": AMOUNT, "summary": "sum"}
    secret = [{"column": STAGE, "op": "is_any_of", "value": ["o5"]}]
    lookup = looked_up(sheets, ann, sheets.accounts, **rules, filter={"any": secret})
    transfer_sheet(sheets.session, ann, sheets.accounts, ben.user_id)

    def filter_shown_to(who: Actor) -> Any:
        access = get_access(sheets.session, who, sheets.accounts)
        return column_json(access, access.by_id[lookup])["rules"]["filter"]

    assert (filter_shown_to(ann), filter_shown_to(ben)) == ({"any": secret}, None)
    shown = get_access(sheets.session, ben, sheets.accounts).by_id[lookup].rules
    change_column(sheets.session, ben, sheets.accounts, lookup, name="Won", rules={**shown, "filter": None})
    assert filter_shown_to(ann) == {"any": secret}
    share_sheet(sheets.session, ann, sheets.deals, ben.user_id, level=Level.EDITOR)
    assert filter_shown_to(ben) == {"any": secret}
    limit_column(sheets.session, ann, sheets.deals, STAGE, {"editor": "hidden"})
    assert filter_shown_to(ben) is None


def test_a_rollup_of_my_rows_is_nobody_elses_in_what_is_cached(sheets: TwoSheets, ann: Actor, ben: Actor) -> None:
    mine = [{"column": OWNER_OF_DEAL, "op": "is_any_of", "value": ["me"]}]
    count = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=DEAL, summary="count", filter=mine)
    for deal, owner in ((1, ann), (2, ann), (3, ben)):
        sheets.edit(ann, sheets.deals, deal, OWNER_OF_DEAL, str(owner.user_id))
    for sheet in (sheets.accounts, sheets.deals):
        share_sheet(sheets.session, ann, sheet, ben.user_id, level=Level.EDITOR)
    view = View.from_json({"sort": [{"column": count, "descending": True}]})
    accesses = [get_access(sheets.session, who, sheets.accounts) for who in (ann, ben)]
    assert [row_order(sheets.session, each, view).ids.tolist() for each in accesses] == [[1, 2, 3], [2, 3, 1]]
    most = [view_totals(sheets.session, each, View(), [Total(count, "max")]) for each in accesses]
    assert [totals.totals[f"{count}:max"] for totals in most] == ["2", "1"]


def test_a_rollup_of_today_is_another_on_the_next_day_in_what_is_cached(
    sheets: TwoSheets, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = [{"column": CLOSE, "op": "on", "value": "tomorrow"}]
    count = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=DEAL, summary="count", filter=due)
    today = get_access(sheets.session, ann, sheets.accounts).calendar.today()
    for deal, days in ((1, 1), (3, 2)):
        sheets.edit(ann, sheets.deals, deal, CLOSE, (today + timedelta(days)).isoformat())
    view = View.from_json({"filter": [{"column": count, "op": "eq", "value": "1"}]})

    def shown() -> tuple[list[int], int]:
        access = get_access(sheets.session, ann, sheets.accounts)
        return row_order(sheets.session, access, view).ids.tolist(), view_totals(sheets.session, access, view, []).rows

    assert shown() == ([1], 1)
    pass_days(monkeypatch)
    assert shown() == ([2, 3], 2)


def test_totals_follow_the_rows_of_a_related_sheet(sheets: TwoSheets, ann: Actor) -> None:
    total = looked_up(sheets, ann, sheets.accounts, relation=sheets.mirror, column=AMOUNT, summary="sum")

    def most() -> Any:
        access = get_access(sheets.session, ann, sheets.accounts)
        return view_totals(sheets.session, access, View(), [Total(total, "max")]).totals[f"{total}:max"]

    assert most() == "14.5"
    sheets.edit(ann, sheets.deals, 1, AMOUNT, "100")
    assert most() == "104"

"""Totals: sums, averages and counts of a view and of its groups, exact, in the order of the rows, through the gate."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.rows.matches import matching_rows
from core.rows.query import Sort, View
from core.rows.read import rows_in_order
from core.rows.row_order import row_order
from core.rows.total_functions import Total
from core.rows.totals import Totals, grouped_view, view_totals
from core.sheets.columns import NewColumn, add_columns, limit_column
from tests.support.examples import examples

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
NUMBERS = ("sum", "average", "min", "max")
COUNTS = ("filled", "empty", "unique")


def of(*functions: str, column: int = AMOUNT) -> list[Total]:
    return [Total.from_json({"column": column, "function": function}) for function in functions]


def add(session: Session, who: Actor, access: Access, rows: list[dict[int, str]]) -> Access:
    adds = tuple(NewRow(str(n), {key: CellInput(text) for key, text in row.items()}) for n, row in enumerate(rows))
    write(session, who, access.sheet.sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    return get_access(session, who, access.sheet.sheet_id)


@pytest.fixture
def filled(session: Session, deals: Access, ann: Actor) -> Access:
    rows = [
        {DEAL: "Acme", ACCOUNT: "Zürich AG", STAGE: "Lead", AMOUNT: "0.10", OWNER: "Ann", CLOSE: "2026-03-01"},
        {DEAL: "bolt", ACCOUNT: "zürich ag", STAGE: "Won", AMOUNT: "0.20", OWNER: "Ben", CLOSE: "2026-01-15"},
        {DEAL: "Crate", ACCOUNT: "Émile", STAGE: "Lead", AMOUNT: "123456789012.01", OWNER: "Ben", CLOSE: "2026-12-31"},
        {DEAL: "Dyno", STAGE: "Lost", OWNER: "Ann"},
        {DEAL: "Ember"},
    ]
    return add(session, ann, deals, rows)


@pytest.fixture
def totals_of(session: Session, filled: Access) -> Callable[..., Totals]:
    def read(wanted: list[Total], *groups: Sort, view: dict[str, Any] | None = None) -> Totals:
        return view_totals(session, filled, View.from_json(view), wanted, groups)

    return read


def test_sums_and_averages_are_exact_decimals(totals_of: Callable[..., Totals]) -> None:
    totals = totals_of(of(*NUMBERS)).totals
    assert totals[f"{AMOUNT}:sum"] == "123456789012.31"
    assert totals[f"{AMOUNT}:average"] == "41152263004.1033"
    assert (totals[f"{AMOUNT}:min"], totals[f"{AMOUNT}:max"]) == ("0.1", "123456789012.01")


def test_cells_are_counted_as_filled_empty_and_different(totals_of: Callable[..., Totals]) -> None:
    totals = totals_of([*of(*COUNTS), *of("unique", column=ACCOUNT), *of("min", "max", column=CLOSE)]).totals
    assert [totals[f"{AMOUNT}:{name}"] for name in COUNTS] == [3, 2, 3]
    assert totals[f"{ACCOUNT}:unique"] == 2
    assert (totals[f"{CLOSE}:min"], totals[f"{CLOSE}:max"]) == ("2026-01-15", "2026-12-31")


def test_a_filter_narrows_the_totals_and_tells_how_many_rows_there_are(totals_of: Callable[..., Totals]) -> None:
    narrowed = totals_of(of("sum"), view={"filter": [{"column": AMOUNT, "op": "lt", "value": "1"}]})
    assert (narrowed.rows, narrowed.all_rows, narrowed.totals[f"{AMOUNT}:sum"]) == (2, 5, "0.3")
    searched = totals_of(of("sum"), view={"search": "crate"})
    assert (searched.rows, searched.totals[f"{AMOUNT}:sum"]) == (1, "123456789012.01")


def test_groups_stand_in_the_order_of_the_rows_with_their_own_totals(
    session: Session, filled: Access, totals_of: Callable[..., Totals]
) -> None:
    stages = {option.id: option.label for option in filled.column(STAGE).options}
    groups = totals_of(of("sum"), Sort(STAGE)).groups
    shown = [(stages.get(group.values[0]), group.rows, group.totals[f"{AMOUNT}:sum"]) for group in groups]
    assert shown == [("Lead", 2, "123456789012.11"), ("Won", 1, "0.2"), ("Lost", 1, None), (None, 1, None)]


def test_texts_that_differ_only_in_case_are_one_group(totals_of: Callable[..., Totals]) -> None:
    groups = totals_of([], Sort(ACCOUNT, descending=True)).groups
    assert [(group.values[0], group.rows) for group in groups] == [("Zürich AG", 2), ("Émile", 1), (None, 2)]


def test_rows_cannot_be_grouped_or_totalled_by_what_has_no_meaning(totals_of: Callable[..., Totals]) -> None:
    with pytest.raises(Invalid, match="“Deal” has no sum: its type is Text"):
        totals_of(of("sum", column=DEAL))
    with pytest.raises(Invalid, match="Totals look like this"):
        of("median")
    with pytest.raises(NotFound):
        totals_of([], Sort(99))


def test_a_hidden_column_is_neither_totalled_nor_grouped(
    session: Session, filled: Access, ann: Actor, cleo: Actor
) -> None:
    limit_column(session, ann, filled.sheet.sheet_id, AMOUNT, {"viewer": "hidden"})
    access = get_access(session, cleo, filled.sheet.sheet_id)
    with pytest.raises(NotFound):
        view_totals(session, access, View(), of("sum"))
    with pytest.raises(NotFound):
        view_totals(session, access, View(), [], [Sort(AMOUNT)])


VALUES: dict[int, st.SearchStrategy[str]] = {
    DEAL: st.sampled_from(["a", "A", "b", "ß"]),
    STAGE: st.sampled_from(["Lead", "Won", "Lost", ""]),
    AMOUNT: st.sampled_from(["", "0.1", "0.2", "99999999.99"]),
    OWNER: st.sampled_from(["Ann", "Ben", ""]),
    CLOSE: st.sampled_from(["2026-01-01", "2026-02-01", ""]),
}


@settings(
    max_examples=examples(few=8, many=200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=12),
    columns=st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=2, unique=True),
    descending=st.booleans(),
)
def test_groups_divide_the_order_and_add_up(
    session: Session, deals: Access, ann: Actor, rows: list[dict[int, str]], columns: list[int], descending: bool
) -> None:
    """The groups with the most values cut the order into pieces in which each row has the group's cells."""
    name = uuid4().hex
    cells = [{ACCOUNT: name} | {key: text for key, text in row.items() if text} for row in rows]
    access = add(session, ann, deals, cells)
    view = View.from_json({"filter": [{"column": ACCOUNT, "op": "is", "value": name}]})
    groups = [Sort(column, descending=descending) for column in columns]
    totals = view_totals(session, access, view, of("sum", "filled"), groups)
    order = row_order(session, access, grouped_view(view, groups))
    values = [row["values"] for row in rows_in_order(session, access, order, offset=0, limit=100).rows]
    innermost = [group for group in totals.groups if len(group.values) == len(columns)]
    assert sum(group.rows for group in innermost) == totals.rows == len(rows)
    for group in innermost:
        piece, values = values[: group.rows], values[group.rows :]
        amounts = [Decimal(row[str(AMOUNT)]) for row in piece if str(AMOUNT) in row]
        assert group.totals[f"{AMOUNT}:filled"] == len(amounts)
        assert Decimal(group.totals[f"{AMOUNT}:sum"] or 0) == sum(amounts, Decimal(0))
        for column, value in zip(columns, group.values, strict=True):
            assert {str(row.get(str(column), "")).casefold() for row in piece} == {str(value or "").casefold()}


def test_some_rows_are_compared_with_several_filters_at_once(session: Session, filled: Access) -> None:
    is_small = View.from_json({"filter": [{"column": AMOUNT, "op": "lt", "value": "1"}]})
    has_crate = View.from_json({"search": "crate"})
    assert matching_rows(session, filled, [1, 3, 4, 99], [is_small, has_crate, View()]) == [[1], [3], [1, 3, 4]]
    assert matching_rows(session, filled, [], [is_small]) == [[]]
    with pytest.raises(Invalid, match="At most 1000 rows"):
        matching_rows(session, filled, range(1001), [is_small])


def test_computed_columns_are_totalled_grouped_and_compared_like_others(
    session: Session, filled: Access, ann: Actor
) -> None:
    sheet = filled.sheet.sheet_id
    half = NewColumn("Half", "formula", {"formula": "{Amount} / 2"})
    big = NewColumn("Is big", "formula", {"formula": "{Amount} > 1"})
    columns = [column.column_id for column in add_columns(session, ann, sheet, [half, big])]
    access = get_access(session, ann, sheet)
    totals = view_totals(session, access, View(), of("sum", "filled", column=columns[0]), [Sort(columns[1])])
    assert Decimal(totals.totals[f"{columns[0]}:sum"]) == Decimal("61728394506.155")
    assert totals.totals[f"{columns[0]}:filled"] == 3
    assert sum(group.rows for group in totals.groups) == 5
    view = View.from_json({"filter": [{"column": columns[0], "op": "lt", "value": "1"}]})
    assert matching_rows(session, access, [1, 2, 3], [view]) == [[1, 2]]

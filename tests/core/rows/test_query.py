"""Views: filter, sort and search give exactly the rows that they say, in a total order, through the gate."""

import random
from collections.abc import Callable
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
from core.history.changes_since import changes_since
from core.rows.query import View
from core.rows.read import first_rows, row_count, rows_after, rows_in_order
from core.rows.row_order import OrderExpired, cached_order, row_order
from core.sheets.columns import retire_column
from tests.support.examples import examples

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)


def add(session: Session, who: Actor, access: Access, rows: list[dict[int, str]]) -> None:
    adds = tuple(
        NewRow(str(number), {column: CellInput(text) for column, text in row.items()})
        for number, row in enumerate(rows)
    )
    write(session, who, access.sheet.sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)


@pytest.fixture
def filled(session: Session, deals: Access, ann: Actor) -> Access:
    """Six deals of which the last has hardly a value."""
    add(
        session,
        ann,
        deals,
        [
            {DEAL: "Acme 100%", ACCOUNT: "Zürich AG", STAGE: "Lead", AMOUNT: "100", OWNER: "Ann", CLOSE: "2026-03-01"},
            {DEAL: "bolt", ACCOUNT: "acme", STAGE: "Won", AMOUNT: "20.5", OWNER: "Ben", CLOSE: "2026-01-15"},
            {DEAL: "Crate", ACCOUNT: "Émile", STAGE: "Lead", AMOUNT: "3", OWNER: "Ben", CLOSE: "2026-12-31"},
            {DEAL: "Dyno", ACCOUNT: "emil", STAGE: "Lost", AMOUNT: "100", OWNER: "Cleo"},
            {DEAL: "Ember", ACCOUNT: "Fox", STAGE: "Proposal", AMOUNT: "7000"},
            {DEAL: "Flux"},
        ],
    )
    return get_access(session, ann, deals.sheet.sheet_id)


@pytest.fixture
def ids(session: Session, filled: Access) -> Callable[..., list[int]]:
    """The row ids of a view; every way to read it agrees."""

    def read(
        conditions: list[dict[str, Any]] | None = None, sort: list[dict[str, Any]] | None = None, search: str = ""
    ) -> list[int]:
        view = View.from_json({"filter": conditions, "sort": sort, "search": search})
        found = [row["id"] for row in first_rows(session, filled, view, limit=100).rows]
        assert row_order(session, filled, view).ids.tolist() == found
        assert row_count(session, filled, view) == len(found)
        return found

    return read


def where(column: int, op: str, value: Any = None) -> list[dict[str, Any]]:
    return [{"column": column, "op": op, "value": value}]


def test_a_plain_view_shows_all_rows_oldest_first(ids: Callable[..., list[int]]) -> None:
    assert ids() == [1, 2, 3, 4, 5, 6]


def test_numbers_sort_as_numbers_and_empty_cells_come_last_either_way(ids: Callable[..., list[int]]) -> None:
    assert ids(sort=[{"column": AMOUNT}]) == [3, 2, 1, 4, 5, 6]
    assert ids(sort=[{"column": AMOUNT, "descending": True}]) == [5, 1, 4, 2, 3, 6]


def test_stages_sort_in_their_own_order(ids: Callable[..., list[int]]) -> None:
    assert ids(sort=[{"column": STAGE}]) == [1, 3, 5, 2, 4, 6]


def test_text_sorts_without_regard_to_case_and_accents_stand_beside_their_letter(ids: Callable[..., list[int]]) -> None:
    assert ids(sort=[{"column": ACCOUNT}]) == [2, 4, 3, 5, 1, 6]


def test_people_sort_by_name(ids: Callable[..., list[int]]) -> None:
    assert ids(sort=[{"column": OWNER}, {"column": DEAL, "descending": True}]) == [1, 3, 2, 4, 6, 5]


def test_conditions_all_hold(ids: Callable[..., list[int]]) -> None:
    assert ids(where(AMOUNT, "gte", "20.5") + where(AMOUNT, "lt", "7000")) == [1, 2, 4]
    assert ids(where(STAGE, "is_any_of", ["o1"]) + where(AMOUNT, "gt", 3)) == [1]
    assert ids(where(CLOSE, "between", ["2026-01-01", "2026-03-31"])) == [1, 2]
    assert ids(where(OWNER, "is_none_of", ["3"])) == [1, 4, 5, 6]
    assert ids(where(CLOSE, "is_empty")) == [4, 5, 6]


def test_signs_of_patterns_are_searched_literally(ids: Callable[..., list[int]]) -> None:
    assert ids(where(DEAL, "contains", "0%")) == [1]
    assert ids(where(DEAL, "contains", "_")) == []


def test_search_looks_into_every_visible_column_as_it_is_shown(ids: Callable[..., list[int]]) -> None:
    assert ids(search="ACME") == [1, 2]
    assert ids(search="lead") == [1, 3]
    assert ids(search="cleo") == [4]
    assert ids(search="'; DROP TABLE rows; --") == []


def test_a_view_of_a_column_that_is_gone_says_so(session: Session, ann: Actor, filled: Access) -> None:
    retire_column(session, ann, filled.sheet.sheet_id, 9)
    access = get_access(session, ann, filled.sheet.sheet_id)
    with pytest.raises(NotFound, match="does not exist in the sheet"):
        first_rows(session, access, View.from_json({"filter": where(9, "is_empty")}), limit=10)


@pytest.mark.parametrize(
    "view",
    [
        {"filter": [{"op": "is"}]},
        {"filter": "x"},
        {"sort": [{"column": "x"}]},
        {"filter": [{"column": AMOUNT, "op": "gt", "value": "many"}]},
        {"filter": [{"column": AMOUNT, "op": "contains", "value": "1"}]},
        {"filter": [{"column": CLOSE, "op": "on", "value": "30 February 2026"}]},
        {"filter": [{"column": CLOSE, "op": "between", "value": ["2026-01-01"]}]},
    ],
)
def test_a_bad_view_is_refused_with_a_sentence(session: Session, filled: Access, view: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as raised:
        first_rows(session, filled, View.from_json(view), limit=10)
    assert raised.value.message.endswith((".", "}"))


def test_an_order_stays_as_it_was_while_others_edit(session: Session, ann: Actor, filled: Access) -> None:
    view = View.from_json({"sort": [{"column": AMOUNT}]})
    order = row_order(session, filled, view)
    batch = Batch(deletes=(2,), adds=(NewRow("x", {DEAL: CellInput("Gate"), AMOUNT: CellInput("1")}),))
    write(session, ann, filled.sheet.sheet_id, batch, operation_id=uuid4(), source=ChangeSource.API)
    access = get_access(session, ann, filled.sheet.sheet_id)
    page = rows_in_order(session, access, cached_order(access, order.token), offset=0, limit=3)
    assert page.rows[0]["id"] == 3
    assert page.rows[1] == {"id": 2, "deleted": True}
    assert row_order(session, access, view).ids.tolist() == [7, 3, 1, 4, 5, 6]


def test_somebody_else_cannot_use_an_order_of_another_sheet(session: Session, dan: Actor, filled: Access) -> None:
    from core.sheets.sheets import create_sheet

    order = row_order(session, filled, View())
    with pytest.raises(OrderExpired):
        cached_order(create_sheet(session, dan, "Mine"), order.token)


@settings(max_examples=examples(10, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.lists(st.tuples(st.sampled_from([DEAL, STAGE, AMOUNT, CLOSE, OWNER]), st.booleans()), max_size=3),
    limit=st.integers(1, 7),
)
def test_cursors_give_every_row_once_in_order(
    session: Session, filled: Access, ann: Actor, columns: list[tuple[int, bool]], limit: int
) -> None:
    chance = random.Random(7)
    if row_count(session, filled, View()) < 30:
        amounts = ["", "1", "2", "2.5"]
        stages = ["", "Lead", "Won"]
        more = [
            {DEAL: f"d{chance.randint(1, 5)}", AMOUNT: chance.choice(amounts), STAGE: chance.choice(stages)}
            for _ in range(30)
        ]
        add(session, ann, filled, more)
    view = View.from_json({"sort": [{"column": column, "descending": down} for column, down in columns]})
    seen: list[int] = []
    cursor = None
    while True:
        page = rows_after(session, filled, view, cursor=cursor, limit=limit)
        seen += [row["id"] for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [row["id"] for row in first_rows(session, filled, view, limit=1000).rows]


def test_a_damaged_or_foreign_cursor_is_refused(session: Session, filled: Access) -> None:
    cursor = rows_after(session, filled, View(), cursor=None, limit=2).next_cursor
    for bad, view in (("%%%", View()), ("e30=", View()), (cursor, View.from_json({"search": "a"}))):
        with pytest.raises(Invalid, match="Start again"):
            rows_after(session, filled, view, cursor=bad, limit=2)


def test_changes_since_a_version_are_exactly_what_changed(
    session: Session, ann: Actor, ben: Actor, filled: Access
) -> None:
    from core.edits.batch import Edit

    batch = Batch(edits=(Edit(1, AMOUNT, CellInput("5")), Edit(1, DEAL, CellInput("Acme"))), deletes=(3,))
    write(session, ben, filled.sheet.sheet_id, batch, operation_id=uuid4(), source=ChangeSource.GRID)
    access = get_access(session, ann, filled.sheet.sheet_id)
    found = changes_since(session, access, 1)
    assert found.version == 2
    assert [(row["id"], row["values"], row["removed"], row["by"]["name"]) for row in found.rows] == [
        (1, {"1": "Acme", "4": "5"}, False, "Ben"),
        (3, {}, True, "Ben"),
    ]
    assert changes_since(session, access, 2).rows == []
    assert len(changes_since(session, access, 0).rows) == 6
    assert changes_since(session, access, 99).reset

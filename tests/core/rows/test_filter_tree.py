"""Filters: trees of conditions give the rows that a reference in pandas gives, and say what is wrong with a bad one."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.base.relative_dates import NAMES, days_of
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.rows.filter_tree import BOUNDS, Condition, Group, Node
from core.rows.query import View, conditions, resolve, without_invalid
from core.rows.read import first_rows, row_count, rows_after
from core.rows.row_order import row_order
from core.sheets.columns import retire_column
from core.sheets.sheets import create_sheet
from tests.support.examples import examples

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CLOSE, LAST = 1, 2, 3, 4, 5, 7, 9
COLUMNS = (ACCOUNT, STAGE, AMOUNT, OWNER, CLOSE)
TEXTS, STAGES, PEOPLE = ["Acme", "bolt", "Crate"], ["o1", "o2", "o5"], ["Ann", "Ben"]
IDS = {"Ann": "2", "Ben": "3"}
RELATIVE = [*NAMES, "last_7_days", "next_30_days", "last_400_days"]
Reference = Callable[[pd.DataFrame, Any], "pd.Series[bool]"]


def leaves(today: date) -> st.SearchStrategy[Condition]:
    numbers = st.sampled_from(["1", "20.5", "300"])
    days = st.one_of(
        st.sampled_from(RELATIVE), st.integers(-500, 500).map(lambda n: (today + timedelta(n)).isoformat())
    )
    compared = st.tuples(st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"]), numbers)
    dated = st.tuples(st.sampled_from(["on", "before", "after", "on_or_before", "on_or_after"]), days)
    people = st.lists(st.sampled_from(["me", "2", "3"]), min_size=1, max_size=2)
    of_column: dict[int, Any] = {
        ACCOUNT: st.tuples(st.sampled_from(["is", "is_not", "contains", "not_contains"]), st.sampled_from(TEXTS)),
        STAGE: st.tuples(
            st.sampled_from(["is_any_of", "is_none_of"]), st.lists(st.sampled_from(STAGES), min_size=1, max_size=2)
        ),
        AMOUNT: compared | st.tuples(st.just("between"), st.tuples(numbers, numbers).map(list)),
        OWNER: st.tuples(st.sampled_from(["is_any_of", "is_none_of"]), people),
        CLOSE: dated | st.tuples(st.just("between"), st.tuples(days, days).map(list)),
    }
    empty = st.sampled_from([("is_empty", None), ("is_not_empty", None)])
    return st.one_of(
        *((terms | empty).map(lambda term, c=column: Condition(c, *term)) for column, terms in of_column.items())
    )


def trees(today: date) -> st.SearchStrategy[tuple[Node, ...]]:
    def grouped(node: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        return st.builds(Group, st.sampled_from(["all", "any"]), st.lists(node, min_size=1, max_size=3).map(tuple))

    nodes: st.SearchStrategy[Node] = st.recursive(leaves(today), grouped, max_leaves=6)
    return st.lists(nodes, min_size=1, max_size=2).map(tuple)


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            ACCOUNT: st.sampled_from(["", *TEXTS]),
            STAGE: st.sampled_from(["", "Lead", "Qualified", "Won"]),
            AMOUNT: st.sampled_from(["", "1", "20.5", "300", "4000"]),
            OWNER: st.sampled_from(["", *PEOPLE]),
            CLOSE: st.one_of(st.none(), st.integers(-500, 500)),
        }
    ),
    min_size=1,
    max_size=12,
)


class Pandas:
    """The reference: the same tree over a data frame of the cells as they are stored."""

    def __init__(self, access: Access, rows: list[dict[str, Any]]) -> None:
        self.access = access
        self.frame = pd.DataFrame(
            [{column: row["values"].get(str(column)) for column in COLUMNS} for row in rows],
            index=[row["id"] for row in rows],
            dtype=object,
        )

    def ids(self, nodes: tuple[Node, ...]) -> list[int]:
        return list(self.frame.index[self.holds(Group("all", nodes))])

    def holds(self, node: Node) -> "pd.Series[bool]":
        if isinstance(node, Group):
            parts = pd.concat([self.holds(part) for part in node.nodes], axis=1)
            return parts.all(axis=1) if node.join == "all" else parts.any(axis=1)
        return self.frame[node.column].map(lambda cell: self.matches(cell, node)).astype(bool)

    def matches(self, cell: str | None, condition: Condition) -> bool:
        op, value = condition.op, condition.value
        if op in ("is_empty", "is_not_empty"):
            return pd.isna(cell) == (op == "is_empty")
        if op in ("is_not", "not_contains", "is_none_of", "ne"):
            opposite = {"is_not": "is", "not_contains": "contains", "is_none_of": "is_any_of", "ne": "eq"}[op]
            return not self.matches(cell, Condition(condition.column, opposite, value))
        if pd.isna(cell):
            return False
        if condition.column == ACCOUNT:
            return cell.lower() == value.lower() if op == "is" else value.lower() in cell.lower()
        if condition.column in (STAGE, OWNER):
            return cell in [str(self.access.actor.user_id) if each == "me" else each for each in value]
        if condition.column == AMOUNT:
            return compare(op, pd.to_numeric(cell), [(n, n) for n in map(float, value if op == "between" else [value])])
        return compare(op, cell, [self.span(day) for day in (value if op == "between" else [value])])

    def span(self, day: str) -> tuple[str, str]:
        calendar = self.access.calendar
        days = days_of(day, calendar.today(), calendar) if day in RELATIVE else (day, day)
        return str(days[0]), str(days[1])


def compare(op: str, cell: Any, spans: list[tuple[Any, Any]]) -> bool:
    (first, last), end = spans[0], spans[-1][1]
    return {
        "eq": cell == first,
        "lt": cell < first,
        "lte": cell <= last,
        "gt": cell > last,
        "gte": cell >= first,
        "on": first <= cell <= last,
        "before": cell < first,
        "after": cell > last,
        "on_or_before": cell <= last,
        "on_or_after": cell >= first,
        "between": first <= cell <= end,
    }[op]


def fill(session: Session, ann: Actor, rows: list[dict[int, Any]]) -> Access:
    access = create_sheet(session, ann, "Deals", template="pipeline")
    today = access.calendar.today()
    adds = tuple(
        NewRow(
            str(number),
            {
                column: CellInput((today + timedelta(text)).isoformat() if isinstance(text, int) else text or "")
                for column, text in ({DEAL: "A deal"} | row).items()
            },
        )
        for number, row in enumerate(rows)
    )
    write(session, ann, access.sheet.sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    return get_access(session, ann, access.sheet.sheet_id)


@settings(max_examples=examples(6, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, data=st.data())
def test_a_tree_gives_the_rows_that_pandas_gives_on_every_path(
    session: Session, ann: Actor, rows: list[dict[int, Any]], data: st.DataObject
) -> None:
    access = fill(session, ann, rows)
    reference = Pandas(access, first_rows(session, access, View(), limit=100).rows)
    filters = data.draw(st.lists(trees(access.calendar.today()), min_size=6, max_size=6))
    for nodes in filters:
        view = View(nodes)
        expected = reference.ids(nodes)
        assert [row["id"] for row in first_rows(session, access, view, limit=100).rows] == expected
        assert [row["id"] for row in rows_after(session, access, view, cursor=None, limit=100).rows] == expected
        assert row_order(session, access, view).ids.tolist() == expected
        assert row_count(session, access, view.where(Condition(ACCOUNT, "is_empty"))) == len(
            [row for row in expected if pd.isna(reference.frame[ACCOUNT][row])]
        )
        again = View.from_json(view.as_json())
        assert View.from_json(again.as_json()) == again
        assert row_order(session, access, again).ids.tolist() == expected


def leaf(column: int = DEAL, op: str = "is_empty", value: Any = None) -> dict[str, Any]:
    return {"column": column, "op": op, "value": value}


def test_a_list_and_a_group_of_all_are_the_same_filter() -> None:
    as_list, as_group = View.from_json({"filter": [leaf()]}), View.from_json({"filter": {"all": [leaf()]}})
    assert as_list == as_group
    assert as_group.as_json()["filter"] == [leaf()]
    assert View.from_json({"filter": {"all": []}}) == View()
    assert View.from_json({"filter": {"all": [{"all": [leaf()]}]}}) == as_list
    assert View.from_json({"filter": leaf()}) == as_list


def nested(depth: int) -> dict[str, Any]:
    return {"any": [nested(depth - 1)]} if depth else leaf()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"any": []}, "“any” needs at least one condition"),
        ({"any": leaf()}, "A group looks like this"),
        ({"any": [leaf()], "all": []}, "A group looks like this"),
        ({"any": [leaf()], "column": 1, "op": "is"}, "A group looks like this"),
        ({"not": [leaf()]}, "A view looks like this"),
        ([["any"]], "A view looks like this"),
        ("today", "A view looks like this"),
        (nested(6), BOUNDS),
        (nested(400), BOUNDS),
        ({"any": [leaf()] * 51}, BOUNDS),
    ],
)
def test_a_bad_tree_is_refused_with_a_sentence(body: Any, sentence: str) -> None:
    with pytest.raises(Invalid) as raised:
        View.from_json({"filter": body})
    assert raised.value.message.startswith(sentence)


@pytest.mark.parametrize("value", ["next_0_days", "last_10000_days", "this_fortnight", "TODAY", "me"])
def test_a_name_that_is_not_a_relative_date_is_refused_in_the_place_of_its_column(
    session: Session, deals: Access, value: str
) -> None:
    with pytest.raises(Invalid, match="Filter on “Expected close”"):
        conditions(deals, View((Condition(CLOSE, "on", value),)))


def test_a_tree_that_lost_a_column_keeps_its_other_conditions_and_a_group_that_lost_all_goes(
    session: Session, ann: Actor, deals: Access
) -> None:
    gone, stays = Condition(LAST, "is_empty"), Condition(DEAL, "is_empty")
    view = View((Group("any", (gone, stays)), Group("any", (gone,)), Group("all", (stays, Group("any", (gone, gone))))))
    retire_column(session, ann, deals.sheet.sheet_id, LAST)
    access = get_access(session, ann, deals.sheet.sheet_id)
    with pytest.raises(NotFound):
        conditions(access, view)
    assert without_invalid(access, view) == View((Group("any", (stays,)), Group("all", (stays,))))


def test_me_is_another_person_for_each_reader_and_so_is_the_cached_order(
    session: Session, ann: Actor, ben: Actor
) -> None:
    from core.base.permissions import Level
    from core.sharing.shares import share_sheet

    access = fill(session, ann, [{OWNER: "Ann"}, {OWNER: "Ben"}, {OWNER: "Ben"}])
    share_sheet(session, ann, access.sheet.sheet_id, ben.user_id, level=Level.EDITOR)
    view = View((Condition(OWNER, "is_any_of", ["me"]),))
    accesses = [get_access(session, who, access.sheet.sheet_id) for who in (ann, ben)]
    assert accesses[0].scope == accesses[1].scope
    assert [row_order(session, each, view).ids.tolist() for each in accesses] == [[1], [2, 3]]


def test_a_relative_date_is_resolved_by_the_day_so_that_nothing_cached_outlives_it(deals: Access) -> None:
    view = View((Condition(CLOSE, "on_or_before", "today"),))
    today = resolve(deals, view)
    assert today.conditions[0].value == deals.calendar.today().isoformat()
    assert today.fingerprint != view.fingerprint
    deals.__dict__["calendar"] = type(deals.calendar)(deals.calendar.now + timedelta(days=1))
    assert resolve(deals, view).fingerprint != today.fingerprint

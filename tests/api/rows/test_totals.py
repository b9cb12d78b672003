"""Totals and matches by the API: exact, by group, and refused with a sentence."""

import json
from uuid import uuid4

from tests.api.conftest import AMOUNT, DEAL, STAGE, People

SUM = json.dumps([{"column": AMOUNT, "function": "sum"}])
BY_STAGE = json.dumps([{"column": STAGE}])


def test_an_order_and_its_groups_are_of_one_moment(people: People) -> None:
    ann = people("Ann")
    ann.add({DEAL: "a", STAGE: "o2", AMOUNT: 0.1}, {DEAL: "b", STAGE: "o1"}, {DEAL: "c", STAGE: "o2", AMOUNT: 0.2})
    order = ann.get("/sheets/{sheet}/order", groups=BY_STAGE)
    rows = ann.get("/sheets/{sheet}/rows", order=order["order"], offset=0)["rows"]
    assert [row["values"][str(DEAL)] for row in rows] == ["b", "a", "c"]
    assert [(group["values"], group["rows"]) for group in order["groups"]] == [(["o1"], 1), (["o2"], 2)]
    totals = ann.get("/sheets/{sheet}/totals", totals=SUM, groups=BY_STAGE)
    assert (totals["rows"], totals["all_rows"], totals["totals"]) == (3, 3, {f"{AMOUNT}:sum": "0.3"})
    assert totals["groups"][1]["totals"] == {f"{AMOUNT}:sum": "0.3"}


def test_what_cannot_be_totalled_or_grouped_is_refused_with_a_sentence(people: People) -> None:
    ann = people("Ann")
    for query in (
        {"totals": "{}"},
        {"totals": "[1]"},
        {"totals": '[{"column": 4, "function": "median"}]'},
        {"totals": '[{"column": 1, "function": "sum"}]'},
        {"groups": '[{"columns": 3}]'},
        {"groups": json.dumps([{"column": number} for number in (1, 2, 3)])},
    ):
        answer = ann.ask("GET", "/sheets/{sheet}/totals", params=query)
        assert answer.status_code == 422, query
        assert len(answer.json()["detail"]) > 30, query


def test_a_selection_is_exported_without_the_other_rows(people: People) -> None:
    ann = people("Ann")
    rows = ann.add({DEAL: "a"}, {DEAL: "b"}, {DEAL: "c"})
    file = ann.ask("GET", "/sheets/{sheet}/export", params={"rows": f"{rows[0]},{rows[2]}", "columns": f"{DEAL}"})
    assert file.text.split() == ["Deal", "a", "c"]


def test_views_say_which_of_some_rows_they_have(people: People) -> None:
    ann = people("Ann")
    name = uuid4().hex
    first, second = ann.add({DEAL: name}, {DEAL: "b"})
    views = json.dumps([{"search": name}, {"filter": [{"column": DEAL, "op": "is", "value": "b"}]}])
    assert ann.get("/sheets/{sheet}/matches", rows=f"{first},{second}", views=views)["matches"] == [[first], [second]]

"""Rows through the API: pages, edits that lose nothing, operations that happen once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.edits.batch import MAX_CELLS
from tests.api.conftest import ACCOUNT, AMOUNT, CLOSE, DEAL, STAGE, People, Person
from tests.support.examples import examples

STAGES = ["o1", "o2", "o3", None]


def test_a_number_keeps_every_digit_both_ways(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Exact"})
    content = (
        f'{{"operation_id": "{uuid4()}", "edits": [{{"row": {row}, "column": {AMOUNT}, "value": 900719925474099.31}}]}}'
    )
    answer = ann.ask("PATCH", "/sheets/{sheet}/rows", content=content, headers={"Content-Type": "application/json"})
    assert answer.json()["saved"][0]["value"] == "900719925474099.31"
    assert ann.cell(row, AMOUNT) == "900719925474099.31"


def test_typed_text_is_read_by_the_columns_rules(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Typed"})
    ann.change(
        edits=[
            {"row": row, "column": AMOUNT, "text": "€ 1 234,50"},
            {"row": row, "column": CLOSE, "text": "31.12.2026"},
            {"row": row, "column": STAGE, "text": "won"},
        ]
    )
    values = ann.get(f"/sheets/{{sheet}}/rows/{row}")["values"]
    assert (values[str(AMOUNT)], values[str(CLOSE)], values[str(STAGE)]) == ("1234.5", "2026-12-31", "o5")


def test_null_empties_a_cell(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Emptied", AMOUNT: 5})
    ann.edit(row, AMOUNT, None)
    assert ann.cell(row, AMOUNT) is None


def test_a_stale_edit_is_a_conflict_that_shows_mine_theirs_and_the_original(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    (row,) = ann.add({DEAL: "Contested", ACCOUNT: "first"})
    base = ben.version
    ann.edit(row, ACCOUNT, "hers")
    answer = ben.edit(row, ACCOUNT, "his", base)
    problem, (cell,) = answer.json(), answer.json()["cells"]
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"] == "Ann changed this cell meanwhile."
    assert (cell["mine"], cell["theirs"], cell["original"], cell["by"]) == ("his", "hers", "first", "Ann")
    assert (cell["row"], cell["column"], cell["version"]) == (row, ACCOUNT, base + 1)
    assert ben.cell(row, ACCOUNT) == "hers"


def test_different_cells_of_one_row_never_conflict(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    (row,) = ann.add({DEAL: "Shared"})
    base = ben.version
    ann.edit(row, ACCOUNT, "hers", base)
    assert ben.edit(row, AMOUNT, 7, base).status_code == 200
    assert (ben.cell(row, ACCOUNT), ben.cell(row, AMOUNT)) == ("hers", "7")


def test_a_refused_value_refuses_the_whole_action_and_names_the_cell(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Whole"})
    before = ann.version
    answer = ann.change(
        edits=[{"row": row, "column": ACCOUNT, "value": "fine"}, {"row": row, "column": AMOUNT, "text": "abc"}]
    )
    (cell,) = answer.json()["cells"]
    assert answer.status_code == 422
    assert (cell["row"], cell["column"], cell["given"]) == (row, AMOUNT, "abc")
    assert "abc" in cell["reason"]
    assert ann.version == before
    assert ann.cell(row, ACCOUNT) is None


def test_a_partial_action_writes_the_rest_and_names_what_it_did_not(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Part"})
    answer = ann.change(
        partial=True,
        edits=[
            {"row": row, "column": ACCOUNT, "value": "fine"},
            {"row": row, "column": AMOUNT, "value": -5.5},
            {"row": 99, "column": ACCOUNT, "value": "lost"},
        ],
        adds=[{"key": "new", "cells": {str(DEAL): {"text": "Added"}}}],
    )
    outcome = answer.json()
    assert answer.status_code == 200
    assert [cell["column"] for cell in outcome["saved"]] == [ACCOUNT]
    assert [(cell["column"], cell["given"]) for cell in outcome["refused"]] == [(AMOUNT, "-5.5")]
    assert [cell["row"] for cell in outcome["gone"]] == [99]
    assert outcome["added"] == [{"key": "new", "row": row + 1, "values": {str(DEAL): "Added"}}]


@pytest.mark.parametrize(
    "value", [True, {"a": 1}, [1, 2], 10**400, [["deep"]], "a\x00", "x" * 2_000_000], ids=lambda value: str(value)[:9]
)
def test_a_value_of_the_wrong_kind_is_refused_with_a_sentence(people: People, value: Any) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Kind", AMOUNT: 5})
    for more in ({}, {"partial": True}):
        answer = ann.edit(row, AMOUNT, value, **more)
        assert answer.status_code == (200 if more else 422), answer.text
        cells = answer.json()["refused"] if more else answer.json()["cells"]
        assert cells[0]["reason"].endswith(".")
    assert ann.cell(row, AMOUNT) == "5"


def test_a_repeated_operation_is_answered_the_same_and_done_once(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Once"})
    operation = str(uuid4())
    first = ann.change(operation_id=operation, adds=[{"key": "a", "cells": {str(DEAL): {"value": "New"}}}])
    again = ann.change(operation_id=operation, adds=[{"key": "a", "cells": {str(DEAL): {"value": "New"}}}])
    assert first.json() == again.json()
    assert len(ann.get("/sheets/{sheet}/rows")["rows"]) == 2
    assert row == 1


def test_somebody_elses_operation_id_is_refused(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    (row,) = ann.add({DEAL: "Mine"})
    operation = str(uuid4())
    ann.edit(row, ACCOUNT, "hers", operation_id=operation)
    assert ben.edit(row, ACCOUNT, "his", operation_id=operation).status_code == 422
    assert ann.cell(row, ACCOUNT) == "hers"


@pytest.mark.slow
def test_what_somebody_typed_is_not_written_for_whoever_signed_in_after_them(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    (row,) = ann.add({DEAL: "Shared browser"})
    ann_id, ben_id = (one.get("/me")["id"] for one in (ann, ben))
    assert ben.edit(row, ACCOUNT, "Ann typed this", person=ann_id).status_code == 401
    assert ben.cell(row, ACCOUNT) is None
    assert ben.edit(row, ACCOUNT, "Ben typed this", person=ben_id).status_code == 200


def test_one_operation_five_times_in_parallel_is_one_change(live_people: People) -> None:
    ann = live_people("Ann")
    body = {"operation_id": str(uuid4()), "adds": [{"key": "a", "cells": {str(DEAL): {"value": "Only one"}}}]}
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: ann.change(**body), range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.text for answer in answers}) == 1
    assert len(ann.get("/sheets/{sheet}/rows")["rows"]) == 1


@pytest.mark.slow
def test_a_hundred_parallel_new_rows_are_a_hundred_rows_in_order(live_people: People) -> None:
    ann = live_people("Ann")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: ann.add({DEAL: f"Deal {number}"})[0], range(100)))
    assert sorted(made) == list(range(1, 101))
    assert ann.version == 100


def test_rows_are_added_all_or_none(people: People) -> None:
    ann = people("Ann")
    answer = ann.ask("POST", "/sheets/{sheet}/rows", json={"rows": [{"1": "Good"}, {"1": "Bad", "4": "x"}]})
    assert answer.status_code == 422
    assert answer.json()["cells"][0]["key"] == "1"
    assert ann.get("/sheets/{sheet}/rows")["rows"] == []


def test_deleted_rows_leave_every_page(people: People) -> None:
    ann = people("Ann")
    first, second = ann.add({DEAL: "Stays"}, {DEAL: "Goes"})
    answer = ann.ask("DELETE", "/sheets/{sheet}/rows", params={"ids": str(second)})
    assert answer.json()["deleted"] == [second]
    assert [row["id"] for row in ann.get("/sheets/{sheet}/rows")["rows"]] == [first]
    assert ann.ask("GET", f"/sheets/{{sheet}}/rows/{second}").status_code == 404


def test_deleting_a_row_that_is_not_there_deletes_nothing(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Stays"})
    answer = ann.ask("DELETE", "/sheets/{sheet}/rows", params={"ids": f"{row},4711"})
    assert (answer.status_code, answer.json()["rows"]) == (404, [4711])
    assert ann.cell(row, DEAL) == "Stays"


@pytest.mark.parametrize("row", [-1, 0, 10**9, 2**31 - 1])
def test_a_forged_row_is_gone_and_nothing_is_written(people: People, row: int) -> None:
    ann = people("Ann")
    ann.add({DEAL: "Real"})
    before = ann.version
    assert ann.edit(row, ACCOUNT, "forged").status_code == 404
    assert ann.edit(1, 4711, "forged").status_code == 404
    assert ann.version == before


def test_a_row_of_another_sheet_is_not_reached_through_this_one(people: People) -> None:
    ann = people("Ann")
    ann.add({DEAL: "One"}, {DEAL: "Two"}, {DEAL: "Three"})
    other = ann.ask("POST", "/sheets", json={"name": "Other", "template": "pipeline"}).json()["id"]
    elsewhere = Person(ann.client, ann.token, other)
    assert elsewhere.edit(3, ACCOUNT, "forged").status_code == 404
    assert ann.cell(3, ACCOUNT) is None


@pytest.mark.parametrize("extra", ["owner_id", "role", "sheet_id", "id", "version"])
def test_extra_keys_in_a_body_are_refused(people: People, extra: str) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Strict"})
    assert ann.change(edits=[{"row": row, "column": ACCOUNT, "value": "x"}], **{extra: 1}).status_code == 422
    assert ann.change(edits=[{"row": row, "column": ACCOUNT, "value": "x", extra: 1}]).status_code == 422
    assert ann.cell(row, ACCOUNT) is None


def test_an_edit_from_a_page_and_one_from_a_program_are_told_apart(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Sources"})
    body = {"operation_id": str(uuid4()), "edits": [{"row": row, "column": ACCOUNT, "value": "page"}]}
    ann.ask("PATCH", "/sheets/{sheet}/rows", json=body, headers={"X-Contrivance": "1"})
    ann.edit(row, ACCOUNT, "program")
    sources = [line["source"] for line in ann.get("/sheets/{sheet}/history", row=row)["changes"]]
    assert sources == ["api", "grid", "api"]


# --- what cannot be meant


def test_a_base_from_the_future_is_a_conflict_that_can_be_decided(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    (row,) = ann.add({DEAL: "Restored", AMOUNT: 1})
    version = ann.version
    for more in ({}, {"adds": [{"key": "a", "cells": {str(DEAL): {"value": "Beside"}}}]}):
        answer = ben.edit(row, AMOUNT, 2, version + 1000, **more)
        (cell,) = answer.json()["cells"]
        assert answer.status_code == 409
        assert f"version {version + 1000} of the sheet, which is at version {version}" in answer.json()["detail"]
        assert (cell["mine"], cell["theirs"], cell["original"], cell["by"], cell["at"]) == ("2", "1", None, None, None)
    (told,) = ben.edit(row, AMOUNT, 2, version + 1000, partial=True).json()["conflicts"]
    assert ben.cell(row, AMOUNT) == "1"
    assert ben.edit(row, AMOUNT, 2, told["version"]).status_code == 200


def test_an_operation_id_with_other_content_is_refused_and_writes_nothing(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Once"})
    operation = str(uuid4())
    first = ann.edit(row, AMOUNT, 1, operation_id=operation)
    before = ann.version
    assert ann.edit(row, AMOUNT, 1, base=before, operation_id=operation).json() == first.json()
    others = [
        ann.edit(row, AMOUNT, 2, operation_id=operation),
        ann.change(deletes=[row], operation_id=operation),
        ann.ask("DELETE", f"/sheets/{{sheet}}/rows?ids={row}&operation_id={operation}"),
        ann.ask("POST", "/sheets/{sheet}/rows", json={"rows": [{str(DEAL): "x"}], "operation_id": operation}),
        ann.ask("POST", "/sheets/{sheet}/undo", json={"operation_id": operation}),
        ann.ask("POST", "/sheets/{sheet}/redo", json={"operation_id": operation}),
        ann.ask("POST", "/sheets/{sheet}/trash/restore", json={"operation_id": operation, "rows": [row]}),
    ]
    assert [(one.status_code, "used for another change" in one.text) for one in others] == [(409, True)] * len(others)
    assert ann.version == before


def test_an_operation_of_before_digests_were_kept_is_still_answered(people: People, session: Session) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Old"})
    operation = str(uuid4())
    first = ann.edit(row, AMOUNT, 1, operation_id=operation)
    session.execute(text("UPDATE operations SET request = NULL"))
    assert ann.edit(row, AMOUNT, 1, operation_id=operation).json() == first.json()


def test_a_row_to_delete_that_is_not_there_is_told_whichever_way_it_is_asked(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Stays"})
    before = ann.version
    answer = ann.change(deletes=[row, 4711])
    assert (answer.status_code, answer.json()["rows"], ann.version) == (404, [4711], before)
    outcome = ann.change(deletes=[row, 4711], partial=True).json()
    assert (outcome["deleted"], [one["row"] for one in outcome["gone"]]) == ([row], [4711])


def test_an_edit_without_text_and_value_empties_nothing(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Kept", AMOUNT: 5})
    answer = ann.change(edits=[{"row": row, "column": AMOUNT}])
    assert (answer.status_code, "To empty it, send null" in answer.json()["detail"]) == (422, True)
    assert ann.change(adds=[{"key": "a", "cells": {str(DEAL): {}}}]).status_code == 422
    assert ann.cell(row, AMOUNT) == "5"
    assert ann.change(edits=[{"row": row, "column": AMOUNT, "text": None}]).status_code == 200
    assert ann.cell(row, AMOUNT) is None


def test_more_cells_than_are_written_at_once_are_refused_by_a_sentence_with_the_limit(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Limit"})
    answer = ann.change(edits=[{"row": row, "column": AMOUNT, "value": 1}] * (MAX_CELLS + 1))
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("At most 5,000 cells and rows are written at once, and these are 5,001.")


# --- pages


def fill(ann: Person, deals: list[tuple[str | None, int | None]]) -> None:
    rows = [{DEAL: f"Deal {n}", STAGE: stage, AMOUNT: amount} for n, (stage, amount) in enumerate(deals)]
    if rows:
        ann.add(*rows)


def paged(ann: Person, **query: Any) -> list[int]:
    """The ids of all rows of a view, page by page."""
    found: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = ann.get("/sheets/{sheet}/rows", **query, **cursor)
        found += [row["id"] for row in page["rows"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_a_page_is_filtered_sorted_and_searched(people: People) -> None:
    ann = people("Ann")
    fill(ann, [("o1", 10), ("o2", 30), ("o2", 20), (None, 40)])
    stages = '[{"column": 3, "op": "is_any_of", "value": ["o2"]}]'
    assert paged(ann, filter=stages, sort="-4") == [2, 3]
    assert paged(ann, sort='[{"column": 3}, {"column": 4, "descending": true}]') == [1, 2, 3, 4]
    assert paged(ann, search="deal 3") == [4]
    assert paged(ann, filter='[{"column": 4, "op": "between", "value": [19.5, 30]}]') == [2, 3]


def test_an_order_stays_while_others_edit(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    fill(ann, [("o1", 10), ("o1", 20), ("o1", 30)])
    kept = ann.get("/sheets/{sheet}/order", sort="4")
    ben.edit(1, AMOUNT, 99)
    ben.change(deletes=[2])
    page = ann.get("/sheets/{sheet}/rows", order=kept["order"], offset=0)
    assert (kept["total"], page["total"]) == (3, 3)
    assert [row["id"] for row in page["rows"]] == [1, 2, 3]
    assert page["rows"][1] == {"id": 2, "deleted": True}


def test_an_order_that_is_not_kept_any_more_is_gone(people: People) -> None:
    answer = people("Ann").ask("GET", "/sheets/{sheet}/rows", params={"order": "unknown", "offset": 0})
    assert answer.status_code == 410


def test_a_cursor_goes_on_where_the_page_ended_though_rows_came_and_went(people: People) -> None:
    ann = people("Ann")
    fill(ann, [("o1", amount) for amount in (10, 20, 30, 40)])
    page = ann.get("/sheets/{sheet}/rows", sort="4", limit=2)
    ann.add({DEAL: "Before", AMOUNT: 5}, {DEAL: "Behind", AMOUNT: 35})
    ann.change(deletes=[2, 4])
    rest = ann.get("/sheets/{sheet}/rows", sort="4", limit=9, cursor=page["next_cursor"])
    assert [row["id"] for row in rest["rows"]] == [3, 6]


def test_a_cursor_of_another_view_is_refused(people: People) -> None:
    ann = people("Ann")
    fill(ann, [("o1", 10), ("o1", 20)])
    cursor = ann.get("/sheets/{sheet}/rows", sort="4", limit=1)["next_cursor"]
    answer = ann.ask("GET", "/sheets/{sheet}/rows", params={"sort": "-4", "cursor": cursor})
    assert answer.status_code == 422
    assert "another filter or sort" in answer.json()["detail"]


@pytest.mark.parametrize("cursor", ["x", "e30", "W10", "WyJhIiwgMSwgMiwgM10", "8J+YgA", "\x00", "[" * 5000])
def test_a_damaged_cursor_is_refused(people: People, cursor: str) -> None:
    answer = people("Ann").ask("GET", "/sheets/{sheet}/rows", params={"sort": "4", "cursor": cursor})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "4711"},
        {"sort": "name"},
        {"sort": '{"column": 1}'},
        {"filter": '[{"column": 4711, "op": "is", "value": "x"}]'},
        {"filter": '[{"column": 1, "op": "drop", "value": "x"}]'},
        {"filter": '[{"column": 4, "op": "gte", "value": {"a": 1}}]'},
        {"filter": '[{"column": 7, "op": "on", "value": "infinity"}]'},
        {"filter": "[1]"},
        {"filter": "{"},
        {"search": "\x00"},
        {"filter": '[{"column": 1, "op": "is", "value": "\\u0000"}]'},
        {"filter": '[{"column": 1, "op": "is", "value": "\\ud800"}]'},
        {"search": "x" * 500},
        {"limit": 0},
        {"limit": 1001},
        {"offset": -1},
        {"offset": 10**30},
    ],
)
def test_a_view_that_makes_no_sense_is_refused_with_a_sentence(people: People, query: dict[str, Any]) -> None:
    answer = people("Ann").ask("GET", "/sheets/{sheet}/rows", params=query)
    assert answer.status_code in {400, 404, 422}, answer.text
    assert answer.json()["detail"].endswith((".", "}"))


deals_with_gaps = st.lists(st.tuples(st.sampled_from(STAGES), st.sampled_from([None, 1, 2, 2, 3])), max_size=25)


@settings(max_examples=examples(10, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deals=deals_with_gaps, limit=st.integers(1, 7), sort=st.sampled_from(["3,-4", "-3,4", "-4", "4,3", ""]))
def test_pages_are_complete_and_without_doubles_under_any_sort(
    people: People, deals: list[tuple[str | None, int | None]], limit: int, sort: str
) -> None:
    ann = people("Ann")
    ann.sheet = ann.ask("POST", "/sheets", json={"name": "Paged", "template": "pipeline"}).json()["id"]
    fill(ann, deals)
    numbered = list(enumerate(deals, start=1))
    for name in reversed([part for part in sort.split(",") if part]):
        place = 0 if name.removeprefix("-") == "3" else 1
        full = [one for one in numbered if one[1][place] is not None]
        empty = [one for one in numbered if one[1][place] is None]
        full.sort(key=lambda one: one[1][place], reverse=name.startswith("-"))
        numbered = full + empty
    expected = [row for row, _ in numbered]
    assert paged(ann, sort=sort, limit=limit) == expected
    assert paged(ann, sort=sort, limit=limit) == expected, "the second time from the kept order"

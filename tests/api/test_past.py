"""The past through the API: rows, orders, files and differences as of an instant."""

from typing import Any

import pytest

from tests.api.conftest import AMOUNT, DEAL, People, Person

ROWS, ORDER, EXPORT, DIFFERENCE = (f"/sheets/{{sheet}}/{part}" for part in ("rows", "order", "export", "difference"))


@pytest.fixture
def ann(people: People) -> Person:
    """Three deals at version 1; the amount of the first is changed, the second is deleted, a fourth is added."""
    ann = people("Ann")
    first, second, _ = ann.add({DEAL: "Acme", AMOUNT: "5"}, {DEAL: "Bolt", AMOUNT: "7"}, {DEAL: "Cord", AMOUNT: "6"})
    ann.edit(first, AMOUNT, "9")
    ann.change(deletes=[second])
    ann.add({DEAL: "Dune"})
    return ann


def names(page: dict[str, Any]) -> list[str]:
    return [row["values"][str(DEAL)] for row in page["rows"]]


def test_rows_are_read_as_of_a_version_filtered_sorted_and_paged(ann: Person) -> None:
    then = {"as_of": "version:1", "sort": f"-{AMOUNT}"}
    page = ann.get(ROWS, limit=2, **then)
    assert (names(page), page["version"]) == (["Bolt", "Cord"], 1)
    assert names(ann.get(ROWS, limit=2, cursor=page["next_cursor"], **then)) == ["Acme"]
    assert names(ann.get(ROWS, search="bol", as_of="version:1")) == ["Bolt"]
    assert names(ann.get(ROWS, search="bol")) == []


def test_an_order_of_the_past_is_kept_and_read_by_place(ann: Person) -> None:
    order = ann.get(ORDER, sort=str(AMOUNT), as_of="version:1")
    assert (order["total"], order["version"]) == (3, 1)
    page = ann.get(ROWS, order=order["order"], offset=1, as_of="version:1")
    assert names(page) == ["Cord", "Bolt"]
    assert ann.ask("GET", ROWS, params={"order": order["order"]}).status_code == 410


def test_one_row_is_read_as_it_was(ann: Person) -> None:
    assert ann.get(f"{ROWS}/1", as_of="version:1")["values"][str(AMOUNT)] == "5"
    assert ann.ask("GET", f"{ROWS}/4", params={"as_of": "version:1"}).status_code == 404


def test_a_file_of_the_past_is_that_of_the_past_and_says_so(ann: Person) -> None:
    answer = ann.ask("GET", EXPORT, params={"as_of": "version:1", "columns": f"{DEAL},{AMOUNT}"})
    assert answer.text.split() == ["Deal,Amount", "Acme,5", "Bolt,7", "Cord,6"]
    assert "as%20of%20version%201" in answer.headers["Content-Disposition"]


def test_a_page_of_the_past_has_an_etag_that_holds(ann: Person) -> None:
    tag = ann.ask("GET", ROWS, params={"as_of": "version:1"}).headers["ETag"]
    ann.edit(1, AMOUNT, "10")
    again = ann.ask("GET", ROWS, params={"as_of": "version:1"}, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert ann.ask("GET", ROWS, headers={"If-None-Match": tag}).status_code == 200


def test_before_its_first_change_the_sheet_was_empty(ann: Person) -> None:
    assert ann.get(ROWS, as_of="2001-01-01T00:00:00Z")["rows"] == []
    assert len(ann.get(ROWS, as_of="2999-01-01")["rows"]) == 3


def test_the_difference_is_told_with_counts_and_by_pages(ann: Person) -> None:
    told = ann.get(DIFFERENCE, **{"from": "version:1"})
    assert (told["from"], told["to"], told["edited"], told["added"], told["deleted"]) == (1, 4, 1, 1, 1)
    edited, deleted, added = told["differences"]
    assert (edited["row"], edited["column"], edited["before"], edited["after"]) == (1, AMOUNT, "5", "9")
    assert (edited["title"], edited["by"]) == ("Acme", "Ann")
    assert (deleted["kind"], deleted["row"], deleted["before"][str(DEAL)]) == ("deleted", 2, "Bolt")
    assert (added["kind"], added["row"], added["after"]) == ("added", 4, {str(DEAL): "Dune"})
    page = ann.get(DIFFERENCE, **{"from": "version:1", "limit": 1})
    rest = ann.get(DIFFERENCE, **{"from": "version:1", "behind": page["next"]})
    assert page["differences"] + rest["differences"] == told["differences"]
    assert rest["next"] is None


def test_a_reader_reads_the_past_and_a_stranger_does_not(ann: Person, people: People) -> None:
    assert len(people("Cleo").get(ROWS, as_of="version:1")["rows"]) == 3
    for path, query in ((ROWS, {"as_of": "version:1"}), (DIFFERENCE, {"from": "version:1"})):
        assert people("Dan").ask("GET", path, params=query).status_code == 404
        assert people("nobody").ask("GET", path, params=query).status_code == 401


@pytest.mark.parametrize("given", ["last Friday", "version:99", "version:x", "2026-02-30", "\x00"])
def test_a_bad_instant_is_refused_with_a_sentence(ann: Person, given: str) -> None:
    for path in (ROWS, ORDER, f"{ROWS}/1", EXPORT):
        answer = ann.ask("GET", path, params={"as_of": given})
        assert answer.status_code == 422, (path, answer.text)
        assert answer.json()["detail"]
    assert ann.ask("GET", DIFFERENCE, params={"from": given}).status_code == 422

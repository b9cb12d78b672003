"""The trash and the histories through the API: what was deleted comes back, what was overwritten can be read again."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.conftest import ACCOUNT, AMOUNT, DEAL, People, Person

TRASH = "/sheets/{sheet}/trash"


def delete(person: Person, *rows: int) -> None:
    assert person.change(deletes=[*rows]).status_code == 200


def restore(person: Person, *rows: int, **more: Any) -> httpx.Response:
    body = {"operation_id": str(uuid4()), "rows": [*rows]} | more
    return person.ask("POST", f"{TRASH}/restore", json=body)


def test_deleted_rows_are_listed_searched_and_paged(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    rows = ann.add({DEAL: "Acme", AMOUNT: "12.50"}, {DEAL: "Bolt"}, {DEAL: "Cord"})
    delete(ben, *rows)
    first = ann.get(TRASH, limit=2)
    assert [one["title"] for one in first["rows"]] == ["Cord", "Bolt"]
    rest = ann.get(TRASH, limit=2, before=first["next"])
    (acme,) = rest["rows"]
    assert rest["next"] is None
    assert (acme["id"], acme["by"], acme["version"]) == (rows[0], "Ben", ann.version)
    assert acme["values"] == {str(DEAL): "Acme", str(AMOUNT): "12.5"}
    assert [one["id"] for one in ann.get(TRASH, search="bol")["rows"]] == [rows[1]]


def test_rows_come_out_of_the_trash_once(people: People) -> None:
    ann = people("Ann")
    rows = ann.add({DEAL: "Acme", AMOUNT: "12.50"}, {DEAL: "Bolt"})
    delete(ann, *rows)
    operation = str(uuid4())
    answer = restore(ann, *rows, operation_id=operation)
    assert answer.json() == {"version": ann.version, "restored": rows, "refused": [], "gone": []}
    assert restore(ann, *rows, operation_id=operation).json() == answer.json()
    assert ann.cell(rows[0], AMOUNT) == "12.5"
    assert ann.get(TRASH)["rows"] == []


def test_a_row_that_is_not_there_is_named_and_nothing_else_is_restored(people: People) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Acme"})
    delete(ann, row)
    answer = restore(ann, row, 77)
    assert (answer.status_code, answer.json()["cells"][0]["row"]) == (404, 77)
    assert [one["id"] for one in ann.get(TRASH)["rows"]] == [row]
    partly = restore(ann, row, 77, partial=True).json()
    assert (partly["restored"], [one["row"] for one in partly["gone"]]) == ([row], [77])


def test_a_reader_reads_the_trash_and_restores_nothing(people: People) -> None:
    ann, cleo = people("Ann"), people("Cleo")
    (row,) = ann.add({DEAL: "Acme"})
    delete(ann, row)
    assert [one["id"] for one in cleo.get(TRASH)["rows"]] == [row]
    assert restore(cleo, row).status_code == 403
    assert people("Dan").ask("GET", TRASH).status_code == 404
    assert people("nobody").ask("GET", TRASH).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"rows": []},
        {"rows": ["1"]},
        {"rows": [2**40]},
        {"rows": [1], "more": 1},
        {"rows": [1], "operation_id": "x"},
        {"rows": None},
    ],
)
def test_a_malformed_request_is_refused(people: People, body: dict[str, Any]) -> None:
    answer = people("Ann").ask("POST", f"{TRASH}/restore", json={"operation_id": str(uuid4())} | body)
    assert answer.status_code == 422


@pytest.mark.parametrize("query", [{"before": "1"}, {"before": "1:2:3"}, {"limit": 0}, {"search": "x" * 300}])
def test_a_malformed_question_is_refused(people: People, query: dict[str, Any]) -> None:
    assert people("Ann").ask("GET", TRASH, params=query).status_code == 422


def test_a_row_tells_its_history_even_from_the_trash(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    (row,) = ann.add({DEAL: "Acme"})
    ben.change(edits=[{"row": row, "column": ACCOUNT, "text": "x"}, {"row": row, "column": AMOUNT, "text": "5"}])
    delete(ann, row)
    told = ann.get(f"/sheets/{{sheet}}/rows/{row}/history")
    assert [(one["kind"], one["by"], one["source"], len(one["cells"])) for one in told["changes"]] == [
        ("remove", "Ann", "api", 0),
        ("edit", "Ben", "api", 2),
        ("add", "Ann", "api", 1),
    ]
    first = ann.get(f"/sheets/{{sheet}}/rows/{row}/history", limit=1)
    assert ann.get(f"/sheets/{{sheet}}/rows/{row}/history", before=first["next"])["changes"] == told["changes"][1:]
    assert ann.ask("GET", "/sheets/{sheet}/rows/77/history").status_code == 404


def test_an_older_value_is_restored_by_an_edit_like_any_other(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    (row,) = ann.add({DEAL: "Acme", AMOUNT: "5"})
    ben.edit(row, AMOUNT, "7")
    path = f"/sheets/{{sheet}}/rows/{row}/cells/{AMOUNT}/history"
    told = ann.get(path)
    assert [(one["old"], one["new"], one["value"]) for one in told["changes"]] == [("5", "7", "7"), ("", "5", "5")]
    assert ann.edit(row, AMOUNT, told["changes"][1]["value"], told["version"], source="restore").status_code == 200
    assert ann.cell(row, AMOUNT) == "5"
    newest = ann.get(path)["changes"][0]
    assert (newest["old"], newest["new"], newest["source"], newest["by"]) == ("7", "5", "restore", "Ann")


def test_restoring_a_value_that_somebody_has_just_changed_is_a_conflict(people: People) -> None:
    ann, ben = people("Ann"), people("Ben")
    (row,) = ann.add({DEAL: "Acme", AMOUNT: "5"})
    ben.edit(row, AMOUNT, "7")
    told = ann.get(f"/sheets/{{sheet}}/rows/{row}/cells/{AMOUNT}/history")
    ben.edit(row, AMOUNT, "8")
    answer = ann.edit(row, AMOUNT, told["changes"][1]["value"], told["version"], source="restore")
    assert answer.status_code == 409
    assert ann.cell(row, AMOUNT) == "8"

"""Undo and redo for programs: one's own last action, once, with what was left alone."""

from uuid import uuid4

import pytest

from tests.api.conftest import DEAL, People, Person


def back(person: Person, which: str = "undo", **body: str) -> dict[str, object]:
    answer = person.ask("POST", f"/sheets/{{sheet}}/{which}", json={"operation_id": str(uuid4())} | body)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


@pytest.fixture
def ann(people: People) -> Person:
    return people("Ann")


@pytest.fixture
def ben(people: People) -> Person:
    return people("Ben")


@pytest.fixture
def row(ann: Person) -> int:
    return ann.add({DEAL: "Acme"})[0]


def test_an_edit_goes_back_and_comes_again(ann: Person, row: int) -> None:
    ann.edit(row, DEAL, "Apex")
    assert ann.get("/sheets/{sheet}/undo")["undo"]["said"] == "Change of a cell"
    taken = back(ann)
    assert (taken["cells"], taken["left"], ann.cell(row, DEAL)) == (1, [], "Acme")
    assert taken["next"]["redo"]["said"] == "Change of a cell"  # type: ignore[index]
    assert back(ann, "redo")["cells"] == 1
    assert ann.cell(row, DEAL) == "Apex"


def test_a_repeated_undo_is_carried_out_once(ann: Person, row: int) -> None:
    ann.edit(row, DEAL, "a")
    ann.edit(row, DEAL, "b")
    operation = str(uuid4())
    first, second = (back(ann, operation_id=operation) for _ in range(2))
    assert first["version"] == second["version"]
    assert ann.cell(row, DEAL) == "a"


def test_an_action_is_named_by_its_operation(ann: Person, row: int) -> None:
    operation = str(uuid4())
    ann.edit(row, DEAL, "a", operation_id=operation)
    other = ann.add({DEAL: "Other"})[0]
    back(ann, target=operation)
    assert (ann.cell(row, DEAL), ann.cell(other, DEAL)) == ("Acme", "Other")


def test_what_somebody_else_changed_is_left_alone_and_named(ann: Person, ben: Person, row: int) -> None:
    ann.edit(row, DEAL, "a")
    ben.edit(row, DEAL, "b")
    taken = back(ann)
    assert (taken["cells"], taken["left_count"]) == (0, 1)
    assert taken["left"][0]["by"] == "Ben"  # type: ignore[index]


def test_nothing_to_take_back_is_said(ben: Person, row: int) -> None:
    assert ben.get("/sheets/{sheet}/undo") == {"undo": None, "redo": None}
    answer = ben.ask("POST", "/sheets/{sheet}/undo", json={"operation_id": str(uuid4())})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "There is nothing of yours to undo in this sheet."


def test_a_viewer_takes_nothing_back_and_a_stranger_finds_no_sheet(people: People, row: int) -> None:
    body = {"operation_id": str(uuid4())}
    assert people("Cleo").ask("POST", "/sheets/{sheet}/undo", json=body).status_code == 403
    assert people("Dan").ask("POST", "/sheets/{sheet}/undo", json=body).status_code == 404

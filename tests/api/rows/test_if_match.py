"""ETag, If-Match and If-None-Match: a program changes only what it has seen, and reads again only what has changed."""

import json
from typing import Any

import httpx
import pytest

from tests.api.conftest import ACCOUNT, CLOSE, DEAL, People, Person
from tests.support.core.clock import pass_days

NEXT_STEP = 9
ROWS = "/sheets/{sheet}/rows"


def tag(person: Person, path: str = ROWS) -> str:
    return person.ask("GET", path).headers["etag"]


def edit_if(person: Person, if_match: str, *edits: dict[str, Any], **more: Any) -> httpx.Response:
    body = {"operation_id": more.pop("operation_id", "6f9619ff-8b86-4011-b42d-00c04fc964ff"), "edits": edits, **more}
    return person.ask("PATCH", ROWS, json=body, headers={"If-Match": if_match})


def account(row: int, value: str, **more: Any) -> dict[str, Any]:
    return {"row": row, "column": ACCOUNT, "value": value, **more}


@pytest.fixture
def seen(people: People) -> tuple[Person, Person, int, str]:
    """Ann and Ben, a row, and the tag under which Ben read it."""
    ann, ben = people("Ann"), people("Ben")
    (row,) = ann.add({DEAL: "Contested", ACCOUNT: "first"})
    return ann, ben, row, tag(ben, f"{ROWS}/{row}")


Seen = tuple[Person, Person, int, str]


def test_an_edit_of_what_is_still_as_it_was_read_is_written(seen: Seen) -> None:
    ann, ben, row, read = seen
    ann.edit(row, DEAL, "Another cell of the row")
    assert edit_if(ben, read, account(row, "his")).status_code == 200
    assert ann.cell(row, ACCOUNT) == "his"


def test_an_edit_of_a_cell_that_moved_on_fails_its_condition_with_both_values(seen: Seen) -> None:
    ann, ben, row, read = seen
    ann.edit(row, ACCOUNT, "hers")
    answer = edit_if(ben, read, account(row, "his"))
    problem, (cell,) = answer.json(), answer.json()["cells"]
    assert (answer.status_code, problem["status"]) == (412, 412)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (cell["mine"], cell["theirs"], cell["original"], cell["by"]) == ("his", "hers", "first", "Ann")
    assert ann.cell(row, ACCOUNT) == "hers"


def test_an_edits_own_base_goes_before_the_header_and_conflicts_as_ever(seen: Seen) -> None:
    ann, ben, row, read = seen
    base = ben.version
    ann.edit(row, ACCOUNT, "hers")
    assert edit_if(ben, tag(ben), account(row, "his", base=base)).status_code == 409
    assert edit_if(ben, read, account(row, "his", base=ben.version)).status_code == 200


def test_a_star_checks_nothing(seen: Seen) -> None:
    ann, ben, row, _ = seen
    ann.edit(row, ACCOUNT, "hers")
    assert edit_if(ben, "*", account(row, "his")).status_code == 200


def test_a_tag_that_a_proxy_made_weak_and_the_newest_of_several_count(seen: Seen) -> None:
    ann, ben, row, read = seen
    ann.edit(row, ACCOUNT, "hers")
    assert edit_if(ben, f"W/{read}", account(row, "his")).status_code == 412
    assert edit_if(ben, f"{read}, W/{tag(ben)}", account(row, "his")).status_code == 200


@pytest.mark.parametrize("header", ["7", '"seven"', '"7", nonsense', ""])
def test_a_tag_that_is_none_is_refused(seen: Seen, header: str) -> None:
    _, ben, row, _ = seen
    assert edit_if(ben, header, account(row, "his")).status_code == 422


def test_a_tag_from_a_sheet_that_has_come_further_never_holds(seen: Seen) -> None:
    _, ben, row, _ = seen
    assert edit_if(ben, '"999-1-editor"', account(row, "his")).status_code == 412
    assert ben.cell(row, ACCOUNT) == "first"


def test_in_part_the_rest_is_written_and_what_moved_on_is_named(seen: Seen) -> None:
    ann, ben, row, read = seen
    ann.edit(row, ACCOUNT, "hers")
    deal = {"row": row, "column": DEAL, "value": "Renamed"}
    answer = edit_if(ben, read, account(row, "his"), deal, partial=True).json()
    assert [cell["theirs"] for cell in answer["conflicts"]] == ["hers"]
    assert [cell["value"] for cell in answer["saved"]] == ["Renamed"]


def test_a_row_that_changed_since_it_was_read_is_not_deleted(seen: Seen) -> None:
    ann, ben, row, read = seen
    ann.edit(row, ACCOUNT, "hers")
    for answer in (
        ben.ask("DELETE", f"{ROWS}?ids={row}", headers={"If-Match": read}),
        edit_if(ben, read, deletes=[row]),
    ):
        assert (answer.status_code, answer.json()["rows"]) == (412, [row])
    assert ann.cell(row, ACCOUNT) == "hers"
    assert ben.ask("DELETE", f"{ROWS}?ids={row}", headers={"If-Match": tag(ben)}).status_code == 200


def test_a_conditional_operation_sent_again_is_answered_the_same(seen: Seen) -> None:
    _, ben, row, read = seen
    first = edit_if(ben, read, account(row, "his"))
    assert edit_if(ben, read, account(row, "his")).json() == first.json()


@pytest.mark.parametrize("path", [ROWS, ROWS + "?sort=-1&limit=5", ROWS + "/1"])
def test_what_is_known_already_is_not_sent_again(seen: Seen, path: str) -> None:
    ann, ben, row, _ = seen
    known = {"If-None-Match": tag(ben, path)}
    answer = ben.ask("GET", path, headers=known)
    assert (answer.status_code, answer.content) == (304, b"")
    ann.edit(row, ACCOUNT, "hers")
    assert ben.ask("GET", path, headers=known).status_code == 200


def test_other_columns_are_another_state(seen: Seen) -> None:
    ann, _, _, _ = seen
    known = {"If-None-Match": tag(ann)}
    assert ann.ask("DELETE", f"/sheets/{{sheet}}/columns/{NEXT_STEP}").status_code < 300
    assert ann.ask("GET", ROWS, headers=known).status_code == 200


def test_rows_of_a_stored_view_are_sent_again_after_its_filter_changed(seen: Seen) -> None:
    ann, _, row, _ = seen
    made = ann.ask("POST", "/sheets/{sheet}/views", json={"name": "Mine"}).json()
    path = f"{ROWS}?view={made['id']}"
    known = {"If-None-Match": tag(ann, path)}
    assert ann.ask("GET", path, headers=known).status_code == 304
    changes = {"filter": [{"column": ACCOUNT, "op": "is", "value": "nobody"}]}
    assert ann.ask("PATCH", f"/sheets/{{sheet}}/views/{made['id']}", json={"changes": changes}).status_code == 200
    answer = ann.ask("GET", path, headers=known)
    assert answer.status_code == 200
    assert row not in [shown["id"] for shown in answer.json()["rows"]]


def test_what_depends_on_the_day_is_sent_again_on_the_next(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, ben, _, _ = seen
    path = f"{ROWS}?filter={json.dumps([{'column': CLOSE, 'op': 'after', 'value': 'today'}])}"
    known = {"If-None-Match": tag(ben, path)}
    assert ben.ask("GET", path, headers=known).status_code == 304
    formula = {"name": "Today", "type": "formula", "rules": {"formula": "TODAY()"}}
    assert ann.ask("POST", "/sheets/{sheet}/columns", json=formula).status_code == 201
    known, whole = {"If-None-Match": tag(ben, path)}, {"If-None-Match": tag(ben)}
    pass_days(monkeypatch)
    assert ben.ask("GET", path, headers=known).status_code == 200
    assert ben.ask("GET", ROWS, headers=whole).status_code == 200

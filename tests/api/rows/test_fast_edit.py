"""The shortcut of small edits: whoever takes it is answered exactly as on the whole way, and it is taken."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from api.v1 import fast_edit, rows
from tests.api.conftest import ACCOUNT, AMOUNT, DEAL, STAGE, People, Person

OPERATION = "{operation}"
Body = dict[str, Any] | str


def edit(row: int, column: int, value: Any, base: int | None = None) -> dict[str, Any]:
    return {"row": row, "column": column, "value": value, "base": base}


# What is asked for, after a first row was added and its name was changed once; “{row}” is that row.
ASKED: dict[str, Body] = {
    "an edit": {"edits": [edit(1, AMOUNT, "12.50")]},
    "two edits": {"edits": [edit(1, AMOUNT, "12.50"), edit(1, ACCOUNT, "Acme")]},
    "as typed": {"edits": [{"row": 1, "column": AMOUNT, "text": "€ 3 500,10"}]},
    "text and value": {"edits": [{"row": 1, "column": AMOUNT, "text": "1", "value": "2"}]},
    "a conflict": {"edits": [edit(1, DEAL, "Mine", base=1)]},
    "a conflict, partial": {"edits": [edit(1, DEAL, "Mine", base=1)], "partial": True},
    "a refused value": {"edits": [edit(1, AMOUNT, "a lot")]},
    "a refused value, partial": {"edits": [edit(1, AMOUNT, "a lot"), edit(1, ACCOUNT, "Acme")], "partial": True},
    "an unknown option": {"edits": [edit(1, STAGE, "o99")]},
    "a row that is not there": {"edits": [edit(4711, AMOUNT, "1")]},
    "a column that is not there": {"edits": [edit(1, 99, "1")]},
    "a new row": {"adds": [{"key": "a", "cells": {str(DEAL): {"value": "New"}}}]},
    "two new rows of one name": {"adds": [{"key": "a"}, {"key": "a"}]},
    "a deletion": {"deletes": [1]},
    "nothing": {},
    "somebody else's": {"edits": [edit(1, AMOUNT, "1")], "person": 10**6},
    "from the board": {"edits": [edit(1, AMOUNT, "1")], "source": "board"},
    "an unknown source": {"edits": [edit(1, AMOUNT, "1")], "source": "elsewhere"},
    "an unknown key": {"edits": [edit(1, AMOUNT, "1")], "colour": "red"},
    "a number as text": {"edits": [{"row": "1", "column": AMOUNT, "value": "1"}]},
    "a base below zero": {"edits": [edit(1, AMOUNT, "1", base=-1)]},
    "no operation": {"edits": [edit(1, AMOUNT, "1")], "operation_id": None},
    "an operation that is none": {"edits": [edit(1, AMOUNT, "1")], "operation_id": "one"},
    "no JSON": "{",
    "no object": "[1]",
    "a key twice": '{"edits": [], "edits": []}',
    "no number": '{"edits": [{"row": 1, "column": 4, "value": NaN}]}',
    "too deep": '{"edits": ' + "[" * 30 + "]" * 30 + "}",
    "empty": "",
}


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The operations that took the shortcut."""
    operations = list[UUID]()
    change = rows.change

    async def noted(caller: Any, sheet: int, body: Any, **more: Any) -> Any:
        operations.append(body.operation_id)
        return await change(caller, sheet, body, **more)

    monkeypatch.setattr(fast_edit, "change", noted)
    return operations


def asked(body: Body, operation: int) -> str:
    if isinstance(body, str):
        return body
    return json.dumps({"operation_id": str(UUID(int=operation))} | body)


def asked_on(person: Person, content: str, **headers: str) -> tuple[int, Any, dict[str, str]]:
    headers = {"Content-Type": "application/json"} | headers
    answer = person.ask("PATCH", "/sheets/{sheet}/rows", content=content, headers=headers)
    told = {name: value for name, value in answer.headers.items() if name in {"content-type", "cache-control"}}
    return answer.status_code, without_moment(answer.json()), told


def without_moment(found: Any) -> Any:
    """The answer without the number of its sheet and the instants in it."""
    if isinstance(found, dict):
        return {key: without_moment(value) for key, value in found.items() if key not in {"at", "sheet"}}
    return [without_moment(one) for one in found] if isinstance(found, list) else found


@pytest.fixture
def sheet_of(people: People) -> Callable[[str], Person]:
    """Ann on a sheet of her own, with one row whose name has moved on since it was added."""

    def made(name: str) -> Person:
        ann = people("Ann")
        answer = ann.ask("POST", "/sheets", json={"name": name, "template": "pipeline"})
        ann.sheet = answer.json()["id"]
        ann.add({DEAL: "Theirs"})
        assert ann.edit(1, DEAL, "Theirs too").status_code == 200
        return ann

    return made


@pytest.mark.parametrize("asks", ASKED)
def test_a_small_edit_is_answered_as_on_the_whole_way(
    asks: str, sheet_of: Callable[[str], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    short, whole = sheet_of("Short"), sheet_of("Whole")
    answers = [asked_on(short, asked(ASKED[asks], 1)) for _ in ("first", "once more")]
    monkeypatch.setattr(fast_edit, "MAX_BODY_BYTES", -1)
    assert answers == [asked_on(whole, asked(ASKED[asks], 2)) for _ in ("first", "once more")]
    assert short.version == whole.version


@pytest.mark.parametrize("asks", ["an edit", "a conflict", "a refused value", "a new row", "a deletion"])
def test_a_small_edit_takes_the_shortcut(asks: str, sheet_of: Callable[[str], Person], taken: list[UUID]) -> None:
    asked_on(sheet_of("Short"), asked(ASKED[asks], 7))
    assert UUID(int=7) in taken


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=utf-8"}, {"If-Match": '"1"'}],
    ids=["another kind", "a charset", "a condition"],
)
def test_what_has_rules_of_its_own_goes_the_whole_way(
    headers: dict[str, str], sheet_of: Callable[[str], Person], taken: list[UUID]
) -> None:
    ann = sheet_of("Whole")
    taken.clear()
    assert asked_on(ann, asked(ASKED["an edit"], 7), **headers)[0] in {200, 422}
    assert not taken


@pytest.mark.parametrize("name", ["Cleo", "Dan", "nobody"])
def test_who_may_not_write_is_refused_on_both_ways(name: str, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    person = people(name)
    short = asked_on(person, asked(ASKED["an edit"], 1))
    monkeypatch.setattr(fast_edit, "MAX_BODY_BYTES", -1)
    assert short == asked_on(person, asked(ASKED["an edit"], 2))
    assert short[0] in {401, 403, 404}


def test_no_sheet_has_a_number_that_is_none(people: People) -> None:
    ann = people("Ann")
    for number, status in (("0", 422), ("x", 422), ("9" * 30, 422), ("999999", 404)):
        answer = ann.ask("PATCH", f"/sheets/{number}/rows", json={"operation_id": str(UUID(int=1)), "deletes": [1]})
        assert answer.status_code == status, number

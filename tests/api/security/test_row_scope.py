"""Every GET of the API as somebody who has only rows of their own, and as somebody from whom a column is hidden."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.api.conftest import ACCOUNT, AMOUNT, DEAL, OWNER, People, Person
from tests.conftest import actor

SECRET = "Project Falcon"
MINE, BENS = 1, 2
QUERIES: list[dict[str, Any]] = [
    {},
    {"search": "Falcon"},
    {"sort": f"-{DEAL}"},
    {"filter": json.dumps([{"column": DEAL, "op": "contains", "value": "Falcon"}])},
    {"as_of": "version:2"},
    {"since": 0},
    {"since": "version:0"},
    {"format": "csv"},
    {"format": "xlsx"},
]


def paths(description: dict[str, Any]) -> Iterator[str]:
    """Every GET of a sheet, with the numbers that the test has in its place."""
    for path, methods in description["paths"].items():
        if "get" in methods and "{sheet}" in path:
            for row in (MINE, BENS):
                yield path.replace("{row}", str(row)).replace("{column}", str(DEAL)).removeprefix("/v1")


@pytest.fixture
def sheet(people: People, session: Session) -> int:
    """Row 1 is Dan's, who sees his own only; row 2 Ben's. Both were changed, one row of Ben's is in the trash."""
    ann, ben, dan = people("Ann"), str(actor("Ben").user_id), str(actor("Dan").user_id)
    ann.add({DEAL: "Visible", OWNER: dan}, {DEAL: SECRET, OWNER: ben}, {DEAL: f"{SECRET} 2", OWNER: ben})
    ann.edit(MINE, ACCOUNT, "Shown")
    ann.edit(BENS, ACCOUNT, f"{SECRET} Ltd")
    ann.change(deletes=[3])
    share = "INSERT INTO collaborators (sheet_id, user_id, level, row_scope) VALUES (:sheet, :dan, 'editor', 'own')"
    session.execute(text(share), {"sheet": ann.sheet, "dan": actor("Dan").user_id})
    return ann.sheet


def everything_told(who: Person) -> Iterator[tuple[str, str]]:
    """What every GET answers, however it is asked."""
    for path in sorted(set(paths(who.client.get("/api/openapi.json").json()))):
        for query in QUERIES:
            answer = who.ask("GET", path, params=query)
            yield f"{path} {query}", readable(answer.content, answer.headers.get("content-type", ""))


def readable(content: bytes, kind: str) -> str:
    """The text of an answer; of a workbook that of its parts."""
    if "spreadsheet" not in kind:
        return content.decode(errors="replace")
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(name).decode(errors="replace") for name in book.namelist())


def test_no_get_tells_of_a_row_that_is_not_mine(people: People, sheet: int) -> None:
    dan = people("Dan")
    told = dict(everything_told(dan))
    assert [asked for asked, answer in told.items() if SECRET in answer] == []
    assert any("Visible" in answer for answer in told.values())
    assert any(SECRET in answer for _, answer in everything_told(people("Ann")))


def test_no_get_tells_of_a_hidden_column(people: People, sheet: int) -> None:
    ann, ben = people("Ann"), people("Ben")
    ann.edit(MINE, AMOUNT, "91837465")
    for column in (DEAL, ACCOUNT, AMOUNT):
        hidden = ann.ask("PUT", f"/sheets/{{sheet}}/columns/{column}/limits", json={"editor": "hidden"})
        assert hidden.json()["limits"] == {"editor": "hidden"}
    told = dict(everything_told(ben))
    leaks = [asked for asked, answer in told.items() if SECRET in answer or "91837465" in answer or "Amount" in answer]
    assert leaks == []
    assert ben.edit(MINE, AMOUNT, "1").status_code == 404


def test_a_hidden_column_is_answered_like_one_that_never_was(people: People, sheet: int) -> None:
    ann, ben = people("Ann"), people("Ben")
    ann.ask("PUT", f"/sheets/{{sheet}}/columns/{AMOUNT}/limits", json={"editor": "hidden"})
    for query in ({"sort": "{}"}, {"filter": '[{{"column": {}, "op": "is_empty"}}]'}):
        answers = []
        for column in (AMOUNT, 4711):
            asked = {name: value.format(column) for name, value in query.items()}
            answer = ben.ask("GET", "/sheets/{sheet}/rows", params=asked)
            answers.append((answer.status_code, {**answer.json(), "column": None}))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404


def test_only_the_owner_limits_columns_and_only_as_there_is(people: People, sheet: int) -> None:
    path = f"/sheets/{{sheet}}/columns/{AMOUNT}/limits"
    assert people("Ben").ask("PUT", path, json={"viewer": "hidden"}).status_code == 403
    assert people("Ann").ask("PUT", path, json={"viewer": "read-only"}).status_code == 422
    assert people("Ann").ask("PUT", path, json={"viewer": "secret"}).status_code == 422


def test_a_row_that_is_handed_over_is_told_as_gone(people: People, sheet: int) -> None:
    dan = people("Dan")
    before = dan.version
    assert dan.edit(MINE, OWNER, str(actor("Ben").user_id)).status_code == 200
    (row,) = dan.get("/sheets/{sheet}/changes", since=before)["rows"]
    assert (row["id"], row["removed"]) == (MINE, True)
    assert dan.ask("GET", f"/sheets/{{sheet}}/rows/{MINE}").status_code == 404


def test_what_is_known_is_sent_again_when_the_rows_that_are_mine_have_changed(people: People, sheet: int) -> None:
    ann, dan = people("Ann"), people("Dan")
    read = dan.ask("GET", "/sheets/{sheet}/rows")
    known = {"If-None-Match": read.headers["etag"]}
    assert dan.ask("GET", "/sheets/{sheet}/rows", headers=known).status_code == 304
    path = f"/sheets/{{sheet}}/collaborators/{actor('Dan').user_id}"
    assert ann.ask("PUT", path, json={"level": "editor", "rows": "all"}).status_code == 200
    again = dan.ask("GET", "/sheets/{sheet}/rows", headers=known)
    assert (again.status_code, len(again.json()["rows"]) > len(read.json()["rows"])) == (200, True)

"""Forged writes: cells, rows and columns that nobody was shown are refused, and nothing is written beside them."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.api.conftest import ACCOUNT, DEAL, People

NO_COLUMNS = [-1, 0, 4711, 10**9]


def logged(session: Session) -> int:
    return session.scalar(text("SELECT count(*) FROM changes")) or 0


@pytest.mark.parametrize("column", NO_COLUMNS)
def test_a_column_that_is_not_there_takes_no_value(people: People, session: Session, column: int) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Real"})
    before = logged(session)
    assert ann.edit(row, column, "forged").status_code in {404, 422}
    assert ann.change(adds=[{"key": "n", "cells": {str(column): {"value": "forged"}}}]).status_code in {404, 422}
    assert logged(session) == before


def test_a_retired_column_takes_no_value_from_anybody(people: People, session: Session) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Real"})
    made = ann.ask("POST", "/sheets/{sheet}/columns", json={"name": "Note", "type": "text"})
    column = made.json()["id"]
    assert ann.ask("DELETE", f"/sheets/{{sheet}}/columns/{column}").status_code in {200, 204}
    before = logged(session)
    for name in ("Ann", "Ben"):
        assert people(name).edit(row, column, "forged").status_code == 404
    assert logged(session) == before


def test_one_forged_cell_takes_the_whole_action_along(people: People, session: Session) -> None:
    ann = people("Ann")
    (row,) = ann.add({DEAL: "Real"})
    before = logged(session)
    edits = [{"row": row, "column": ACCOUNT, "value": "honest"}, {"row": 10**9, "column": ACCOUNT, "value": "forged"}]
    assert ann.change(edits=edits).status_code == 404
    assert logged(session) == before
    assert ann.cell(row, ACCOUNT) is None


@pytest.mark.parametrize("row", [-1, 0, 10**9, 2**31 - 1])
def test_a_forged_deletion_deletes_nothing(people: People, session: Session, row: int) -> None:
    ann = people("Ann")
    ann.add({DEAL: "Real"})
    before = logged(session)
    assert ann.change(deletes=[row]).json().get("deleted", []) == []
    assert logged(session) == before


@pytest.mark.parametrize(
    "body",
    [
        {"edits": [{"row": 1, "column": ACCOUNT, "value": "forged"}]},
        {"adds": [{"key": "n", "cells": {str(DEAL): {"value": "forged"}}}]},
        {"deletes": [1]},
    ],
    ids=["edit", "add", "delete"],
)
def test_a_viewers_forged_action_in_part_is_refused_whole(
    people: People, session: Session, body: dict[str, Any]
) -> None:
    people("Ann").add({DEAL: "Real"})
    before = logged(session)
    assert people("Cleo").change(**body, partial=True).status_code == 403
    assert logged(session) == before

"""One moment: whoever reads a sheet while somebody writes is told rows and a version that fit together."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from fastapi import Response
from sqlalchemy import event

from api.auth.request import Caller
from api.live.change_feed import ChangesRequest, answer_requests
from core.access.load import get_access
from core.base.permissions import Level, RowScope
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.pipeline.figures import figures
from core.rows.query import View
from core.sharing.shares import share_sheet
from db import engine as db
from tests.api.conftest import CLOSE, DEAL, OWNER, STAGE, People, Person, sign_in
from tests.conftest import actor

ROWS = 3
SORTED = {"sort": f"-{DEAL}"}


def add_row(sheet: int) -> None:
    row = {DEAL: CellInput("One more"), STAGE: CellInput("Won"), CLOSE: CellInput("2026-11-02")}
    with db.transaction() as session:
        write(
            session,
            actor("Ben"),
            sheet,
            Batch(adds=(NewRow("new", row),)),
            operation_id=uuid4(),
            source=ChangeSource.API,
        )


@contextmanager
def before_each_statement(happens: Callable[[], None]) -> Iterator[list[str]]:
    """Somebody else acts, and commits, before each statement of whoever reads; those statements."""
    seen = list[str]()
    acting = False

    def interfere(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal acting
        if not acting:
            acting = True
            happens()
            acting = False
            seen.append(statement)

    event.listen(db.bound_engine(), "before_cursor_execute", interfere)
    try:
        yield seen
    finally:
        event.remove(db.bound_engine(), "before_cursor_execute", interfere)


@pytest.fixture
def ann(live_people: People) -> Person:
    """The owner of a sheet that has one row a version."""
    ann = live_people("Ann")
    for _ in range(ROWS):
        add_row(ann.sheet)
    return ann


@pytest.mark.parametrize("view", [{}, SORTED])
def test_an_order_has_the_rows_of_its_version(ann: Person, view: dict[str, str]) -> None:
    before = ann.version
    with before_each_statement(lambda: add_row(ann.sheet)) as seen:
        found = ann.get("/sheets/{sheet}/order", **view)
    assert seen
    assert found["total"] == ROWS + found["version"] - before


@pytest.mark.parametrize("view", [{}, SORTED, {"offset": "0"}, {"offset": "0"} | SORTED])
def test_a_page_has_the_rows_of_its_version(ann: Person, view: dict[str, str]) -> None:
    before = ann.version
    for _ in range(2):  # What is asked for again is answered from an order that is kept.
        with before_each_statement(lambda: add_row(ann.sheet)) as seen:
            found = ann.get("/sheets/{sheet}/rows", **view)
        assert seen
        assert len(found["rows"]) == ROWS + found["version"] - before


def test_all_figures_of_a_dashboard_are_of_its_version(ann: Person) -> None:
    before = ann.version
    with before_each_statement(lambda: add_row(ann.sheet)) as seen, db.snapshot() as session:
        found = figures(session, get_access(session, actor("Ann"), ann.sheet), View(), today=date(2026, 11, 28))
    assert len(seen) > 3
    rows = ROWS + found.version - before
    assert [found.total, sum(bar.count for bar in found.stages), found.headline.won_count] == [rows] * 3
    assert sum(month.won.count for month in found.months) == rows


def test_a_row_that_goes_while_its_reader_is_told_was_told_to_come(ann: Person) -> None:
    """Who sees only their own rows counts one too few where a row goes that never came."""
    dan = actor("Dan").user_id
    with db.transaction() as session:
        share_sheet(session, actor("Ann"), ann.sheet, dan, level=Level.VIEWER, row_scope=RowScope.OWN)
    since = ann.version
    (row,) = ann.add({DEAL: "Dan's", OWNER: str(dan)})

    def take_it_away() -> None:
        given = Edit(row, OWNER, CellInput(str(actor("Ben").user_id)))
        with db.transaction() as session:
            write(
                session, actor("Ann"), ann.sheet, Batch(edits=(given,)), operation_id=uuid4(), source=ChangeSource.API
            )

    reader = sign_in(ann.client, "Dan", ann.sheet)
    asked = ChangesRequest(
        Caller({"authorization": f"Bearer {reader.token}"}, None, ann.sheet, only_reads=True), ann.sheet, since
    )
    with before_each_statement(take_it_away) as seen:
        (found,) = answer_requests([asked])
    assert seen
    assert isinstance(found, Response)
    told = json.loads(bytes(found.body))
    assert [(one["id"], one["added"]) for one in told["rows"]] == [(row, True)]
    (gone,) = reader.get("/sheets/{sheet}/changes", since=told["version"])["rows"]
    assert (gone["id"], gone["removed"]) == (row, True)

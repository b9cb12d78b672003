"""An operation over several sheets: one answer each, carried out once, with locks that never wait for each other."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Conflict, NotAllowed
from core.base.permissions import Level, Permission
from core.edits.operation import ChangeSource, RowChanges, WriteOperation, carry_out_together
from core.sharing.shares import share_sheet
from core.sheets.sheets import create_sheet
from db.engine import transaction
from tests.conftest import actor

ADD = [Permission.ROWS_ADD]


def add_to_each(
    session: Session, who: Actor, sheets: list[int], operation: UUID, request: bytes = b"one row each"
) -> dict[int, Any]:
    def decide(operations: dict[int, WriteOperation]) -> dict[int, Any]:
        return {
            sheet: one.finish(RowChanges(edits={}, adds=['{"1": "new"}']), lambda version: {"version": version})
            for sheet, one in operations.items()
        }

    return carry_out_together(
        session,
        who,
        dict.fromkeys(sheets, ADD),
        decide,
        operation_id=operation,
        source=ChangeSource.API,
        request=request,
    )


@pytest.fixture
def pair(session: Session, deals: Access, ann: Actor) -> list[int]:
    return [deals.sheet.sheet_id, create_sheet(session, ann, "Accounts").sheet.sheet_id]


def versions(session: Session, who: Actor, sheets: list[int]) -> list[int]:
    return [get_access(session, who, sheet).sheet.version for sheet in sheets]


def test_an_operation_over_two_sheets_writes_a_version_of_each_once(
    session: Session, ann: Actor, pair: list[int]
) -> None:
    before, operation = versions(session, ann, pair), uuid4()
    answers = add_to_each(session, ann, pair, operation)
    assert [answers[sheet]["version"] for sheet in pair] == [version + 1 for version in before]
    assert add_to_each(session, ann, pair, operation) == answers
    assert versions(session, ann, pair) == [version + 1 for version in before]


def test_an_operation_id_stands_for_one_request_and_one_set_of_sheets(
    session: Session, ann: Actor, pair: list[int]
) -> None:
    operation = uuid4()
    add_to_each(session, ann, pair[:1], operation)
    for sheets, request in ((pair, b"one row each"), (pair[:1], b"another request")):
        with pytest.raises(Conflict), session.begin_nested():
            add_to_each(session, ann, sheets, operation, request)


def test_without_the_right_in_one_sheet_nothing_is_written_in_the_other(
    session: Session, ann: Actor, ben: Actor, pair: list[int]
) -> None:
    for sheet, level in zip(pair, (Level.EDITOR, Level.VIEWER), strict=True):
        share_sheet(session, ann, sheet, ben.user_id, level=level)
    before = versions(session, ann, pair)
    with pytest.raises(NotAllowed), session.begin_nested():
        add_to_each(session, ben, pair, uuid4())
    assert versions(session, ann, pair) == before


@pytest.mark.usefixtures("database")
def test_operations_over_the_same_sheets_in_any_order_do_not_deadlock() -> None:
    with transaction() as session:
        sheets = [create_sheet(session, actor("Ann"), name).sheet.sheet_id for name in ("One", "Two")]
    start = Barrier(4)

    def write(order: list[int]) -> int:
        start.wait()
        for _ in range(10):
            with transaction() as session:
                add_to_each(session, actor("Ann"), order, uuid4())
        return 10

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write, [sheets, sheets[::-1]] * 2)) == 40
    with transaction() as session:
        assert versions(session, actor("Ann"), sheets) == [40, 40]

"""Corners of writing: late copies of a request, cells named twice, rows that are younger than the screen."""

from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.actor import Actor
from core.base.permissions import Level
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.rows.query import View
from core.rows.read import first_rows
from core.sharing.shares import share_sheet
from tests.support.core.changes import change_rows


def put(session: Session, who: Actor, access: Access, batch: Batch, operation: UUID | None = None) -> Outcome:
    sheet_id, operation = access.sheet.sheet_id, operation or uuid4()
    return write(session, who, sheet_id, batch, operation_id=operation, source=ChangeSource.GRID, partial=True)


def test_what_was_refused_stays_refused_when_the_same_request_comes_again_late(
    session: Session, deals: Access, ann: Actor
) -> None:
    """The browser has told its person that the value was not saved; a copy of the request may still be on its way."""
    put(session, ann, deals, Batch(adds=(NewRow("n", {1: CellInput("Acme")}),)))
    put(session, ann, deals, Batch(deletes=(1,)))
    operation, late = uuid4(), Batch(edits=(Edit(1, 1, CellInput("Late"), 2),))
    first = put(session, ann, deals, late, operation)
    assert [cell["given"] for cell in first.gone] == ["Late"]
    change_rows(session, ann, deals.sheet.sheet_id, restores=[1])
    assert put(session, ann, deals, late, operation) == first


def test_the_version_that_a_conflict_names_is_enough_to_decide_it(session: Session, deals: Access, ann: Actor) -> None:
    put(session, ann, deals, Batch(adds=(NewRow("n", {1: CellInput("Acme")}),)))
    put(session, ann, deals, Batch(adds=(NewRow("n", {1: CellInput("Bolt")}),)))
    (conflict,) = put(session, ann, deals, Batch(edits=(Edit(2, 1, CellInput("Mine"), 1),))).conflicts
    assert (conflict["theirs"], conflict["version"]) == ("Bolt", 2)
    decided = put(session, ann, deals, Batch(edits=(Edit(2, 1, CellInput("Mine"), conflict["version"]),)))
    assert decided.saved


def test_of_two_edits_of_one_cell_in_a_batch_the_later_one_holds(session: Session, deals: Access, ann: Actor) -> None:
    put(session, ann, deals, Batch(adds=(NewRow("n", {1: CellInput("Acme")}),)))
    twice = Batch(edits=(Edit(1, 1, CellInput("Other")), Edit(1, 1, CellInput("Acme"))))
    assert [cell["value"] for cell in put(session, ann, deals, twice).saved] == ["Acme"]
    assert first_rows(session, deals, View(), limit=1).rows[0]["values"] == {"1": "Acme"}


def test_what_was_written_is_answered_as_written_though_the_right_has_been_withdrawn_since(
    session: Session, deals: Access, ann: Actor, ben: Actor
) -> None:
    operation, batch = uuid4(), Batch(adds=(NewRow("n", {1: CellInput("Acme")}),))
    first = put(session, ben, deals, batch, operation)
    share_sheet(session, ann, deals.sheet.sheet_id, ben.user_id, level=Level.VIEWER)
    assert put(session, ben, deals, batch, operation) == first

"""The trash: what was deleted is listed, found and brought back whole, as one change, and nothing is overwritten."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid, NotAllowed, NotFound
from core.base.exact_json import Value
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.trash import MAX_RESTORED, TrashedRow, restore_rows, trash, trash_size
from core.edits.undo import undo
from core.edits.write import write
from core.history.changes_since import changes_since
from core.history.history import recent_changes
from core.sheets.columns import change_column, limit_column, retire_column
from core.sheets.sheets import archive_sheet
from db import engine as db
from tests.conftest import actor, make_deals

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
NAMES = ["Acme", "Bolt", "Cord", "Dune", "Echo"]


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor) -> int:
    """Five deals of Ann's."""
    adds = tuple(
        NewRow(name, {DEAL: CellInput(name), AMOUNT: CellInput("5"), STAGE: CellInput("Lead")}) for name in NAMES
    )
    write(session, ann, deals.sheet.sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.GRID)
    return deals.sheet.sheet_id


def delete(session: Session, who: Actor, sheet: int, *rows: int) -> int:
    batch = Batch(deletes=rows)
    return write(session, who, sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID).version


def edit(session: Session, who: Actor, sheet: int, row: int, column: int, given: str) -> None:
    batch = Batch((Edit(row, column, CellInput(given)),))
    write(session, who, sheet, batch, operation_id=uuid4(), source=ChangeSource.GRID)


def restore(
    session: Session, who: Actor, sheet: int, *rows: int, operation_id: UUID | None = None, partial: bool = False
) -> Outcome:
    return restore_rows(session, who, sheet, rows, operation_id=operation_id or uuid4(), partial=partial)


def alive(session: Session, sheet: int) -> dict[int, Any]:
    query = text("SELECT row_id, values FROM rows WHERE sheet_id = :sheet AND deleted_version IS NULL")
    return dict(session.execute(query, {"sheet": sheet}).all())


def listed(found: list[TrashedRow]) -> list[tuple[int, str, str]]:
    return [(one.row, one.title, one.by) for one in found]


# --- what is in it


def test_deleted_rows_are_listed_with_who_and_when_the_latest_first(
    session: Session, sheet: int, ann: Actor, ben: Actor
) -> None:
    first = delete(session, ben, sheet, 2, 3)
    last = delete(session, ann, sheet, 1)
    found = trash(session, ann, sheet)
    assert listed(found) == [(1, "Acme", "Ann"), (3, "Cord", "Ben"), (2, "Bolt", "Ben")]
    assert [one.version for one in found] == [last, first, first]
    values: dict[str, Value] = {"1": "Acme", "3": "o1", "4": found[0].values["4"]}
    assert found[0].values == values
    assert found[0].deleted_at > found[1].deleted_at
    assert trash_size(session, get_access(session, ann, sheet)) == 3


def test_an_untouched_sheet_has_an_empty_trash(session: Session, sheet: int, ann: Actor) -> None:
    assert trash(session, ann, sheet) == []
    assert trash_size(session, get_access(session, ann, sheet)) == 0


@pytest.mark.parametrize(
    ("wanted", "rows"), [("acm", [1]), ("LEAD", [3, 1]), ("Won", [2]), ("5", [3, 2, 1]), ("x", [])]
)
def test_the_trash_is_searched_as_the_sheet_is(
    session: Session, sheet: int, ann: Actor, wanted: str, rows: list[int]
) -> None:
    edit(session, ann, sheet, 2, STAGE, "Won")
    delete(session, ann, sheet, 1, 2, 3)
    assert [one.row for one in trash(session, ann, sheet, search=wanted)] == rows


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_page_after_page_lists_every_deleted_row_once(
    session: Session, sheet: int, ann: Actor, ben: Actor, limit: int
) -> None:
    delete(session, ann, sheet, 4)
    delete(session, ben, sheet, 1, 2, 5)
    pages: list[TrashedRow] = []
    behind = None
    while page := trash(session, ann, sheet, before=behind, limit=limit):
        pages += page
        behind = (page[-1].version, page[-1].row)
    assert pages == trash(session, ann, sheet)
    assert [one.row for one in pages] == [5, 2, 1, 4]


def test_a_retired_column_is_not_shown_and_not_searched(session: Session, sheet: int, ann: Actor) -> None:
    edit(session, ann, sheet, 1, 11, "A secret")
    retire_column(session, ann, sheet, 11)
    delete(session, ann, sheet, 1)
    assert "A secret" not in str(trash(session, ann, sheet))
    assert trash(session, ann, sheet, search="secret") == []


def test_a_reader_sees_the_trash_and_takes_nothing_out_of_it(
    session: Session, sheet: int, ann: Actor, cleo: Actor, dan: Actor
) -> None:
    delete(session, ann, sheet, 1)
    assert listed(trash(session, cleo, sheet)) == [(1, "Acme", "Ann")]
    with pytest.raises(NotAllowed):
        restore(session, cleo, sheet, 1)
    with pytest.raises(NotFound):
        trash(session, dan, sheet)


# --- the way back


def test_a_restored_row_is_as_it_was_and_everybody_can_tell_who_brought_it_back(
    session: Session, sheet: int, ann: Actor, ben: Actor
) -> None:
    before = alive(session, sheet)
    gone = delete(session, ann, sheet, 1, 2)
    outcome = restore(session, ben, sheet, 2, 1)
    assert (outcome.version, outcome.restored, outcome.refused, outcome.gone) == (gone + 1, [2, 1], [], [])
    assert alive(session, sheet) == before
    assert trash(session, ann, sheet) == []
    lines = recent_changes(session, get_access(session, ann, sheet), limit=2)
    assert [(one.by, one.row, one.kind, one.source) for one in lines] == [
        ("Ben", 2, "restore", "restore"),
        ("Ben", 1, "restore", "restore"),
    ]


def test_a_repeated_request_is_answered_the_same_and_done_once(session: Session, sheet: int, ann: Actor) -> None:
    delete(session, ann, sheet, 1)
    operation = uuid4()
    first = restore(session, ann, sheet, 1, operation_id=operation)
    delete(session, ann, sheet, 1)
    assert restore(session, ann, sheet, 1, operation_id=operation) == first
    assert 1 not in alive(session, sheet)


def test_a_request_that_restored_nothing_restores_nothing_when_it_comes_again(
    session: Session, sheet: int, ann: Actor
) -> None:
    operation = uuid4()
    first = restore(session, ann, sheet, 1, operation_id=operation, partial=True)
    delete(session, ann, sheet, 1)
    assert restore(session, ann, sheet, 1, operation_id=operation, partial=True) == first
    assert 1 not in alive(session, sheet)


def test_the_operation_of_another_action_restores_nothing(session: Session, sheet: int, ann: Actor) -> None:
    operation = uuid4()
    write(session, ann, sheet, Batch(deletes=(1,)), operation_id=operation, source=ChangeSource.GRID)
    with pytest.raises(Conflict, match="used for another change"):
        restore(session, ann, sheet, 1, operation_id=operation)
    assert 1 not in alive(session, sheet)


def test_a_row_that_is_not_in_the_trash_is_said(session: Session, sheet: int, ann: Actor) -> None:
    version = delete(session, ann, sheet, 1)
    with pytest.raises(NotFound, match="Row 2 is not in the trash"):
        restore(session, ann, sheet, 1, 2)
    assert (1 in alive(session, sheet), get_access(session, ann, sheet).sheet.version) == (False, version)
    outcome = restore(session, ann, sheet, 1, 2, 77, partial=True)
    assert (outcome.restored, [one["row"] for one in outcome.gone]) == ([1], [2, 77])


def test_where_nothing_can_be_restored_nothing_is_written(session: Session, sheet: int, ann: Actor) -> None:
    version = get_access(session, ann, sheet).sheet.version
    assert restore(session, ann, sheet, 2, partial=True).version == version
    assert get_access(session, ann, sheet).sheet.version == version


def test_a_unique_value_that_another_row_has_by_now_keeps_a_row_in_the_trash(
    session: Session, sheet: int, ann: Actor
) -> None:
    delete(session, ann, sheet, 1, 2)
    change_column(session, ann, sheet, DEAL, rules={"unique": True})
    edit(session, ann, sheet, 3, DEAL, "ACME")
    version = get_access(session, ann, sheet).sheet.version
    with pytest.raises(Invalid, match="“Deal” must be unique, and row #3 has this value") as refused:
        restore(session, ann, sheet, 1, 2)
    (cell,) = refused.value.facts["cells"]
    assert (cell["row"], cell["column"], cell["given"]) == (1, DEAL, "Acme")
    assert get_access(session, ann, sheet).sheet.version == version
    outcome = restore(session, ann, sheet, 1, 2, partial=True)
    assert (outcome.restored, [one["row"] for one in outcome.refused]) == ([2], [1])


def test_a_hidden_column_keeps_a_row_in_the_trash_and_says_nothing_of_itself(
    session: Session, sheet: int, ann: Actor, ben: Actor
) -> None:
    edit(session, ann, sheet, 1, ACCOUNT, "Zebra 3")
    change_column(session, ann, sheet, ACCOUNT, name="Secret code", rules={"unique": True})
    limit_column(session, ann, sheet, ACCOUNT, {"editor": "hidden"})
    delete(session, ben, sheet, 1)
    edit(session, ann, sheet, 4, ACCOUNT, "Zebra 3")
    with pytest.raises(Invalid) as refused:
        restore(session, ben, sheet, 1)
    told = (refused.value.message, refused.value.facts, restore(session, ben, sheet, 1, partial=True).as_json())
    taken_back = undo(session, ben, sheet, operation_id=uuid4())
    assert taken_back.left_count == 1
    for said in (*told, asdict(taken_back)):
        assert not any(hint in str(said) for hint in ("Secret", "Zebra", "row #4", f"'column': {ACCOUNT}"))
    assert "does not fit into the sheet" in refused.value.message
    assert "unique" not in told[0] + str(told[1:])


def test_of_two_deleted_rows_with_one_unique_value_the_first_named_comes_back(
    session: Session, sheet: int, ann: Actor
) -> None:
    delete(session, ann, sheet, 1)
    edit(session, ann, sheet, 2, DEAL, "acme")
    delete(session, ann, sheet, 2)
    change_column(session, ann, sheet, DEAL, rules={"unique": True})
    outcome = restore(session, ann, sheet, 2, 1, partial=True)
    assert (outcome.restored, outcome.refused[0]["row"]) == ([2], 1)
    assert "row #2" in outcome.refused[0]["reason"]


@pytest.mark.parametrize("rows", [[], list(range(1, MAX_RESTORED + 2))])
def test_none_and_too_many_are_refused(session: Session, sheet: int, ann: Actor, rows: list[int]) -> None:
    with pytest.raises(Invalid):
        restore(session, ann, sheet, *rows)


def test_an_archived_sheet_keeps_its_trash(session: Session, sheet: int, ann: Actor) -> None:
    delete(session, ann, sheet, 1)
    archive_sheet(session, ann, sheet)
    with pytest.raises(NotAllowed, match="archived"):
        restore(session, ann, sheet, 1)


# --- how an open grid hears of it


def followed(session: Session, who: Actor, sheet: int, since: int) -> dict[str, Any]:
    (row,) = changes_since(session, get_access(session, who, sheet), since).rows
    return row


def test_an_open_grid_is_told_of_a_restored_row_with_its_values(session: Session, sheet: int, ann: Actor) -> None:
    before = delete(session, ann, sheet, 1)
    restore(session, ann, sheet, 1)
    row = followed(session, ann, sheet, before)
    assert (row["restored"], row["removed"], row["added"]) == (True, False, False)
    assert row["values"] == {"1": "Acme", "3": "o1", "4": "5"}


def test_a_row_that_went_and_came_back_was_never_missing(session: Session, sheet: int, ann: Actor) -> None:
    before = get_access(session, ann, sheet).sheet.version
    delete(session, ann, sheet, 1)
    restore(session, ann, sheet, 1)
    row = followed(session, ann, sheet, before)
    assert (row["restored"], row["removed"]) == (False, False)


def test_a_row_that_came_back_and_went_again_is_gone(session: Session, sheet: int, ann: Actor) -> None:
    before = delete(session, ann, sheet, 1)
    restore(session, ann, sheet, 1)
    delete(session, ann, sheet, 1)
    assert followed(session, ann, sheet, before)["removed"] is True


def test_what_changed_in_a_column_that_is_not_seen_is_not_told(session: Session, sheet: int, ann: Actor) -> None:
    before = get_access(session, ann, sheet).sheet.version
    edit(session, ann, sheet, 1, 11, "A secret")
    retire_column(session, ann, sheet, 11)
    assert changes_since(session, get_access(session, ann, sheet), before).rows == []


# --- at the same time


def test_of_two_who_restore_the_same_row_one_does_and_the_other_is_told(database: str) -> None:
    with db.transaction() as session:
        sheet = make_deals(session).sheet.sheet_id
        adds = (NewRow("a", {DEAL: CellInput("Acme")}),)
        write(session, actor("Ann"), sheet, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.GRID)
    with db.transaction() as session:
        delete(session, actor("Ann"), sheet, 1)

    def bring_back(name: str) -> Outcome:
        with db.transaction() as session:
            return restore(session, actor(name), sheet, 1, partial=True)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(bring_back, ["Ann", "Ben"]))
    assert sorted(len(one.restored) for one in outcomes) == [0, 1]
    assert sorted(len(one.gone) for one in outcomes) == [0, 1]

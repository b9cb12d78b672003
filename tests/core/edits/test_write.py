"""Writing cells: nothing lost, nothing overwritten unseen, nothing half written, nothing twice."""

from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid, NotAllowed, NotFound
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.rows.query import View
from core.rows.read import first_rows
from core.sheets.columns import change_column, retire_column

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
NEXT_STEP = 9
Write = Callable[..., Outcome]


@pytest.fixture
def put(session: Session, deals: Access) -> Write:
    """Write a batch as somebody: put(ann, edits=[(row, column, text, base)], adds=[{column: text}], deletes=[row])."""

    def make(
        actor: Actor,
        edits: Sequence[tuple] = (),
        adds: Sequence[dict[int, str]] = (),
        deletes: Sequence[int] = (),
        *,
        partial: bool = False,
        operation_id: UUID | None = None,
    ) -> Outcome:
        batch = Batch(
            tuple(Edit(row, column, CellInput(given), *base) for row, column, given, *base in edits),
            tuple(
                NewRow(f"new-{number}", {column: CellInput(given) for column, given in cells.items()})
                for number, cells in enumerate(adds)
            ),
            tuple(deletes),
        )
        return write(
            session,
            actor,
            deals.sheet.sheet_id,
            batch,
            operation_id=operation_id or uuid4(),
            source=ChangeSource.GRID,
            partial=partial,
        )

    return make


def cells(session: Session, actor: Actor, deals: Access) -> dict[int, dict[str, object]]:
    access = get_access(session, actor, deals.sheet.sheet_id)
    return {row["id"]: row["values"] for row in first_rows(session, access, View(), limit=1000).rows}


def version(session: Session, actor: Actor, deals: Access) -> int:
    return get_access(session, actor, deals.sheet.sheet_id).sheet.version


def test_new_rows_get_consecutive_numbers(session: Session, ann: Actor, deals: Access, put: Write) -> None:
    outcome = put(ann, adds=[{DEAL: "Acme"}, {DEAL: "Bolt", AMOUNT: "1,500.50"}])
    assert [(added["key"], added["row"]) for added in outcome.added] == [("new-0", 1), ("new-1", 2)]
    assert cells(session, ann, deals) == {1: {"1": "Acme"}, 2: {"1": "Bolt", "4": "1500.5"}}


def test_typed_text_is_stored_by_the_columns_type(session: Session, ann: Actor, deals: Access, put: Write) -> None:
    put(ann, adds=[{DEAL: "Acme", STAGE: "proposal", AMOUNT: "€ 3 500", OWNER: "Ben", CLOSE: "31.12.2026"}])
    stage = next(option.id for option in deals.column(STAGE).options if option.label == "Proposal")
    assert cells(session, ann, deals)[1] == {
        "1": "Acme",
        str(STAGE): stage,
        str(AMOUNT): "3500",
        str(OWNER): "3",
        str(CLOSE): "2026-12-31",
    }


def test_clearing_a_cell_takes_its_value_away(session: Session, ann: Actor, deals: Access, put: Write) -> None:
    put(ann, adds=[{DEAL: "Acme", ACCOUNT: "Acme Ltd"}])
    put(ann, edits=[(1, ACCOUNT, "", 1)])
    assert cells(session, ann, deals)[1] == {"1": "Acme"}


def test_a_stale_edit_is_a_conflict_and_is_not_written(
    session: Session, ann: Actor, ben: Actor, deals: Access, put: Write
) -> None:
    put(ann, adds=[{DEAL: "Acme", AMOUNT: "100"}])
    put(ann, edits=[(1, AMOUNT, "200", 1)])
    outcome = put(ben, edits=[(1, AMOUNT, "300", 1)], partial=True)
    (conflict,) = outcome.conflicts
    assert (conflict["mine"], conflict["theirs"], conflict["original"]) == ("300", "200", "100")
    assert (conflict["by"], conflict["version"], conflict["given"]) == ("Ann", 2, "300")
    assert cells(session, ann, deals)[1]["4"] == "200"
    assert version(session, ann, deals) == 2


def test_the_original_is_what_was_on_the_screen_however_often_it_changed_since(
    ann: Actor, ben: Actor, put: Write
) -> None:
    put(ann, adds=[{DEAL: "Acme", AMOUNT: "100"}])
    for number, amount in enumerate(("200", "300", "400"), start=1):
        put(ann, edits=[(1, AMOUNT, amount, number)])
    (conflict,) = put(ben, edits=[(1, AMOUNT, "999", 2)], partial=True).conflicts
    assert (conflict["original"], conflict["theirs"]) == ("200", "400")


def test_a_strict_write_raises_the_conflict_and_writes_nothing(
    session: Session, ann: Actor, ben: Actor, deals: Access, put: Write
) -> None:
    put(ann, adds=[{DEAL: "Acme", AMOUNT: "100"}])
    put(ann, edits=[(1, AMOUNT, "200", 1)])
    with pytest.raises(Conflict) as raised:
        put(ben, edits=[(1, ACCOUNT, "Acme Ltd", 1), (1, AMOUNT, "300", 1)])
    assert raised.value.facts["cells"][0]["theirs"] == "200"
    assert cells(session, ann, deals)[1] == {"1": "Acme", "4": "200"}


def test_different_cells_of_a_row_never_conflict(
    session: Session, ann: Actor, ben: Actor, deals: Access, put: Write
) -> None:
    put(ann, adds=[{DEAL: "Acme"}])
    put(ann, edits=[(1, AMOUNT, "200", 1)])
    put(ben, edits=[(1, ACCOUNT, "Acme Ltd", 1)])
    assert cells(session, ann, deals)[1] == {"1": "Acme", "2": "Acme Ltd", "4": "200"}


def test_writing_what_stands_there_already_is_no_conflict(ann: Actor, ben: Actor, put: Write) -> None:
    put(ann, adds=[{DEAL: "Acme", AMOUNT: "100"}])
    put(ann, edits=[(1, AMOUNT, "200", 1)])
    outcome = put(ben, edits=[(1, AMOUNT, "200.00", 1)])
    assert outcome.saved == [{"row": 1, "column": AMOUNT, "value": "200", "version": 2}]


def test_the_same_operation_is_carried_out_once_and_answered_the_same(
    session: Session, ann: Actor, deals: Access, put: Write
) -> None:
    operation = uuid4()
    first = put(ann, adds=[{DEAL: "Acme"}], operation_id=operation)
    again = put(ann, adds=[{DEAL: "Acme"}], operation_id=operation)
    assert first == again
    assert len(cells(session, ann, deals)) == 1


def test_somebody_elses_operation_id_is_refused(ann: Actor, ben: Actor, put: Write) -> None:
    operation = uuid4()
    put(ann, adds=[{DEAL: "Acme"}], operation_id=operation)
    with pytest.raises(Invalid, match="another person"):
        put(ben, adds=[{DEAL: "Bolt"}], operation_id=operation)


def test_a_value_that_does_not_fit_is_refused_and_the_rest_is_written(
    session: Session, ann: Actor, deals: Access, put: Write
) -> None:
    put(ann, adds=[{DEAL: "Acme"}])
    outcome = put(ann, edits=[(1, AMOUNT, "abc", 1), (1, ACCOUNT, "Acme Ltd", 1)], partial=True)
    (refused,) = outcome.refused
    assert (refused["row"], refused["column"], refused["given"]) == (1, AMOUNT, "abc")
    assert refused["reason"].endswith(".")
    assert cells(session, ann, deals)[1] == {"1": "Acme", "2": "Acme Ltd"}


def test_a_strict_write_with_a_bad_value_writes_nothing(
    session: Session, ann: Actor, deals: Access, put: Write
) -> None:
    put(ann, adds=[{DEAL: "Acme"}])
    with pytest.raises(Invalid):
        put(ann, edits=[(1, ACCOUNT, "Acme Ltd", 1), (1, AMOUNT, "abc", 1)])
    assert cells(session, ann, deals)[1] == {"1": "Acme"}
    assert version(session, ann, deals) == 1


def test_a_required_cell_cannot_be_emptied_or_left_out(ann: Actor, put: Write) -> None:
    put(ann, adds=[{DEAL: "Acme"}])
    assert "must not be empty" in put(ann, edits=[(1, DEAL, " ", 1)], partial=True).refused[0]["reason"]
    assert put(ann, adds=[{AMOUNT: "5"}], partial=True).refused[0]["key"] == "new-0"


def test_unique_values_are_unique_in_the_sheet_and_within_a_paste(
    session: Session, ann: Actor, deals: Access, put: Write
) -> None:
    change_column(session, ann, deals.sheet.sheet_id, ACCOUNT, rules={"unique": True})
    put(ann, adds=[{DEAL: "Acme", ACCOUNT: "Acme Ltd"}])
    pasted = [{DEAL: "a", ACCOUNT: "ACME LTD"}, {DEAL: "b", ACCOUNT: "x"}, {DEAL: "c", ACCOUNT: "X"}]
    outcome = put(ann, adds=pasted, partial=True)
    assert [refused["key"] for refused in outcome.refused] == ["new-0", "new-2"]
    assert "row #1" in outcome.refused[0]["reason"]


def test_two_rows_may_swap_unique_values_in_one_change(session: Session, ann: Actor, deals: Access, put: Write) -> None:
    change_column(session, ann, deals.sheet.sheet_id, ACCOUNT, rules={"unique": True})
    put(ann, adds=[{DEAL: "a", ACCOUNT: "x"}, {DEAL: "b", ACCOUNT: "y"}])
    assert put(ann, edits=[(1, ACCOUNT, "y", 1), (2, ACCOUNT, "x", 1)]).refused == []


def test_a_swap_that_is_half_refused_leaves_no_duplicate(
    session: Session, ann: Actor, deals: Access, put: Write
) -> None:
    change_column(session, ann, deals.sheet.sheet_id, ACCOUNT, rules={"unique": True})
    put(ann, adds=[{DEAL: "a", ACCOUNT: "x"}, {DEAL: "b", ACCOUNT: "y"}, {DEAL: "c", ACCOUNT: "z"}])
    outcome = put(ann, edits=[(1, ACCOUNT, "z", 1), (2, ACCOUNT, "x", 1)], partial=True)
    assert [refused["row"] for refused in outcome.refused] == [1, 2]
    assert [row["2"] for row in cells(session, ann, deals).values()] == ["x", "y", "z"]


def test_a_cell_that_is_gone_says_so_and_gives_the_value_back(
    session: Session, ann: Actor, deals: Access, put: Write
) -> None:
    put(ann, adds=[{DEAL: "a"}, {DEAL: "b"}])
    put(ann, deletes=[1])
    retire_column(session, ann, deals.sheet.sheet_id, NEXT_STEP)
    outcome = put(ann, edits=[(1, DEAL, "x", 1), (2, NEXT_STEP, "y", 1), (99, DEAL, "z", 1)], partial=True)
    assert [(gone["row"], gone["given"]) for gone in outcome.gone] == [(1, "x"), (2, "y"), (99, "z")]


def test_deleted_rows_leave_the_sheet_and_stay_in_the_log(
    session: Session, ann: Actor, deals: Access, put: Write
) -> None:
    put(ann, adds=[{DEAL: "a"}, {DEAL: "b"}])
    outcome = put(ann, deletes=[1, 1, 77], partial=True)
    assert (outcome.deleted, [gone["row"] for gone in outcome.gone]) == ([1], [77])
    assert list(cells(session, ann, deals)) == [2]
    assert session.scalar(text("SELECT old ->> '1' FROM changes WHERE kind = 'remove'")) == "a"


def test_one_batch_edits_adds_and_deletes_as_one_version(
    session: Session, ann: Actor, deals: Access, put: Write
) -> None:
    put(ann, adds=[{DEAL: "a"}, {DEAL: "b"}])
    outcome = put(ann, edits=[(1, DEAL, "A", 1)], adds=[{DEAL: "c"}], deletes=[2])
    assert outcome.version == 2
    assert cells(session, ann, deals) == {1: {"1": "A"}, 3: {"1": "c"}}


def test_a_viewer_cannot_edit_and_a_stranger_sees_nothing(cleo: Actor, dan: Actor, ann: Actor, put: Write) -> None:
    put(ann, adds=[{DEAL: "a"}])
    with pytest.raises(NotAllowed, match="viewer"):
        put(cleo, edits=[(1, DEAL, "x", 1)])
    with pytest.raises(NotFound):
        put(dan, edits=[(1, DEAL, "x", 1)])


def test_money_keeps_every_digit(session: Session, ann: Actor, deals: Access, put: Write) -> None:
    put(ann, adds=[{DEAL: "a", AMOUNT: "123456789012345.67"}])
    assert cells(session, ann, deals)[1]["4"] == "123456789012345.67"
    assert session.scalar(text("SELECT (values ->> '4')::numeric::text FROM rows")) == "123456789012345.67"

"""Two people edit, paste, add, delete, undo and redo at random: what that may never do, whatever they do."""

from contextlib import suppress
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.trash import restore_rows
from core.edits.undo import redo, undo
from core.edits.undo_stack import stack_of
from core.edits.write import write
from tests.support.examples import examples

DEAL, ACCOUNT = 1, 2
Step = tuple[str, Any]
State = dict[int, Any]

cells = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from([DEAL, ACCOUNT]), st.sampled_from(["a", "b", "c"])),
    min_size=1,
    max_size=4,
)
actions: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("edit"), cells),
    st.tuples(st.just("add"), st.integers(1, 2)),
    st.tuples(st.sampled_from(["delete", "restore"]), st.sets(st.integers(1, 6), min_size=1, max_size=2)),
)
back_and_forth: st.SearchStrategy[Step] = st.tuples(st.sampled_from(["undo", "redo"]), st.none())
RANDOMLY = settings(
    max_examples=examples(30, 300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Sheet:
    """A sheet with three deals that nobody here added."""

    def __init__(self, session: Session, deals: Access) -> None:
        self.session, self.access, self.id = session, deals, deals.sheet.sheet_id
        adds = tuple(NewRow(str(n), {DEAL: CellInput("x"), ACCOUNT: CellInput("y")}) for n in range(3))
        write(session, deals.actor, self.id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
        session.execute(text("UPDATE operations SET actor_id = 0 WHERE sheet_id = :s"), {"s": self.id})

    def do(self, who: Actor, step: Step) -> None:
        kind, what = step
        if kind in {"undo", "redo"}:
            with suppress(Invalid):  # There may be nothing of theirs to take back.
                (undo if kind == "undo" else redo)(self.session, who, self.id, operation_id=uuid4())
            return
        if kind == "restore":
            restore_rows(self.session, who, self.id, sorted(what), operation_id=uuid4(), partial=True)
            return
        batch = {
            "edit": lambda: Batch(edits=tuple(Edit(row, column, CellInput(value)) for row, column, value in what)),
            "add": lambda: Batch(adds=tuple(NewRow(str(n), {DEAL: CellInput("new")}) for n in range(what))),
            "delete": lambda: Batch(deletes=tuple(sorted(what))),
        }[kind]()
        write(self.session, who, self.id, batch, operation_id=uuid4(), source=ChangeSource.GRID, partial=True)

    @property
    def state(self) -> State:
        rows = "SELECT row_id, values FROM rows WHERE sheet_id = :s AND deleted_version IS NULL"
        return dict(self.session.execute(text(rows), {"s": self.id}).all())

    @property
    def version(self) -> int:
        return int(
            self.session.execute(text("SELECT version FROM sheets WHERE sheet_id = :s"), {"s": self.id}).scalar_one()
        )

    def lines(self, since: int) -> list[Any]:
        log = "SELECT * FROM changes WHERE sheet_id = :s AND version > :v ORDER BY version"
        return [*self.session.execute(text(log), {"s": self.id, "v": since})]

    def last_writer(self, line: Any) -> int | None:
        """Who changed this cell last, before this line of the log."""
        before = """SELECT actor_id FROM changes WHERE sheet_id = :s AND row_id = :r AND column_id = :c AND version < :v
                    ORDER BY version DESC LIMIT 1"""
        place = {"s": self.id, "r": line.row_id, "c": line.column_id, "v": line.version}
        return self.session.execute(text(before), place).scalar()


@RANDOMLY
@given(st.lists(actions, min_size=1, max_size=6))
def test_undoing_all_gives_the_sheet_as_it_was_and_redoing_all_the_sheet_as_it_became(
    session: Session, deals: Access, ann: Actor, steps: list[Step]
) -> None:
    with session.begin_nested() as example:
        sheet = Sheet(session, deals)
        states = [sheet.state]
        for step in steps:
            before = sheet.version
            sheet.do(ann, step)
            if sheet.version > before:
                states.append(sheet.state)
        for state in reversed(states[:-1]):
            sheet.do(ann, ("undo", None))
            assert sheet.state == state
        assert stack_of(session, sheet.access).undo == []
        for state in states[1:]:
            sheet.do(ann, ("redo", None))
            assert sheet.state == state
        example.rollback()


@RANDOMLY
@given(st.lists(st.tuples(st.booleans(), st.one_of(actions, back_and_forth)), min_size=2, max_size=14))
def test_an_undo_changes_no_cell_that_somebody_else_wrote_last(
    session: Session, deals: Access, ann: Actor, ben: Actor, steps: list[tuple[bool, Step]]
) -> None:
    with session.begin_nested() as example:
        sheet = Sheet(session, deals)
        for is_ann, step in steps:
            who, before = (ann if is_ann else ben), sheet.version
            sheet.do(who, step)
            assert sheet.version <= before + 1
            if step[0] in {"undo", "redo"}:
                for line in sheet.lines(before):
                    assert line.source == "undo"
                    assert line.kind != "edit" or sheet.last_writer(line) == who.user_id
        example.rollback()

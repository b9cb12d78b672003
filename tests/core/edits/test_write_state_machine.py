"""Any order of many people's writes, stale and fresh, repeated, refused, into what vanishes and comes back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from core.base.exact_json import loads_wire
from core.base.permissions import Level
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.write import RowEdit, write, write_round
from core.history.changes_since import Changes, changes_since
from core.rows.query import View
from core.rows.read import first_rows
from core.sharing.shares import share_sheet, unshare_sheet
from core.sheets.columns import NewColumn, add_columns, restore_column, retire_column
from core.sheets.sheets import archive_sheet, create_sheet, restore_sheet
from tests.conftest import actor
from tests.support.core.changes import change_rows
from tests.support.core.model_sheet import Line, ModelSheet, Table, assert_agrees, assert_chained
from tests.support.examples import examples

WRITERS = {name: actor(name) for name in ("Ann", "Ben", "Ada", "Dan")}
NUMBER = 3
COLUMNS = [1, 2, NUMBER]

names = st.sampled_from([*WRITERS])
rows = st.integers(1, 7)
columns = st.sampled_from(COLUMNS)
texts = st.sampled_from(["", "1", "2", "3", "one", "two"])
# What was on the screen: a version so many steps ago, or nothing that is to be checked.
ages = st.none() | st.integers(-2, 6)
typed = st.lists(st.tuples(rows, columns, texts, ages), min_size=1, max_size=5, unique_by=lambda cell: cell[:2])
new_rows = st.lists(st.dictionaries(columns, texts, max_size=3), min_size=1, max_size=3)


@dataclass
class Done:
    """An operation, and what it was answered."""

    who: Actor
    batch: Batch
    outcome: Outcome


@dataclass
class Screen:
    """An open grid: what it shows, as of a version of the sheet and of its columns."""

    version: int = 0
    columns: int = -1
    table: Table = field(default_factory=dict)


class Writers(RuleBasedStateMachine):
    """The command and the model side by side; after every step they must agree in every cell and line."""

    session: Session

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = self.session.begin_nested()
        self.ann = WRITERS["Ann"]
        self.sheet = create_sheet(self.session, self.ann, "Stress").sheet.sheet_id
        add_columns(self.session, self.ann, self.sheet, [NewColumn("Number", "number")])
        self.levels: dict[str, Level | None] = {"Ann": Level.OWNER, "Ben": None, "Ada": None, "Dan": None}
        for name in ("Ben", "Ada"):
            self.shares(name, Level.EDITOR)
        self.archived = False
        self.model = ModelSheet(COLUMNS, NUMBER)
        self.done: dict[UUID, Done] = {}
        self.screens = {name: Screen() for name in WRITERS}
        self.write("Ann", Batch(adds=tuple(NewRow(str(n), {1: CellInput(str(n))}) for n in range(4))))

    def teardown(self) -> None:
        self.savepoint.rollback()
        self.session.expire_all()

    # --- what people do

    @rule(who=names, cells=typed, partial=st.booleans())
    def types(self, who: str, cells: list[Any], partial: bool) -> None:
        self.write(who, Batch(edits=self.edits(cells)), partial=partial)

    @rule(many=st.lists(st.tuples(names, typed), min_size=2, max_size=5), partial=st.booleans())
    def edit_in_one_round(self, many: list[tuple[str, list[Any]]], partial: bool) -> None:
        """Edits whose cells have not moved are written first, in order; then those that moved; then the rest, alone."""
        people = [who for who, _ in many]
        edits = [RowEdit(Batch(edits=self.edits(cells)), uuid4(), ChangeSource.GRID, partial) for _, cells in many]
        with self.session.begin_nested():
            pairs = [(WRITERS[who], edit) for who, edit in zip(people, edits, strict=True)]
            outcomes = write_round(self.session, self.sheet, pairs)
        planned = [place for place, outcome in enumerate(outcomes) if outcome is not None]
        first = self.unmoved([(place, edits[place].batch) for place in planned])
        for place in [*first, *(place for place in planned if place not in first)]:
            assert not self.forbids(people[place])
            self.agree(people[place], edits[place], outcomes[place])
        for place in range(len(many)):
            if place not in planned:
                self.write(people[place], edits[place].batch, operation=edits[place].operation_id, partial=partial)

    def unmoved(self, batches: list[tuple[int, Batch]]) -> list[int]:
        """The places of batches that are written as they come: each cell is new, and no earlier batch has it."""
        taken: set[tuple[int, int]] = set()
        places = []
        for place, batch in batches:
            judged, cells = self.model.judge(batch), {(edit.row, edit.column) for edit in batch.edits}
            is_new = all(version is None for _, version in judged.saved.values())
            if is_new and not judged.misfits and not cells & taken:
                places.append(place)
            taken |= cells
        return places

    def agree(self, who: str, edit: RowEdit, outcome: Outcome | Refused | None) -> None:
        judged = self.model.judge(edit.batch)
        if judged.misfits and not edit.partial:
            assert isinstance(outcome, Refused)
            return
        assert isinstance(outcome, Outcome)
        if judged.writes():
            self.model.carry_out(edit.batch, judged, who, str(edit.operation_id))
        self.done[edit.operation_id] = Done(WRITERS[who], edit.batch, outcome)
        assert_agrees(outcome, judged, self.model.version)
        assert outcome.version == self.model.version

    @rule(who=names, row=rows, values=st.lists(texts, min_size=4, max_size=6), age=ages, new=new_rows)
    def pastes(self, who: str, row: int, values: list[str], age: int | None, new: list[Any]) -> None:
        block = [(row + n // 2, 1 + n % 2, value, age) for n, value in enumerate(values)]
        self.write(who, Batch(edits=self.edits(block), adds=self.adds(new)), partial=True)

    @rule(who=names, new=new_rows, partial=st.booleans())
    def adds_rows(self, who: str, new: list[Any], partial: bool) -> None:
        self.write(who, Batch(adds=self.adds(new)), partial=partial)

    @rule(who=names, gone=st.lists(rows, min_size=1, max_size=3), cells=st.just([]) | typed)
    def deletes(self, who: str, gone: list[int], cells: list[Any]) -> None:
        self.write(who, Batch(edits=self.edits(cells), deletes=tuple(gone)), partial=True)

    @precondition(lambda self: self.done)
    @rule(who=names, which=st.integers(0, 99), cells=st.none() | typed)
    def sends_again(self, who: str, which: int, cells: list[Any] | None) -> None:
        """The same operation id: from the same person, whatever they may do by now, or another; any content."""
        operation = [*self.done][which % len(self.done)]
        first = self.done[operation]
        batch = first.batch if cells is None else Batch(edits=self.edits(cells))
        if WRITERS[who] == first.who and content(batch) != content(first.batch):
            with pytest.raises(self.forbids(who) or Conflict):
                self.attempt(WRITERS[who], batch, operation, partial=True)
        elif WRITERS[who] == first.who:
            assert self.attempt(WRITERS[who], batch, operation, partial=False) == first.outcome
        elif self.forbids(who):
            self.write(who, batch, operation=operation)
        else:
            with pytest.raises(Invalid, match="another person"):
                self.attempt(WRITERS[who], batch, operation, partial=True)

    @rule(row=rows)
    def brings_back(self, row: int) -> None:
        if row not in self.model.trash or self.archived:
            return
        operation = uuid4()
        change_rows(self.session, self.ann, self.sheet, operation=operation, restores=[row])
        self.model.bring_back(row, "Ann", str(operation))

    @rule(column=columns)
    def retires_or_restores(self, column: int) -> None:
        if self.archived:
            return
        is_retired = column in self.model.retired
        (restore_column if is_retired else retire_column)(self.session, self.ann, self.sheet, column)
        (self.model.retired.discard if is_retired else self.model.retired.add)(column)

    @rule(who=st.sampled_from(["Ben", "Ada", "Dan"]), level=st.sampled_from([None, Level.VIEWER, Level.EDITOR]))
    def shares(self, who: str, level: Level | None) -> None:
        if getattr(self, "archived", False) or level == self.levels[who]:
            return
        if level:
            share_sheet(self.session, self.ann, self.sheet, WRITERS[who].user_id, level=level)
        else:
            unshare_sheet(self.session, self.ann, self.sheet, WRITERS[who].user_id)
        self.levels[who] = level

    @rule()
    def archives_or_restores(self) -> None:
        (restore_sheet if self.archived else archive_sheet)(self.session, self.ann, self.sheet)
        self.archived = not self.archived

    @rule(who=names)
    def catches_up(self, who: str) -> None:
        """An open grid follows from wherever it stands, and reads again when the columns are others."""
        if self.levels[who] is None:
            return
        screen, access = self.screens[who], get_access(self.session, WRITERS[who], self.sheet)
        changes = changes_since(self.session, access, screen.version)
        if changes.reset or changes.columns_version != screen.columns:
            screen.table = self.read(WRITERS[who])
        else:
            follow(screen.table, changes)
        screen.version, screen.columns = changes.version, changes.columns_version
        assert screen.table == self.model.visible()

    @rule(since=st.integers(0, 99))
    def follows_from(self, since: int) -> None:
        since %= self.model.version + 1
        table = self.model.seen_through(self.model.past[since])
        follow(table, changes_since(self.session, get_access(self.session, self.ann, self.sheet), since))
        assert table == self.model.visible()

    # --- what must hold

    @invariant()
    def table_is_the_models(self) -> None:
        assert self.read(self.ann) == self.model.visible()
        sheet = get_access(self.session, self.ann, self.sheet).sheet
        assert sheet.version == self.model.version

    @invariant()
    def log_is_the_models(self) -> None:
        log = logged(self.session, self.sheet)
        assert sorted(log, key=lambda line: line[:3]) == sorted(self.model.log, key=lambda line: line[:3])
        assert_chained(log)

    # --- how

    def write(self, who: str, batch: Batch, *, operation: UUID | None = None, partial: bool = True) -> None:
        operation = operation or uuid4()
        if refusal := self.forbids(who):
            with pytest.raises(refusal):
                self.attempt(WRITERS[who], batch, operation, partial=partial)
            return
        judged = self.model.judge(batch)
        if judged.misfits and not partial:
            with pytest.raises((NotFound, Invalid, Conflict)):
                self.attempt(WRITERS[who], batch, operation, partial=partial)
            return
        outcome = self.attempt(WRITERS[who], batch, operation, partial=partial)
        if judged.writes():
            self.model.carry_out(batch, judged, who, str(operation))
        self.done[operation] = Done(WRITERS[who], batch, outcome)
        assert_agrees(outcome, judged, self.model.version)
        assert outcome.version == self.model.version

    def forbids(self, who: str) -> type[Refused] | None:
        if self.levels[who] is None:
            return NotFound
        return NotAllowed if self.archived or self.levels[who] is Level.VIEWER else None

    def attempt(self, who: Actor, batch: Batch, operation: UUID, *, partial: bool) -> Outcome:
        """One request: what it refuses is rolled back."""
        with self.session.begin_nested():
            return write(
                self.session, who, self.sheet, batch, operation_id=operation, source=ChangeSource.GRID, partial=partial
            )

    def edits(self, cells: list[Any]) -> tuple[Edit, ...]:
        return tuple(Edit(row, column, CellInput(value), self.base(row, age)) for row, column, value, age in cells)

    def base(self, row: int, age: int | None) -> int | None:
        """Nobody has seen a row before it was there. A negative age is a version that the sheet has not yet."""
        return None if age is None else max(self.model.version - age, self.model.born.get(row, 0))

    def adds(self, new: list[dict[int, str]]) -> tuple[NewRow, ...]:
        return tuple(
            NewRow(f"new-{n}", {column: CellInput(value) for column, value in cells.items()})
            for n, cells in enumerate(new)
        )

    def read(self, who: Actor) -> Table:
        page = first_rows(self.session, get_access(self.session, who, self.sheet), View(), limit=1000)
        return {row["id"]: numbered(row["values"]) for row in page.rows}


def content(batch: Batch) -> tuple[Any, ...]:
    """What a batch asks to write, whatever was on the screen."""
    return tuple((edit.row, edit.column, edit.input) for edit in batch.edits), batch.adds, batch.deletes


def numbered(values: dict[str, Any]) -> dict[int, str]:
    return {int(column): value for column, value in values.items() if value is not None}


def follow(table: Table, changes: Changes) -> None:
    """What a grid does with the changes since its version."""
    for row in changes.rows:
        if row["removed"]:
            table.pop(row["id"], None)
        else:
            known = {} if row["added"] or row["restored"] else table[row["id"]]
            table[row["id"]] = numbered({**{str(column): value for column, value in known.items()}, **row["values"]})


def logged(session: Session, sheet: int) -> list[Line]:
    found = session.execute(
        text(
            "SELECT c.version, row_id, column_id, kind, old::text, new::text, u.name, batch FROM changes c"
            " JOIN users u ON u.user_id = c.actor_id WHERE sheet_id = :sheet ORDER BY version, row_id, column_id DESC"
        ),
        {"sheet": sheet},
    )
    return [(*line[:4], told(line[4]), told(line[5]), line[6], str(line[7])) for line in found]


def told(logged: str | None) -> Any:
    value = loads_wire(logged) if logged else None
    return numbered(value) if isinstance(value, dict) else value


@pytest.mark.slow
def test_whatever_many_writers_do_the_table_and_the_log_are_what_a_plain_model_says(session: Session) -> None:
    machine: Callable[[], Writers] = type("WritersHere", (Writers,), {"session": session})
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples(25, 200),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=checks,
            phases=(Phase.generate,),
        ),
    )

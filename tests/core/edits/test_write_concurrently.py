"""Writers that are really at once, with real commits: stale screens, repeated requests, withdrawn rights."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import NotAllowed, NotFound, Refused
from core.base.exact_json import loads_wire
from core.base.permissions import Level
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.history.changes_since import changes_since
from core.rows.query import View
from core.rows.read import first_rows
from core.sharing.shares import share_sheet, unshare_sheet
from db.engine import transaction
from tests.conftest import actor, make_deals
from tests.core.edits.test_write_state_machine import follow, logged, numbered
from tests.support.core.changes import change_rows
from tests.support.core.model_sheet import Table, assert_chained
from tests.support.waiting import until_it_waits

DEAL, ACCOUNT, AMOUNT = 1, 2, 4
ANN, BEN = actor("Ann"), actor("Ben")
ROUNDS = 40


@pytest.fixture
def sheet(database: str) -> int:
    with transaction() as session:
        sheet_id = make_deals(session).sheet.sheet_id
    put(sheet_id, Batch(adds=tuple(NewRow(str(n), {DEAL: CellInput(f"Deal {n}")}) for n in range(8))))
    return sheet_id


def put(sheet_id: int, batch: Batch, *, who: Actor = ANN, operation: UUID | None = None) -> Outcome:
    with transaction() as session:
        return write(
            session, who, sheet_id, batch, operation_id=operation or uuid4(), source=ChangeSource.GRID, partial=True
        )


class Writer:
    """One person with an open grid who types into what they see, and sends again what was perhaps not answered."""

    def __init__(self, sheet: int, who: Actor, seed: int) -> None:
        self.sheet, self.who, self.chance, self.seed = sheet, who, Random(seed), seed
        self.table: Table = {}
        self.version = 0
        self.outcomes: dict[UUID, Outcome] = {}
        self.typed = 0

    def work(self) -> None:
        for _ in range(ROUNDS):
            if self.chance.random() < 0.6:
                self.catch_up()
            operation, batch = uuid4(), self.batch()
            outcome = self.send(batch, operation)
            if outcome and self.chance.random() < 0.3:
                assert not writes(outcome) or self.send(batch, operation) in (outcome, None)

    def send(self, batch: Batch, operation: UUID) -> Outcome | None:
        try:
            self.outcomes[operation] = put(self.sheet, batch, who=self.who, operation=operation)
        except (NotFound, NotAllowed):
            return None
        return self.outcomes[operation]

    def catch_up(self) -> None:
        try:
            with transaction() as session:
                changes = changes_since(session, get_access(session, self.who, self.sheet), self.version)
        except NotFound:
            return
        assert not changes.reset
        follow(self.table, changes)
        self.version = changes.version

    def batch(self) -> Batch:
        known = [*self.table] or [1]
        edits = {
            (self.chance.choice(known), self.chance.choice([DEAL, ACCOUNT, AMOUNT])): self.value() for _ in range(3)
        }
        adds = (NewRow("new", {DEAL: self.value(), ACCOUNT: self.value()}),) if self.chance.random() < 0.15 else ()
        deletes = (self.chance.choice(known),) if self.chance.random() < 0.05 else ()
        base = max(self.version, 1)
        return Batch(tuple(Edit(*place, given, base) for place, given in edits.items()), adds, deletes)

    def value(self) -> CellInput:
        """No two are ever the same, so that each can be found again."""
        self.typed += 1
        return CellInput(str(self.seed * 10**6 + self.typed))


def writes(outcome: Outcome) -> bool:
    return bool(outcome.saved or outcome.added or outcome.deleted)


def together(tasks: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


def restore_some(sheet: int) -> None:
    """Rows come back from the trash while others write."""
    for _ in range(10):
        with transaction() as session:
            gone = text("SELECT row_id FROM rows WHERE sheet_id = :sheet AND deleted_version IS NOT NULL LIMIT 1")
            if row := session.scalar(gone, {"sheet": sheet}):
                change_rows(session, ANN, sheet, restores=[row])
        sleep(0.03)


def withdraw_and_give(sheet: int) -> None:
    for level in [None, Level.EDITOR] * 4:
        with transaction() as session:
            if level:
                share_sheet(session, ANN, sheet, BEN.user_id, level=level)
            else:
                unshare_sheet(session, ANN, sheet, BEN.user_id)
        sleep(0.04)


WRITTEN = "SELECT operation_id, version FROM operations WHERE sheet_id = :s AND version IS NOT NULL"


@pytest.mark.slow
def test_at_once_nothing_is_lost_doubled_or_undone_and_every_screen_ends_as_the_table(sheet: int) -> None:
    writers = [Writer(sheet, who, seed) for seed, who in enumerate((ANN, BEN, ANN, BEN), start=1)]
    together([*(one.work for one in writers), lambda: restore_some(sheet), lambda: withdraw_and_give(sheet)])
    with transaction() as session:
        log = logged(session, sheet)
        now = first_rows(session, get_access(session, ANN, sheet), View(), limit=1000)
        kept = session.execute(text(WRITTEN), {"s": sheet})
        versions = {str(operation): version for operation, version in kept}
    assert_chained(log)
    assert {line[7]: line[0] for line in log} == versions
    for one in writers:
        assert_said_is_done(one, log)
        one.catch_up()
        assert one.table == {row["id"]: numbered(row["values"]) for row in now.rows}
    assert sum(len(outcome.saved) for one in writers for outcome in one.outcomes.values()) > ROUNDS


def assert_said_is_done(writer: Writer, log: list[Any]) -> None:
    """Every value that the writer was told is saved is in the log once, there and then; no other value of theirs is."""
    said = {
        (outcome.version, cell["row"], cell["column"]): cell["value"]
        for outcome in writer.outcomes.values()
        for cell in outcome.saved
    }
    mine = [line for line in log if line[7] in {str(operation) for operation in writer.outcomes}]
    assert {line[:3]: line[5] for line in mine if line[3] == "edit"} == said
    added = {
        (outcome.version, one["row"]): numbered(one["values"])
        for outcome in writer.outcomes.values()
        for one in outcome.added
    }
    assert {line[:2]: line[5] for line in mine if line[3] == "add"} == added


def held_up(sheet: int, meanwhile: Callable[[], None]) -> Refused | Outcome:
    """Ben's edit reaches the sheet while somebody else's change holds it; `meanwhile` happens before it is let go."""
    answer = []

    def edit() -> None:
        try:
            answer.append(put(sheet, Batch(edits=(Edit(1, AMOUNT, CellInput("5"), 1),)), who=BEN))
        except Refused as refusal:
            answer.append(refusal)

    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            session.execute(text("SELECT FROM sheets WHERE sheet_id = :sheet FOR UPDATE"), {"sheet": sheet})
            waiting = pool.submit(edit)
            until_it_waits(waiting)
            meanwhile()
        waiting.result()
    return answer[0]


def amount(sheet: int) -> Any:
    with transaction() as session:
        found = session.scalar(text("SELECT values::text FROM rows WHERE sheet_id = :s AND row_id = 1"), {"s": sheet})
    return loads_wire(found).get(str(AMOUNT))


def test_an_edit_that_waited_for_the_sheet_is_judged_by_the_rights_of_now(sheet: int) -> None:
    def withdraw() -> None:
        with transaction() as session:
            unshare_sheet(session, ANN, sheet, BEN.user_id)

    answer = held_up(sheet, withdraw)
    assert isinstance(answer, NotFound)
    assert amount(sheet) is None

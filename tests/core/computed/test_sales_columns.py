"""Stages and the history of cells in formulas, and the sales columns of a pipeline made of them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.column_types.base import Option
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.change_type import change_type
from core.edits.conversion import Misfits, NewType
from core.edits.operation import ChangeSource
from core.edits.trash import restore_rows
from core.edits.undo import undo
from core.edits.write import write
from core.formulas.column_functions import COLUMN_FUNCTIONS
from core.formulas.compiler import FUNCTIONS
from core.rows.as_of import as_of, get_access_as_of
from core.rows.query import View
from core.rows.read import first_rows
from core.sheets.columns import NewColumn, add_column, change_column, retire_column
from core.sheets.sales_columns import SALES_COLUMNS, add_sales_columns, missing_sales_columns
from tests.conftest import make_deals
from tests.support.examples import examples

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)


def put(session: Session, actor: Actor, sheet: int, batch: Batch) -> None:
    write(session, actor, sheet, batch, operation_id=uuid4(), source=ChangeSource.API)


def edit(session: Session, actor: Actor, sheet: int, column: int, value: str, row: int = 1) -> None:
    put(session, actor, sheet, Batch(edits=(Edit(row, column, CellInput(value)),)))


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor) -> int:
    """One deal, whose close date was moved by thirty days."""
    cells = {DEAL: "Acme", STAGE: "Qualified", AMOUNT: "100", CREATED: "2026-01-01", CLOSE: "2026-03-01"}
    row = NewRow("1", {column: CellInput(value) for column, value in cells.items()})
    put(session, ann, deals.sheet.sheet_id, Batch(adds=(row,)))
    edit(session, ann, deals.sheet.sheet_id, CLOSE, "2026-03-31")
    return deals.sheet.sheet_id


def value(session: Session, access: Access, name: str) -> Any:
    column = next(column for column in access.columns if column.name == name)
    return first_rows(session, access, View(), limit=10).rows[0]["values"].get(column.key)


@pytest.mark.parametrize("name", sorted(COLUMN_FUNCTIONS))
def test_the_example_of_a_function_of_a_column_has_its_result(
    session: Session, ann: Actor, sheet: int, name: str
) -> None:
    add_column(session, ann, sheet, NewColumn("Example", "formula", {"formula": FUNCTIONS[name].example}))
    assert value(session, get_access(session, ann, sheet), "Example") == FUNCTIONS[name].result


@pytest.mark.parametrize("formula", ["PROBABILITY({Deal})", "CHANGEDAT(1)", "CHANGECOUNT()", "FIRSTVALUE({Deal}, 1)"])
def test_a_function_of_a_column_takes_nothing_else(session: Session, ann: Actor, sheet: int, formula: str) -> None:
    with pytest.raises(Invalid, match="takes a column"):
        add_column(session, ann, sheet, NewColumn("Wrong", "formula", {"formula": formula}))


def test_a_pipeline_gets_its_sales_columns(session: Session, ann: Actor, sheet: int) -> None:
    made = add_sales_columns(session, ann, sheet)
    assert [column.name for column in made] == [column.name for column in SALES_COLUMNS]
    access = get_access(session, ann, sheet)
    age = (access.today - date(2026, 1, 1)).days
    assert {name: value(session, access, name) for name in [column.name for column in made]} == {
        "Weighted amount": "20",
        "Age": str(age),
        "Days in stage": "0",
        "Days since last change": "0",
        "Close date moved": "1",
        "Close date moved by": "30",
        "Overdue": True,
    }
    edit(session, ann, sheet, STAGE, "Won")
    access = get_access(session, ann, sheet)
    assert (value(session, access, "Weighted amount"), value(session, access, "Overdue")) == ("100", False)
    assert missing_sales_columns(access) == []
    with pytest.raises(Invalid, match="no sales columns to add"):
        add_sales_columns(session, ann, sheet)


def test_the_weighted_amount_is_in_the_currency_of_the_amount(session: Session, ann: Actor, sheet: int) -> None:
    change_column(session, ann, sheet, AMOUNT, rules={"currency": "USD", "decimals": 0})
    rules = next(column.rules for column in add_sales_columns(session, ann, sheet) if column.name == "Weighted amount")
    assert (rules["currency"], rules["decimals"]) == ("USD", 0)


def test_a_change_of_type_is_no_edit_and_the_first_value_has_the_present_type(
    session: Session, ann: Actor, sheet: int
) -> None:
    moved = add_column(session, ann, sheet, NewColumn("Moved", "text")).column_id
    put(session, ann, sheet, Batch(adds=(NewRow("2", {DEAL: CellInput("B")}), NewRow("3", {DEAL: CellInput("C")}))))
    for row, texts in ((1, ("2025-01-01", "soon")), (2, ("2026-01-01",)), (3, ("1 Feb 2026",))):
        for each in texts:
            edit(session, ann, sheet, moved, each, row)
    change_type(session, ann, sheet, moved, NewType("date", misfits=Misfits.BESIDE), operation_id=uuid4())
    changed = get_access(session, ann, sheet).sheet.version
    ids = [
        add_column(session, ann, sheet, NewColumn(name, "formula", {"formula": f"{name}({{Moved}})"})).column_id
        for name in ("FIRSTVALUE", "CHANGECOUNT", "CHANGEDAT")
    ]

    def facts(access: Access) -> list[list[Any]]:
        rows = first_rows(session, access, View(), limit=10).rows
        return [[row["values"].get(str(column)) for row in rows] for column in ids]

    first, counts, instants = facts(get_access(session, ann, sheet))
    assert (first, counts) == ([None, "2026-01-01", "2026-02-01"], ["1", "0", "0"])
    edit(session, ann, sheet, moved, "2026-03-01", 1)
    edit(session, ann, sheet, moved, "2026-04-01", 2)
    first, counts, _ = facts(get_access(session, ann, sheet))
    assert (first, counts) == (["2026-03-01", "2026-01-01", "2026-02-01"], ["1", "1", "0"])
    past = as_of(get_access(session, ann, sheet), changed)
    assert facts(past) == [[None, "2026-01-01", "2026-02-01"], ["1", "0", "0"], instants]
    retire_column(session, ann, sheet, ids[0])
    for _ in range(3):
        undo(session, ann, sheet, operation_id=uuid4())
    access = get_access(session, ann, sheet)
    assert access.column(moved).type == "text"
    assert facts(access)[1] == ["1", "2", "0"]


def test_as_of_the_past_a_stage_means_what_it_meant_then(session: Session, ann: Actor, sheet: int) -> None:
    add_sales_columns(session, ann, sheet)
    before = datetime.now(UTC)
    version = get_access(session, ann, sheet).sheet.version
    options = [
        Option(option.id, option.label, option.color, probability=50 if option.label == "Qualified" else None)
        for option in get_access(session, ann, sheet).column(STAGE).options
    ]
    change_column(session, ann, sheet, STAGE, options=tuple(options))
    assert value(session, get_access(session, ann, sheet), "Weighted amount") == "50"
    for instant in (before.isoformat(), f"version:{version}"):
        past = get_access_as_of(session, ann, sheet, instant)
        assert value(session, past, "Weighted amount") == "20"
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert value(session, get_access_as_of(session, ann, sheet, later), "Weighted amount") == "50"


def test_an_option_that_gets_a_meaning_later_had_none_before(session: Session, ann: Actor, sheet: int) -> None:
    column = add_column(session, ann, sheet, NewColumn("Phase", "choice", options=[Option("o1", "A")]))
    change_column(session, ann, sheet, column.column_id, options=(Option("o1", "A", kind="won", probability=90),))
    statement = "SELECT kind, probability FROM stage_meanings WHERE sheet_id = :sheet AND column_id = :column"
    parameters = {"column": column.column_id, "sheet": sheet}
    lines = session.execute(text(f"{statement} ORDER BY since"), parameters)
    assert [tuple(line) for line in lines] == [(None, None), ("won", 90)]


class History:
    """A deal's stage and close date in plain Python: every value that a cell had, version by version."""

    def __init__(self) -> None:
        self.cells: dict[int, list[str | None]] = {STAGE: [None], CLOSE: [None]}
        self.by_version: dict[int, dict[int, int]] = {}

    def set(self, column: int, new: str | None) -> None:
        if self.cells[column][-1] != new:
            self.cells[column].append(new)

    def moves(self, column: int) -> int:
        values = self.cells[column]
        return sum(before is not None and after is not None for before, after in pairwise(values))

    def note(self, version: int) -> None:
        self.by_version[version] = {column: self.moves(column) for column in self.cells}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just(STAGE), st.sampled_from(["Lead", "Qualified", "Won", ""])),
        st.tuples(st.just(CLOSE), st.sampled_from(["2026-01-01", "2026-02-01", "2027-01-01", ""])),
        st.sampled_from(["undo", "trash"]),
    ),
    min_size=1,
    max_size=12,
)


@given(steps=STEPS)
@settings(max_examples=examples(15, 200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_history_of_a_cell_is_what_a_replay_gives(session: Session, ann: Actor, steps: list[Any]) -> None:
    sheet = make_deals(session).sheet.sheet_id
    put(session, ann, sheet, Batch(adds=(NewRow("1", {DEAL: CellInput("Acme")}),)))
    for name, column in (("Stages", STAGE), ("Dates", CLOSE)):
        add_column(session, ann, sheet, NewColumn(name, "formula", {"formula": f"CHANGECOUNT({{#{column}}})"}))
    add_column(session, ann, sheet, NewColumn("First", "formula", {"formula": "FIRSTVALUE({Expected close})"}))
    replay, done = History(), list[tuple[int, str | None]]()
    for step in steps:
        if step == "undo":
            if done:
                column, before = done.pop()
                undo(session, ann, sheet, operation_id=uuid4())
                replay.set(column, before)
        elif step == "trash":
            put(session, ann, sheet, Batch(deletes=(1,)))
            restore_rows(session, ann, sheet, [1], operation_id=uuid4())
            done.clear()
        else:
            column, new = step
            if replay.cells[column][-1] != (new or None):
                done.append((column, replay.cells[column][-1]))
            edit(session, ann, sheet, column, new)
            replay.set(column, new or None)
        replay.note(get_access(session, ann, sheet).sheet.version)
    access = get_access(session, ann, sheet)
    first = next((value for value in replay.cells[CLOSE] if value is not None), None)
    assert value(session, access, "First") == first
    for version, moves in replay.by_version.items():
        past = as_of(access, version)
        assert Decimal(value(session, past, "Stages")) == moves[STAGE]
        assert Decimal(value(session, past, "Dates")) == moves[CLOSE]

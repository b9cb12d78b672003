"""Time travel: a sheet as of any version is what a replay of its log gives; a difference turns one into another."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
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
from core.base.errors import Invalid, NotFound
from core.base.permissions import Permission
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.trash import restore_rows
from core.edits.write import write
from core.history.diff import DifferenceEntry, difference
from core.rows.as_of import as_of, get_access_as_of, version_at
from core.rows.filter_tree import Condition
from core.rows.query import Sort, View
from core.rows.read import first_rows, row_count, rows_after, rows_by_id, rows_in_order, stored_row
from core.rows.row_order import OrderExpired, cached_order, row_order
from core.sheets.columns import NewColumn, add_columns, retire_column
from core.sheets.sheets import create_sheet
from db import engine as db
from tests.conftest import actor

TITLE, NUMBER = 1, 3
ALL = View()
# The state of a sheet: row → column key → value as it travels.
State = dict[int, dict[str, Any]]

cells = st.dictionaries(st.sampled_from([TITLE, NUMBER]), st.sampled_from(["", "2", "10"]), max_size=3)
edits = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([TITLE, NUMBER]), st.sampled_from(["", "2", "10"])),
    min_size=1,
    max_size=4,
    unique_by=lambda cell: cell[:2],
)
some_rows = st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True)
new_rows = st.lists(cells, min_size=1, max_size=3)
# What one action does: cells to edit, rows to add, to delete; or rows to take out of the trash.
actions = st.one_of(
    st.fixed_dictionaries({"adds": new_rows}),
    st.fixed_dictionaries({"edits": edits}),
    st.fixed_dictionaries({"deletes": some_rows}),
    st.fixed_dictionaries({"restores": some_rows}),
    st.fixed_dictionaries({"adds": new_rows, "edits": edits, "deletes": some_rows}),
)
steps = st.lists(actions, min_size=1, max_size=10)


@dataclass
class Sheet:
    """A sheet of Ann's with a column of numbers among its columns."""

    session: Session
    ann: Actor
    sheet_id: int

    @property
    def access(self) -> Access:
        return get_access(self.session, self.ann, self.sheet_id)

    def at(self, version: int) -> Access:
        return as_of(self.access, version)

    def do(
        self,
        *,
        edits: list[tuple[int, int, str]] | None = None,
        adds: list[dict[int, str]] | None = None,
        deletes: list[int] | None = None,
        restores: list[int] | None = None,
    ) -> None:
        """One action."""
        if restores:
            restore_rows(self.session, self.ann, self.sheet_id, restores, operation_id=uuid4(), partial=True)
            return
        batch = Batch(
            edits=tuple(Edit(row, column, CellInput(text)) for row, column, text in edits or []),
            adds=tuple(NewRow(str(at), given_cells(one)) for at, one in enumerate(adds or [])),
            deletes=tuple(deletes or []),
        )
        write(
            self.session, self.ann, self.sheet_id, batch, operation_id=uuid4(), source=ChangeSource.GRID, partial=True
        )

    def put_back(self) -> None:
        """Give the rows of now the titles that they had half-way."""
        states = self.replayed()
        then, now = states[max(states) // 2], states[max(states)]
        titles = [(row, TITLE, str(then[row].get(str(TITLE), ""))) for row in then.keys() & now.keys()]
        if titles:
            self.do(edits=titles)

    def replayed(self) -> dict[int, State]:
        """The state at every version, by carrying out the log line by line in plain Python."""
        lines = self.session.execute(LOG, {"sheet": self.sheet_id}).all()
        state: State = {}
        trashed: State = {}
        states: dict[int, State] = {0: {}}
        for version, row, column, kind, old, new in lines:
            carry_out(state, trashed, row, column, kind, old, new)
            states[version] = {row: dict(values) for row, values in state.items()}
        return states

    def rows(self, access: Access, view: View = ALL) -> list[tuple[int, dict[str, Any]]]:
        page = first_rows(self.session, access, view, limit=1000)
        return [(row["id"], row["values"]) for row in page.rows]


LOG = text("""
    SELECT version, row_id, column_id, kind, old #>> '{}', CASE WHEN column_id = 0 THEN new::text ELSE new #>> '{}' END
    FROM changes WHERE sheet_id = :sheet ORDER BY version, kind = 'remove', kind = 'edit', row_id, column_id
""")


def carry_out(state: State, trashed: State, row: int, column: int, kind: str, old: Any, new: Any) -> None:
    if kind == "add":
        state[row] = json.loads(new, parse_int=str, parse_float=str)
    elif kind == "remove":
        trashed[row] = state.pop(row)
    elif kind == "restore":
        state[row] = trashed.pop(row)
    elif new is None:
        assert state[row].pop(str(column)) == old
    else:
        assert state[row].get(str(column)) == old
        state[row][str(column)] = new


def given_cells(texts: dict[int, str]) -> dict[int, CellInput]:
    return {column: CellInput(text) for column, text in texts.items()}


def by_number(state: State, *, descending: bool) -> list[int]:
    """Rows by their number, those without one last, equals by their id."""
    filled = [row for row in sorted(state) if str(NUMBER) in state[row]]
    filled.sort(key=lambda row: Decimal(state[row][str(NUMBER)]), reverse=descending)
    return filled + [row for row in sorted(state) if str(NUMBER) not in state[row]]


def new_sheet(session: Session) -> Sheet:
    ann = actor("Ann")
    sheet_id = create_sheet(session, ann, "Past").sheet.sheet_id
    add_columns(session, ann, sheet_id, [NewColumn("Number", "number")])
    return Sheet(session, ann, sheet_id)


@pytest.fixture
def sheet(session: Session) -> Sheet:
    return new_sheet(session)


def on_random_sheets(session: Session, check: Callable[[Sheet], None]) -> None:
    """Run a check on sheets that any steps have made."""

    @settings(max_examples=30, deadline=None, suppress_health_check=[*HealthCheck])
    @given(steps)
    def run(made: list[dict[str, Any]]) -> None:
        savepoint = session.begin_nested()
        sheet = new_sheet(session)
        for action in made:
            sheet.do(**action)
        check(sheet)
        savepoint.rollback()

    run()


def test_the_sheet_as_of_every_version_is_what_a_replay_of_its_log_gives(session: Session) -> None:
    def check(sheet: Sheet) -> None:
        for version, state in sheet.replayed().items():
            past = sheet.at(version)
            assert sheet.rows(past) == sorted(state.items())
            assert row_count(session, past, ALL) == len(state)
            order = row_order(session, past, ALL)
            assert order.ids.tolist() == sorted(state)

    on_random_sheets(session, check)


def test_filters_sorts_and_searches_in_the_past_are_those_of_the_replayed_state(session: Session) -> None:
    def check(sheet: Sheet) -> None:
        for version, state in sheet.replayed().items():
            past = sheet.at(version)
            for descending in (False, True):
                view = View(sort=(Sort(NUMBER, descending),))
                assert [row for row, _ in sheet.rows(past, view)] == by_number(state, descending=descending)
                assert row_order(session, past, view).ids.tolist() == by_number(state, descending=descending)
            large = View(filter=(Condition(NUMBER, "gt", "2"),))
            wanted = [row for row, values in sorted(state.items()) if Decimal(values.get(str(NUMBER), 0)) > 2]
            assert [row for row, _ in sheet.rows(past, large)] == wanted
            found = [row for row, values in sorted(state.items()) if any("0" in value for value in values.values())]
            assert [row for row, _ in sheet.rows(past, View(search="0"))] == found

    on_random_sheets(session, check)


def test_pages_by_cursor_put_together_are_the_whole_past(session: Session) -> None:
    view = View(sort=(Sort(NUMBER, descending=True),))

    def check(sheet: Sheet) -> None:
        states = sheet.replayed()
        version = max(states) // 2
        past, seen, cursor = sheet.at(version), [], None
        while True:
            page = rows_after(session, past, view, cursor=cursor, limit=2)
            seen += [row["id"] for row in page.rows]
            assert page.version == version
            if (cursor := page.next_cursor) is None:
                break
        assert seen == by_number(states[version], descending=True)

    on_random_sheets(session, check)


def test_the_difference_of_two_versions_turns_one_into_the_other(session: Session) -> None:
    def check(sheet: Sheet) -> None:
        sheet.put_back()
        states = sheet.replayed()
        for earlier, before in states.items():
            for later in range(earlier, max(states) + 1):
                found = difference(
                    session, sheet.ann, sheet.sheet_id, f"version:{earlier}", f"version:{later}", limit=1000
                )
                assert turned(before, found.entries) == states[later]
                kinds = [one.kind for one in found.entries]
                assert [kinds.count(kind) for kind in ("edited", "added", "deleted")] == [
                    found.edited,
                    found.added,
                    found.deleted,
                ]

    on_random_sheets(session, check)


def turned(state: State, differences: list[DifferenceEntry]) -> State:
    """The state with every difference carried out; each must begin with what is there, and change something."""
    made = {row: dict(values) for row, values in state.items()}
    for one in differences:
        if one.kind == "added":
            assert one.row not in made
            made[one.row] = dict(one.after)  # type: ignore[arg-type]
        elif one.kind == "deleted":
            assert made.pop(one.row) == one.before
        else:
            assert made[one.row].pop(str(one.column), None) == one.before != one.after
            if one.after is not None:
                made[one.row][str(one.column)] = one.after
    return made


@pytest.fixture
def filled(sheet: Sheet) -> Sheet:
    """Three rows at version 1, a changed cell at 2, a deleted row at 3, its return at 4, a new row at 5."""
    sheet.do(adds=[{1: "Acme", 3: "5"}, {1: "Bolt", 3: "7"}, {1: "Cord"}])
    sheet.do(edits=[(1, 3, "6")])
    sheet.do(deletes=[2])
    sheet.do(restores=[2])
    sheet.do(adds=[{1: "Dune"}])
    return sheet


def test_a_row_is_read_as_it_was(filled: Sheet) -> None:
    session = filled.session
    assert stored_row(session, filled.at(1), 1) == {"1": "Acme", "3": Decimal(5)}
    assert stored_row(session, filled.at(2), 1) == {"1": "Acme", "3": Decimal(6)}
    assert rows_by_id(session, filled.at(3), [2, 4]) == [{"id": 2, "deleted": True}, {"id": 4, "deleted": True}]
    with pytest.raises(NotFound):
        stored_row(session, filled.at(0), 1)


def test_an_order_of_the_past_is_read_in_the_past_only(filled: Sheet) -> None:
    session, view = filled.session, View(sort=(Sort(NUMBER, descending=True),))
    then, now = row_order(session, filled.at(1), view), row_order(session, filled.access, view)
    assert (then.ids.tolist(), then.version) == ([2, 1, 3], 1)
    page = rows_in_order(session, filled.at(1), cached_order(filled.at(1), then.token), offset=1, limit=1)
    assert page.rows == [{"id": 1, "values": {"1": "Acme", "3": "5"}}]
    for access, token in ((filled.access, then.token), (filled.at(1), now.token), (filled.at(2), then.token)):
        with pytest.raises(OrderExpired):
            cached_order(access, token)


def test_the_day_added_is_a_filter_in_the_past_too(filled: Sheet) -> None:
    today = datetime.now(UTC).date().isoformat()
    view = View(filter=(Condition(0, "on_or_before", today),))
    assert [row for row, _ in filled.rows(filled.at(3), view)] == [1, 3]


def test_a_retired_column_is_not_shown_of_the_past(filled: Sheet) -> None:
    retire_column(filled.session, filled.ann, filled.sheet_id, NUMBER)
    assert filled.rows(filled.at(1)) == [(1, {"1": "Acme"}), (2, {"1": "Bolt"}), (3, {"1": "Cord"})]
    found = difference(filled.session, filled.ann, filled.sheet_id, "version:1")
    assert [(one.kind, one.row) for one in found.entries] == [("added", 4)]


def test_a_difference_tells_who_and_when_and_what_it_was_called(filled: Sheet) -> None:
    found = difference(filled.session, filled.ann, filled.sheet_id, "version:1", "version:3")
    assert (found.edited, found.added, found.deleted) == (1, 0, 1)
    edited, deleted = found.entries
    assert (edited.row, edited.row_title, edited.column, edited.old, edited.new) == (1, "Acme", NUMBER, "5", "6")
    assert (edited.before, edited.after, edited.by, edited.version) == ("5", "6", "Ann", 2)
    assert (deleted.row, deleted.column, deleted.before, deleted.after) == (2, None, {"1": "Bolt", "3": "7"}, None)


def test_what_was_taken_back_is_no_difference(filled: Sheet) -> None:
    filled.do(edits=[(1, 3, "5")])
    found = difference(filled.session, filled.ann, filled.sheet_id, "version:1")
    assert [(one.kind, one.row) for one in found.entries] == [("added", 4)]


def test_pages_of_a_difference_put_together_are_the_whole(filled: Sheet) -> None:
    whole = difference(filled.session, filled.ann, filled.sheet_id, "version:0")
    behind, seen = None, []
    for _ in whole.entries:
        page = difference(filled.session, filled.ann, filled.sheet_id, "version:0", behind=behind, limit=1)
        seen += page.entries
        behind = page.next
    assert seen == whole.entries
    assert behind is None


def test_the_past_gives_no_right_to_change_it(filled: Sheet) -> None:
    permissions = filled.at(1).permissions
    assert permissions == {
        Permission.SHEET_SEE,
        Permission.ROWS_SEE,
        Permission.ROWS_EXPORT,
        Permission.HISTORY_SEE,
    }


def test_a_stranger_learns_nothing_of_the_past(filled: Sheet, dan: Actor) -> None:
    with pytest.raises(NotFound):
        get_access_as_of(filled.session, dan, filled.sheet_id, "version:1")
    with pytest.raises(NotFound):
        difference(filled.session, dan, filled.sheet_id, "version:1")


@pytest.mark.parametrize("given", ["", "Friday", "version:-1", "version:6", "2026-13-01", "version:", "now", "0"])
def test_what_is_no_instant_is_refused_in_a_sentence(filled: Sheet, given: str) -> None:
    with pytest.raises(Invalid, match=r"is not an instant|no version 6"):
        version_at(filled.session, filled.access, given)


def test_a_difference_that_runs_backwards_or_asks_too_much_is_refused(filled: Sheet) -> None:
    with pytest.raises(Invalid, match="Swap"):
        difference(filled.session, filled.ann, filled.sheet_id, "version:2", "version:1")
    with pytest.raises(Invalid, match="1 to 5000"):
        difference(filled.session, filled.ann, filled.sheet_id, "version:2", limit=5001)


def test_an_instant_is_one_of_business_time(database: str) -> None:
    engine = db.make_engine(database, role=None)
    start = datetime(2026, 11, 16, 9, tzinfo=UTC)
    with Session(engine) as session:
        sheet = new_sheet(session)
        for day in range(3):
            at = (start + timedelta(days=day)).isoformat()
            session.execute(text("SELECT set_config('contrivance.effective_at', :at, true)"), {"at": at})
            sheet.do(adds=[{1: str(day)}])
        asked = {
            "2026-11-16T08:59:59Z": 0,
            "2026-11-16T09:00:00Z": 1,
            "2026-11-16T10:00:00+01:00": 1,
            "2026-11-17": 1,
            "2026-11-18T08:59": 2,
            "2026-11-18T09:00": 3,
            "2999-01-01": 3,
            "0001-01-01": 0,
        }
        assert {given: version_at(session, sheet.access, given) for given in asked} == asked
    engine.dispose()

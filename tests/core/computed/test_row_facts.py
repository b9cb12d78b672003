"""Computed columns: every reader shows, filters, sorts and exports their cells, and nobody writes them."""

import io
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.base.permissions import Level
from core.column_types import COMPUTED_TYPES
from core.computed.definitions import is_formula
from core.edits.batch import Batch, CellInput, Edit, NewRow, Outcome
from core.edits.operation import ChangeSource
from core.edits.trash import trash
from core.edits.write import write
from core.exports import export_rows
from core.history.changes_since import changes_since
from core.rows.as_of import as_of
from core.rows.query import View, view_origin
from core.rows.read import first_rows, rows_after, rows_in_order, stored_row
from core.rows.row_order import row_order
from core.rows.row_source import NARROW
from core.sharing.shares import share_sheet
from core.sheets.columns import NewColumn, add_columns, limit_column
from core.sheets.sheets import create_sheet

NAME, NOTES, NUMBER, CREATED_AT, CREATED_BY, CHANGED_AT, CHANGED_BY = range(1, 8)


def put(session: Session, actor: Actor, access: Access, batch: Batch, *, partial: bool = False) -> Outcome:
    sheet = access.sheet.sheet_id
    return write(session, actor, sheet, batch, operation_id=uuid4(), source=ChangeSource.API, partial=partial)


@pytest.fixture
def facts(session: Session, ann: Actor, ben: Actor) -> Access:
    """Three rows, the second added by Ben and the first changed by him, with a column of each computed type."""
    access = create_sheet(session, ann, "Facts", template="blank")
    sheet = access.sheet.sheet_id
    share_sheet(session, ann, sheet, ben.user_id, level=Level.EDITOR)
    facts = [kind for name, kind in COMPUTED_TYPES.items() if not is_formula(name)]
    made = add_columns(session, ann, sheet, [NewColumn(kind.label, kind.name) for kind in facts])
    assert [column.column_id for column in made] == [NUMBER, CREATED_AT, CREATED_BY, CHANGED_AT, CHANGED_BY]
    for actor, name in ((ann, "Acme"), (ben, "Bolt"), (ann, "Crate")):
        put(session, actor, access, Batch(adds=(NewRow("1", {NAME: CellInput(name)}),)))
    put(session, ben, access, Batch(edits=(Edit(1, NAME, CellInput("Acme Ltd")),)))
    return get_access(session, ann, sheet)


def column(rows: Sequence[dict[str, Any]], column_id: int) -> list[Any]:
    return [row["values"].get(str(column_id)) for row in rows]


def test_every_reader_shows_the_same_computed_cells(session: Session, facts: Access, ann: Actor, ben: Actor) -> None:
    rows = first_rows(session, facts, View(), limit=10).rows
    assert column(rows, NUMBER) == ["1", "2", "3"]
    assert column(rows, CREATED_BY) == [str(ann.user_id), str(ben.user_id), str(ann.user_id)]
    assert column(rows, CHANGED_BY) == [str(ben.user_id), str(ben.user_id), str(ann.user_id)]
    assert all(text.endswith("Z") for text in column(rows, CREATED_AT) + column(rows, CHANGED_AT))
    assert rows_after(session, facts, View(), cursor=None, limit=10).rows == rows
    assert rows_in_order(session, facts, row_order(session, facts, View()), offset=0, limit=10).rows == rows
    assert stored_row(session, facts, 1)[str(NUMBER)] == 1
    file = io.BytesIO()
    export_rows(session, ann, facts.sheet.sheet_id, View(), file, file_format="csv")
    assert [line.split(",")[2] for line in file.getvalue().decode().splitlines()[1:]] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ({"column": NUMBER, "op": "gt", "value": "1"}, [2, 3]),
        ({"column": CREATED_BY, "op": "is_any_of", "value": ["Ben"]}, [2]),
        ({"column": CHANGED_BY, "op": "is_any_of", "value": ["Ben"]}, [1, 2]),
        ({"column": CHANGED_AT, "op": "is_not_empty"}, [1, 2, 3]),
        ({"column": CREATED_AT, "op": "before", "value": "2020-01-01"}, []),
    ],
)
def test_a_computed_column_filters_and_sorts_from_the_narrow_rows(
    session: Session, facts: Access, ben: Actor, condition: dict[str, Any], rows: list[int]
) -> None:
    if "Ben" in condition.get("value", ""):
        condition = condition | {"value": [str(ben.user_id)]}
    view = View.from_json({"filter": [condition], "sort": [{"column": condition["column"]}, {"column": NUMBER}]})
    assert view_origin(facts, view) is NARROW
    shown = first_rows(session, facts, view, limit=10).rows
    assert sorted(row["id"] for row in shown) == rows
    assert [row["id"] for row in rows_after(session, facts, view, cursor=None, limit=10).rows] == [
        row["id"] for row in shown
    ]


def test_a_computed_column_is_searched_like_any_other(session: Session, facts: Access) -> None:
    shown = first_rows(session, facts, View.from_json({"search": "ben"}), limit=10).rows
    assert [row["id"] for row in shown] == [1, 2]


@pytest.mark.parametrize("cell", [CellInput("7"), CellInput(value=7), CellInput(value=None), CellInput("")])
def test_nobody_writes_a_computed_cell(session: Session, facts: Access, ann: Actor, cell: CellInput) -> None:
    for batch in (Batch(edits=(Edit(1, NUMBER, cell),)), Batch(adds=(NewRow("1", {NUMBER: cell}),))):
        outcome = put(session, ann, facts, batch, partial=True)
        assert [refusal["reason"] for refusal in outcome.refused] == [
            "“Number of the row” is computed. Change the cells that it is computed from."
        ]
        with pytest.raises(Invalid, match="is computed"):
            put(session, ann, facts, batch)
    assert len(first_rows(session, facts, View(), limit=10).rows) == 3


def test_the_computed_cells_of_a_changed_row_come_with_its_changes(
    session: Session, facts: Access, ann: Actor, ben: Actor
) -> None:
    since = facts.sheet.version
    put(session, ann, facts, Batch(edits=(Edit(2, NAME, CellInput("Bolt Ltd")),), deletes=(3,)))
    changes = changes_since(session, get_access(session, ben, facts.sheet.sheet_id), since)
    by_id = {row["id"]: row for row in changes.rows}
    assert by_id[2]["values"][str(CHANGED_BY)] == str(ann.user_id)
    assert by_id[2]["values"][str(NUMBER)] == "2"
    assert by_id[3]["values"] == {}


def test_the_last_change_that_a_reader_learns_of_is_one_that_they_may_see(
    session: Session, facts: Access, ann: Actor, ben: Actor
) -> None:
    sheet = facts.sheet.sheet_id
    put(session, ann, facts, Batch(edits=(Edit(2, NOTES, CellInput("a secret")),)))
    shown = first_rows(session, get_access(session, ben, sheet), View(), limit=10).rows
    assert column(shown, CHANGED_BY)[1] == str(ann.user_id)
    limit_column(session, ann, sheet, NOTES, {"editor": "hidden"})
    shown = first_rows(session, get_access(session, ben, sheet), View(), limit=10).rows
    assert column(shown, CHANGED_BY)[1] == str(ben.user_id)


def test_who_does_not_see_their_peers_does_not_see_who_changed_a_row(
    session: Session, facts: Access, ann: Actor, cleo: Actor
) -> None:
    sheet = facts.sheet.sheet_id
    share_sheet(session, ann, sheet, cleo.user_id, level=Level.VIEWER)
    viewer = get_access(session, cleo, sheet)
    sees_peers = "sheet:peers:see" in viewer.permissions or CHANGED_BY in viewer.by_id
    assert (CREATED_BY in viewer.by_id) is (CHANGED_BY in viewer.by_id) is sees_peers


def test_the_past_and_the_trash_have_the_computed_cells_of_their_moment(
    session: Session, facts: Access, ann: Actor, ben: Actor
) -> None:
    past = as_of(facts, facts.sheet.version - 1)
    rows = first_rows(session, past, View(), limit=10).rows
    assert column(rows, NUMBER) == ["1", "2", "3"]
    assert column(rows, CHANGED_BY) == [str(ann.user_id), str(ben.user_id), str(ann.user_id)]
    put(session, ann, facts, Batch(deletes=(2,)))
    (row,) = trash(session, ann, facts.sheet.sheet_id)
    assert (row.title, row.values[str(NUMBER)], row.values[str(CHANGED_BY)]) == ("Bolt", 2, str(ann.user_id))

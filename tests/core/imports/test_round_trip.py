"""What was exported imports again to the same sheet."""

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid
from core.column_types.base import Option
from core.edits.batch import MAX_CELLS, Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.exports import export_rows
from core.imports.inspection import inspect
from core.imports.load import import_rows
from core.imports.plan import propose
from core.rows.query import View
from core.sheets.columns import NewColumn, change_column
from core.sheets.sheets import create_sheet
from core.sheets.templates import Template
from tests.core.imports.conftest import rows_of

OPTIONS = [Option("o1", "=Sum"), Option("o2", 'A, "B"'), Option("o3", "-x"), Option("o4", "Plain")]
COLUMNS = (
    NewColumn("=Name", "text"),
    NewColumn("Note", "long_text"),
    NewColumn("Count", "number"),
    NewColumn("Worth", "money", {"currency": "EUR"}),
    NewColumn("Share", "percent"),
    NewColumn("Stage", "choice", {}, OPTIONS),
    NewColumn("Tags", "choices", {}, OPTIONS),
    NewColumn("Day", "date"),
    NewColumn("Moment", "datetime"),
    NewColumn("Done", "checkbox"),
    NewColumn("Phone", "phone"),
    NewColumn("Who", "person"),
)
NUMBERS = st.decimals(-(10**14), 10**14, places=4)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20) | st.text(
    "='+-@\t\n\" ,;ab", max_size=6
)
CELLS: dict[int, st.SearchStrategy[Any]] = {
    1: WORDS,
    2: WORDS,
    3: NUMBERS,
    4: NUMBERS,
    5: st.decimals(0, 100, places=2),
    6: st.sampled_from(["o1", "o2", "o3", "o4"]),
    7: st.lists(st.sampled_from(["o1", "o2", "o3", "o4"]), min_size=1, max_size=4),
    8: st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(date.isoformat),
    9: st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30)).map(lambda one: f"{one:%Y-%m-%dT%H:%M:%S}Z"),
    10: st.booleans(),
    11: st.sampled_from(["+49 151 234567", "(030) 123456", "12345"]),
    12: st.sampled_from(["1", "2", "3"]),
}
ROWS = st.lists(st.dictionaries(st.sampled_from([*CELLS]), st.none(), min_size=1).flatmap(
    lambda keys: st.fixed_dictionaries({key: CELLS[key] for key in keys})
), min_size=1, max_size=12)  # fmt: skip


def filled(session: Session, who: Actor, rows: list[dict[int, Any]]) -> Access:
    access = create_sheet(session, who, "Trip", template=Template("Trip", "", "table", COLUMNS))
    adds = tuple(
        NewRow(str(place), {key: CellInput(value=as_json(value)) for key, value in row.items()})
        for place, row in enumerate(rows)
    )
    batch = Batch(adds=adds)
    assert batch.size < MAX_CELLS
    write(session, who, access.sheet.sheet_id, batch, operation_id=uuid4(), source=ChangeSource.API, partial=True)
    return get_access(session, who, access.sheet.sheet_id)


def as_json(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_a_csv_imports_to_equal_rows(session: Session, ann: Actor, rows: list[dict[int, Any]]) -> None:
    sheet = filled(session, ann, rows)
    twin = create_sheet(session, ann, "Twin", template=Template("Trip", "", "table", COLUMNS))
    before = [row for row in rows_of(session, sheet.sheet.sheet_id) if row]
    file = io.BytesIO()
    export_rows(session, ann, sheet.sheet.sheet_id, View(), file, file_format="csv")
    if not before:
        return
    # What is not ours to guess of random words: a sheet of commas alone may look as if it were written otherwise.
    written = {"delimiter": ",", "quote": '"', "backslash": False, "lines_above": 0}
    found = inspect(file, written, column_names=[column.name for column in twin.columns])
    plan = propose(found, twin)
    assert [column.column for column in plan.columns] == [column.column_id for column in twin.columns]
    import_rows(session, ann, twin.sheet.sheet_id, file, plan, operation_id=uuid4())
    assert rows_of(session, twin.sheet.sheet_id) == before


def test_an_ordinary_export_needs_no_choices_at_all(session: Session, ann: Actor) -> None:
    rows = [{1: f"Deal {number}", 3: Decimal(number), 6: "o4", 8: "2026-12-31"} for number in range(30)]
    sheet = filled(session, ann, rows)
    file = io.BytesIO()
    export_rows(session, ann, sheet.sheet.sheet_id, View(), file, file_format="csv", bom=True)
    before = rows_of(session, sheet.sheet.sheet_id)
    import_rows(session, ann, sheet.sheet.sheet_id, file, propose(inspect(file), sheet), operation_id=uuid4())
    assert rows_of(session, sheet.sheet.sheet_id) == before * 2


def test_a_retired_option_is_said_to_be_retired(session: Session, ann: Actor) -> None:
    sheet = filled(session, ann, [{1: "x", 6: "o4"}])
    file = io.BytesIO()
    export_rows(session, ann, sheet.sheet.sheet_id, View(), file, file_format="csv")
    change_column(session, ann, sheet.sheet.sheet_id, 6, options=OPTIONS[:3])
    access = get_access(session, ann, sheet.sheet.sheet_id)
    with pytest.raises(Invalid, match="“Plain” is retired"):
        import_rows(
            session,
            ann,
            sheet.sheet.sheet_id,
            file,
            propose(inspect(file, column_names=["=Name", "Stage"]), access),
            operation_id=uuid4(),
        )

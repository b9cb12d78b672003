"""An export is exactly what its reader sees: rows, order, columns; numbers as numbers and nothing that runs."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import openpyxl
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.column_types.base import Option
from core.edits.batch import Batch, CellInput, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.exports import export_rows
from core.rows.filter_tree import Condition
from core.rows.query import Sort, View
from core.sheets.columns import NewColumn
from core.sheets.sheets import create_sheet
from core.sheets.templates import Template
from core.views.edit_views import change_settings
from core.views.views import first_view

STAGES = [Option("o1", "=Lead"), Option("o2", "Won")]
COLUMNS = (
    NewColumn("Name", "text"),
    NewColumn("Amount", "money", {"currency": "EUR"}),
    NewColumn("Stage", "choice", {}, STAGES),
    NewColumn("Tags", "choices", {}, STAGES),
    NewColumn("Day", "date"),
    NewColumn("At", "datetime"),
    NewColumn("Done", "checkbox"),
    NewColumn("Share", "percent"),
    NewColumn("Owner", "person"),
)
ROWS: list[dict[int, Any]] = [
    {1: "=HYPERLINK(1)", 2: "1200.5", 3: "o1", 4: ["o1", "o2"], 5: "2026-12-31", 6: "2026-12-31T10:00:00Z", 7: True},
    {1: "-5", 2: "-5", 8: "12.5", 9: "2"},
    {1: "+49 151", 2: "999999999999999.0000000001", 5: "1900-01-01"},
]


@pytest.fixture
def sheet(session: Session, ann: Actor) -> Access:
    access = create_sheet(session, ann, "Deals / 2026", template=Template("Mixed", "", "table", COLUMNS))
    adds = tuple(NewRow(str(n), {key: CellInput(value=one) for key, one in row.items()}) for n, row in enumerate(ROWS))
    write(session, ann, access.sheet.sheet_id, Batch(adds=adds), operation_id=uuid4(), source=ChangeSource.API)
    return get_access(session, ann, access.sheet.sheet_id)


def exported(
    session: Session, who: Actor, sheet: Access, kind: str, view: View | None = None, **more: Any
) -> io.BytesIO:
    file = io.BytesIO()
    export_rows(session, who, sheet.sheet.sheet_id, view or View(), file, file_format=kind, **more)
    file.seek(0)
    return file


def lines(file: io.BytesIO) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.read().decode())))


def test_a_csv_has_canonical_texts_and_nothing_that_runs(session: Session, ann: Actor, sheet: Access) -> None:
    names, first, second, third = lines(exported(session, ann, sheet, "csv"))
    assert names == [column.name for column in COLUMNS]
    assert first[:7] == [
        "'=HYPERLINK(1)",
        "1200.5",
        "'=Lead",
        "'=Lead, Won",
        "2026-12-31",
        "2026-12-31T10:00:00Z",
        "yes",
    ]
    assert second == ["-5", "-5", "", "", "", "", "", "12.5", "Ann"]
    assert third[:2] == ["'+49 151", "999999999999999.0000000001"]


def test_a_csv_for_excel_begins_with_a_mark(session: Session, ann: Actor, sheet: Access) -> None:
    assert exported(session, ann, sheet, "csv", bom=True).read(3) == b"\xef\xbb\xbf"
    assert exported(session, ann, sheet, "csv").read(4) == b"Name"


def test_an_export_is_the_view(session: Session, ann: Actor, sheet: Access) -> None:
    view = View((Condition(2, "lt", "2000"),), (Sort(2, descending=True),))
    found = lines(exported(session, ann, sheet, "csv", view, columns=[2, 1]))
    assert found == [["Amount", "Name"], ["1200.5", "'=HYPERLINK(1)"], ["-5", "-5"]]
    assert len(lines(exported(session, ann, sheet, "csv", View(search="hyperlink")))) == 2


def test_an_export_has_the_columns_that_the_person_shows_in_their_order(
    session: Session, ann: Actor, sheet: Access
) -> None:
    view_id = first_view(session, sheet).view_id
    settings = {"hidden": [3, 4, 5, 6, 7, 8, 9], "order": [2, 1]}
    change_settings(session, ann, sheet.sheet.sheet_id, view_id, settings)
    assert lines(exported(session, ann, sheet, "csv"))[0] == ["Amount", "Name"]


def test_a_workbook_has_typed_cells_and_no_formula(session: Session, ann: Actor, sheet: Access) -> None:
    book = openpyxl.load_workbook(exported(session, ann, sheet, "xlsx"))
    names, first, second, third = book.active.iter_rows()
    assert [cell.value for cell in names] == [column.name for column in COLUMNS]
    assert (first[0].value, first[0].data_type) == ("=HYPERLINK(1)", "s")
    assert (first[1].value, first[1].data_type) == (1200.5, "n")
    assert (first[4].value, first[4].number_format) == (datetime(2026, 12, 31), "yyyy-mm-dd")
    assert first[5].value == datetime(2026, 12, 31, 10)
    assert first[6].value is True
    assert [cell.data_type for row in book.active.iter_rows() for cell in row if cell.data_type == "f"] == []
    assert (second[0].data_type, second[1].value, second[7].value) == ("s", -5, 0.125)
    # More digits than Excel holds, and a day that its calendar has wrong: whole, as text.
    assert (third[1].value, third[4].value) == ("999999999999999.0000000001", "1900-01-01")


def test_times_in_a_workbook_stand_by_the_clock_of_their_column(session: Session, ann: Actor) -> None:
    berlin = NewColumn("At", "datetime", {"time_zone": "Europe/Berlin"})
    access = create_sheet(session, ann, "Calls", template=Template("x", "", "table", (berlin,)))
    given = ("2026-07-01T08:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z")
    batch = Batch(adds=tuple(NewRow(at, {1: CellInput(at)}) for at in given))
    write(session, ann, access.sheet.sheet_id, batch, operation_id=uuid4(), source=ChangeSource.API)
    sheet = openpyxl.load_workbook(exported(session, ann, access, "xlsx")).active
    # In the hour that clocks show twice, only the text says which it is.
    assert [cell.value for cell in sheet["A"]] == ["At", datetime(2026, 7, 1, 10), *given[1:]]


def test_markup_in_a_workbook_is_text(session: Session, ann: Actor) -> None:
    name = '<b>&"Tom\'s"</b>'
    access = create_sheet(
        session, ann, "[a]: <&>", template=Template("x", "", "table", (NewColumn(name, "long_text"),))
    )
    batch = Batch(adds=(NewRow("a", {1: CellInput(" <script>\n&amp;é😀 ")}),))
    write(session, ann, access.sheet.sheet_id, batch, operation_id=uuid4(), source=ChangeSource.API)
    sheet = openpyxl.load_workbook(exported(session, ann, access, "xlsx")).active
    assert [cell.value for cell in sheet["A"]] == [name, "<script>\n&amp;é😀"]
    assert sheet.title == "a   <&>"


def test_a_parquet_file_has_exact_types(session: Session, ann: Actor, sheet: Access) -> None:
    table = pq.read_table(exported(session, ann, sheet, "parquet"))
    first, second, third = table.to_pylist()
    assert first["Amount"] == Decimal("1200.5")
    assert third["Amount"] == Decimal("999999999999999.0000000001")
    assert first["Day"] == date(2026, 12, 31)
    assert first["At"] == datetime(2026, 12, 31, 10, tzinfo=UTC)
    assert (first["Stage"], first["Tags"], first["Done"]) == ("=Lead", ["=Lead", "Won"], True)
    assert (second["Owner"], second["Day"]) == ("Ann", None)
    assert [str(field.type) for field in table.schema][1:6] == [
        "decimal128(25, 10)", "string", "list<element: string>", "date32[day]", "timestamp[ms, tz=UTC]",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_an_empty_view_is_a_file_with_names_alone(session: Session, ann: Actor, sheet: Access, kind: str) -> None:
    file = io.BytesIO()
    done = export_rows(session, ann, sheet.sheet.sheet_id, View(search="nowhere"), file, file_format=kind)
    assert done.rows == 0
    assert file.tell() > 0


def test_an_export_is_audited_with_format_and_count(session: Session, ann: Actor, sheet: Access) -> None:
    done = exported(session, ann, sheet, "csv", columns=[1])
    assert done
    facts = session.scalar(text("SELECT facts FROM audit_events WHERE action = 'sheet:rows:export'"))
    assert facts == {"format": "csv", "rows": 3, "columns": ["Name"]}


def test_the_file_name_is_safe(session: Session, ann: Actor, sheet: Access) -> None:
    done = export_rows(session, ann, sheet.sheet.sheet_id, View(), io.BytesIO(), file_format="csv")
    assert (done.name, done.media_type, done.rows) == ("Deals _ 2026.csv", "text/csv; charset=utf-8", 3)


def test_what_is_not_there_is_refused(session: Session, ann: Actor, sheet: Access) -> None:
    with pytest.raises(NotFound):
        exported(session, ann, sheet, "csv", columns=[99])
    with pytest.raises(NotFound):
        exported(session, ann, sheet, "csv", View((Condition(99, "is_empty"),)))
    with pytest.raises(Invalid, match="Unknown export format “pdf”"):
        exported(session, ann, sheet, "pdf")


def test_a_text_that_excel_would_cut_is_refused(session: Session, ann: Actor) -> None:
    template = Template("Long", "", "table", (NewColumn("Note", "long_text"),))
    access = create_sheet(session, ann, "Long", template=template)
    batch = Batch(adds=(NewRow("a", {1: CellInput("x" * 40_000)}),))
    write(session, ann, access.sheet.sheet_id, batch, operation_id=uuid4(), source=ChangeSource.API)
    with pytest.raises(Invalid, match="Excel takes at most 32,767"):
        exported(session, ann, access, "xlsx")
    assert len(lines(exported(session, ann, access, "csv"))[1][0]) == 40_000

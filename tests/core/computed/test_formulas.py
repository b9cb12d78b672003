"""Formula columns: made, checked, shown, filtered, sorted, exported, and seen only with all their inputs."""

import io
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.base.permissions import Level
from core.computed.definitions import shown_rules
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.exports import FORMATS, export_rows
from core.history.changes_since import changes_since
from core.rows.as_of import as_of, get_access_as_of
from core.rows.query import View, view_origin
from core.rows.read import first_rows, rows_after, stored_row
from core.rows.row_source import NARROW, ROWS
from core.sharing.shares import share_sheet
from core.sheets.columns import (
    NewColumn,
    add_column,
    add_columns,
    change_column,
    limit_column,
    restore_column,
    retire_column,
)

DEAL, ACCOUNT, STAGE, AMOUNT, OWNER, CREATED, CLOSE = range(1, 8)
ROWS_OF_DEALS: list[dict[int, str]] = [
    {DEAL: "Acme", STAGE: "Won", AMOUNT: "100", CREATED: "2026-01-31", CLOSE: "2026-03-01", OWNER: "Ann"},
    {DEAL: "Bolt", STAGE: "Lead", AMOUNT: "0", CREATED: "2026-02-01", CLOSE: "2026-02-01", OWNER: "Ben"},
    {DEAL: "Crate", STAGE: "Lead", AMOUNT: "7.5"},
    {DEAL: "Dyno"},
]


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor) -> int:
    adds = tuple(
        NewRow(str(place), {column: CellInput(text) for column, text in row.items()})
        for place, row in enumerate(ROWS_OF_DEALS)
    )
    put(session, ann, deals.sheet.sheet_id, Batch(adds=adds))
    return deals.sheet.sheet_id


def put(session: Session, actor: Actor, sheet: int, batch: Batch) -> None:
    write(session, actor, sheet, batch, operation_id=uuid4(), source=ChangeSource.API)


def formula(session: Session, actor: Actor, sheet: int, text: str, kind: str = "formula", **rules: Any) -> int:
    new = NewColumn(f"F{uuid4().hex[:6]}", kind, {"formula": text, **rules})
    return add_column(session, actor, sheet, new).column_id


def cells(session: Session, actor: Actor, sheet: int, column: int, view: dict[str, Any] | None = None) -> list[Any]:
    access = get_access(session, actor, sheet)
    rows = first_rows(session, access, View.from_json(view), limit=100).rows
    return [row["values"].get(str(column)) for row in rows]


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("{Amount} * 2", "formula_number", ["200", "0", "15", None]),
        ("=[Amount]/{amount}", "formula_number", ["1", {"error": "The divisor is 0."}, "1", None]),
        ('{Deal} & " (" & {Stage} & ")"', "formula_text", ["Acme (Won)", "Bolt (Lead)", "Crate (Lead)", "Dyno ()"]),
        ('IF({Stage} = "won", 1, 0)', "formula_number", ["1", "0", "0", "0"]),
        ("{Expected close} - {Created}", "formula_number", ["29", "0", None, None]),
        ("EDATE({Created}, 1)", "formula_date", ["2026-02-28", "2026-03-01", None, None]),
        ("{Amount} > 5", "formula_checkbox", [True, False, True, False]),
        ('{Owner} & ""', "formula_text", ["Ann", "Ben", None, None]),
        ("IFERROR(1 / {Amount}, 0)", "formula_number", ["0.01", "0", "0.1333333333", None]),
    ],
)  # fmt: skip
def test_a_formula_gives_the_cells_of_its_column(
    session: Session, ann: Actor, sheet: int, text: str, kind: str, shown: list[Any]
) -> None:
    column = formula(session, ann, sheet, text)
    assert get_access(session, ann, sheet).column(column).type == kind
    assert cells(session, ann, sheet, column) == shown
    # Filtered and sorted by it, from the rows and from the narrow rows, the cells are the same.
    filled = [cell for cell in shown if cell is not None and not isinstance(cell, dict)]
    view = {"filter": [{"column": column, "op": "is_not_empty"}], "sort": [{"column": column}]}
    ordered = cells(session, ann, sheet, column, view)
    assert sorted(map(str, ordered)) == sorted(map(str, filled))
    failed = {"filter": [{"column": column, "op": "has_error"}]}
    assert cells(session, ann, sheet, column, failed) == [cell for cell in shown if isinstance(cell, dict)]


def test_money_and_percentages_are_as_in_a_spreadsheet(session: Session, ann: Actor, sheet: int) -> None:
    add_column(session, ann, sheet, NewColumn("Chance", "percent"))
    access = get_access(session, ann, sheet)
    chance = access.columns[-1].column_id
    put(session, ann, sheet, Batch(edits=(Edit(1, chance, CellInput("25")),)))
    weighted = formula(session, ann, sheet, "{Amount} * {Chance}", "formula_money", currency="EUR")
    assert cells(session, ann, sheet, weighted)[0] == "25"
    share = formula(session, ann, sheet, "{Amount} / 300", "formula_percent", decimals=1)
    assert cells(session, ann, sheet, share) == ["33.3", "0", "2.5", None]
    again = formula(session, ann, sheet, f"{{#{share}}} * 100")
    assert cells(session, ann, sheet, again) == ["33.3", "0", "2.5", None]


def test_a_formula_on_slots_is_filtered_and_sorted_from_the_narrow_rows(
    session: Session, ann: Actor, sheet: int
) -> None:
    column = formula(session, ann, sheet, 'IF({Stage} = "Lead", {Amount} * 2, {Amount})')
    access = get_access(session, ann, sheet)
    view = View.from_json(
        {
            "filter": [{"column": column, "op": "gt", "value": "10"}],
            "sort": [{"column": column, "descending": True}],
        }
    )
    assert view_origin(access, view) is NARROW
    assert [row["id"] for row in first_rows(session, access, view, limit=10).rows] == [1, 3]
    first = rows_after(session, access, view, cursor=None, limit=1)
    assert [row["id"] for row in rows_after(session, access, view, cursor=first.next_cursor, limit=5).rows] == [3]
    on_text = formula(session, ann, sheet, "LEN({Deal})")
    access = get_access(session, ann, sheet)
    assert view_origin(access, View.from_json({"sort": [{"column": on_text}]})) is ROWS


def test_a_formula_is_stored_by_column_so_that_a_new_name_changes_nothing(
    session: Session, ann: Actor, sheet: int
) -> None:
    column = formula(session, ann, sheet, ' 2 * {amount}+LEN("{Amount}") ')
    before = cells(session, ann, sheet, column)
    change_column(session, ann, sheet, AMOUNT, name="Value {net}")
    access = get_access(session, ann, sheet)
    assert access.column(column).rules["formula"] == f'2 * {{#{AMOUNT}}}+LEN("{{Amount}}")'
    shown = shown_rules(access, access.column(column))["formula"]
    assert shown == '2 * {Value {net}}}+LEN("{Amount}")'
    assert cells(session, ann, sheet, column) == before


def test_a_change_of_the_formula_changes_the_type_of_its_values(session: Session, ann: Actor, sheet: int) -> None:
    column = formula(session, ann, sheet, "{Amount} * 2", decimals=1)
    change_column(session, ann, sheet, column, rules={"formula": '{Deal} & "!"'})
    assert get_access(session, ann, sheet).column(column).type == "formula_text"
    assert cells(session, ann, sheet, column)[0] == "Acme!"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{Amuont} * 2", r"There is no column “Amuont” that you can see\. Did you mean {Amount}\? \(at character 1\)"),
        ("{Amount} + {Deal}", r"“\+” takes a number here, not a text\. \(at character 12\)"),
        ("{Amount} * ", r"The formula ends too early"),
        ("ROUNDD({Amount})", r"There is no function “ROUNDD”\. Did you mean ROUND\?"),
        ("LEFT()", r"LEFT is written LEFT\(text, count\); here it has 0 arguments"),
        ('IF({Amount} > 1, "a", 2)', r"a text and a number do not go together\. \(at character 23\)"),
        ("Amount * 2", r"“Amount” is not known\. A column stands in brackets: {Amount}"),
        ("", r"A formula needs an expression"),
        ("{Amount} * 2)", r"“\)” cannot stand here"),
        ('"abc', r"A text needs a quotation mark at its end"),
        ("x" * 10_000, r"at most 2,000 characters"),
    ],
)
def test_a_formula_with_a_mistake_is_refused_with_its_place(
    session: Session, ann: Actor, sheet: int, text: str, reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        formula(session, ann, sheet, text)


def test_a_formula_cannot_depend_on_itself(session: Session, ann: Actor, sheet: int) -> None:
    first = formula(session, ann, sheet, "{Amount} * 2")
    second = formula(session, ann, sheet, f"{{#{first}}} + 1")
    third = formula(session, ann, sheet, f"{{#{second}}} + 1")
    assert cells(session, ann, sheet, third)[0] == "202"
    for text in (f"{{#{first}}}", f"{{#{second}}}", f"IF(TRUE, 1, {{#{third}}})"):
        with pytest.raises(Invalid, match=r"depends on itself|its own column"):
            change_column(session, ann, sheet, first, rules={"formula": text})
    assert cells(session, ann, sheet, third)[0] == "202"


def test_a_formula_that_others_use_keeps_a_type_that_they_can_use(session: Session, ann: Actor, sheet: int) -> None:
    first = formula(session, ann, sheet, "{Amount} * 2")
    second = formula(session, ann, sheet, f"{{#{first}}} + 1")
    with pytest.raises(Invalid, match="could not use this column any more: “\\+” takes a number here, not a text"):
        change_column(session, ann, sheet, first, rules={"formula": "{Deal}"})
    with pytest.raises(Invalid, match="is computed from"):
        retire_column(session, ann, sheet, first)
    retire_column(session, ann, sheet, second)
    retire_column(session, ann, sheet, first)
    with pytest.raises(Invalid, match="computed from a column that is retired"):
        restore_column(session, ann, sheet, second)


def test_formulas_of_formulas_do_not_grow_without_end(session: Session, ann: Actor, sheet: int) -> None:
    column = AMOUNT
    with pytest.raises(Invalid, match="too complex"):
        for _ in range(40):
            column = formula(session, ann, sheet, f"{{#{column}}} + {{#{column}}} / {{#{column}}}")
    assert len(cells(session, ann, sheet, column)) == 4


def test_who_does_not_see_a_column_does_not_see_what_is_computed_from_it(
    session: Session, ann: Actor, ben: Actor, sheet: int
) -> None:
    column = formula(session, ann, sheet, "{Amount} * 2")
    indirect = formula(session, ann, sheet, f"{{#{column}}} + 1")
    harmless = formula(session, ann, sheet, "{Deal} & 1")
    share_sheet(session, ann, sheet, ben.user_id, level=Level.EDITOR)
    limit_column(session, ann, sheet, AMOUNT, {"editor": "hidden"})
    access = get_access(session, ben, sheet)
    assert harmless in access.by_id
    assert {column, indirect}.isdisjoint(access.by_id)
    row = first_rows(session, access, View(), limit=1).rows[0]
    assert {str(column), str(indirect)}.isdisjoint(row["values"])
    assert str(column) not in stored_row(session, access, 1)
    for view in ({"sort": [{"column": indirect}]}, {"filter": [{"column": column, "op": "is_empty"}]}):
        with pytest.raises(NotFound):
            first_rows(session, access, View.from_json(view), limit=1)
    assert first_rows(session, access, View.from_json({"search": "201"}), limit=5).rows == []
    assert first_rows(session, get_access(session, ann, sheet), View.from_json({"search": "201"}), limit=5).rows


def test_a_formula_may_only_use_columns_that_its_maker_sees(
    session: Session, ann: Actor, sheet: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_column(session, ann, sheet, AMOUNT, {"editor": "hidden"})
    monkeypatch.setattr(Access, "audiences", property(lambda _: ("editor",)))
    with pytest.raises(Invalid, match="There is no column “Amount” that you can see"):
        formula(session, ann, sheet, "{Amount} * 2")
    with pytest.raises(Invalid, match="that you can see"):
        formula(session, ann, sheet, f"{{#{AMOUNT}}} * 2")


@pytest.mark.parametrize("file_format", FORMATS)
def test_files_have_the_cells_and_the_reasons_of_errors(
    session: Session, ann: Actor, sheet: int, file_format: str
) -> None:
    texts = ("1 / {Amount}", "{Amount} > 1", "EDATE({Created}, {Amount} * 100)", "{Deal} & 1 / {Amount}")
    names = [formula(session, ann, sheet, text) for text in texts]
    file = io.BytesIO()
    export_rows(session, ann, sheet, View(), file, file_format=file_format, columns=names)
    if file_format == "csv":
        lines = file.getvalue().decode().splitlines()
        assert lines[2] == "#ERROR The divisor is 0.,no,2026-02-01,#ERROR The divisor is 0."
        assert "#ERROR The date is not between 1900 and 2199." in lines[1]
    assert file.tell() > 100


def test_the_cells_that_a_change_changes_come_with_it(session: Session, ann: Actor, sheet: int) -> None:
    column = formula(session, ann, sheet, "100 / {Amount}")
    since = get_access(session, ann, sheet).sheet.version
    put(session, ann, sheet, Batch(edits=(Edit(1, AMOUNT, CellInput("0")), Edit(2, AMOUNT, CellInput("")))))
    changes = changes_since(session, get_access(session, ann, sheet), since)
    values = {row["id"]: row["values"][str(column)] for row in changes.rows}
    assert values == {1: {"error": "The divisor is 0."}, 2: None}


def test_the_past_has_the_values_of_its_moment(session: Session, ann: Actor, sheet: int) -> None:
    column = formula(session, ann, sheet, "{Amount} * 2")
    version = get_access(session, ann, sheet).sheet.version
    put(session, ann, sheet, Batch(edits=(Edit(1, AMOUNT, CellInput("1")),)))
    past = as_of(get_access(session, ann, sheet), version)
    view = View.from_json({"sort": [{"column": column, "descending": True}]})
    assert first_rows(session, past, view, limit=1).rows[0]["values"][str(column)] == "200"
    now = get_access(session, ann, sheet)
    assert first_rows(session, now, view, limit=1).rows[0]["values"][str(column)] == "15"


def test_today_is_the_day_of_the_moment_in_the_past(session: Session, ann: Actor, sheet: int) -> None:
    column = formula(session, ann, sheet, "TODAY()")
    now = get_access(session, ann, sheet)
    assert cells(session, ann, sheet, column)[0] == now.today.isoformat()
    assert str(now.today) in now.scope
    past = get_access_as_of(session, ann, sheet, "2200-01-15")
    assert past.today.isoformat() == "2200-01-15"
    by_version = get_access_as_of(session, ann, sheet, "version:1")
    assert by_version.today == now.today


def test_a_stored_formula_that_does_not_hold_any_more_is_an_error_in_its_cells(
    session: Session, ann: Actor, sheet: int
) -> None:
    column = formula(session, ann, sheet, "{Amount} * 2")
    access = get_access(session, ann, sheet)
    broken = replace(access.column(column), rules={"formula": f"{{#{AMOUNT}}} * {{#{DEAL}}}"})
    others = [other for other in access.every_column if other.column_id != column]
    access = replace(access, every_column=(*others, broken))
    rows = first_rows(session, access, View.from_json({"sort": [{"column": column}]}), limit=1).rows
    assert "takes a number here" in rows[0]["values"][str(column)]["error"]


def test_numbers_beyond_what_a_cell_can_hold_are_errors(session: Session, ann: Actor, sheet: int) -> None:
    column = formula(session, ann, sheet, "{Amount} * 100000000000000")
    values = cells(session, ann, sheet, column)
    assert values[0] == {"error": "The number has more than 15 digits before the decimals."}
    assert values[1] == "0"


def test_several_columns_are_added_with_formulas_at_once(session: Session, ann: Actor, sheet: int) -> None:
    news = [NewColumn("Plain", "number"), NewColumn("Half", "formula", {"formula": "{Amount} / 2"})]
    made = add_columns(session, ann, sheet, news)
    assert stored_row(session, get_access(session, ann, sheet), 1)[made[1].key] == Decimal(50)

"""A file into a sheet: all of it or nothing, with every rule of its columns, in one version."""

import io
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed
from core.column_types.base import NO_REFERENCES
from core.imports.inspection import inspect
from core.imports.load import import_new_sheet
from core.imports.plan import missing_labels, new_column, propose
from core.imports.plan_types import ImportPlan, OnMisfit
from core.imports.preview import check, preview, refused_lines
from core.sheets.columns import NewColumn, add_column, change_column
from tests.core.imports.conftest import load, load_new, planned, rows_of

CSV = 'deal,Stage,Amount,Expected close\nAcme,lead,"1,200.50",2026-12-31\nGlobex,Won,99,\n'


def count(session: Session, sheet: int) -> int:
    return session.scalar(text("SELECT count(*) FROM rows WHERE sheet_id = :sheet"), {"sheet": sheet}) or 0


def test_rows_are_added_in_the_order_of_the_file_as_one_version(session: Session, deals: Access, ann: Actor) -> None:
    report = load(session, ann, deals, CSV)
    assert (report.rows, report.first_row, report.version) == (2, 1, 1)
    assert rows_of(session, deals.sheet.sheet_id) == [
        {"1": "Acme", "3": "o1", "4": "1200.5", "7": "2026-12-31"},
        {"1": "Globex", "3": "o5", "4": "99"},
    ]


def test_every_added_row_is_in_the_change_log(session: Session, deals: Access, ann: Actor) -> None:
    load(session, ann, deals, CSV)
    found = session.execute(
        text(
            "SELECT version, row_id, kind, source, actor_id, new ->> '1' FROM changes"
            " WHERE sheet_id = :sheet ORDER BY row_id"
        ),
        {"sheet": deals.sheet.sheet_id},
    ).all()
    assert [tuple(line) for line in found] == [
        (1, 1, "add", "import", ann.user_id, "Acme"),
        (1, 2, "add", "import", ann.user_id, "Globex"),
    ]


def test_an_import_is_audited(session: Session, deals: Access, ben: Actor) -> None:
    load(session, ben, deals, CSV)
    facts = session.scalar(text("SELECT facts FROM audit_events WHERE action = 'sheet:rows:import'"))
    assert facts == {"rows": 2, "columns": [], "emptied": 0, "left_out": 0}


def test_unknown_columns_become_new_ones(session: Session, deals: Access, ann: Actor) -> None:
    report = load(session, ann, deals, "Deal,Region,Score\nA,North,7\nB,South,8\n")
    assert report.columns == ["Region", "Score"]
    access = get_access(session, ann, deals.sheet.sheet_id)
    assert [(column.name, column.type) for column in access.columns[-2:]] == [("Region", "text"), ("Score", "number")]
    assert rows_of(session, deals.sheet.sheet_id)[1] == {"1": "B", "12": "South", "13": "8"}


def test_an_editor_makes_no_columns(session: Session, deals: Access, ben: Actor) -> None:
    with pytest.raises(NotAllowed):
        load(session, ben, deals, "Deal,Region\nA,North\n")
    assert load(session, ben, deals, "Deal,Region\nA,North\n", decide=lambda plan: plan.changed(1, new=None)).rows == 1


def test_a_misfit_refuses_the_file_and_leaves_nothing(session: Session, deals: Access, ann: Actor) -> None:
    before = get_access(session, ann, deals.sheet.sheet_id).sheet
    with pytest.raises(Invalid, match=r"2 values do not fit.*“Amount”, line 3") as caught:
        load(session, ann, deals, "Deal,Amount,New\nA,5,x\nB,many,y\nC,-3,z\n")
    assert [one["line"] for one in caught.value.facts["misfits"][0]["first"]] == [3, 4]
    assert get_access(session, ann, deals.sheet.sheet_id).sheet == before
    assert count(session, deals.sheet.sheet_id) == 0


@pytest.mark.parametrize(
    ("policy", "rows", "emptied", "left_out"), [(OnMisfit.EMPTY, 3, 1, []), (OnMisfit.SKIP, 2, 0, [3])]
)
def test_the_person_decides_on_misfits(
    session: Session, deals: Access, ann: Actor, policy: OnMisfit, rows: int, emptied: int, left_out: list[int]
) -> None:
    report = load(
        session, ann, deals, "Deal,Amount\nA,5\nB,many\nC,6\n", decide=lambda plan: plan.changed(1, on_misfit=policy)
    )
    assert (report.rows, report.emptied, report.left_out) == (rows, emptied, left_out)
    assert count(session, deals.sheet.sheet_id) == rows


def test_a_required_column_is_never_left_empty(session: Session, deals: Access, ann: Actor) -> None:
    with pytest.raises(Invalid, match="must not be empty"):
        load(session, ann, deals, "Deal,Amount\n,5\n")
    with pytest.raises(Invalid, match="must not be empty"):
        load(session, ann, deals, "Deal,Amount\n,5\n", decide=lambda plan: plan.changed(0, on_misfit=OnMisfit.EMPTY))
    with pytest.raises(Invalid, match="“Deal” must not be empty in this sheet"):
        load(session, ann, deals, "Amount\n5\n")


def test_a_unique_column_stays_unique(session: Session, deals: Access, ann: Actor) -> None:
    add_column(session, ann, deals.sheet.sheet_id, NewColumn("Code", "text", {"unique": True}))
    with pytest.raises(Invalid, match="“x1” is more than once in the file"):
        load(session, ann, deals, "Deal,Code\nA,X1\nB,x1\n")
    load(session, ann, deals, "Deal,Code\nA,X1\nB,\nC,\n")
    with pytest.raises(Invalid, match="“x1” is in the sheet already"):
        load(session, ann, deals, "Deal,Code\nD,x1\n")
    assert count(session, deals.sheet.sheet_id) == 3


def test_the_rules_of_a_column_hold(session: Session, deals: Access, ann: Actor) -> None:
    with pytest.raises(Invalid, match="too small"):
        load(session, ann, deals, "Deal,Amount\nA,-1\n")
    with pytest.raises(Invalid, match="not a date in the calendar"):
        load(session, ann, deals, "Deal,Created\nA,2026-02-30\n")


def with_missing(access: Access, content: str, place: int) -> ImportPlan:
    _, plan, found = planned(content, access)
    column = access.column(plan.columns[place].column or 0)
    return plan.changed(place, labels=tuple(missing_labels(found.samples[place], column)))


def test_new_labels_become_options_where_that_was_chosen(session: Session, deals: Access, ann: Actor) -> None:
    content = "Deal,Source\nA,Inbound\nB,Fair\nC,fair\nD,Radio\n"
    with pytest.raises(Invalid, match="is not an option"):
        load(session, ann, deals, content)
    report = load(session, ann, deals, content, decide=lambda _: with_missing(deals, content, 1))
    assert report.options == ["Fair", "Radio"]
    assert [row["8"] for row in rows_of(session, deals.sheet.sheet_id)] == ["o1", "o6", "o6", "o7"]


def test_a_retired_option_that_is_imported_on_purpose_comes_back(session: Session, deals: Access, ann: Actor) -> None:
    source = deals.column(8)
    change_column(session, ann, deals.sheet.sheet_id, 8, options=list(source.options[1:]))
    access = get_access(session, ann, deals.sheet.sheet_id)
    content = "Deal,Source\nA,Inbound\n"
    load(session, ann, deals, content, decide=lambda _: with_missing(access, content, 1))
    assert rows_of(session, deals.sheet.sheet_id)[0]["8"] == "o1"


def test_a_repeated_operation_adds_nothing(session: Session, deals: Access, ann: Actor) -> None:
    operation = uuid4()
    assert load(session, ann, deals, CSV, operation_id=operation) == load(
        session, ann, deals, CSV, operation_id=operation
    )
    assert count(session, deals.sheet.sheet_id) == 2


def test_a_repeated_new_sheet_is_made_once(session: Session, ann: Actor) -> None:
    operation = uuid4()
    first = load_new(session, ann, "a,b\n1,2\n", operation_id=operation)
    assert load_new(session, ann, "a,b\n1,2\n", operation_id=operation) == first


def test_two_columns_of_the_file_never_share_one_of_the_sheet(session: Session, deals: Access, ann: Actor) -> None:
    with pytest.raises(Invalid, match="both go into one column"):
        load(session, ann, deals, "Deal,Title\nA,B\n", decide=lambda plan: plan.changed(1, column=1, new=None))


def test_progress_counts_up_to_all_rows(session: Session, deals: Access, ann: Actor) -> None:
    told: list[tuple[int, int]] = []
    content = "Deal\n" + "".join(f"D{number}\n" for number in range(1200))
    load(session, ann, deals, content, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (1200, 1200)
    assert told == sorted(told)


def test_a_check_and_a_preview_write_nothing(session: Session, deals: Access, ann: Actor) -> None:
    file, plan, found = planned('Deal,Amount\nA,"1,200.50"\nB,many\n', deals)
    checked = check(file, plan, deals)
    assert (checked.rows, checked.misfits[0].count, checked.fits) == (2, 1, False)
    assert preview(found, plan, deals) == [{"Deal": "A", "Amount": "1200.5"}, {"Deal": "B", "Amount": "⚠ many"}]
    assert count(session, deals.sheet.sheet_id) == 0


def test_the_lines_to_mend_come_back_as_they_were(deals: Access) -> None:
    file, plan, _ = planned('Deal,Amount\nA,5\n"B, the\nsecond",many\n', deals)
    lines = refused_lines(file, plan, deals)
    assert lines.splitlines()[0] == "Line,Reason,Deal,Amount"
    assert lines.startswith('Line,Reason,Deal,Amount\r\n3,Amount: “many” is not a number.,"B, the\nsecond",many')


def test_the_lines_to_mend_run_in_no_spreadsheet(deals: Access) -> None:
    file, plan, _ = planned("Deal,Amount\n=1+1,many\n-5,many\n", deals)
    told = [line.split(",")[2] for line in refused_lines(file, plan, deals).splitlines()]
    assert told == ["Deal", "'=1+1", "-5"]


def test_lines_are_counted_across_quoted_line_ends_and_empty_lines(deals: Access) -> None:
    content = 'Deal,Amount\n"A\nB\r\nC",1\n\n,\nD,many\n'
    file, plan, _ = planned(content, deals)
    assert check(file, plan, deals).misfits[0].listed[0].line == 7


def test_a_type_chosen_by_the_person_gets_the_labels_of_the_file() -> None:
    file = io.BytesIO(b"Region\nNorth\nSouth\nNorth\n")
    found = inspect(file)
    plan = new_column(propose(found).columns[0], found.samples[0], "choice", NO_REFERENCES)
    assert plan.new is not None
    assert [option.label for option in plan.new.options] == ["North", "South"]


def test_dates_that_can_be_two_things_are_left_to_the_person(session: Session, ann: Actor) -> None:
    content = "when\n" + "03/04/2026\n05/06/2026\n" * 3
    file, plan, _ = planned(content)
    assert plan.columns[0].undecided == ("date_order",)
    assert check(file, plan).misfits[0].count == 6
    decided = replace(plan, columns=(replace(plan.columns[0], reading={"date_order": "month first"}),))
    assert check(file, decided).fits


def test_who_may_not_create_sheets_imports_none(session: Session, cleo: Actor) -> None:
    before = session.scalar(text("SELECT count(*) FROM sheets"))
    with pytest.raises(NotAllowed):
        load_new(session, cleo, "a,b\n1,2\n")
    assert session.scalar(text("SELECT count(*) FROM sheets")) == before


def test_a_pipeline_part_that_is_left_out_is_refused(session: Session, ann: Actor) -> None:
    file, plan, _ = planned("stage,value\n" + "Won,1\nLost,2\n" * 3)
    with pytest.raises(Invalid, match="pipeline's amount is left out"):
        import_new_sheet(
            session, ann, "P", file, plan.changed(1, new=None), operation_id=uuid4(), parts={"stage": 0, "amount": 1}
        )

"""A relation names rows of another sheet, and its mirror shows the same there: both sides always agree."""

import io
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed
from core.base.permissions import Level
from core.edits.trash import restore_rows
from core.edits.undo import redo, undo
from core.edits.undo_stack import next_steps
from core.imports.inspection import inspect as inspect_file
from core.imports.load import import_rows
from core.imports.plan import propose
from core.sharing.shares import share_sheet
from core.sharing.transfer import transfer_sheet
from core.sheets.columns import NewColumn, add_column, change_column, restore_column, retire_column, retired_columns
from core.sheets.sheets import archive_sheet, restore_sheet
from tests.support.core.two_sheets import DEAL, NAME, TwoSheets, two_sheets


@pytest.fixture
def sheets(session: Session, ann: Actor) -> TwoSheets:
    sheets = two_sheets(session, ann)
    sheets.add(ann, sheets.accounts, {NAME: "Acme"}, {NAME: "Bolt"}, {NAME: "Cord, Inc"})
    sheets.add(ann, sheets.deals, {DEAL: "One"}, {DEAL: "Two"})
    return sheets


def test_a_relation_shows_titles_and_its_mirror_the_same_from_the_other_side(sheets: TwoSheets, ann: Actor) -> None:
    outcome = sheets.edit(ann, sheets.deals, 1, sheets.account, ["2", "1"])
    shown = [{"id": "2", "title": "Bolt"}, {"id": "1", "title": "Acme"}]
    assert outcome.saved[0]["value"] == shown
    assert sheets.cell(ann, sheets.deals, 1, sheets.account) == shown
    assert sheets.cell(ann, sheets.accounts, 1, sheets.mirror) == [{"id": "1", "title": "One"}]
    assert sheets.cell(ann, sheets.accounts, 3, sheets.mirror) is None


def test_typed_titles_are_matched_however_they_are_written(sheets: TwoSheets, ann: Actor) -> None:
    sheets.type(ann, sheets.deals, 1, sheets.account, 'ACMÉ, "Cord, Inc"')
    assert sheets.titles(ann, sheets.deals, 1, sheets.account) == ["Acme", "Cord, Inc"]


def test_a_title_that_is_missing_or_shared_by_two_rows_is_refused_with_the_way_out(
    sheets: TwoSheets, ann: Actor, session: Session
) -> None:
    with pytest.raises(Invalid, match=r"There is no row “Zorn” in “Accounts”. Add it there first."):
        sheets.type(ann, sheets.deals, 1, sheets.account, "Zorn")
    change_column(session, ann, sheets.accounts, NAME, rules={})
    (twin,) = sheets.add(ann, sheets.accounts, {NAME: "ACME"})
    with pytest.raises(Invalid, match=r"Several rows of “Accounts” are called “Acme”. .* write “Acme \(#1\)”"):
        sheets.type(ann, sheets.deals, 1, sheets.account, "Acme")
    sheets.type(ann, sheets.deals, 1, sheets.account, f"ACME (#{twin})")
    assert sheets.cell(ann, sheets.deals, 1, sheets.account) == [{"id": str(twin), "title": "ACME"}]


@pytest.mark.parametrize("value", ["1", [99], [True], [{"id": "x"}], [{}], 5])
def test_a_value_that_names_no_row_is_refused(sheets: TwoSheets, ann: Actor, value: object) -> None:
    with pytest.raises(Invalid):
        sheets.edit(ann, sheets.deals, 1, sheets.account, value)


def test_a_single_relation_takes_one_row(session: Session, ann: Actor) -> None:
    sheets = two_sheets(session, ann, single=True)
    sheets.add(ann, sheets.accounts, {NAME: "Acme"}, {NAME: "Bolt"})
    sheets.add(ann, sheets.deals, {DEAL: "One"})
    with pytest.raises(Invalid, match=r"This column takes one row, and these are several."):
        sheets.edit(ann, sheets.deals, 1, sheets.account, ["1", "2"])
    sheets.edit(ann, sheets.deals, 1, sheets.account, ["1"])
    sheets.edit(ann, sheets.accounts, 2, sheets.mirror, {"add": ["1"]})
    assert sheets.titles(ann, sheets.deals, 1, sheets.account) == ["Bolt"]
    assert sheets.cell(ann, sheets.accounts, 1, sheets.mirror) is None


def test_a_new_row_of_a_single_relation_takes_the_place_of_one_in_the_trash(session: Session, ann: Actor) -> None:
    sheets = two_sheets(session, ann, single=True)
    sheets.add(ann, sheets.accounts, {NAME: "Acme"}, {NAME: "Bolt"})
    sheets.add(ann, sheets.deals, {DEAL: "One", sheets.account: ["1"]})
    sheets.delete(ann, sheets.accounts, 1)
    sheets.edit(ann, sheets.deals, 1, sheets.account, ["2"])
    restore_rows(session, ann, sheets.accounts, [1], operation_id=uuid4())
    assert sheets.titles(ann, sheets.deals, 1, sheets.account) == ["Bolt"]


def test_an_edit_of_the_mirror_writes_the_sheet_that_stores_the_relation(
    sheets: TwoSheets, ann: Actor, session: Session
) -> None:
    outcome = sheets.edit(ann, sheets.accounts, 1, sheets.mirror, ["1", "2"])
    assert [related["title"] for related in outcome.saved[0]["value"]] == ["One", "Two"]
    assert sheets.titles(ann, sheets.deals, 2, sheets.account) == ["Acme"]
    sheets.edit(ann, sheets.accounts, 1, sheets.mirror, {"remove": ["1"]})
    assert sheets.titles(ann, sheets.accounts, 1, sheets.mirror) == ["Two"]
    sheets.type(ann, sheets.accounts, 1, sheets.mirror, "one")
    assert sheets.titles(ann, sheets.accounts, 1, sheets.mirror) == ["One"]
    assert sheets.cell(ann, sheets.deals, 2, sheets.account) is None


@pytest.mark.parametrize("is_mirror_edit", [False, True])
def test_a_list_with_an_older_base_does_not_remove_a_row_that_was_linked_since(
    sheets: TwoSheets, ann: Actor, ben: Actor, session: Session, *, is_mirror_edit: bool
) -> None:
    share_sheet(session, ann, sheets.accounts, ben.user_id, level=Level.EDITOR)
    share_sheet(session, ann, sheets.deals, ben.user_id, level=Level.EDITOR)
    base = sheets.edit(ann, sheets.accounts, 1, sheets.mirror, ["1"]).version
    sheets.edit(ann, sheets.accounts, 1, sheets.mirror, ["1"], base=base)
    if is_mirror_edit:
        sheets.edit(ben, sheets.accounts, 1, sheets.mirror, {"add": ["2"]})
    else:
        sheets.edit(ben, sheets.deals, 2, sheets.account, ["1"])
    for given in (["1"], None):
        with pytest.raises(Invalid, match=r"“.*” may have changed in “Deals” since you read it."):
            sheets.edit(ann, sheets.accounts, 1, sheets.mirror, given, base=base)
    assert sheets.titles(ann, sheets.accounts, 1, sheets.mirror) == ["One", "Two"]
    sheets.edit(ann, sheets.accounts, 1, sheets.mirror, {"remove": ["1"]}, base=base)
    assert sheets.titles(ann, sheets.accounts, 1, sheets.mirror) == ["Two"]


def test_an_edit_of_the_mirror_is_undone_and_redone_from_either_side(
    sheets: TwoSheets, ann: Actor, session: Session
) -> None:
    sheets.edit(ann, sheets.accounts, 1, sheets.mirror, ["1", "2"])
    step = next_steps(session, ann, sheets.accounts)["undo"]
    assert step is not None
    assert step.said == "Change of related rows"
    for first, second in ((sheets.accounts, sheets.deals), (sheets.deals, sheets.accounts)):
        result = undo(session, ann, first, operation_id=uuid4())
        assert (result.cells, result.left) == (2, [])
        assert sheets.cell(ann, sheets.accounts, 1, sheets.mirror) is None
        redo(session, ann, second, operation_id=uuid4())
        assert sheets.titles(ann, sheets.accounts, 1, sheets.mirror) == ["One", "Two"]


def test_the_mirror_asks_the_rights_of_the_sheet_that_stores_the_relation(
    sheets: TwoSheets, ann: Actor, ben: Actor, session: Session
) -> None:
    share_sheet(session, ann, sheets.accounts, ben.user_id, level=Level.EDITOR)
    share_sheet(session, ann, sheets.deals, ben.user_id, level=Level.VIEWER)
    with pytest.raises(Invalid, match=r"“Deals” shows a relation of another sheet."):
        sheets.edit(ben, sheets.accounts, 1, sheets.mirror, ["1"])
    share_sheet(session, ann, sheets.deals, ben.user_id, level=Level.EDITOR)
    share_sheet(session, ann, sheets.accounts, ben.user_id, level=Level.VIEWER)
    with pytest.raises(NotAllowed):
        sheets.edit(ben, sheets.accounts, 1, sheets.mirror, ["1"])


def test_links_of_a_deleted_row_are_not_shown_and_come_back_with_it(
    sheets: TwoSheets, ann: Actor, session: Session
) -> None:
    sheets.edit(ann, sheets.deals, 1, sheets.account, ["1", "2"])
    sheets.delete(ann, sheets.accounts, 1)
    assert sheets.titles(ann, sheets.deals, 1, sheets.account) == ["Bolt"]
    # An edit meanwhile does not lose it.
    sheets.edit(ann, sheets.deals, 1, sheets.account, ["3"])
    restore_rows(session, ann, sheets.accounts, [1], operation_id=uuid4())
    assert sheets.titles(ann, sheets.deals, 1, sheets.account) == ["Cord, Inc", "Acme"]
    sheets.delete(ann, sheets.deals, 1)
    assert sheets.cell(ann, sheets.accounts, 1, sheets.mirror) is None
    restore_rows(session, ann, sheets.deals, [1], operation_id=uuid4())
    assert sheets.titles(ann, sheets.accounts, 1, sheets.mirror) == ["One"]


def test_a_relation_to_a_sheet_of_its_own_has_a_mirror_beside_it(session: Session, ann: Actor) -> None:
    sheets = two_sheets(session, ann)
    parent = add_column(session, ann, sheets.accounts, NewColumn("Parent", "relation", {"sheet": sheets.accounts}))
    sheets.add(ann, sheets.accounts, {NAME: "Group"}, {NAME: "Branch"})
    sheets.edit(ann, sheets.accounts, 2, parent.column_id, ["1"])
    mirror = get_access(session, ann, sheets.accounts).column(parent.rules["mirror"])
    assert mirror.name == "Parent of"
    assert sheets.titles(ann, sheets.accounts, 1, mirror.column_id) == ["Branch"]
    sheets.edit(ann, sheets.accounts, 1, mirror.column_id, None)
    assert sheets.cell(ann, sheets.accounts, 2, parent.column_id) is None
    undo(session, ann, sheets.accounts, operation_id=uuid4())
    assert sheets.titles(ann, sheets.accounts, 1, mirror.column_id) == ["Branch"]


def test_a_relation_to_an_archived_sheet_is_empty_and_says_so(sheets: TwoSheets, ann: Actor, session: Session) -> None:
    sheets.edit(ann, sheets.deals, 1, sheets.account, ["1"])
    archive_sheet(session, ann, sheets.accounts)
    assert sheets.cell(ann, sheets.deals, 1, sheets.account) is None
    with pytest.raises(Invalid, match="the related sheet is archived, or not shared with you"):
        sheets.type(ann, sheets.deals, 1, sheets.account, "Acme")
    with pytest.raises(Invalid, match=r"“Accounts” is archived. Restore it first"):
        add_column(session, ann, sheets.deals, NewColumn("Again", "relation", {"sheet": sheets.accounts}))
    restore_sheet(session, ann, sheets.accounts)
    assert sheets.titles(ann, sheets.deals, 1, sheets.account) == ["Acme"]


def test_a_relation_and_its_mirror_are_retired_and_restored_together(
    sheets: TwoSheets, ann: Actor, session: Session
) -> None:
    sheets.edit(ann, sheets.deals, 1, sheets.account, ["1"])
    retire_column(session, ann, sheets.deals, sheets.account)
    accounts = get_access(session, ann, sheets.accounts)
    assert [column.column_id for column in retired_columns(session, accounts)] == [sheets.mirror]
    with pytest.raises(Invalid, match=r"Restore the relation “Customer” in “Deals” first."):
        restore_column(session, ann, sheets.accounts, sheets.mirror)
    restore_column(session, ann, sheets.deals, sheets.account)
    assert sheets.titles(ann, sheets.accounts, 1, sheets.mirror) == ["One"]
    recorded = text("SELECT action FROM audit_events WHERE sheet_id = :sheet ORDER BY event_id DESC LIMIT 2")
    actions = session.scalars(recorded, {"sheet": sheets.accounts}).all()
    assert actions == ["sheet:column:restore", "sheet:column:retire"]


def test_a_mirror_that_was_retired_by_itself_stays_retired(sheets: TwoSheets, ann: Actor, session: Session) -> None:
    retire_column(session, ann, sheets.accounts, sheets.mirror)
    session.execute(text("UPDATE columns SET retired_at = retired_at - interval '1 day' WHERE retired_at IS NOT NULL"))
    retire_column(session, ann, sheets.deals, sheets.account)
    restore_column(session, ann, sheets.deals, sheets.account)
    accounts = get_access(session, ann, sheets.accounts)
    assert [column.column_id for column in retired_columns(session, accounts)] == [sheets.mirror]


def test_a_refused_mirror_names_no_sheet_that_its_owner_may_not_see(
    sheets: TwoSheets, ann: Actor, ben: Actor, session: Session
) -> None:
    retire_column(session, ann, sheets.deals, sheets.account)
    transfer_sheet(session, ann, sheets.accounts, ben.user_id)
    with pytest.raises(Invalid, match=r"^The relation of this mirror is retired in its own sheet"):
        restore_column(session, ben, sheets.accounts, sheets.mirror)


@pytest.mark.parametrize(
    "rules", [{}, {"sheet": "x"}, {"sheet": 999}, {"sheet": 1, "mirror": 2}, {"sheet": 2**40}, {"single": True}]
)
def test_a_relation_needs_a_sheet_that_its_maker_sees(
    sheets: TwoSheets, ann: Actor, session: Session, rules: dict[str, object]
) -> None:
    with pytest.raises(Invalid):
        add_column(session, ann, sheets.deals, NewColumn("Bad", "relation", rules))


def test_a_mirror_is_made_only_with_its_relation_and_points_where_it_pointed(
    sheets: TwoSheets, ann: Actor, session: Session
) -> None:
    with pytest.raises(Invalid, match="A mirror is made together with its relation"):
        add_column(session, ann, sheets.accounts, NewColumn("M", "mirror", {"sheet": sheets.deals, "relation": 1}))
    with pytest.raises(Invalid, match=r"“Customer” keeps what it points to."):
        change_column(session, ann, sheets.deals, sheets.account, rules={"sheet": sheets.deals})


def test_the_links_are_those_of_the_cells(sheets: TwoSheets, ann: Actor, session: Session) -> None:
    sheets.edit(ann, sheets.deals, 2, sheets.account, ["3", "1"])
    links = session.execute(text("SELECT sheet_id, column_id, row_id, target_row, place FROM links ORDER BY place"))
    assert [*map(tuple, links)] == [(sheets.deals, sheets.account, 2, 3, 1), (sheets.deals, sheets.account, 2, 1, 2)]


def test_an_import_matches_titles_and_names_those_that_it_does_not_find(
    sheets: TwoSheets, ann: Actor, session: Session
) -> None:
    def load(content: str) -> None:
        file = io.BytesIO(content.encode())
        plan = propose(inspect_file(file), get_access(session, ann, sheets.deals))
        import_rows(session, ann, sheets.deals, file, plan, operation_id=uuid4())

    load('Deal,Customer\nThree,acme\nFour,"Bolt, ""Cord, Inc"""\n')
    assert sheets.titles(ann, sheets.deals, 3, sheets.account) == ["Acme"]
    assert sheets.titles(ann, sheets.deals, 4, sheets.account) == ["Bolt", "Cord, Inc"]
    with pytest.raises(Invalid, match="There is no row “Zorn” in “Accounts”"):
        load("Deal,Customer\nFive,Zorn\n")


@pytest.mark.parametrize("change", [{"remove": 5}, {"add": "1"}, {"add": [99]}, {"more": []}, 7])
def test_a_change_of_a_mirror_that_names_no_rows_is_refused(sheets: TwoSheets, ann: Actor, change: object) -> None:
    with pytest.raises(Invalid):
        sheets.edit(ann, sheets.accounts, 1, sheets.mirror, change)

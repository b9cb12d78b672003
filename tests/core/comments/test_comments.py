"""Comments of a row: who reads and writes them, and that they go where their row goes."""

from io import BytesIO

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.comments.comments import MAX_LENGTH, add_comment, comment_counts, comments, delete_comment, edit_comment
from core.edits.batch import CellInput, NewRow
from core.exports import export_rows
from core.rows.query import View
from core.sheets.sheets import archive_sheet
from tests.core.access.test_row_scope import DEAL, OWNER, edit, put, share

ROW = 1


@pytest.fixture
def sheet(session: Session, deals: Access, ann: Actor) -> int:
    number = deals.sheet.sheet_id
    put(session, ann, number, adds=(NewRow("a", {DEAL: CellInput("Acme")}), NewRow("b", {DEAL: CellInput("Beta")})))
    return number


def bodies(session: Session, who: Actor, sheet: int, row: int = ROW) -> list[str]:
    return [one.body for one in comments(session, who, sheet, row)]


def test_what_is_said_is_read_by_everybody_on_the_sheet_in_its_order(
    session: Session, sheet: int, ann: Actor, ben: Actor, cleo: Actor
) -> None:
    add_comment(session, ann, sheet, ROW, "First")
    add_comment(session, ben, sheet, ROW, "Second\nwith a line")
    assert bodies(session, cleo, sheet) == ["First", "Second\nwith a line"]
    assert [(one.author, one.is_mine) for one in comments(session, ben, sheet, ROW)] == [("Ann", False), ("Ben", True)]


def test_a_commenter_writes_and_a_viewer_reads(session: Session, sheet: int, cleo: Actor, dan: Actor) -> None:
    share(session, sheet, dan, "commenter", "all")
    add_comment(session, dan, sheet, ROW, "May I?")
    assert bodies(session, cleo, sheet) == ["May I?"]
    with pytest.raises(NotAllowed, match="You are a viewer of “Deals”"):
        add_comment(session, cleo, sheet, ROW, "Me too")
    with pytest.raises(NotAllowed):
        edit(session, dan, sheet, ROW, DEAL, "No")


def test_only_its_author_changes_a_comment_and_the_owner_may_delete_it(
    session: Session, sheet: int, ann: Actor, ben: Actor
) -> None:
    mine = add_comment(session, ann, sheet, ROW, "Mine")
    bens = add_comment(session, ben, sheet, ROW, "Ben's")
    for act in (
        lambda: edit_comment(session, ben, sheet, ROW, mine, body="Yours"),
        lambda: delete_comment(session, ben, sheet, ROW, mine),
        lambda: edit_comment(session, ann, sheet, ROW, bens, body="The owner's"),
    ):
        with pytest.raises(NotAllowed):
            act()
    edit_comment(session, ben, sheet, ROW, bens, body="Ben's, better")
    delete_comment(session, ann, sheet, ROW, bens)
    told = comments(session, ben, sheet, ROW)[1]
    assert (told.body, told.is_deleted) == ("", True)
    with pytest.raises(NotFound):
        edit_comment(session, ben, sheet, ROW, bens, body="Back again")


@pytest.mark.parametrize("body", ["", "  \n ", "x" * (MAX_LENGTH + 1), "a\0b", "\ud800"])
def test_what_is_no_comment_is_refused(session: Session, sheet: int, ann: Actor, body: str) -> None:
    with pytest.raises(Invalid):
        add_comment(session, ann, sheet, ROW, body)
    assert bodies(session, ann, sheet) == []


def test_a_row_in_the_trash_keeps_its_comments_and_takes_none(session: Session, sheet: int, ann: Actor) -> None:
    said = add_comment(session, ann, sheet, ROW, "Before")
    put(session, ann, sheet, deletes=(ROW,))
    assert bodies(session, ann, sheet) == ["Before"]
    with pytest.raises(NotFound):
        add_comment(session, ann, sheet, ROW, "After")
    with pytest.raises(NotFound):
        edit_comment(session, ann, sheet, ROW, said, body="After")
    assert comment_counts(session, get_access(session, ann, sheet), [ROW]) == {}


def test_comments_of_a_row_that_is_not_mine_are_unknown_to_me(
    session: Session, sheet: int, ann: Actor, dan: Actor
) -> None:
    share(session, sheet, dan, "commenter", "own")
    edit(session, ann, sheet, 2, OWNER, str(dan.user_id))
    secret = add_comment(session, ann, sheet, ROW, "Secret")
    add_comment(session, dan, sheet, 2, "Mine")
    for attempt in (
        lambda row: comments(session, dan, sheet, row),
        lambda row: add_comment(session, dan, sheet, row, "Hello"),
        lambda row: edit_comment(session, dan, sheet, row, secret, body="Hello"),
        lambda row: delete_comment(session, dan, sheet, row, secret),
    ):
        told = []
        for row in (ROW, 999):
            with pytest.raises(NotFound) as refused:
                attempt(row)
            told.append(refused.value.message)
        assert told[0] == told[1]
    access = get_access(session, dan, sheet)
    assert comment_counts(session, access, [ROW, 2]) == {2: 1}


def test_a_comment_is_found_only_at_its_own_row_and_sheet(session: Session, sheet: int, ann: Actor) -> None:
    said = add_comment(session, ann, sheet, ROW, "Here")
    with pytest.raises(NotFound):
        edit_comment(session, ann, sheet, 2, said, body="There")
    with pytest.raises(NotFound):
        delete_comment(session, ann, sheet, 2, said)


def test_the_past_of_a_long_talk_is_read_page_by_page(session: Session, sheet: int, ann: Actor) -> None:
    for number in range(5):
        add_comment(session, ann, sheet, ROW, f"No. {number}")
    last = comments(session, ann, sheet, ROW, limit=2)
    assert [one.body for one in last] == ["No. 3", "No. 4"]
    before = comments(session, ann, sheet, ROW, before=last[0].comment_id, limit=2)
    assert [one.body for one in before] == ["No. 1", "No. 2"]


def test_the_audit_trail_tells_that_and_never_what(session: Session, sheet: int, ann: Actor) -> None:
    said = add_comment(session, ann, sheet, ROW, "Confidential words")
    edit_comment(session, ann, sheet, ROW, said, body="Confidential, too")
    delete_comment(session, ann, sheet, ROW, said)
    events = session.execute(text("SELECT action, facts::text FROM audit_events WHERE action LIKE 'sheet:comment:%'"))
    told = [tuple(event) for event in events]
    assert [action.rpartition(":")[2] for action, _ in told] == ["add", "edit", "delete"]
    assert not any("onfidential" in facts for _, facts in told)


def test_no_file_has_comments_in_it(session: Session, sheet: int, ann: Actor) -> None:
    add_comment(session, ann, sheet, ROW, "Between us")
    file = BytesIO()
    export_rows(session, ann, sheet, View(), file, file_format="csv")
    assert b"Acme" in file.getvalue()
    assert b"Between us" not in file.getvalue()


def test_an_archived_sheet_takes_no_comments(session: Session, sheet: int, ann: Actor) -> None:
    add_comment(session, ann, sheet, ROW, "While it lasted")
    archive_sheet(session, ann, sheet)
    assert bodies(session, ann, sheet) == ["While it lasted"]
    with pytest.raises(NotAllowed, match="archived"):
        add_comment(session, ann, sheet, ROW, "Too late")

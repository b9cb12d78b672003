"""Every command of core on one sheet, with the permission that it needs and a way to ask for it."""

import contextlib
import importlib
import io
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access import get_access
from core.batch import Add, Batch, Edit, Given
from core.cells import Wish, write, write_together
from core.changes import Source
from core.columns import NewColumn
from core.errors import Invalid
from core.exports import export_rows
from core.importer import import_rows, propose
from core.importer import inspect as inspect_file
from core.permissions import Level
from core.permissions import Permission as P
from core.query import View
from tests.conftest import actor
from tests.core.principals import Needs, person

Call = Callable[[Session, Any, int], Any]  # As whoever asks: an Actor, a Visitor, or nobody.


def written(batch: Batch, *, partial: bool = False) -> Call:
    return lambda session, who, sheet: write(
        session, who, sheet, batch, operation_id=uuid4(), source=Source.API, partial=partial
    )


def together(session: Session, who: Any, sheet: int) -> None:
    """As the API does: what is not plainly written is decided alone."""
    wish = Wish(who, Batch(edits=(Edit(1, 1, Given("x")),)), uuid4(), Source.API)
    if write_together(session, sheet, [wish]) == [None]:
        write(session, who, sheet, wish.batch, operation_id=wish.operation_id, source=wish.source)


def call(name: str, /, *args: Any, **kwargs: Any) -> Call:
    module, function = name.rsplit(".", 1)
    command = getattr(importlib.import_module(f"core.{module}"), function)
    return lambda session, who, sheet: command(session, who, sheet, *args, **kwargs)


def taken_back(name: str) -> Call:
    def attempt(session: Session, who: Any, sheet: int) -> None:
        with contextlib.suppress(Invalid):  # Whoever may has nothing to take back here.
            call(name, operation_id=uuid4())(session, who, sheet)

    return attempt


def on_a_comment(name: str, **more: Any) -> Call:
    """A comment of the actor's own; who may not comment at all is refused before anything is looked for."""

    def attempt(session: Session, who: Any, sheet: int) -> None:
        found = session.scalar(OF_MINE, {"sheet": sheet, "who": person(who).user_id})
        call(f"comments.{name}", 1, found or 1, **more)(session, who, sheet)

    return attempt


OF_MINE = text("SELECT comment_id FROM comments WHERE sheet_id = :sheet AND author_id = :who")


def exported(session: Session, who: Any, sheet: int) -> None:
    export_rows(session, who, sheet, View(), io.BytesIO(), file_format="csv")


def imported(content: str) -> Call:
    file = io.BytesIO(content.encode())
    found = inspect_file(file)

    def call_import(session: Session, who: Any, sheet: int) -> None:
        plan = propose(found, get_access(session, actor("Ann"), sheet))
        import_rows(session, who, sheet, file, plan, operation_id=uuid4())

    return call_import


def for_team(name: str, **kwargs: Any) -> Call:
    """The same for a command about a team: the one that the sheet is shared with."""

    def attempt(session: Session, who: Any, sheet: int) -> None:
        team = session.scalar(text("SELECT team_id FROM team_collaborators"))
        call(name, team, **kwargs)(session, who, sheet)

    return attempt


# The name of the command and, behind it, what of it is meant; what it needs; how it is asked.
SHEET_COMMANDS: dict[str, tuple[Needs, Call]] = {
    "cells.write edits": (P.ROWS_EDIT, written(Batch(edits=(Edit(1, 1, Given("x")),)))),
    "cells.write adds": (P.ROWS_ADD, written(Batch(adds=(Add("k", {1: Given("x")}),)))),
    "cells.write deletes": (P.ROWS_DELETE, written(Batch(deletes=(1,)), partial=True)),
    "cells.write_together": (P.ROWS_EDIT, together),
    "columns.add_column": (P.COLUMNS_EDIT, call("columns.add_column", NewColumn("Extra", "text"))),
    "columns.add_columns": (P.COLUMNS_EDIT, call("columns.add_columns", [NewColumn("Extra", "text")])),
    "columns.change_column": (P.COLUMNS_EDIT, call("columns.change_column", 2, name="Company")),
    "columns.limit_column": (P.SHEET_SHARE, call("columns.limit_column", 2, {"viewer": "hidden"})),
    "columns.reorder_columns": (P.COLUMNS_EDIT, call("columns.reorder_columns", [3, 2, 1])),
    "columns.retire_column": (P.COLUMNS_EDIT, call("columns.retire_column", 11)),
    "columns.restore_column": (P.COLUMNS_EDIT, call("columns.restore_column", 10)),
    "comments.comments": (P.COMMENTS_SEE, call("comments.comments", 1)),
    "comments.add_comment": (P.COMMENTS_WRITE, call("comments.add_comment", 1, "Hello")),
    "comments.edit_comment": (P.COMMENTS_WRITE, on_a_comment("edit_comment", body="Hello again")),
    "comments.delete_comment": (P.COMMENTS_WRITE, on_a_comment("delete_comment")),
    "difference.difference": (P.HISTORY_SEE, call("difference.difference", "version:0")),
    "past.get_access_as_of": (P.HISTORY_SEE, call("past.get_access_as_of", "version:0")),
    "exports.export_rows": (P.ROWS_EXPORT, exported),
    "importer.loading.import_rows": (P.ROWS_IMPORT, imported("Deal\nAcme\n")),
    "importer.loading.import_rows new column": (P.COLUMNS_EDIT, imported("Deal,Region\nAcme,North\n")),
    "history.recent_changes": (P.HISTORY_SEE, call("history.recent_changes")),
    "history.row_history": (P.HISTORY_SEE, call("history.row_history", 1)),
    "history.cell_history": (P.HISTORY_SEE, call("history.cell_history", 1, 1)),
    "layouts.layout": (P.SHEET_SEE, call("layouts.layout")),
    "layouts.remember_layout": (P.SHEET_SEE, call("layouts.remember_layout", {"hidden": [2]})),
    "links.public_links": (P.SHEET_SHARE, call("links.public_links")),
    "links.create_link": (P.SHEET_SHARE, call("links.create_link")),
    "links.change_link": (P.SHEET_SHARE, call("links.change_link", 901, name="x")),
    "links.revoke_link": (P.SHEET_SHARE, call("links.revoke_link", 901)),
    "presence.present": (P.PEERS_SEE, call("presence.present")),
    "sharing.collaborators": (P.PEERS_SEE, call("sharing.collaborators")),
    "sharing.people_to_share_with": (P.PEERS_SEE, call("sharing.people_to_share_with")),
    "sharing.share_sheet": (P.SHEET_SHARE, call("sharing.share_sheet", 5, level=Level.VIEWER)),
    "sharing.share_with_workspace": (P.SHEET_SHARE, call("sharing.share_with_workspace", level=None)),
    "sharing.share_with_team": (P.SHEET_SHARE, for_team("sharing.share_with_team", level=Level.VIEWER)),
    "sharing.team_shares": (P.PEERS_SEE, call("sharing.team_shares")),
    "sharing.teams_to_share_with": (P.PEERS_SEE, call("sharing.teams_to_share_with")),
    "sharing.unshare_team": (P.SHEET_SHARE, for_team("sharing.unshare_team")),
    "sharing.unshare_sheet": (P.SHEET_SHARE, call("sharing.unshare_sheet", 4)),
    "sheets.archive_sheet": (P.SHEET_ARCHIVE, call("sheets.archive_sheet")),
    "sheets.restore_sheet": (P.SHEET_ARCHIVE, call("sheets.restore_sheet")),
    "sheets.choose_owner_column": (P.SHEET_CONFIGURE, call("sheets.choose_owner_column", 5)),
    "sheets.configure_pipeline": (P.SHEET_CONFIGURE, call("sheets.configure_pipeline", {"stage": 3})),
    "sheets.describe_sheet": (P.SHEET_CONFIGURE, call("sheets.describe_sheet", "Ours")),
    "sheets.rename_sheet": (P.SHEET_CONFIGURE, call("sheets.rename_sheet", "Ours")),
    "transfer.transfer_sheet": (P.SHEET_TRANSFER, call("transfer.transfer_sheet", 5)),
    "trash.trash": (P.HISTORY_SEE, call("trash.trash")),
    "undo_stack.next_steps": (P.ROWS_EDIT, call("undo_stack.next_steps")),
    "undo.undo": (P.ROWS_EDIT, taken_back("undo.undo")),
    "undo.redo": (P.ROWS_EDIT, taken_back("undo.redo")),
    "trash.restore_rows": (P.ROWS_DELETE, call("trash.restore_rows", [1], operation_id=uuid4(), partial=True)),
    "access.get_access": (P.SHEET_SEE, get_access),
}
# About row 1, which is not there for whoever sees only their own. To delete what is not there is done already.
ON_ROW_1 = {"cells.write edits", "cells.write_together", "history.row_history", "history.cell_history"} | {
    name for name in SHEET_COMMANDS if name.startswith("comments.")
}

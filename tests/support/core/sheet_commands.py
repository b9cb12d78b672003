"""Every command of core on one sheet, with the permission that it needs and a way to ask for it."""

import contextlib
import importlib
import io
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access.load import get_access
from core.base.errors import Invalid
from core.base.permissions import Level
from core.base.permissions import Permission as P
from core.edits.batch import Batch, CellInput, Edit, NewRow
from core.edits.conversion import NewType
from core.edits.operation import ChangeSource
from core.edits.write import RowEdit, write, write_round
from core.exports import export_rows
from core.imports.import_job import enqueue_import
from core.imports.inspection import inspect as inspect_file
from core.imports.load import import_rows
from core.imports.plan import propose
from core.rows.query import View
from core.sheets.columns import NewColumn
from tests.conftest import actor
from tests.support.core.principals import Needs, person

Call = Callable[[Session, Any, int], Any]  # As whoever asks: an Actor, a Visitor, or nobody.


def written(batch: Batch, *, partial: bool = False) -> Call:
    return lambda session, who, sheet: write(
        session, who, sheet, batch, operation_id=uuid4(), source=ChangeSource.API, partial=partial
    )


def in_a_round(session: Session, who: Any, sheet: int) -> None:
    """As the API does: what a round leaves undecided is decided alone."""
    edit = RowEdit(Batch(edits=(Edit(1, 1, CellInput("x")),)), uuid4(), ChangeSource.API)
    (outcome,) = write_round(session, sheet, [(who, edit)])
    if isinstance(outcome, Exception):
        raise outcome
    if outcome is None:
        write(session, who, sheet, edit.batch, operation_id=edit.operation_id, source=edit.source)


def call(name: str, /, *args: Any, **kwargs: Any) -> Call:
    module, function = name.rsplit(".", 1)
    command = getattr(importlib.import_module(f"core.{module}"), function)
    return lambda session, who, sheet: command(session, who, sheet, *args, **kwargs)


def read(name: str, /, *args: Any) -> Call:
    """A read for an Access, which is looked up first."""
    module, function = name.rsplit(".", 1)
    command = getattr(importlib.import_module(f"core.{module}"), function)
    return lambda session, who, sheet: command(session, get_access(session, who, sheet), *args)


def taken_back(name: str) -> Call:
    def attempt(session: Session, who: Any, sheet: int) -> None:
        with contextlib.suppress(Invalid):  # Whoever may has nothing to take back here.
            call(name, operation_id=uuid4())(session, who, sheet)

    return attempt


def on_a_comment(name: str, **more: Any) -> Call:
    """A comment of the actor's own; who may not comment at all is refused before anything is looked for."""

    def attempt(session: Session, who: Any, sheet: int) -> None:
        found = session.scalar(OF_MINE, {"sheet": sheet, "who": person(who).user_id})
        call(f"comments.comments.{name}", 1, found or 1, **more)(session, who, sheet)

    return attempt


def first_view_of(session: Session, sheet: int) -> int:
    return session.scalars(text("SELECT min(view_id) FROM views WHERE sheet_id = :sheet"), {"sheet": sheet}).one()


def on_the_first_view(name: str, *args: Any, **kwargs: Any) -> Call:
    command = getattr(importlib.import_module("core.views.edit_views"), name)
    return lambda session, who, sheet: command(session, who, sheet, first_view_of(session, sheet), *args, **kwargs)


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


def enqueued(content: str) -> Call:
    file = io.BytesIO(content.encode())
    found = inspect_file(file)

    def call_import(session: Session, who: Any, sheet: int) -> None:
        plan = propose(found, get_access(session, actor("Ann"), sheet))
        enqueue_import(session, who, sheet, file, plan)

    return call_import


def for_team(name: str, **kwargs: Any) -> Call:
    """The same for a command about a team: the one that the sheet is shared with."""

    def attempt(session: Session, who: Any, sheet: int) -> None:
        team = session.scalar(text("SELECT team_id FROM team_collaborators"))
        call(name, team, **kwargs)(session, who, sheet)

    return attempt


def candidates_of_no_relation(session: Session, who: Any, sheet: int) -> None:
    with contextlib.suppress(Invalid):  # Whoever may is told that the column names no rows.
        call("rows.related_rows.related_candidates", 1, search="")(session, who, sheet)


# The name of the command and, behind it, what of it is meant; what it needs; how it is asked.
SHEET_COMMANDS: dict[str, tuple[Needs, Call]] = {
    "edits.write.write edits": (P.ROWS_EDIT, written(Batch(edits=(Edit(1, 1, CellInput("x")),)))),
    "edits.write.write adds": (P.ROWS_ADD, written(Batch(adds=(NewRow("k", {1: CellInput("x")}),)))),
    "edits.write.write deletes": (P.ROWS_DELETE, written(Batch(deletes=(1,)), partial=True)),
    "edits.write.write_round": (P.ROWS_EDIT, in_a_round),
    "sheets.columns.add_column": (P.COLUMNS_EDIT, call("sheets.columns.add_column", NewColumn("Extra", "text"))),
    "sheets.columns.add_columns": (P.COLUMNS_EDIT, call("sheets.columns.add_columns", [NewColumn("Extra", "text")])),
    "sheets.sales_columns.add_sales_columns": (P.COLUMNS_EDIT, call("sheets.sales_columns.add_sales_columns")),
    "sheets.columns.change_column": (P.COLUMNS_EDIT, call("sheets.columns.change_column", 2, name="Company")),
    "sheets.columns.limit_column": (P.SHEET_SHARE, call("sheets.columns.limit_column", 2, {"viewer": "hidden"})),
    "sheets.columns.reorder_columns": (P.COLUMNS_EDIT, call("sheets.columns.reorder_columns", [3, 2, 1])),
    "sheets.columns.retire_column": (P.COLUMNS_EDIT, call("sheets.columns.retire_column", 11)),
    "sheets.columns.restore_column": (P.COLUMNS_EDIT, call("sheets.columns.restore_column", 10)),
    "copies.duplicate.duplicate_sheet": (
        P.COMMENTS_WRITE,  # ROWS_EXPORT and SHEETS_CREATE, which the one viewer of the cast, an analyst, does not have.
        call("copies.duplicate.duplicate_sheet", "A copy", with_rows=True, operation_id=uuid4()),
    ),
    "copies.saved_templates.save_template": (P.SHEET_CONFIGURE, call("copies.saved_templates.save_template", "Theirs")),
    "edits.conversion.preview_type": (P.COLUMNS_EDIT, call("edits.conversion.preview_type", 11, NewType("text"))),
    "edits.change_type.change_type": (
        P.COLUMNS_EDIT,
        call("edits.change_type.change_type", 11, NewType("text"), operation_id=uuid4()),
    ),
    "comments.comments.comments": (P.COMMENTS_SEE, call("comments.comments.comments", 1)),
    "comments.comments.add_comment": (P.COMMENTS_WRITE, call("comments.comments.add_comment", 1, "Hello")),
    "comments.comments.edit_comment": (P.COMMENTS_WRITE, on_a_comment("edit_comment", body="Hello again")),
    "comments.comments.delete_comment": (P.COMMENTS_WRITE, on_a_comment("delete_comment")),
    "history.diff.difference": (P.HISTORY_SEE, call("history.diff.difference", "version:0")),
    "rows.as_of.get_access_as_of": (P.HISTORY_SEE, call("rows.as_of.get_access_as_of", "version:0")),
    "exports.export_rows": (P.ROWS_EXPORT, exported),
    "imports.import_job.enqueue_import": (P.ROWS_IMPORT, enqueued("Deal\nAcme\n")),
    "imports.import_job.enqueue_import new column": (P.COLUMNS_EDIT, enqueued("Deal,Region\nAcme,North\n")),
    "imports.load.import_rows": (P.ROWS_IMPORT, imported("Deal\nAcme\n")),
    "imports.load.import_rows new column": (P.COLUMNS_EDIT, imported("Deal,Region\nAcme,North\n")),
    "views.edit_views.create_view": (P.SHEET_SEE, call("views.edit_views.create_view", "Mine")),
    "views.edit_views.create_view for everyone": (
        P.VIEWS_EDIT,
        call("views.edit_views.create_view", "Ours", is_shared=True),
    ),
    "views.edit_views.duplicate_view": (P.SHEET_SEE, on_the_first_view("duplicate_view")),
    "views.edit_views.rename_view": (P.VIEWS_EDIT, on_the_first_view("rename_view", "Everything")),
    "views.edit_views.change_settings": (P.SHEET_SEE, on_the_first_view("change_settings", {"hidden": [2]})),
    "views.edit_views.save_for_everyone": (P.VIEWS_EDIT, on_the_first_view("save_for_everyone")),
    "views.edit_views.discard_changes": (P.SHEET_SEE, on_the_first_view("discard_changes")),
    "views.edit_views.share_view": (P.VIEWS_EDIT, on_the_first_view("share_view", is_shared=True)),
    "views.edit_views.reorder_views": (P.VIEWS_EDIT, call("views.edit_views.reorder_views", [901])),
    "views.edit_views.delete_view": (P.VIEWS_EDIT, call("views.edit_views.delete_view", 901)),
    "views.edit_views.remember_view": (P.SHEET_SEE, on_the_first_view("remember_view")),
    "sharing.public_links.public_links": (P.SHEET_SHARE, call("sharing.public_links.public_links")),
    "sharing.public_links.create_link": (P.SHEET_SHARE, call("sharing.public_links.create_link")),
    "sharing.public_links.change_link": (P.SHEET_SHARE, call("sharing.public_links.change_link", 901, name="x")),
    "sharing.public_links.revoke_link": (P.SHEET_SHARE, call("sharing.public_links.revoke_link", 901)),
    "presence.presence.list_present": (P.PEERS_SEE, call("presence.presence.list_present")),
    "sharing.shares.share_sheet": (P.SHEET_SHARE, call("sharing.shares.share_sheet", 5, level=Level.VIEWER)),
    "sharing.shares.share_with_workspace": (P.SHEET_SHARE, call("sharing.shares.share_with_workspace", level=None)),
    "sharing.shares.share_with_team": (P.SHEET_SHARE, for_team("sharing.shares.share_with_team", level=Level.VIEWER)),
    "sharing.shares.unshare_team": (P.SHEET_SHARE, for_team("sharing.shares.unshare_team")),
    "sharing.shares.unshare_sheet": (P.SHEET_SHARE, call("sharing.shares.unshare_sheet", 4)),
    "sheets.favourites.set_favourite": (P.SHEET_SEE, call("sheets.favourites.set_favourite", is_favourite=True)),
    "sheets.sheets.archive_sheet": (P.SHEET_ARCHIVE, call("sheets.sheets.archive_sheet")),
    "sheets.sheets.restore_sheet": (P.SHEET_ARCHIVE, call("sheets.sheets.restore_sheet")),
    "sheets.sheets.choose_owner_column": (P.SHEET_CONFIGURE, call("sheets.sheets.choose_owner_column", 5)),
    "sheets.sheets.configure_pipeline": (P.SHEET_CONFIGURE, call("sheets.sheets.configure_pipeline", {"stage": 3})),
    "sheets.sheets.describe_sheet": (P.SHEET_CONFIGURE, call("sheets.sheets.describe_sheet", "Ours")),
    "sheets.sheets.rename_sheet": (P.SHEET_CONFIGURE, call("sheets.sheets.rename_sheet", "Ours")),
    "sharing.transfer.transfer_sheet": (P.SHEET_TRANSFER, call("sharing.transfer.transfer_sheet", 5)),
    "edits.trash.trash": (P.HISTORY_SEE, call("edits.trash.trash")),
    "edits.undo_stack.next_steps": (P.ROWS_EDIT, call("edits.undo_stack.next_steps")),
    "edits.undo.undo": (P.ROWS_EDIT, taken_back("edits.undo.undo")),
    "edits.undo.redo": (P.ROWS_EDIT, taken_back("edits.undo.redo")),
    "edits.trash.restore_rows": (
        P.ROWS_DELETE,
        call("edits.trash.restore_rows", [1], operation_id=uuid4(), partial=True),
    ),
    "access.load.get_access": (P.SHEET_SEE, get_access),
    "rows.related_rows.related_counts": (P.ROWS_SEE, call("rows.related_rows.related_counts", [1])),
    "rows.related_rows.related_candidates": (P.ROWS_SEE, candidates_of_no_relation),
}
# Reads that take an Access instead of an actor, and require a permission of it themselves; none is for visitors.
SHEET_READS: dict[str, tuple[Needs, Call]] = {
    "history.history.recent_changes": (P.HISTORY_SEE, read("history.history.recent_changes")),
    "history.history.row_history": (P.HISTORY_SEE, read("history.history.row_history", 1)),
    "history.history.cell_history": (P.HISTORY_SEE, read("history.history.cell_history", 1, 1)),
    "views.views.views": (P.SHEET_SEE, read("views.views.views")),
    "views.views.first_view": (P.SHEET_SEE, read("views.views.first_view")),
    "sharing.shares.collaborators": (P.PEERS_SEE, read("sharing.shares.collaborators")),
    "sharing.shares.people_to_share_with": (P.PEERS_SEE, read("sharing.shares.people_to_share_with")),
    "sharing.shares.team_shares": (P.PEERS_SEE, read("sharing.shares.team_shares")),
    "sharing.shares.teams_to_share_with": (P.PEERS_SEE, read("sharing.shares.teams_to_share_with")),
}
# About row 1, which is not there for whoever sees only their own. To delete what is not there is done already.
ON_ROW_1 = {
    "edits.write.write edits",
    "edits.write.write_round",
    "history.history.row_history",
    "history.history.cell_history",
} | {name for name in SHEET_COMMANDS if name.startswith("comments.")}

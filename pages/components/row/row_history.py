"""A row's past: change by change, or what one of its cells held, with the way back to each value."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import streamlit as st

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.accounts.locale import Locale
from core.base.actor import Actor
from core.base.errors import Conflict
from core.base.permissions import Permission
from core.edits.batch import Batch, CellInput, Edit
from core.edits.operation import ChangeSource
from core.edits.write import write
from core.history.history import RowChange, cell_history, row_history
from db.engine import transaction
from pages.components.app.errors import run_command
from pages.components.app.format import cell, literal
from pages.components.row import change_lines

PAGE = 30
MOST = 900
ALL = 0


@dataclass(frozen=True)
class Wanted:
    """A value to restore, and the version of the sheet on the screen at the click."""

    column: int
    value: Any
    base: int


def show(actor: Actor, access: Access, row: int, key: str, locale: Locale) -> None:
    """The history of a row or, where one is chosen, of a cell. `access` was read before the history is."""
    column = access.by_id.get(_field(access, key))
    limit = st.session_state.get(f"{key}_shown", PAGE)
    changes = _read(actor, access.sheet.sheet_id, row, column, limit)
    with st.container(gap="medium"):
        if column is None:
            _changes(access, changes, locale)
        else:
            _values(access, column, changes, key, locale)
    if len(changes) == limit < MOST:
        st.button("Older", icon=":material/arrow_downward:", key=f"{key}_older", on_click=_show_more, args=(key,))


def restore_wanted(actor: Actor, sheet_id: int, row: int, key: str) -> None:
    """Restore the requested value, if any, and show the result. Runs before the page reads the row."""
    request: Wanted | None = st.session_state.pop(f"{key}_wanted", None)
    if request is not None and run_command(_restore, actor, sheet_id, row, request):
        st.toast("The older value is back.", icon=":material/history:")


def choose(key: str, column: int) -> None:
    """Show this cell's history the next time; ALL is that of the row."""
    st.session_state[f"{key}_field"] = column
    st.session_state.pop(f"{key}_shown", None)


def _field(access: Access, key: str) -> int:
    names = {ALL: "All fields"} | {column.column_id: column.name for column in access.columns}
    if st.session_state.get(f"{key}_field", ALL) not in names:
        del st.session_state[f"{key}_field"]
    column_id = st.selectbox("History of", list(names), format_func=names.__getitem__, key=f"{key}_field")
    return int(column_id)


def _read(actor: Actor, sheet_id: int, row: int, column: ColumnInfo | None, limit: int) -> list[RowChange]:
    with transaction() as session:
        access = get_access(session, actor, sheet_id)
        if column is None:
            return row_history(session, access, row, limit=limit)
        return cell_history(session, access, row, column.column_id, limit=limit)


def _show_more(key: str) -> None:
    st.session_state[f"{key}_shown"] = st.session_state.get(f"{key}_shown", PAGE) + PAGE


def _changes(access: Access, changes: list[RowChange], locale: Locale) -> None:
    """Who and when, and below it what became of the row or its cells."""
    for change in changes:
        with st.container(gap="xxsmall"):
            st.markdown(f"**{literal(change.by)}** :gray[{change_lines.heading(change, locale)}]")
            st.markdown("\n".join(f"- {line}" for line in change_lines.lines(access, change, locale)))


def _values(access: Access, column: ColumnInfo, changes: list[RowChange], key: str, locale: Locale) -> None:
    """What the cell holds, and before; each older value with the way back to it."""
    may = Permission.ROWS_EDIT in access.permissions and access.sheet.archived_at is None
    now = changes[0].cells[0].value if changes else None
    for change in changes:
        (cell_change,) = change.cells
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            with st.container(gap="xxsmall"):
                # Plain text: line breaks stay, and nothing in it is formatting.
                st.text(cell(cell_change.new, column, locale) or "(empty)")
                added = " · row added" if change.kind == "add" else ""
                st.caption(f"{literal(change.by)} · {change_lines.heading(change, locale)}{added}")
            if change is changes[0]:
                st.badge("Now", color="green")
            elif may and cell_change.value != now:
                _offer(Wanted(column.column_id, cell_change.value, access.sheet.version), change.version, key)


def _offer(request: Wanted, version: int, key: str) -> None:
    """Show a button that restores the value unless the cell has changed since the version on the screen."""
    st.button(
        "Restore this value",
        key=f"{key}_restore_{version}",
        icon=":material/settings_backup_restore:",
        type="tertiary",
        on_click=st.session_state.__setitem__,
        args=(f"{key}_wanted", request),
    )


def _restore(actor: Actor, sheet_id: int, row: int, request: Wanted) -> None:
    edit = Edit(row, request.column, CellInput(value=request.value), request.base)
    try:
        with transaction() as session:
            write(session, actor, sheet_id, Batch(edits=(edit,)), operation_id=uuid4(), source=ChangeSource.RESTORE)
    except Conflict as theirs:
        raise Conflict(f"{theirs.message} Nothing was restored; this is what it holds now.") from theirs

"""A row in full: every field, what people say of it, and what happened to it."""

from collections.abc import Mapping
from uuid import uuid4

import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.accounts.locale import Locale, get_locale
from core.base.actor import Actor
from core.base.errors import NotFound
from core.base.exact_json import Value
from core.base.permissions import Permission
from core.column_types import column_type
from core.comments.comments import comment_counts
from core.edits.trash import restore_rows
from core.history import history
from core.rows.read import stored_row
from db.engine import transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import cell, literal
from pages.components.row import row_comments, row_history

FIELDS, COMMENTS, HISTORY = "Fields", "Comments", "History"


def show(sheet_id: int, row_id: int, *, column: int | None = None) -> None:
    """A drawer with the row's fields and its history; open at the history of a cell, or (0) of the row, if asked."""
    key = f"row_{sheet_id}_{row_id}"
    st.session_state[f"{key}_tab"] = FIELDS if column is None else HISTORY
    row_history.choose(key, column or row_history.ALL)
    st.dialog(f"Row {row_id}", position="right", width=560)(contents)(sheet_id, row_id, key)


def texts(access: Access, values: Mapping[str, Value]) -> dict[int, str]:
    """The canonical text of each cell that has a value."""
    return {
        column.column_id: column_type(column.type).text(value, column, access.references)
        for column in access.columns
        if (value := values.get(column.key)) is not None
    }


def contents(sheet_id: int, row_id: int, key: str) -> None:
    """What the drawer shows of a row, wherever it is; `key` begins the names of its state."""
    with error_boundary():
        actor = current_actor()
        row_history.restore_wanted(actor, sheet_id, row_id, key)
        if st.session_state.pop(f"{key}_back", False):
            run_command(_restore, actor, sheet_id, row_id)
        access, fields, comment_count, locale = _read(actor, sheet_id, row_id)
        if fields is None:
            _in_trash(access, key)
            history_tab, comments_tab = st.tabs([HISTORY, COMMENTS], key=f"{key}_trash_tab", on_change="rerun")
            with history_tab:
                row_history.show(actor, access, row_id, key, locale)
            if comments_tab.open:
                with comments_tab:
                    row_comments.show(sheet_id, row_id, key, locale, in_trash=True)
            return
        names = [FIELDS, COMMENTS, HISTORY]
        fields_tab, comments_tab, history_tab = st.tabs(names, key=f"{key}_tab", on_change="rerun")
        with fields_tab:
            _fields(access, fields, key, locale)
            if comment_count:
                _offer_comments(comment_count, key)
        if comments_tab.open:
            with comments_tab:
                row_comments.show(sheet_id, row_id, key, locale)
        if history_tab.open:
            with history_tab:
                row_history.show(actor, access, row_id, key, locale)


def _read(actor: Actor, sheet_id: int, row_id: int) -> tuple[Access, dict[int, str] | None, int, Locale]:
    """The texts of the row's cells, None where it is in the trash, and how many comments it has.

    Raises NotFound if the row does not exist.
    """
    with transaction() as session:
        access = get_access(session, actor, sheet_id)
        locale = get_locale(session, actor)
        history.row_history(session, access, row_id, limit=1)
        try:
            fields = texts(access, stored_row(session, access, row_id))
        except NotFound:
            return access, None, 0, locale
        return access, fields, comment_counts(session, access, [row_id]).get(row_id, 0), locale


def _fields(access: Access, fields: Mapping[int, str], key: str, locale: Locale) -> None:
    with st.container(gap="xsmall"):
        for column in access.columns:
            name, value = st.columns([3, 7], gap="small", wrap=False, vertical_alignment="center")
            name.button(
                literal(column.name),
                key=f"{key}_past_{column.column_id}",
                icon=":material/history:",
                help="What this field held before",
                type="tertiary",
                on_click=_open_history,
                args=(key, column.column_id),
            )
            text = fields.get(column.column_id)
            # Plain text: line breaks stay, and nothing in it is formatting.
            value.text(cell(text, column, locale) if text else "–")


def _offer_comments(comment_count: int, key: str) -> None:
    """That the row has comments, and the way to them."""
    st.button(
        f"{comment_count:,} {'comment' if comment_count == 1 else 'comments'}",
        key=f"{key}_to_comments",
        icon=":material/chat:",
        type="tertiary",
        on_click=st.session_state.__setitem__,
        args=(f"{key}_tab", COMMENTS),
    )


def _open_history(key: str, column: int) -> None:
    st.session_state[f"{key}_tab"] = HISTORY
    row_history.choose(key, column)


def _in_trash(access: Access, key: str) -> None:
    """That the row was deleted and, for those who may, the way back."""
    st.info("This row is in the trash.", icon=":material/delete:")
    may = Permission.ROWS_DELETE in access.permissions and access.sheet.archived_at is None
    if may:
        st.button(
            "Restore this row",
            icon=":material/restore_from_trash:",
            type="primary",
            on_click=st.session_state.__setitem__,
            args=(f"{key}_back", True),
        )


def _restore(actor: Actor, sheet_id: int, row_id: int) -> None:
    with transaction() as session:
        restore_rows(session, actor, sheet_id, [row_id], operation_id=uuid4())

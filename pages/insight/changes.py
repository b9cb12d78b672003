"""Recent changes of a sheet: who changed which cell from what to what, when, and from where."""

from itertools import groupby

import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.accounts.locale import Locale, get_locale
from core.base.actor import Actor
from core.history import history
from core.history.history import LoggedChange
from db.engine import transaction
from pages.components.app import person_filter
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary
from pages.components.app.format import literal, shortened
from pages.components.row import change_lines, row_detail, row_history
from pages.components.sheet import sheet_picker

PAGE = 100
PLACES = "changes_pages"
LARGEST = 2**31 - 1
TITLE = 40


def show() -> None:
    """The page, top to bottom."""
    actor = current_actor()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Changes", width="stretch")
        sheet = sheet_picker.pick(actor)
    if sheet is None:
        return
    with transaction() as session:
        access = get_access(session, actor, sheet.sheet_id)
        locale = get_locale(session, actor)
    row, by = _filters()
    befores = _places((sheet.sheet_id, row, by))
    listed = _found(actor, sheet.sheet_id, row, by, befores)
    if not listed:
        st.info("That is all." if befores else "Nothing has changed here yet.", icon=":material/info:")
    with st.container(gap="medium"):
        for _, changes in groupby(listed, key=lambda change: (change.version, change.by)):
            _together(access, list(changes), locale)
    _pages(befores, listed)


def _filters() -> tuple[int | None, int | None]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = person_filter.choose("By", width=240)
        row = st.number_input(
            "Row number", min_value=1, max_value=LARGEST, value=None, step=1, placeholder="Any", width=160
        )
    return (int(row) if row else None), by


def _places(filters: tuple[int, int | None, int | None]) -> list[tuple[int, int, int]]:
    """Return the cursors of the pages visited; another sheet or filter starts with the first page."""
    state = st.session_state.get(PLACES)
    if state is None or state["of"] != filters:
        state = st.session_state[PLACES] = {"of": filters, "before": []}
    before: list[tuple[int, int, int]] = state["before"]
    return before


def _found(
    actor: Actor, sheet_id: int, row: int | None, by: int | None, befores: list[tuple[int, int, int]]
) -> list[LoggedChange]:
    with transaction() as session:
        before = befores[-1] if befores else None
        access = get_access(session, actor, sheet_id)
        return history.recent_changes(session, access, row=row, by=by, before=before, limit=PAGE)


def _together(access: Access, changes: list[LoggedChange], locale: Locale) -> None:
    """What one person did in one go: a line about it, then its rows with their cells."""
    first = changes[0]
    with st.container(gap="xxsmall"):
        st.markdown(f"**{literal(first.by)}** :gray[{change_lines.heading(first, locale)}]")
        for _, of_row in groupby(changes, key=lambda change: change.row):
            cells = list(of_row)
            row, lines = st.columns([2, 7], gap="small", vertical_alignment="center")
            with row:
                _row(access, cells[0])
            # Two spaces before the line end: a line break, without the air of a paragraph.
            lines.markdown("  \n".join(change_lines.line(access, change, locale) for change in reversed(cells)))


def _row(access: Access, change: LoggedChange) -> None:
    """The row's number and name, which lead to its whole history."""
    label = f"**\\#{change.row}** {literal(_title(change))}".strip()
    key = f"row_{change.version}_{change.row}"
    if st.button(label, key=key, icon=":material/history:", type="tertiary", help="History of this row"):
        row_detail.show(access.sheet.sheet_id, change.row, column=row_history.ALL)


def _title(change: LoggedChange) -> str:
    return "" if change.row_title == f"#{change.row}" else shortened(change.row_title, TITLE)


def _pages(befores: list[tuple[int, int, int]], listed: list[LoggedChange]) -> None:
    with st.container(horizontal=True):
        if befores:
            st.button("Newer", icon=":material/arrow_back:", on_click=lambda: befores.pop() and None)
        if len(listed) == PAGE:
            last = listed[-1]
            before = (last.version, last.row, last.column_id)
            st.button("Older", icon=":material/arrow_forward:", on_click=befores.append, args=(before,))


with error_boundary():
    show()

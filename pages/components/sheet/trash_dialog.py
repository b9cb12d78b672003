"""The trash of a sheet: what was deleted, by whom and when, and the way back for one row or several."""

from collections.abc import Iterable
from itertools import groupby
from uuid import uuid4

import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.accounts.locale import Locale, get_locale
from core.base.actor import Actor
from core.base.permissions import Permission
from core.edits.batch import Outcome
from core.edits.trash import MAX_COUNTED, TrashedRow, restore_rows, trash
from db.engine import transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import cell, literal, moment, shortened
from pages.components.row.row_detail import texts

PAGE = 20
TITLE = 80
ABOUT = 160
ASKED, PLACES, SEARCH, PICKED = "trash_asked", "trash_places", "trash_search", "trash_pick_"
Place = tuple[int, int]


def label(size: int) -> str:
    """Return the name of the trash, which says how much is in it."""
    return "Trash" + (f" ({size:,}{'+' if size == MAX_COUNTED else ''})" if size else "")


def open_trash(sheet_id: int) -> None:
    """Open the trash at its newest rows."""
    for key in (PLACES, SEARCH, ASKED):
        st.session_state.pop(key, None)
    show(sheet_id)


@st.dialog("Trash", width="medium")
def show(sheet_id: int) -> None:
    """The rows of the trash, in a dialog."""
    with error_boundary():
        actor = current_actor()
        row_ids = st.session_state.pop(ASKED, None)
        if row_ids:
            run_command(_restore, actor, sheet_id, row_ids)
        search = st.text_input(
            "Search the trash",
            key=SEARCH,
            placeholder="Search the trash",
            icon=":material/search:",
            label_visibility="collapsed",
        )
        places = _places(search)
        with transaction() as session:
            access = get_access(session, actor, sheet_id)
            locale = get_locale(session, actor)
            behind = places[-1] if places else None
            trashed = trash(session, actor, sheet_id, search=search, before=behind, limit=PAGE)
        if not trashed:
            st.info(_nothing(search, places), icon=":material/delete:")
        _listed(access, trashed, locale)
        _below(access, trashed, places)


def _restore(actor: Actor, sheet_id: int, rows: list[int]) -> None:
    """Bring back what can be brought back, and say what cannot."""
    with transaction() as session:
        outcome = restore_rows(session, actor, sheet_id, rows, operation_id=uuid4(), partial=True)
    _tell(outcome)


def _tell(outcome: Outcome) -> None:
    if outcome.restored:
        count = len(outcome.restored)
        st.success(f"{count} rows are back." if count > 1 else f"Row {outcome.restored[0]} is back.")
    for failure in [*outcome.refused, *outcome.gone]:
        st.warning(literal(failure["reason"]))


def _places(search: str) -> list[Place]:
    """Return the cursors of the pages visited; a new search starts with the first page."""
    state = st.session_state.get(PLACES)
    if state is None or state["search"] != search:
        state = st.session_state[PLACES] = {"search": search, "before": []}
    before: list[Place] = state["before"]
    return before


def _nothing(search: str, places: list[Place]) -> str:
    if search:
        return "Nothing in the trash has this text."
    return "That is all." if places else "The trash is empty. Deleted rows wait here, and can always be restored."


def _listed(access: Access, trashed: list[TrashedRow], locale: Locale) -> None:
    """Deletion by deletion: who and when, then its rows."""
    with st.container(gap="medium"):
        for _, together in groupby(trashed, key=lambda one: one.version):
            rows = list(together)
            with st.container(gap="xxsmall"):
                st.markdown(f"Deleted by **{literal(rows[0].by)}** :gray[{moment(rows[0].deleted_at, locale)}]")
                for row in rows:
                    _row(access, row, locale)


def _row(access: Access, row: TrashedRow, locale: Locale) -> None:
    title = literal(shortened(row.title, TITLE))
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        with st.container(gap=None):
            if _may_restore(access):
                st.checkbox(title, key=_pick(row))
            else:
                st.markdown(title)
            if about := _about(access, row, locale):
                st.caption(about)
        if _may_restore(access):
            st.button("Restore", key=f"trash_restore_{row.row}_{row.version}", on_click=_ask, args=([row],))


def _about(access: Access, row: TrashedRow, locale: Locale) -> str:
    """The row's cells behind the first, as far as there is room."""
    written = texts(access, row.values)
    cells = [
        f"{column.name}: {cell(written[column.column_id], column, locale)}"
        for column in access.columns[1:]
        if column.column_id in written
    ]
    return literal(shortened(" · ".join(cells), ABOUT))


def _below(access: Access, trashed: list[TrashedRow], places: list[Place]) -> None:
    """What can be done with the rows of this page, and the way to the next."""
    with st.container(horizontal=True):
        if _may_restore(access) and len(trashed) > 1:
            picked = [row for row in trashed if st.session_state.get(_pick(row))]
            st.button(
                f"Restore {len(picked)} selected" if picked else "Restore selected",
                key="trash_restore_selected",
                type="primary",
                icon=":material/restore_from_trash:",
                disabled=not picked,
                on_click=_ask,
                args=(picked,),
            )
            if len(picked) < len(trashed):
                st.button("Select all", key="trash_select_all", type="tertiary", on_click=_select, args=(trashed,))
        if places:
            st.button("Newer", key="trash_newer", icon=":material/arrow_back:", on_click=_newer, args=(places,))
        if len(trashed) == PAGE:
            behind = (trashed[-1].version, trashed[-1].row)
            st.button(
                "Older", key="trash_older", icon=":material/arrow_forward:", on_click=places.append, args=(behind,)
            )


def _ask(rows: Iterable[TrashedRow]) -> None:
    st.session_state[ASKED] = [row.row for row in rows]


def _select(rows: Iterable[TrashedRow]) -> None:
    for row in rows:
        st.session_state[_pick(row)] = True


def _newer(places: list[Place]) -> None:
    places.pop()


def _pick(row: TrashedRow) -> str:
    """A row that goes to the trash again is another one to pick."""
    return f"{PICKED}{row.row}_{row.version}"


def _may_restore(access: Access) -> bool:
    return Permission.ROWS_DELETE in access.permissions and access.sheet.archived_at is None

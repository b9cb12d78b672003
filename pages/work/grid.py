"""The sheet page: a line about the sheet, the view bar, and the live grid for the rest of the window."""

import json
from typing import Any

import streamlit as st

from core import accounts, layouts
from core.access import Access, get_access
from core.actor import Actor
from core.description import sheet_json
from core.errors import Refused
from core.permissions import Permission
from core.query import Sort, View, conditions
from db.engine import transaction
from pages.components import grid, row_detail, sheet_dialogs, sheet_picker, view_bar
from pages.components.errors import shown_errors
from pages.components.format import DATE_PATTERNS, literal
from pages.components.who import current_actor

CATCH_UP_SECONDS = 4


def show() -> None:
    """The page, top to bottom."""
    actor = current_actor()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chosen = sheet_picker.pick(actor)
        if chosen is None:
            return
        with transaction() as session:
            access = get_access(session, actor, chosen.sheet_id)
        _head(actor, access)
    view, from_link = _view(actor, access)
    if access.sheet.description:
        st.caption(literal(access.sheet.description))
    changed = view_bar.show(access, view, key=f"view_{access.sheet.sheet_id}")
    if changed != view:
        _keep(actor, access, changed, from_link=from_link)
        st.rerun()
    if from_link:
        st.caption("This filter comes from a link and is not remembered.")
    _grid(access.sheet.sheet_id, json.dumps(view.as_json()))


def _head(actor: Actor, access: Access) -> None:
    """What one can do with the whole sheet."""
    sheet = {"sheet": str(access.sheet.sheet_id)}
    st.badge(access.level.label, color="gray")
    st.space("stretch")
    if Permission.COLUMNS_EDIT in access.permissions:
        st.page_link("work/columns.py", label="Columns", icon=":material/view_column:", query_params=sheet)
    if Permission.SHEET_SHARE in access.permissions and st.button("Share", icon=":material/group_add:"):
        sheet_dialogs.share(access.sheet.sheet_id)
    sheet_dialogs.export_menu(access, View.from_json(_view(actor, access)[0].as_json()))
    st.page_link("insight/changes.py", label="Changes", icon=":material/history:", query_params=sheet)
    if access.sheet.pipeline:
        st.page_link("insight/dashboard.py", label="Dashboard", icon=":material/monitoring:", query_params=sheet)
    if Permission.SHEET_CONFIGURE in access.permissions and st.button("Settings", icon=":material/settings:"):
        sheet_dialogs.settings(access.sheet.sheet_id)


def _view(actor: Actor, access: Access) -> tuple[View, bool]:
    """The view to show, and whether it comes from a link. A view that no longer fits the columns is dropped."""
    linked = st.query_params.get("view")
    try:
        if linked is not None:
            view = View.from_json(json.loads(linked))
        else:
            with transaction() as session:
                view = View.from_json(layouts.layout(session, actor, access.sheet.sheet_id).get("view"))
        conditions(access, view)
        for sort in view.sort:
            access.column(sort.column)
    except (Refused, ValueError) as error:
        reason = error.message if isinstance(error, Refused) else "The link's view is damaged."
        st.warning(f"{literal(reason)} All rows are shown instead.", icon=":material/filter_list_off:")
        return View(), linked is not None
    return view, linked is not None


def _keep(actor: Actor, access: Access, view: View, *, from_link: bool) -> None:
    """Remember the view for this person; one from a link stays in the address only."""
    if from_link and not view.is_plain:
        st.query_params["view"] = json.dumps(view.as_json())
        return
    if from_link:
        del st.query_params["view"]
    with transaction() as session:
        layouts.remember_layout(session, actor, access.sheet.sheet_id, {"view": view.as_json()})


@st.fragment(run_every=CATCH_UP_SECONDS)
def _grid(sheet_id: int, view_json: str) -> None:
    """The grid, told the newest version every few seconds in case its socket is blocked."""
    with shown_errors():
        actor = current_actor()
        with transaction() as session:
            access = get_access(session, actor, sheet_id)
            sheet = sheet_json(access)
            layout = layouts.layout(session, actor, sheet_id)
            date_format = accounts.preferences(session, actor)["date_format"]
        key = f"grid_{sheet_id}"
        asked = grid.show(
            sheet,
            key=key,
            me={"id": actor.user_id, "name": actor.name},
            view=json.loads(view_json),
            layout={part: layout[part] for part in ("widths", "hidden", "order") if part in layout},
            formats={"date": DATE_PATTERNS[date_format]},
            on_view=lambda: _sort(sheet_id, view_json, st.session_state[key]["view"]),
        )
        if asked.view:
            st.rerun()
        if asked.open:
            row_detail.show(sheet_id, int(asked.open))
        if asked.columns:
            st.switch_page("work/columns.py", query_params=_column_query(sheet_id, asked.columns))


def _sort(sheet_id: int, view_json: str, asked: dict[str, Any] | None) -> None:
    """A click on a header asked for another order."""
    if not asked:
        return
    actor = current_actor()
    old = View.from_json(json.loads(view_json))
    sorts = tuple(Sort.from_json(sort) for sort in asked.get("sort", []))
    with transaction() as session:
        access = get_access(session, actor, sheet_id)
    _keep(actor, access, View(old.filter, sorts, old.search), from_link="view" in st.query_params)


def _column_query(sheet_id: int, asked: dict[str, Any]) -> dict[str, str]:
    named = {"column": str(asked["column"])} if asked.get("column") else {"column": "new"}
    return {"sheet": str(sheet_id), **named}


with shown_errors():
    show()

"""What opens by a public link: the sheet's name and its rows, to be read, and nothing else of the app.

It is the same for strangers and for people who are signed in: here everybody is the visitor of the link.
"""

import json
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.access.access import NO_LINK, Access
from core.access.load import get_access
from core.accounts.locale import Locale
from core.base.actor import Actor, Visitor
from core.base.errors import Invalid, NotFound, Refused
from core.base.permissions import Permission
from core.rows.query import View, check_view, without_invalid
from core.sharing.public_links import reason_of_end, visitor_of
from core.sheets.serialize import sheet_json
from core.views.views import link_settings
from db.engine import Busy, transaction
from pages.components import grid
from pages.components.app.current_user import address, find_actor
from pages.components.app.errors import error_boundary, error_text, run_command
from pages.components.app.format import DATE_PATTERNS, literal
from pages.components.sheet import sheet_dialogs
from pages.components.sheet.view_bar import ViewBar

LINK, VIEW = "link", "view"
CATCH_UP_SECONDS = 60
LOCALE = Locale()
# The page around the grid is drawn again when one of these changes.
AROUND = ("permissions", "name", "columns_version")


@dataclass
class Shared:
    """The sheet as the link shows it; `sheet` is brought up to date while the grid is open."""

    visitor: Visitor
    access: Access
    sheet: dict[str, Any]


def is_open() -> bool:
    """Whether the address in the browser is one to which a public link led."""
    return LINK in st.query_params


def show() -> None:
    """The page, top to bottom."""
    with error_boundary():
        try:
            shared = _read(mark_used=True)
        except NotFound as refusal:
            _ended(refusal.message)
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader(literal(_title(shared)), width="content", anchor=False)
            st.badge("Shared with you to read", icon=":material/visibility:", color="gray")
            st.space("stretch")
            _offer_own(shared.visitor.sheet_id)
            tools = st.container(width="content")
        view = _view(shared.access)
        if Permission.ROWS_EXPORT in shared.access.permissions:
            with tools:
                sheet_dialogs.export_menu(shared.visitor.sheet_id, view, link=shared.visitor.link_id)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            ViewBar(shared.access, view, lambda changed: _keep(shared.access, changed), None, LOCALE).show()
        _grid(shared, view)


def _read(*, mark_used: bool = False) -> Shared:
    """The sheet by the visit that this very request brings. NotFound where the link or the visit has ended."""
    number = str(st.query_params.get(LINK, ""))
    link_id = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
    with transaction() as session:
        visits = str(st.user.get("visits") or "")
        visitor = visitor_of(session, visits, link_id, address=address(), mark_used=mark_used)
        if visitor is None:
            raise NotFound(reason_of_end(session, visits, link_id))
        access = get_access(session, visitor, visitor.sheet_id, Permission.ROWS_SEE)
        return Shared(visitor, access, sheet_json(access))


def _title(shared: Shared) -> str:
    """The name of the sheet and, where the link shows one view of it, of the view."""
    view = shared.access.link_view
    return f"{shared.sheet['name']} · {view.name}" if view else shared.sheet["name"]


def _ended(reason: str) -> None:
    visit = "It may have ended, or this visit has expired. Open the link again, or ask the sender for a new one."
    with st.container(horizontal_alignment="center"), st.container(width=420, border=True):
        st.subheader("This link is not open", anchor=False)
        st.caption(visit if reason == NO_LINK else reason)


def _offer_own(sheet_id: int) -> None:
    """Who is signed in and has the sheet themselves may do more with it elsewhere."""
    actor = find_actor()
    if actor is not None and _has(actor, sheet_id):
        st.link_button("Open it as yourself", f"/grid?sheet={sheet_id}", icon=":material/person:", type="tertiary")


def _has(actor: Actor, sheet_id: int) -> bool:
    try:
        with transaction() as session:
            get_access(session, actor, sheet_id)
    except Refused:
        return False
    return True


def _view(access: Access) -> View:
    """The view in the address, else the sort of the link's view; without what the columns do not allow (any more)."""
    try:
        if VIEW not in st.query_params:
            return View.from_json({"sort": link_settings(access).get("sort")})
        return without_invalid(access, View.from_json(json.loads(st.query_params[VIEW])))
    except (Invalid, ValueError, RecursionError):
        return View()


def _keep(access: Access, view: View) -> None:
    """A visitor has nothing on the server: the view is kept in the address."""

    def keep() -> None:
        view_json = View.from_json(view.as_json()).as_json()
        check_view(access, view)  # A value that the column cannot read is refused here, with the reason.
        st.query_params[VIEW] = json.dumps(view_json)

    run_command(keep)


@st.fragment(run_every=CATCH_UP_SECONDS)
def _grid(shared: Shared, view: View) -> None:
    """The grid, error_text the newest version and columns whenever it asks; it speaks to the API for the link alone."""
    with error_boundary():
        if trouble := _catch_up(shared, view):
            st.caption(trouble)
        key = f"shared_{shared.visitor.link_id}"
        requests = grid.show(
            shared.sheet,
            key=key,
            me={"id": f"link-{shared.visitor.link_id}", "name": ""},
            view=view.as_json(),
            layout={key: value for key, value in link_settings(shared.access).items() if key in grid.DEFAULT_LAYOUT},
            layout_read=shared.access.sheet.columns_version,
            formats={"date": DATE_PATTERNS[LOCALE.date_format]},
            link=shared.visitor.link_id,
            on_view=lambda: _sort(shared.access, view, st.session_state[key]["view"]),
        )
        if requests.view:
            st.rerun()


def _catch_up(shared: Shared, view: View) -> str:
    """Read the sheet again; what is the matter where that cannot be done, else nothing."""
    try:
        fresh = _read()
    except Refused:
        st.rerun()  # The whole page says that the link has ended.
    except Busy as trouble:
        return f":red[:material/cloud_off: {error_text(trouble)}]"
    fits = without_invalid(fresh.access, view) == view
    has_new_view = fresh.access.link_view != shared.access.link_view
    if not fits or has_new_view or any(fresh.sheet[name] != shared.sheet[name] for name in AROUND):
        st.rerun()
    shared.access, shared.sheet = fresh.access, fresh.sheet
    return ""


def _sort(access: Access, view: View, change: Any) -> None:
    """A click on a header asked for another order."""
    if isinstance(change, dict):
        _keep(access, without_invalid(access, View.from_json({**view.as_json(), "sort": change.get("sort")})))

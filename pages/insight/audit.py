"""The audit trail: who did what to accounts, shares and sheets. Administrators see all of it, owners their sheets."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from urllib.parse import urlencode

import streamlit as st

from core.accounts.locale import Locale, get_locale
from core.audit.kinds import Kind
from core.audit.trail import PAGE, AuditFilter, audit_events, audited_sheets
from core.base.actor import Actor
from core.base.permissions import ROLE_PERMISSIONS, Permission
from db.engine import transaction
from pages.components.admin import audit_lines
from pages.components.app import person_filter
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary
from pages.components.app.format import DATE_PATTERNS

PLACES = "audit_pages"
T = TypeVar("T")


def show() -> None:
    """The page, top to bottom."""
    actor = current_actor()
    sees_all = Permission.AUDIT_SEE in ROLE_PERMISSIONS[actor.role]
    with transaction() as session:
        sheets = audited_sheets(session, actor)
        locale = get_locale(session, actor)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Audit", width="stretch")
        export = st.container(width="content")
    st.caption(
        "Who did what to accounts, shares and sheets, all over the workspace."
        if sees_all
        else "Who did what to the sheets that you own: shares, links, columns, exports and imports."
    )
    if not sheets and not sees_all:
        st.info("You don't own a sheet yet. Once you create one, its events appear here.", icon=":material/info:")
        return
    audit_filter = _chosen_filter(sheets, locale, sees_all=sees_all)
    export.link_button("Export", _export_url(audit_filter), icon=":material/download:", type="tertiary")
    _lines(actor, audit_filter, locale)


def _chosen_filter(sheets: dict[int, str], locale: Locale, *, sees_all: bool) -> AuditFilter:
    """Show the filters and return the chosen one."""
    kinds = [kind for kind in Kind if sees_all or kind.is_of_sheets]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        person = person_filter.choose("Person", width=150)
        kind = _choice("About", "Everything", {kind: kind.label for kind in kinds}, width=190)
        sheet = _choice("Sheet", "Any", sheets, width=150)
        search = st.text_input("Search", placeholder="Names, details", width=175)
        days = st.date_input("Days", [], format=DATE_PATTERNS[locale.date_format], width=235)
    since, until = _period(days, locale)
    return AuditFilter(person, (kind,) if kind else (), sheet, since, until, search)


def _choice(label: str, nothing: str, choices: dict[T, str], *, width: int) -> T | None:
    return st.selectbox(
        label, [*choices], format_func=choices.__getitem__, index=None, placeholder=nothing, width=width
    )


def _period(days: tuple[date, ...], locale: Locale) -> tuple[datetime | None, datetime | None]:
    """From the beginning of the first day to the end of the last one, where the person lives; one day is itself."""
    if not days:
        return None, None
    zone = locale.zone
    return tuple(datetime.combine(day, time(), zone).astimezone(UTC) for day in (days[0], days[-1] + timedelta(days=1)))  # type: ignore[return-value]


def _export_url(audit_filter: AuditFilter) -> str:
    """The route that writes the file, with what is chosen here. The cookie is never sent from another site."""
    parameters = {
        "person": audit_filter.person,
        "kind": audit_filter.kinds[0] if audit_filter.kinds else None,
        "sheet": audit_filter.sheet_id,
        "since": audit_filter.since.isoformat() if audit_filter.since else None,
        "until": audit_filter.until.isoformat() if audit_filter.until else None,
        "search": audit_filter.search or None,
    }
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"/api/v1/audit/export?{query}"


def _lines(actor: Actor, audit_filter: AuditFilter, locale: Locale) -> None:
    befores = _places(audit_filter)
    with transaction() as session:
        events = audit_events(session, actor, audit_filter, before=befores[-1] if befores else None, limit=PAGE + 1)
    if not events:
        nothing = "Nothing like this has happened." if audit_filter.used else "Nothing has happened yet."
        st.info("That is all." if befores else nothing, icon=":material/info:")
    audit_lines.show(events[:PAGE], locale)
    with st.container(horizontal=True):
        if befores:
            st.button("Newer", icon=":material/arrow_back:", on_click=_newer, args=(befores,))
        if len(events) > PAGE:
            before = events[PAGE - 1].event_id
            st.button("Older", icon=":material/arrow_forward:", on_click=befores.append, args=(before,))


def _newer(befores: list[int]) -> None:
    befores.pop()


def _places(audit_filter: AuditFilter) -> list[int]:
    """Return the cursors of the pages visited; another filter starts with the first page."""
    state = st.session_state.get(PLACES)
    if state is None or state["of"] != audit_filter:
        state = st.session_state[PLACES] = {"of": audit_filter, "before": []}
    before: list[int] = state["before"]
    return before


with error_boundary():
    show()

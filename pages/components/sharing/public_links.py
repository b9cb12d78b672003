"""Public links in the sharing dialog: made, shown once, listed with their last use, changed and revoked."""

from functools import partial

import streamlit as st

from core.access.access import HIDDEN, ColumnInfo
from core.access.load import get_access
from core.accounts.locale import Locale, get_locale
from core.base.actor import Actor
from core.base.permissions import Audience
from core.credentials.passwords import MIN_LENGTH
from core.sharing.public_links import LinkInfo, LinkOptions, change_link, create_link, public_links, revoke_link
from core.sheets.columns import hidden_except_on_links, limit_column
from core.views.views import views
from db.engine import transaction
from pages.components.app.column_limits import limited
from pages.components.app.current_user import base_url
from pages.components.app.errors import run_command
from pages.components.app.format import literal, moment

NEW = "new_public_link"  # Its sheet and its address, shown once.
LIVES = {7: "7 days", 30: "30 days", 90: "90 days", None: "without an end"}
SAME = 0  # Days: as long as it was.
CHANGED_LIVES = {SAME: "As it is", **LIVES}
NEW_PASSWORD = f"If any, at least {MIN_LENGTH} characters."
ViewNames = dict[int | None, str]
GRID = "grid"
SHOWS, WHOLE, DELETED = "What it shows", "The whole sheet", "A deleted view"
BOUND = "Visitors of a link of a view get only its rows and columns."
CHANGES = "public_link_changes"  # How often a link was changed here: another key is another form, which is closed.


def show(actor: Actor, sheet_id: int) -> None:
    """The links of the sheet, and a form for another. For its owner."""
    with transaction() as session:
        links, locale = public_links(session, actor, sheet_id), get_locale(session, actor)
        access = get_access(session, actor, sheet_id)
        only_by_links = hidden_except_on_links(access)
        names = {None: WHOLE} | {view.view_id: view.name for view in views(session, access) if view.kind == GRID}
    st.caption("Anyone with the link can read the current rows without an account, but not the history or people.")
    if only_by_links:
        _hide_too(actor, sheet_id, only_by_links)
    _new(sheet_id)
    for link in links:
        _link(actor, sheet_id, link, locale, names)
    with st.expander("Make a public link", icon=":material/add_link:"):
        _form(actor, sheet_id, names)


def _hide_too(actor: Actor, sheet_id: int, columns: list[ColumnInfo]) -> None:
    """Warn that columns with limits are visible by public links, and offer to hide them there."""
    text = "; ".join(f"“{literal(column.name)}” ({', '.join(limited(column.limits))})" for column in columns)
    st.warning(f"Public links show these columns: {text}.", icon=":material/visibility:")
    st.button("Hide them from public links, too", on_click=_say_hide, args=(actor, sheet_id, columns))


def _say_hide(actor: Actor, sheet_id: int, columns: list[ColumnInfo]) -> None:
    run_command(_hide, actor, sheet_id, columns)


def _hide(actor: Actor, sheet_id: int, columns: list[ColumnInfo]) -> None:
    with transaction() as session:
        for column in columns:
            limits = {**column.limits, Audience.LINK.value: HIDDEN}
            limit_column(session, actor, sheet_id, column.column_id, limits)


def _new(sheet_id: int) -> None:
    new_link = st.session_state.get(NEW)
    if new_link and new_link[0] == sheet_id:
        st.success("Copy the link now: it is not shown again.", icon=":material/link:")
        st.code(new_link[1], language=None, wrap_lines=True)
        st.button("I have copied it", on_click=lambda: st.session_state.pop(NEW, None))


def _link(actor: Actor, sheet_id: int, link: LinkInfo, locale: Locale, names: ViewNames) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.text(f"{link.name} · {link.hint}…")
            st.caption(" · ".join(_facts(link, locale)))
        _change(actor, sheet_id, link, names)
        key = f"revoke_link_{link.link_id}"
        st.button("Revoke", key=key, on_click=_say_revoke, args=(actor, sheet_id, link.link_id))


def _change(actor: Actor, sheet_id: int, link: LinkInfo, names: ViewNames) -> None:
    """Show a form that changes a link. Its URL stays; open visits have to enter a new password at once."""
    key = f"change_link_{link.link_id}_{st.session_state.get(CHANGES, 0)}"
    with st.popover("Change", key=key), st.form(f"{key}_form", border=False):
        st.text_input("Name", link.name, max_chars=100, key=f"{key}_name")
        about = f"{NEW_PASSWORD} Visitors who have the link open must enter it."
        st.text_input("New password", type="password", placeholder="as it is", help=about, key=f"{key}_password")
        if link.has_password:
            st.checkbox("No password any more", key=f"{key}_open")
        st.selectbox("Open from now for", list(CHANGED_LIVES), format_func=CHANGED_LIVES.__getitem__, key=f"{key}_days")
        names = names if link.view in names else {link.view: link.view_name or DELETED} | names
        ids = [*names]
        index = ids.index(link.view)
        name_of = partial(_name_of, names)
        st.selectbox(SHOWS, ids, index, format_func=name_of, key=f"{key}_view", help=BOUND)
        st.checkbox("Visitors may export the rows", link.may_export, key=f"{key}_export")
        arguments = (actor, sheet_id, link, key)
        st.form_submit_button("Save the link", type="primary", on_click=_say_change, args=arguments)


def _name_of(names: ViewNames, view: int | None) -> str:
    """The name of a view, which may have been deleted since it was chosen."""
    return names.get(view, DELETED)


def _say_change(actor: Actor, sheet_id: int, link: LinkInfo, key: str) -> None:
    state = st.session_state
    password = None if state.get(f"{key}_open") else state[f"{key}_password"]
    name, days, may_export = state[f"{key}_name"], state[f"{key}_days"], state[f"{key}_export"]
    view = state[f"{key}_view"]
    wishes = _changed(link, LinkOptions(name=name, password=password, days=days, may_export=may_export, view=view))
    if run_command(_change_to, actor, sheet_id, link.link_id, wishes):
        state[CHANGES] = state.get(CHANGES, 0) + 1


def _changed(link: LinkInfo, wishes: LinkOptions) -> LinkOptions:
    """Of what the form says, what is not so already."""
    if wishes["name"].strip() == link.name:
        del wishes["name"]
    if wishes["password"] == "":
        del wishes["password"]
    if wishes["days"] == SAME:
        del wishes["days"]
    if wishes["may_export"] == link.may_export:
        del wishes["may_export"]
    if wishes["view"] == link.view:
        del wishes["view"]
    return wishes


def _change_to(actor: Actor, sheet_id: int, link_id: int, wishes: LinkOptions) -> None:
    if not wishes:
        return
    with transaction() as session:
        change_link(session, actor, sheet_id, link_id, **wishes)


def _facts(link: LinkInfo, locale: Locale) -> list[str]:
    ends = f"until {moment(link.expires_at, locale)}" if link.expires_at else "without an end"
    used = f"last used {moment(link.last_used_at, locale)}" if link.last_used_at else "not used yet"
    extras = ["password"] * link.has_password + ["may export"] * link.may_export
    if link.view is not None:
        extras.append(f"shows {literal(link.view_name)}" if link.view_name else "its view was deleted")
    return [*([] if link.lives else ["**opens nothing now**"]), used, ends, *extras]


def _form(actor: Actor, sheet_id: int, names: ViewNames) -> None:
    with st.form("make_link", border=False, clear_on_submit=True):
        name = st.text_input("For whom", max_chars=100, placeholder="Agency North")
        password = st.text_input("Password", type="password", help=NEW_PASSWORD)
        days = st.selectbox("Open for", list(LIVES), index=1, format_func=LIVES.__getitem__)
        view = st.selectbox(SHOWS, [*names], format_func=partial(_name_of, names), help=BOUND)
        may_export = st.checkbox("Visitors may export the rows")
        sent = st.form_submit_button("Make the link", type="primary")
    wishes = LinkOptions(name=name, password=password or None, days=days, may_export=may_export, view=view)
    if sent and run_command(_make, actor, sheet_id, wishes):
        st.rerun(scope="fragment")


def _make(actor: Actor, sheet_id: int, wishes: LinkOptions) -> None:
    with transaction() as session:
        _, token = create_link(session, actor, sheet_id, **wishes)
    st.session_state[NEW] = (sheet_id, f"{base_url()}/l/{token}")


def _say_revoke(actor: Actor, sheet_id: int, link_id: int) -> None:
    run_command(_revoke, actor, sheet_id, link_id)


def _revoke(actor: Actor, sheet_id: int, link_id: int) -> None:
    with transaction() as session:
        revoke_link(session, actor, sheet_id, link_id)

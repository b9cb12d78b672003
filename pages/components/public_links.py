"""Public links in the sharing dialog: made, shown once, listed with their last use, and revoked."""

import streamlit as st

from core.actor import Actor
from core.links import LinkInfo, Wishes, create_link, public_links, revoke_link
from core.passwords import SHORTEST
from core.writing import preferences
from db.engine import transaction
from pages.components.errors import say
from pages.components.format import moment
from pages.components.who import here

NEW = "new_public_link"  # Its sheet and its address, shown once.
LIVES = {7: "7 days", 30: "30 days", 90: "90 days", None: "without an end"}


def show(actor: Actor, sheet_id: int) -> None:
    """The links of the sheet, and a form for another. For its owner."""
    with transaction() as session:
        links, date_format = public_links(session, actor, sheet_id), preferences(session, actor)["date_format"]
    st.markdown("**Public links**")
    st.caption("Whoever has the link reads the rows live, without an account, and nothing else: no history, no people.")
    _new(sheet_id)
    for link in links:
        _link(actor, sheet_id, link, date_format)
    with st.expander("Make a public link", icon=":material/add_link:"):
        _form(actor, sheet_id)


def _new(sheet_id: int) -> None:
    made = st.session_state.get(NEW)
    if made and made[0] == sheet_id:
        st.success("Copy the link now: it is not shown again.", icon=":material/link:")
        st.code(made[1], language=None, wrap_lines=True)
        st.button("I have copied it", on_click=lambda: st.session_state.pop(NEW, None))


def _link(actor: Actor, sheet_id: int, link: LinkInfo, date_format: str) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.text(f"{link.name} · {link.hint}…")
            st.caption(" · ".join(_facts(link, date_format)))
        key = f"revoke_link_{link.link_id}"
        st.button("Revoke", key=key, on_click=_say_revoke, args=(actor, sheet_id, link.link_id))


def _facts(link: LinkInfo, date_format: str) -> list[str]:
    ends = f"until {moment(link.expires_at, date_format)}" if link.expires_at else "without an end"
    used = f"last used {moment(link.last_used_at, date_format)}" if link.last_used_at else "not used yet"
    extras = ["password"] * link.has_password + ["may export"] * link.may_export
    return [*([] if link.lives else ["**opens nothing now**"]), used, ends, *extras]


def _form(actor: Actor, sheet_id: int) -> None:
    with st.form("make_link", border=False, clear_on_submit=True):
        name = st.text_input("For whom", max_chars=100, placeholder="Agency North")
        password = st.text_input("Password", type="password", help=f"If any, at least {SHORTEST} characters.")
        days = st.selectbox("Open for", list(LIVES), index=1, format_func=LIVES.__getitem__)
        may_export = st.checkbox("Visitors may export the rows")
        sent = st.form_submit_button("Make the link", type="primary")
    wishes = Wishes(name=name, password=password or None, days=days, may_export=may_export)
    if sent and say(_make, actor, sheet_id, wishes):
        st.rerun(scope="fragment")


def _make(actor: Actor, sheet_id: int, wishes: Wishes) -> None:
    with transaction() as session:
        _, token = create_link(session, actor, sheet_id, **wishes)
    st.session_state[NEW] = (sheet_id, f"{here()}/l/{token}")


def _say_revoke(actor: Actor, sheet_id: int, link_id: int) -> None:
    say(_revoke, actor, sheet_id, link_id)


def _revoke(actor: Actor, sheet_id: int, link_id: int) -> None:
    with transaction() as session:
        revoke_link(session, actor, sheet_id, link_id)

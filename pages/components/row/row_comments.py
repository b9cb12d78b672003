"""The comments of a row in its drawer: read as they come, written below, one's own changed or deleted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.accounts.locale import Locale
from core.base.actor import Actor
from core.base.permissions import Permission
from core.comments import comments
from core.comments.comments import CommentInfo
from db.engine import transaction
from pages.components.app import avatar
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import literal, moment

PAGE = 30
MOST = 200


@dataclass(frozen=True)
class _Talk:
    """Who reads the comments of which row; `key` begins the names of its state."""

    actor: Actor
    access: Access
    row: int
    key: str
    locale: Locale
    in_trash: bool

    @property
    def way_to_write(self) -> str:
        """What has to be done before this person may say something here; empty where they may."""
        name = f"“{literal(self.access.sheet.name)}”"
        if self.access.sheet.archived_at is not None:
            return f"{name} is archived. To comment, restore it first."
        if Permission.COMMENTS_WRITE not in self.access.permissions:
            return f"To comment, ask the owner of {name} to make you a commenter."
        return "To comment, restore the row first." if self.in_trash else ""

    @property
    def may_write(self) -> bool:
        return not self.way_to_write

    def does(self, command: Callable[..., Any], *args: Any, **more: Any) -> bool:
        """Whether a command on this row was carried out; what it refuses is said."""
        return run_command(_in_transaction, command, self.actor, self.access.sheet.sheet_id, self.row, *args, **more)


@st.fragment(run_every=4)
def show(sheet_id: int, row: int, key: str, locale: Locale, *, in_trash: bool = False) -> None:
    """The comments, the newest last; looked at again by the clock, so that a colleague's appears by itself."""
    with error_boundary():
        actor, limit = current_actor(), st.session_state.get(f"{key}_said_shown", PAGE)
        with transaction() as session:
            # The right is read again as often as the comments are: who is made a commenter can write at once.
            access = get_access(session, actor, sheet_id)
            listed = comments.comments(session, actor, sheet_id, row, limit=limit)
        talk = _Talk(actor, access, row, key, locale, in_trash)
        # One container for all comments: the field below keeps its position, and with it the focus.
        with st.container(gap="medium"):
            if len(listed) == limit < MOST:
                _offer_earlier(key)
            elif len(listed) == MOST:
                st.caption(f"These are the newest {MOST}. Programs can read all of them through the API.")
            if not listed:
                st.caption("Nobody has said anything of this row yet.")
            for comment in listed:
                _comment(talk, comment)
        if talk.may_write:
            _write(talk)
        else:
            st.caption(talk.way_to_write)


def _comment(talk: _Talk, comment: CommentInfo) -> None:
    with st.container(horizontal=True, gap="small", wrap=False):
        avatar.show(comment.author_id, comment.author)
        with st.container(gap="xxsmall"):
            edited = " · edited" if comment.edited_at and not comment.is_deleted else ""
            st.markdown(f"**{literal(comment.author)}** :gray[{moment(comment.created_at, talk.locale)}{edited}]")
            if comment.is_deleted:
                st.caption("This comment has been deleted.")
            elif talk.may_write and st.session_state.get(f"{talk.key}_editing") == comment.comment_id:
                _edit(talk, comment)
            else:
                # Plain text: line breaks stay, and nothing in it is formatting.
                st.text(comment.body)
                if talk.may_write:
                    _acts(talk, comment)


def _acts(talk: _Talk, comment: CommentInfo) -> None:
    """What may be done with a comment that is there."""
    if not (comment.is_mine or Permission.SHEET_CONFIGURE in talk.access.permissions):
        return
    key = f"{talk.key}_{comment.comment_id}"
    with st.container(horizontal=True, gap="small"):
        if comment.is_mine:
            st.button("Edit", key=f"{key}_edit", type="tertiary", on_click=_begin, args=(talk.key, comment.comment_id))
        with st.popover("Delete", type="tertiary", key=f"{key}_asked"):
            st.caption("Its text is gone for good.")
            deleted = st.button("Delete this comment", key=f"{key}_delete", type="primary")
        if deleted and talk.does(comments.delete_comment, comment.comment_id):
            st.rerun(scope="fragment")


def _edit(talk: _Talk, comment: CommentInfo) -> None:
    key = f"{talk.key}_{comment.comment_id}"
    body = st.text_area(
        "Your comment",
        value=comment.body,
        max_chars=comments.MAX_LENGTH,
        key=f"{key}_body",
        label_visibility="collapsed",
    )
    with st.container(horizontal=True, gap="small"):
        saved = st.button("Save", key=f"{key}_save", type="primary")
        st.button("Cancel", key=f"{key}_cancel", type="tertiary", on_click=_begin, args=(talk.key, None))
    if saved and talk.does(comments.edit_comment, comment.comment_id, body=body):
        _begin(talk.key, None)
        st.rerun(scope="fragment")


def _write(talk: _Talk) -> None:
    count = f"{talk.key}_said"
    with st.form(f"{talk.key}_say", border=False):
        body = st.text_area(
            "Comment",
            key=f"{talk.key}_saying_{st.session_state.get(count, 0)}",
            max_chars=comments.MAX_LENGTH,
            height=80,
            placeholder="What should the others know?",
            label_visibility="collapsed",
        )
        sent = st.form_submit_button("Comment", icon=":material/chat:", type="primary")
    if sent and talk.does(comments.add_comment, body):
        # A field of another name is an empty one; one that was refused keeps what was typed.
        st.session_state[count] = st.session_state.get(count, 0) + 1
        st.rerun(scope="fragment")


def _begin(key: str, comment: int | None) -> None:
    st.session_state[f"{key}_editing"] = comment


def _offer_earlier(key: str) -> None:
    st.button("Earlier", icon=":material/arrow_upward:", key=f"{key}_said_older", on_click=_more, args=(key,))


def _more(key: str) -> None:
    st.session_state[f"{key}_said_shown"] = st.session_state.get(f"{key}_said_shown", PAGE) + PAGE


def _in_transaction(command: Callable[..., Any], *args: Any, **more: Any) -> None:
    with transaction() as session:
        command(session, *args, **more)

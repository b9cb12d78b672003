"""A filter by person: a search of names, and a choice where several people match."""

import streamlit as st

from core.accounts import directory
from db.engine import snapshot

NOBODY = 0


def choose(label: str, *, width: int) -> int | None:
    """Show the fields and return the person's user id; None without a search, NOBODY without a match."""
    search = st.text_input(label, placeholder="Everybody", max_chars=directory.MAX_SEARCH_LENGTH, width=width)
    if not search.strip():
        return None
    with snapshot() as session:
        names = directory.find_names(session, search)
    if not names:
        st.caption("No person with this name.", width="content")
        return NOBODY
    if len(names) == 1:
        return next(iter(names))
    return st.selectbox("Which one", list(names), format_func=names.__getitem__, width=width)

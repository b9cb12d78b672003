"""The mark of a person: their initials in their colour, the same wherever they are shown."""

import streamlit as st

from pages.components.format import color_of, initials, literal


def show(user_id: int, name: str) -> None:
    """Draw the mark of a person."""
    st.badge(literal(initials(name)), color=color_of(user_id))

"""The mark of a person: a circle with their initials in their colour, of the same size wherever it stands."""

from html import escape

import streamlit as st

from pages.components.app.format import color_of, initials

SIZE = 34
# White letters are read on these, and these on light and on dark ground.
TONES = {"blue": "#2c6aa6", "green": "#2f7d4f", "violet": "#6b57a8", "orange": "#a85a14", "red": "#b3352e"}


def show(user_id: int, name: str) -> None:
    """Draw the mark of a person. Who cannot see it misses nothing: the name stands beside it."""
    look = (
        f"width:{SIZE}px;height:{SIZE}px;border-radius:50%;background:{TONES[color_of(user_id)]};color:#fff;"
        "display:flex;align-items:center;justify-content:center;font-size:13px;font-weight:600;line-height:1"
    )
    st.html(f'<div aria-hidden="true" style="{look}">{escape(initials(name))}</div>', width=SIZE)

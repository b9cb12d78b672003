"""What surrounds the navigation: the pages of the administration, and help at the foot of the sidebar."""

from pathlib import Path

import streamlit as st

from core.base.actor import Actor
from pages.components.app.navigation import ADMINISTRATION, pages_of

HELP = """
**Move** with the arrow keys, Tab and Enter. **Type** to replace a cell, F2 or Enter to edit it, Esc to leave it.

**Copy and paste** whole blocks, also from Excel. **Ctrl+Z** takes back your own last action, **Ctrl+Y** repeats it.

**Filter and sort** above the rows; a chip opens what it shows. An export has the rows of the view that you see.
"""

_phone_menu = st.components.v2.component(
    "contrivance_phone_menu", html="<span></span>", js=Path(__file__).with_name("phone_menu.js").read_text()
)


def show_foot() -> None:
    """Draw the name of the product and its help."""
    with st.sidebar:
        with st.popover("Contrivance · Help", icon=":material/help:", type="tertiary"):
            st.markdown(HELP)
            st.link_button("The API for programs", "/api/docs", icon=":material/api:", type="tertiary")
        _phone_menu(key="phone_menu")


def show_administration(actor: Actor, url_path: str) -> None:
    """Draw the pages of the administration beside each other, above the one that is open."""
    pages = pages_of(ADMINISTRATION, actor)
    if len(pages) < 2 or url_path not in {page.url_path for page in pages}:
        return
    with st.container(horizontal=True, gap="small"):
        for page in pages:
            st.page_link(page.file, label=page.title, icon=f":material/{page.icon}:")

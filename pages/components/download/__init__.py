"""Hands a file to the person before the page: through the page's own socket, so it never lies open at an address."""

from pathlib import Path
from uuid import uuid4

import streamlit as st

_SCRIPT = Path(__file__).with_name("download.js").read_text()
_HTML = "<p role='status'><span class='name'></span> is ready. <a class='again'>Save it once more</a></p>"
_CSS = "p { margin: 0; color: var(--st-text-color); font: inherit; } a { color: var(--st-link-color); }"
_hand_over = st.components.v2.component("contrivance_hand_over", html=_HTML, css=_CSS, js=_SCRIPT)


def text_file(name: str, text: str, media_type: str, *, key: str) -> None:
    """Have the browser save `text` as a file called `name`, once a call, and offer it for as long as this is shown."""
    _hand_over(key=key, data={"id": uuid4().hex, "name": name, "text": text, "type": media_type})

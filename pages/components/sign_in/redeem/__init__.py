"""Asks the server for the session cookie, or to end it: what only a request of the browser itself can do."""

from pathlib import Path

import streamlit as st

_SCRIPT = Path(__file__).with_name("redeem.js").read_text()
_HTML = "<p class='said' role='status'></p>\n<button class='again' type='button' hidden>Try again</button>"
_CSS = """
button {
    padding: 0.4rem 0.8rem; border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
    background: transparent; color: var(--st-text-color); font: inherit; cursor: pointer;
}
"""
_redeem = st.components.v2.component("contrivance_session", html=_HTML, css=_CSS, js=_SCRIPT)


def sign_in(ticket: str) -> None:
    """Turn a ticket into the session cookie and reload the page."""
    data = {"path": "/session/redeem", "body": {"ticket": ticket}, "said": "Signing in…", "stay": True}
    _redeem(key="redeem_ticket", data=data)


def sign_out() -> None:
    """End the session and reload the page."""
    _redeem(key="end_session", data={"path": "/session/sign-out", "body": {}, "said": "Signing out…"})

"""Errors on pages: each is shown as one sentence with its next step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from core.base.errors import Refused
from core.base.logs import get_log
from db import disk
from db.engine import Busy, Unavailable
from pages.components.app.format import literal

AWAY = "The database cannot be reached. What you typed is kept, and this page continues when the database is back."
BUSY = "The server is busy. Try again in a moment."


@contextmanager
def error_boundary() -> Iterator[None]:
    """Show the error that stops a page. Run the page again every few seconds if the database is away or busy."""
    try:
        yield
    except Refused as refusal:
        _show_refusal(refusal)
    except Busy as error:
        _show_busy(error)
        _try_again()


def run_command(command: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    """Run a command of the person and return whether it succeeded. Show the error if not."""
    try:
        command(*args, **kwargs)
    except Refused as refusal:
        _show_refusal(refusal)
        return False
    except Busy as error:
        _show_busy(error)
        return False
    return True


def error_text(error: Busy) -> str:
    """Return a sentence that says whether the database is away or busy."""
    if isinstance(error, Unavailable):
        get_log("contrivance").warning("database.away", reason=str(error))
        return disk.reason(AWAY)
    return BUSY


def _show_refusal(refusal: Refused) -> None:
    st.error(literal(refusal.message), icon=":material/error:")


def _show_busy(error: Busy) -> None:
    st.error(error_text(error), icon=":material/cloud_off:")


@st.fragment(run_every=3)
def _try_again() -> None:
    """Run the page again every few seconds until it works."""
    if st.session_state.pop("waited", False):
        st.rerun()
    st.session_state["waited"] = True

"""Errors in words: one place that turns what went wrong into one sentence with the way out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from core.base.errors import Refused
from core.base.logs import get_log
from db import disk
from db.engine import Busy, Unavailable
from pages.components.app.format import literal

AWAY = "The database cannot be reached. What you typed is kept; this page goes on when it is back."
BUSY = "The server is busy. Try again in a moment."


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show what stops a page as one sentence, and try again by itself where waiting helps."""
    try:
        yield
    except Refused as refusal:
        _show_refusal(refusal)
    except Busy as error:
        _show_trouble(error)
        _try_again()


def say(command: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    """Carry out one command of the person; on refusal say why. Whether it was carried out."""
    try:
        command(*args, **kwargs)
    except Refused as refusal:
        _show_refusal(refusal)
        return False
    except Busy as error:
        _show_trouble(error)
        return False
    return True


def _show_refusal(refusal: Refused) -> None:
    """Say why something was refused."""
    st.error(literal(refusal.message), icon=":material/error:")


def told(trouble: Busy) -> str:
    """That the database is away or busy, in a sentence."""
    if isinstance(trouble, Unavailable):
        get_log("contrivance").warning("database.away", reason=str(trouble))
        return disk.reason(AWAY)
    return BUSY


def _show_trouble(trouble: Busy) -> None:
    st.error(told(trouble), icon=":material/cloud_off:")


@st.fragment(run_every=3)
def _try_again() -> None:
    """Run the page again every few seconds until it works."""
    if st.session_state.pop("waited", False):
        st.rerun()
    st.session_state["waited"] = True

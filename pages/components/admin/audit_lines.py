"""Events of the audit trail, one line each: when and whence, then what, in a sentence."""

from collections.abc import Sequence

import streamlit as st

from core.accounts.locale import Locale
from core.audit.trail import AuditLine
from pages.components.app.format import literal, moment


def show(lines: Sequence[AuditLine], locale: Locale) -> None:
    """The latest first."""
    # On a phone the columns stand one below the other: without a gap, so that a time is seen to belong to its event.
    with st.container(gap="small"):
        for line in lines:
            when, what = st.columns([2, 5], gap=None, vertical_alignment="center")
            address = f" · {line.address}" if line.address else ""
            when.caption(literal(moment(line.recorded_at, locale) + address))
            what.text(line.sentence)

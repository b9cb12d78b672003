"""Events of the audit trail, one line each: when, what in a sentence, and whence."""

from collections.abc import Sequence

import streamlit as st

from core.audit_trail import AuditLine
from pages.components.format import literal, moment


def show(lines: Sequence[AuditLine], date_format: str) -> None:
    """The latest first; the address stands at the end of its line."""
    with st.container(gap="xsmall"):
        for line in lines:
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.caption(literal(moment(line.recorded_at, date_format)), width=160)
                st.text(line.sentence, width="stretch")
                if line.address:
                    st.caption(literal(line.address), width=120)

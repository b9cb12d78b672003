"""Values that do not fit: said with their lines, and for each column the person decides what becomes of them."""

import streamlit as st

from core.imports.plan_types import ImportPlan, OnMisfit
from core.imports.preview import Check
from core.imports.read import Misfits
from pages.components.app.format import literal

TEXT = "text"
_SHOWN = 3


def show(plan: ImportPlan, result: Check, key: str) -> ImportPlan:
    """The plan with what was decided for each column that has misfits."""
    for column in plan.taken:
        misfits = next((misfits for misfits in result.misfits if misfits.source == column.source), None)
        if misfits:
            decided = _decision(misfits, f"{key}_{column.source}", may_be_text=column.new is not None)
            plan = plan.changed(column.source, on_misfit=decided)
    return plan


def _decision(misfits: Misfits, key: str, *, may_be_text: bool) -> OnMisfit:
    with st.container(border=True):
        text_column, choice_column = st.columns([6, 4], vertical_alignment="center")
        values = "value does" if misfits.count == 1 else "values do"
        text_column.markdown(f"**{literal(misfits.name)}**: {misfits.count:,} {values} not fit")
        for misfit in misfits.listed[:_SHOWN]:
            text_column.caption(f"Line {misfit.line:,}: {literal(misfit.reason)}")
        options = {misfit.value: misfit.label for misfit in OnMisfit} | (
            {TEXT: "Make it a text column"} if may_be_text else {}
        )
        decided = choice_column.selectbox(
            f"If a value of {literal(misfits.name)} does not fit",
            list(options),
            format_func=options.__getitem__,
            key=f"{key}_misfit",
            on_change=_make_text,
            args=(key,),
            label_visibility="collapsed",
        )
    return OnMisfit(decided) if decided in [*OnMisfit] else OnMisfit.REFUSE


def _make_text(key: str) -> None:
    """The column's own choice of type is set, as if the person had set it there."""
    if st.session_state[f"{key}_misfit"] == TEXT:
        st.session_state[f"{key}_type"] = TEXT
        st.session_state[f"{key}_misfit"] = OnMisfit.REFUSE.value

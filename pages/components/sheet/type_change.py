"""The change of a column's type: which type, what would become of the values, and what of those that don't convert."""

from typing import Any
from uuid import uuid4

import pandas as pd
import streamlit as st

from core.access.access import Access, ColumnInfo
from core.base.actor import Actor
from core.base.errors import Invalid
from core.column_types import TYPES, column_type
from core.column_types.base import ColumnType
from core.edits.change_type import change_type
from core.edits.conversion import Example, Misfits, NewType, Preview, preview_type
from core.sheets.column_types import carried_rules
from db.engine import transaction
from pages.components.app.errors import run_command
from pages.components.app.format import literal
from pages.components.sheet import column_form

MEANINGS = {
    Misfits.BESIDE: "Keep them in a new text column beside",
    Misfits.COPY: "Keep a copy of the whole column",
}


def choose(column: ColumnInfo, key: str) -> str:
    """Draw the type of the column and return the chosen one."""
    others = [name for name, kind in TYPES.items() if name != column.type and _converts(kind)]
    names = [column.type, *(others if _converts(column_type(column.type)) else [])]
    return st.selectbox(
        "Type", names, format_func=lambda name: column_type(name).label, key=f"{key}_type", disabled=len(names) == 1
    )


def _converts(kind: ColumnType[Any]) -> bool:
    """Return whether cells convert to and from this type."""
    return not kind.is_computed and not kind.names_rows


def show(actor: Actor, access: Access, column: ColumnInfo, type_name: str, *, key: str, preset: dict[str, Any]) -> bool:
    """Draw the rules of the new type and a preview; return whether the type was changed."""
    kind = column_type(type_name)
    known = preset | carried_rules(column_type(column.type), kind, column.rules)
    rules = column_form.rules(
        type_name, {rule.key: known[rule.key] for rule in kind.takes if rule.key in known}, key=f"{key}_{type_name}"
    )
    try:
        with transaction() as session:
            preview = preview_type(session, actor, access.sheet.sheet_id, column.column_id, NewType(type_name, rules))
    except Invalid as refusal:
        st.error(literal(refusal.message), icon=":material/error:")
        return False
    _preview(preview)
    misfits, name = Misfits.REFUSE, ""
    if preview.misfits:
        misfits = st.radio(
            "What becomes of them", list(MEANINGS), format_func=MEANINGS.__getitem__, key=f"{key}_misfits"
        )
        default_name = f"{column.name} ({column_type(column.type).label.lower()})"
        name = st.text_input("Name of the new column", default_name, key=f"{key}_keeper", max_chars=120)
    st.caption("It is one action, which you can undo in the grid. The past keeps the old type.")
    if not st.button("Change the type", type="primary", key=f"{key}_convert"):
        return False
    return run_command(
        _change, actor, access.sheet.sheet_id, column.column_id, NewType(type_name, rules, None, misfits, name)
    )


def _preview(preview: Preview) -> None:
    if not preview.converted and not preview.misfits:
        st.info("The column has no values yet.", icon=":material/info:")
        return
    if preview.misfits:
        count = f"{preview.converted:,} of {preview.converted + preview.misfits:,} values convert."
        st.warning(count, icon=":material/rule:")
        _table(preview.misfit_examples, {"Value": "before", "Rows": "count", "Reason": "reason"})
    else:
        st.success("Every value converts.", icon=":material/check_circle:")
    if preview.options:
        more = f" and {len(preview.options) - 8} more" if len(preview.options) > 8 else ""
        st.caption(f"New choices: {literal(', '.join(preview.options[:8]))}{more}")
    with st.expander("Examples of what converts"):
        _table(preview.examples, {"Value": "before", "Becomes": "after", "Rows": "count"})


def _table(examples: list[Example], fields: dict[str, str]) -> None:
    lines = [{title: getattr(example, field) for title, field in fields.items()} for example in examples]
    st.dataframe(pd.DataFrame(lines, columns=list(fields)), hide_index=True)


def _change(actor: Actor, sheet_id: int, column_id: int, new: NewType) -> None:
    with transaction() as session:
        change_type(session, actor, sheet_id, column_id, new, operation_id=uuid4())

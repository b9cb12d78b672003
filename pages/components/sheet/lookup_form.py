"""The form of a new lookup: the relation, the column of the related rows, and what is taken of several rows."""

from typing import Any

import streamlit as st

from core.access.access import Access, ColumnInfo
from core.access.load import get_access
from core.base.actor import Actor
from core.column_types import column_type
from core.column_types.lookup import SUMMARIES
from db.engine import transaction

LABELS = {
    "first": "The first",
    "last": "The last",
    "list": "All, as a list",
    "count": "How many",
    "sum": "Sum",
    "average": "Average",
    "min": "Smallest",
    "max": "Largest",
}


def lookup(actor: Actor, access: Access, *, key: str) -> dict[str, Any]:
    """Draw the fields and return the rules; what is missing is said by the command."""
    relations = {column.column_id: column for column in access.columns if column_type(column.type).names_rows}
    if not relations:
        st.caption("A lookup needs a relation: add a column of the type Relation first.")
        return {}
    relation = st.selectbox(
        "Relation", list(relations), format_func=lambda number: relations[number].name, key=f"{key}_relation"
    )
    targets = {column.column_id: column for column in _columns(actor, access, relations[relation])}
    column_field, summary_field = st.columns(2)
    column = column_field.selectbox(
        "Column",
        list(targets),
        index=None,
        format_func=lambda number: targets[number].name,
        key=f"{key}_{relation}_column",
        placeholder="Choose a column",
    )
    summary = summary_field.selectbox(
        "Of several rows", SUMMARIES, format_func=LABELS.__getitem__, key=f"{key}_summary"
    )
    return {"relation": relation, "summary": summary} | ({"column": column} if column else {})


def _columns(actor: Actor, access: Access, relation: ColumnInfo) -> tuple[ColumnInfo, ...]:
    """Return the columns of the related sheet that this person sees."""
    with transaction() as session:
        target = get_access(session, actor, access.sheet.sheet_id).related(relation.rules["sheet"])
        return target.columns if target else ()

"""Which sheet a page is about: named in the address, chosen from a list."""

import streamlit as st

from core.actor import Actor
from core.sheets import ListedSheet, sheets
from db.engine import transaction


def pick(actor: Actor, *, pipelines_only: bool = False) -> ListedSheet | None:
    """The chosen sheet, None where the person has none (the way out is shown then)."""
    with transaction() as session:
        listed = [sheet for sheet in sheets(session, actor) if sheet.is_pipeline or not pipelines_only]
    if not listed:
        st.info("There is nothing here yet. Create a sheet first.", icon=":material/info:")
        st.page_link("work/sheets.py", label="Go to the sheets", icon=":material/table_view:")
        return None
    wanted = st.query_params.get("sheet", "")
    places = [str(sheet.sheet_id) for sheet in listed]
    if wanted and wanted not in places:
        st.warning("That sheet is archived, or not shared with you. Choose another.", icon=":material/lock:")
    chosen = st.selectbox(
        "Sheet",
        listed,
        index=places.index(wanted) if wanted in places else 0,
        format_func=lambda sheet: sheet.name,
        key=f"sheet_picker_{wanted}",
        label_visibility="collapsed",
        width=280,
    )
    if str(chosen.sheet_id) != wanted:
        st.query_params["sheet"] = str(chosen.sheet_id)
        if "view" in st.query_params:
            del st.query_params["view"]
    return chosen

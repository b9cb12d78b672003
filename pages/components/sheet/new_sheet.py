"""The dialog of a new sheet: from a template, from one that somebody has saved, or as a copy of another sheet."""

from uuid import uuid4

import streamlit as st

from core.base.actor import Actor
from core.copies.duplicate import duplicate_sheet
from core.copies.saved_templates import SavedTemplate, create_from_template, delete_template, saved_templates
from core.sheets import sheets
from core.sheets.sheets import ListedSheet
from core.sheets.templates import TEMPLATES
from db.engine import transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import literal, shortened

COPY = "copy"
LONGEST = 80


@st.dialog("New sheet")
def show() -> None:
    """Draw the dialog; open the sheet once it is made."""
    with error_boundary():
        actor = current_actor()
        with transaction() as session:
            saved = {f"saved {template.template_id}": template for template in saved_templates(session, actor)}
            listed = sheets.sheets(session, actor)
        name = st.text_input("Name", max_chars=sheets.MAX_NAME, placeholder="Deals 2027")
        start = st.radio(
            "Start with",
            [*TEMPLATES, *saved, *([COPY] if listed else [])],
            format_func=lambda key: _label(key, saved),
            captions=[
                *(plan.description or "Two columns, the rest is yours." for plan in TEMPLATES.values()),
                *(_caption(template) for template in saved.values()),
                "Its columns, choices and views.",
            ],
        )
        copied = _copied(listed) if start == COPY else None
        with st.container(horizontal=True):
            create = st.button("Create", type="primary")
            if start in saved and saved[start].may_delete:
                st.space("stretch")
                if st.button("Delete this template", icon=":material/delete:", type="tertiary") and run_command(
                    _delete, actor, saved[start].template_id
                ):
                    st.rerun()
        sheet_ids: list[int] = []
        template = saved[start].template_id if start in saved else start
        if create and run_command(_make, actor, name, copied or template, sheet_ids):
            st.switch_page("work/grid.py", query_params={"sheet": str(sheet_ids[0])})


def _label(key: str, saved: dict[str, SavedTemplate]) -> str:
    if key == COPY:
        return "A copy of a sheet"
    return literal(saved[key].name) if key in saved else TEMPLATES[key].label


def _caption(template: SavedTemplate) -> str:
    columns = f"{template.columns} columns, saved by {literal(template.by)}"
    return f"{literal(shortened(template.description, LONGEST))} ({columns})" if template.description else columns


def _copied(listed: list[ListedSheet]) -> tuple[int, bool]:
    """Draw which sheet is copied, and whether with its rows."""
    names = {sheet.sheet_id: sheet.name for sheet in listed}
    sheet_id = st.selectbox("Copy of", list(names), format_func=names.__getitem__)
    with_rows = st.checkbox("With its rows", help="Those that you see. History, comments and shares are not copied.")
    return sheet_id, with_rows


def _make(actor: Actor, name: str, start: tuple[int, bool] | int | str, sheet_ids: list[int]) -> None:
    """Make the sheet: a copy of a sheet, with its rows or without, or from a saved template, or from one of ours."""
    with transaction() as session:
        if isinstance(start, tuple):
            sheet_id, with_rows = start
            copy = duplicate_sheet(session, actor, sheet_id, name, with_rows=with_rows, operation_id=uuid4())
            sheet_ids.append(copy.sheet)
        elif isinstance(start, int):
            sheet_ids.append(create_from_template(session, actor, name, start).sheet.sheet_id)
        else:
            sheet_ids.append(sheets.create_sheet(session, actor, name, template=start).sheet.sheet_id)


def _delete(actor: Actor, template_id: int) -> None:
    with transaction() as session:
        delete_template(session, actor, template_id)

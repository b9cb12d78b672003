"""Dialogs about a whole sheet: share it, settings, export."""

import json
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.base.actor import Actor
from core.column_types import column_type
from core.copies.saved_templates import save_template
from core.rows.query import View
from core.sheets import sheets
from db.engine import transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import literal
from pages.components.sharing import public_links, share_dialog

PARTS = {
    "stage": "Stage",
    "amount": "Amount",
    "close_date": "Expected close",
    "created": "Created on",
    "owner": "Owner",
    "probability": "Probability",
    "account": "Account",
}
FORMATS = {"csv": "CSV", "xlsx": "Excel (XLSX)", "parquet": "Parquet"}


def export_menu(sheet_id: int, view: View, *, link: int) -> None:
    """Links to a shared sheet's rows as they are shown, in each format. The cookie is never sent from another site."""
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        _formats(sheet_id, view, {"link": str(link)})


@st.dialog("Export")
def export(sheet_id: int, view: View, columns: list[int], as_of: str | None) -> None:
    """Offer the formats of an export to a signed-in user, of a past version too."""
    shown_columns = {"columns": ",".join(map(str, columns))} if columns else {}
    _formats(sheet_id, view, shown_columns | ({"as_of": as_of} if as_of else {}))


def _formats(sheet_id: int, view: View, more: dict[str, str]) -> None:
    st.caption("Exactly the rows and columns that you see now.")
    view_json = view.as_json()
    for name, label in FORMATS.items():
        parameters = {"format": name, "filter": json.dumps(view_json["filter"]), "sort": json.dumps(view_json["sort"])}
        query = urlencode(parameters | {"search": view.search} | more)
        st.link_button(label, f"/api/v1/sheets/{sheet_id}/export?{query}", width="stretch")


@st.dialog("Share", width="medium")
def share(sheet_id: int) -> None:
    """Show the shares of the sheet and its public links."""
    with error_boundary():
        actor = current_actor()
        people, links = st.tabs(["People and teams", "Public links"])
        with people:
            share_dialog.show(actor, sheet_id)
        with links:
            public_links.show(actor, sheet_id)


@st.dialog("Sheet settings", width="medium")
def settings(sheet_id: int) -> None:
    """Name, description, the pipeline's columns, and putting the sheet away."""
    with error_boundary():
        actor = current_actor()
        with transaction() as session:
            access = get_access(session, actor, sheet_id)
        with st.form("sheet_settings", border=False):
            form: dict[str, Any] = {
                "name": st.text_input("Name", value=access.sheet.name, max_chars=sheets.MAX_NAME),
                "description": st.text_area("Description", value=access.sheet.description, height=80),
            }
            st.markdown("**Pipeline**")
            st.caption(
                "Say which column holds what, and the dashboard can chart it. Without a stage it is a plain table."
            )
            with st.grid(min_column_width=220):
                form["parts"] = {field: _part(access, field) for field in PARTS}
            form["owner_column"] = _owner_column(access)
            sent = st.form_submit_button("Save", type="primary")
        if sent and run_command(_save, actor, access, form):
            st.rerun()
        with st.expander("Offer as a template", icon=":material/bookmark_add:"):
            _template(actor, access)
        if st.button("Archive this sheet", icon=":material/archive:", help="It stays whole and can be restored."):
            _archive(actor, sheet_id)


def _template(actor: Actor, access: Access) -> None:
    st.caption("Its columns, choices and views are offered to everybody who makes a sheet. Rows are not included.")
    name = st.text_input("Template name", value=access.sheet.name, max_chars=sheets.MAX_NAME)
    if st.button("Offer it") and run_command(_save_template, actor, access.sheet.sheet_id, name):
        st.success(f"“{literal(name)}” is offered under “New sheet”.", icon=":material/check_circle:")


def _save_template(actor: Actor, sheet_id: int, name: str) -> None:
    with transaction() as session:
        save_template(session, actor, sheet_id, name)


def _part(access: Access, field: str) -> int | None:
    """A column of a type that fits the part, or none."""
    fitting = [column for column in access.columns if column.type in sheets.PIPELINE_FIELDS[field]]
    ids = [None, *(column.column_id for column in fitting)]
    names = {column.column_id: column.name for column in fitting}
    now = access.sheet.pipeline.get(field)
    types = " or ".join(column_type(name).label.lower() for name in sheets.PIPELINE_FIELDS[field])
    return st.selectbox(
        PARTS[field],
        ids,
        index=ids.index(now) if now in ids else 0,
        format_func=lambda one: names.get(one, "–") if one else "–",
        help=f"A column of type {types}.",
    )


def _owner_column(access: Access) -> int | None:
    """Whose a row is, where the pipeline's owner does not say it already."""
    names: dict[int | None, str] = {None: "Owner column of the pipeline"}
    names |= {column.column_id: column.name for column in access.columns if column_type(column.type).names_people}
    ids, now = [*names], access.sheet.settings.get("owner_column")
    return st.selectbox(
        "Row owner",
        ids,
        index=ids.index(now) if now in names else 0,
        format_func=names.__getitem__,
        help="A column of people. It decides which rows people see who may see only their own or their team's rows.",
    )


def _save(actor: Actor, access: Access, form: dict[str, Any]) -> None:
    """What was changed, and only that, in one transaction."""
    sheet = access.sheet
    with transaction() as session:
        if form["name"] != sheet.name:
            sheets.rename_sheet(session, actor, sheet.sheet_id, form["name"])
        if form["description"] != sheet.description:
            sheets.describe_sheet(session, actor, sheet.sheet_id, form["description"])
        if {field: column for field, column in form["parts"].items() if column is not None} != sheet.pipeline:
            sheets.configure_pipeline(session, actor, sheet.sheet_id, form["parts"])
        if form["owner_column"] != sheet.settings.get("owner_column"):
            sheets.choose_owner_column(session, actor, sheet.sheet_id, form["owner_column"])


def _archive(actor: Actor, sheet_id: int) -> None:
    def put_away() -> None:
        with transaction() as session:
            sheets.archive_sheet(session, actor, sheet_id)

    if run_command(put_away):
        st.switch_page("work/sheets.py")

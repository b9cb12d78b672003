"""Home: every sheet that one may see, and how to make another."""

import streamlit as st

from core.base.actor import Actor
from core.base.permissions import ROLE_PERMISSIONS, Level, Permission
from core.demo.seed import DEMO_KIND
from core.jobs.own_jobs import JobInfo, progress_of
from core.sheets import sheets
from core.sheets.sheets import ListedSheet
from db.engine import transaction
from pages.components.account import team_offers
from pages.components.app import favourite_star
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import literal, shortened
from pages.components.sheet import new_sheet

DESCRIPTION = 140


def show() -> None:
    """The page, top to bottom."""
    actor = current_actor()
    may_create = Permission.SHEETS_CREATE in ROLE_PERMISSIONS[actor.role]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Sheets", width="stretch")
        if may_create:
            if st.button("Import a file", icon=":material/upload_file:"):
                st.switch_page("work/imports.py")
            if st.button("New sheet", icon=":material/add:", type="primary"):
                new_sheet.show()
    if _demo_job():
        _progress()
    team_offers.show(actor)
    with transaction() as session:
        listed = sheets.sheets(session, actor)
        archived = sheets.sheets(session, actor, archived=True)
    if not listed:
        _nothing_yet(may_create=may_create)
    with st.grid(min_column_width=280):
        for sheet in listed:
            _card(actor, sheet)
    if archived:
        with st.expander(f"Archived · {len(archived)}", icon=":material/archive:"):
            for sheet in archived:
                _archived(actor, sheet)


def _card(actor: Actor, sheet: ListedSheet) -> None:
    query = {"sheet": str(sheet.sheet_id)}
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            name, icon = f"**{literal(sheet.name)}**", f":material/{sheet.icon}:"
            st.page_link("work/grid.py", label=name, icon=icon, query_params=query, width="stretch")
            if sheet.is_pipeline:
                st.page_link(
                    "insight/dashboard.py", label="Dashboard", icon=":material/monitoring:", query_params=query
                )
            favourite_star.show(actor, sheet.sheet_id)
        st.caption(literal(shortened(sheet.description, DESCRIPTION)) or "No description")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(sheet.level.label, color="gray")
            if sheet.is_pipeline:
                st.badge("Pipeline", color="green")
            if sheet.level is not Level.OWNER:
                st.caption(f"of {literal(sheet.owner)}")


def _nothing_yet(*, may_create: bool) -> None:
    with st.container(border=True):
        st.subheader("No sheets yet")
        if may_create:
            st.write("Make a sales pipeline with “New sheet”, or bring your own deals in with “Import a file”.")
        else:
            st.write("Sheets appear here when a colleague shares them with you.")


def _archived(actor: Actor, sheet: ListedSheet) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(literal(sheet.name), width="stretch")
        restore = sheet.level is Level.OWNER and st.button("Restore", key=f"restore_{sheet.sheet_id}")
        if restore and run_command(_restore, actor, sheet.sheet_id):
            st.rerun()


def _restore(actor: Actor, sheet_id: int) -> None:
    with transaction() as session:
        sheets.restore_sheet(session, actor, sheet_id)


def _demo_job() -> JobInfo | None:
    with transaction() as session:
        return progress_of(session, DEMO_KIND)


@st.fragment(run_every=1)
def _progress() -> None:
    """Show how much of the demo is made; run the page again when it is complete."""
    job = _demo_job()
    if job is None:
        st.rerun()
    st.progress(
        job.progress, text="A demo pipeline with eighteen months of history is being made. You can look around already."
    )


with error_boundary():
    show()

"""A running import: its progress and a button that cancels it. Leaving the page does not stop it."""

import streamlit as st

from core.base.actor import Actor
from core.base.errors import NotFound
from core.imports.import_job import KIND
from core.jobs.own_jobs import JobInfo, cancel_own_job, own_job, own_unfinished_job
from db.engine import transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command

PARAMETER = "job"
FAILED = "Something went wrong on our side; it has been logged. Nothing was imported."
CANCELLED = "The import was cancelled. Nothing was imported."


def current_job(actor: Actor) -> JobInfo | None:
    """Return the import that the address names, else one of this person's that has not ended."""
    number = st.query_params.get(PARAMETER, "")
    with transaction() as session:
        if number.isdecimal() and len(number) < 19:
            try:
                return own_job(session, actor, int(number))
            except NotFound:
                del st.query_params[PARAMETER]
        return own_unfinished_job(session, actor, KIND)


def name_in_address(job_id: int) -> None:
    """Put the job into the page's address, so that a reload shows it."""
    st.query_params[PARAMETER] = str(job_id)


def leave() -> None:
    """Take the job out of the page's address."""
    st.query_params.pop(PARAMETER, None)


@st.fragment(run_every=1)
def watch(job_id: int) -> None:
    """Show the progress of a job until it ends, then run the page again."""
    with error_boundary():
        actor = current_actor()
        with transaction() as session:
            job = own_job(session, actor, job_id)
        if not job.is_unfinished:
            st.rerun()
        st.progress(job.progress, _step(job))
        st.caption("You can leave this page; the import goes on.")
        if st.button("Cancel the import", icon=":material/close:", disabled=job.is_cancelling) and run_command(
            _cancel, actor, job_id
        ):
            st.rerun()


def refusal(job: JobInfo) -> str:
    """Return why an import that has ended imported nothing."""
    if job.state == "cancelled":
        return CANCELLED
    return (job.details or {}).get("message") or FAILED


def _step(job: JobInfo) -> str:
    if job.is_cancelling:
        return "Cancelling …"
    if job.state == "waiting":
        return job.outcome or "Waiting to start …"
    if job.progress >= 1:
        return "Writing the rows …"
    if not job.progress_total:
        return "Reading the file …"
    return f"{job.progress_done:,} of {job.progress_total:,} rows read …"


def _cancel(actor: Actor, job_id: int) -> None:
    with transaction() as session:
        cancel_own_job(session, actor, job_id)

"""Background jobs of the installation: what runs, when and how it ended, with a button to cancel or run it again."""

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from core.accounts.locale import Locale, get_locale
from core.admin import jobs
from core.base.actor import Actor
from core.jobs.own_jobs import JobInfo
from db.engine import transaction
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary, run_command
from pages.components.app.format import literal, moment

NAMES = {"cleanup": "Clean-up", "mail": "E-mail", "disk": "Disk space", "import": "Import", "demo": "Demo workspace"}


@st.fragment(run_every=5)
def show() -> None:
    """The list, read again every few seconds."""
    with error_boundary():
        actor = current_actor()
        with transaction() as session:
            listed = jobs.all_jobs(session, actor)
            locale = get_locale(session, actor)
        st.markdown("**Background jobs**")
        for job in [job for job in listed if job.is_unfinished]:
            _job(actor, job, locale)
        finished = [job for job in listed if not job.is_unfinished]
        if finished:
            with st.expander(f"Ended in the last 7 days · {len(finished)}", type="compact", key="finished_jobs"):
                for job in finished:
                    _job(actor, job, locale)


def _job(actor: Actor, job: JobInfo, locale: Locale) -> None:
    with st.container(border=True, gap="small"), st.container(horizontal=True, vertical_alignment="center"):
        with st.container(gap="xxsmall", width="stretch"):
            st.markdown(f"**{literal(NAMES.get(job.kind, job.kind))}** :gray[{literal(_summary(job, locale))}]")
            if job.outcome:
                st.caption(literal(job.outcome))
            if job.state == "running" and job.progress_total:
                st.progress(job.progress)
        _buttons(actor, job)


def _buttons(actor: Actor, job: JobInfo) -> None:
    """Offer to cancel what runs or waits, to run a failed job again, or a scheduled one now."""
    if job.state == "failed" or (job.is_scheduled and job.state == "waiting"):
        label = "Run now" if job.is_scheduled else "Run again"
        if st.button(label, key=f"job_{job.job_id}_again"):
            _change(jobs.run_again, actor, job)
    elif job.is_unfinished and st.button("Cancel", key=f"job_{job.job_id}_cancel", disabled=job.is_cancelling):
        _change(jobs.cancel_job, actor, job)


def _change(command: Callable[..., None], actor: Actor, job: JobInfo) -> None:
    if run_command(_in_transaction, command, actor, job.job_id):
        st.rerun()


def _in_transaction(command: Callable[..., None], actor: Actor, job_id: int) -> None:
    with transaction() as session:
        command(session, actor, job_id)


def _summary(job: JobInfo, locale: Locale) -> str:
    """Return who started the job, its state with the time that matters, and the attempts where there were several."""
    time: datetime = job.finished_at or job.started_at or job.created_at
    if job.state == "running" and job.started_at:
        time = job.started_at
    state = "cancelling" if job.is_cancelling and job.is_unfinished else job.state
    if job.state == "waiting":
        state, time = "next run", job.due_at
    texts = [job.user_name or "", f"{state} {moment(time, locale)}", f"attempt {job.attempts}" * (job.attempts > 1)]
    return " · ".join(text for text in texts if text)

"""Jobs of the whole installation, for administrators: what runs, when and how it ended; cancel one, run one again."""

from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor, require
from core.base.errors import Conflict, NotFound
from core.base.permissions import Permission
from core.base.pg_notify import notify_job
from core.jobs.own_jobs import SELECT_JOBS, JobInfo, request_cancel

MAX_LISTED = 50


def all_jobs(session: Session, actor: Actor) -> list[JobInfo]:
    """What runs or waits, then what ended last, without details of other people's jobs. For administrators."""
    require(actor, Permission.PEOPLE_MANAGE)
    jobs = [JobInfo(**row) for row in session.execute(_ALL).mappings()]
    return [job if job.user_id == actor.user_id else replace(job, details=None) for job in jobs]


def cancel_job(session: Session, actor: Actor, job_id: int) -> None:
    """Cancel a job of anybody's. For administrators. Raises NotFound, and Conflict where it does not run any more."""
    require(actor, Permission.PEOPLE_MANAGE)
    kind = _kind(session, job_id)
    request_cancel(session, job_id)
    audit.record(session, actor, "workspace:job:cancel", job=job_id, kind=kind)


def run_again(session: Session, actor: Actor, job_id: int) -> None:
    """Run a failed job again, as the person who enqueued it, or a scheduled one now. For administrators."""
    require(actor, Permission.PEOPLE_MANAGE)
    kind = _kind(session, job_id)
    if session.scalar(_RUN_AGAIN, {"job": job_id}) is None:
        raise Conflict("Only a failed or a scheduled job can be run again.")
    notify_job(session, "")
    audit.record(session, actor, "workspace:job:run-again", job=job_id, kind=kind)


def _kind(session: Session, job_id: int) -> str:
    kind = session.scalar(text("SELECT kind FROM jobs WHERE job_id = :job"), {"job": job_id})
    if kind is None:
        raise NotFound("This job does not exist.")
    return str(kind)


_ALL = text(f"""
    {SELECT_JOBS} ORDER BY j.state IN ('running', 'waiting') DESC, j.period_seconds IS NULL DESC,
        coalesce(j.finished_at, j.created_at) DESC, j.job_id LIMIT {MAX_LISTED}
""")
_RUN_AGAIN = text("""
    UPDATE jobs SET state = 'waiting', run_at = clock_timestamp(), attempts = 0, finished_at = NULL
    WHERE job_id = :job AND (state = 'failed' OR (state = 'waiting' AND period_seconds IS NOT NULL)) RETURNING job_id
""")

"""What people see of the jobs that they enqueued, and cancelling one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.actor import Actor
from core.base.errors import Conflict, NotFound

UNFINISHED = ("waiting", "running")


@dataclass(frozen=True)
class JobInfo:
    """A job as it is shown. `details` are for the person who enqueued it; `due_at` is when it runs next."""

    job_id: int
    kind: str
    state: str
    user_id: int | None
    user_name: str | None
    is_scheduled: bool
    attempts: int
    progress_done: int
    progress_total: int
    outcome: str | None
    details: dict[str, Any] | None
    is_cancelling: bool
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def progress(self) -> float:
        """How much is done, from 0 to 1."""
        return min(self.progress_done / self.progress_total, 1.0) if self.progress_total else 0.0


def own_job(session: Session, actor: Actor, job_id: int) -> JobInfo:
    """A job that this person enqueued. Raises NotFound."""
    row = session.execute(_OWN, {"user": actor.user_id, "job": job_id}).mappings().one_or_none()
    if row is None:
        raise NotFound("You have no such job.")
    return JobInfo(**row)


def own_unfinished_job(session: Session, actor: Actor, kind: str) -> JobInfo | None:
    """The latest job of this kind that the person enqueued and that has not ended, if there is one."""
    row = session.execute(_OWN_UNFINISHED, {"user": actor.user_id, "kind": kind}).mappings().one_or_none()
    return JobInfo(**row) if row else None


def cancel_own_job(session: Session, actor: Actor, job_id: int) -> None:
    """Cancel a job that this person enqueued. Raises NotFound, and Conflict where it has ended."""
    own_job(session, actor, job_id)
    request_cancel(session, job_id)


def request_cancel(session: Session, job_id: int) -> None:
    """Cancel a job at once if it waits, at its next progress if it runs. Raises Conflict if it has ended."""
    if session.scalar(_CANCEL, {"job": job_id}) is None:
        raise Conflict("This job does not run any more.")
    session.execute(_DELETE_FILE_OF_CANCELLED, {"job": job_id})


def progress_of(session: Session, kind: str) -> JobInfo | None:
    """The unfinished job of a kind that nobody enqueued as a person, if there is one."""
    row = session.execute(_UNFINISHED_OF_KIND, {"kind": kind}).mappings().one_or_none()
    return JobInfo(**row) if row else None


SELECT_JOBS = """
    SELECT j.job_id, j.kind, j.state, j.user_id, u.name AS user_name, j.period_seconds IS NOT NULL AS is_scheduled,
        j.attempts, j.progress_done, j.progress_total, j.outcome, j.result AS details,
        j.cancel_requested_at IS NOT NULL AS is_cancelling, j.created_at, j.run_at AS due_at, j.started_at,
        j.finished_at
    FROM jobs j LEFT JOIN users u USING (user_id)
"""
_OWN = text(f"{SELECT_JOBS} WHERE j.user_id = :user AND j.job_id = :job")
_OWN_UNFINISHED = text(f"""
    {SELECT_JOBS} WHERE j.user_id = :user AND j.kind = :kind AND j.state IN ('waiting', 'running')
    ORDER BY j.job_id DESC LIMIT 1
""")
_UNFINISHED_OF_KIND = text(f"""
    {SELECT_JOBS} WHERE j.user_id IS NULL AND j.kind = :kind AND j.state IN ('waiting', 'running')
    ORDER BY j.job_id LIMIT 1
""")
# A scheduled job that waits has nothing to cancel.
_CANCEL = text("""
    UPDATE jobs SET cancel_requested_at = clock_timestamp(),
        state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,
        outcome = CASE state WHEN 'waiting' THEN 'Cancelled.' ELSE outcome END,
        finished_at = CASE state WHEN 'waiting' THEN clock_timestamp() ELSE finished_at END
    WHERE job_id = :job AND (state = 'running' OR (state = 'waiting' AND period_seconds IS NULL)) RETURNING job_id
""")
_DELETE_FILE_OF_CANCELLED = text("""
    DELETE FROM job_files WHERE job_id = (SELECT job_id FROM jobs WHERE job_id = :job AND state = 'cancelled')
""")

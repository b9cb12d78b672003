"""The queue: enqueue, claim, renew and end jobs. The database's clock decides, and each change names its worker."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core.base.pg_notify import JOBS_CHANNEL
from db.tables.jobs import Job

LEASE_SECONDS = 12
FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS = 5, 600


@dataclass(frozen=True)
class ClaimedJob:
    """A job that a worker has claimed for one attempt. `last_details`: of the run before, where it is scheduled."""

    job_id: int
    worker_id: UUID
    kind: str
    payload: dict[str, Any]
    user_id: int | None
    attempts: int
    is_cancelled: bool
    last_details: dict[str, Any] | None


def enqueue(session: Session, kind: str, payload: dict[str, Any], *, user_id: int | None = None) -> int:
    """Add a job that runs once the caller's transaction has committed; return its id."""
    job = Job(kind=kind, payload=payload, user_id=user_id)
    session.add(job)
    session.flush()
    session.execute(select(func.pg_notify(JOBS_CHANNEL, "")))
    return job.job_id


def enqueue_once(session: Session, kind: str) -> None:
    """Add a job of this kind unless one waits or runs."""
    if session.scalar(_UNFINISHED, {"kind": kind}) is None:
        enqueue(session, kind, {})


def schedule(session: Session, kind: str, period: timedelta) -> None:
    """Make sure that a kind of job that is due regularly has its one row."""
    session.execute(_SCHEDULE, {"kind": kind, "period": int(period.total_seconds())})


def run_now(session: Session, kind: str) -> None:
    """Make a scheduled job due at once; one that is running runs again afterwards."""
    session.execute(_RUN_NOW, {"kind": kind})


def claim(session: Session, kinds: Collection[str], worker_id: UUID) -> ClaimedJob | None:
    """Claim the job that has been due the longest: one that waits, or one whose worker no longer renews its lease."""
    row = session.execute(_CLAIM, {"kinds": [*kinds], "worker": worker_id}).mappings().one_or_none()
    return ClaimedJob(**row) if row else None


def renew(session: Session, worker_id: UUID, progress: dict[int, tuple[int, int]]) -> dict[int, bool]:
    """Renew leases and store (done, total) of each job. Return whether it is cancelled, for each that is still ours."""
    parameters = {
        "worker": worker_id,
        "ids": [*progress],
        "done": [done for done, _ in progress.values()],
        "total": [total for _, total in progress.values()],
    }
    return dict(session.execute(_RENEW, parameters).tuples().all())


def finish(session: Session, job: ClaimedJob, state: str, outcome: str, details: dict[str, Any] | None = None) -> bool:
    """End this attempt; return whether the job was still this worker's. A cancelled job cannot be done."""
    parameters = _attempt(job) | {"state": state, "outcome": outcome, "details": details or None}
    if session.scalar(_FINISH, parameters) is None:
        return False
    if state != "failed":
        session.execute(_DELETE_FILE, {"job": job.job_id})
    return True


def retry_later(session: Session, job: ClaimedJob, outcome: str) -> None:
    """Have the job wait for its next attempt, the longer the more there were."""
    seconds = min(FIRST_RETRY_SECONDS * 2 ** min(job.attempts - 1, 10), MAX_RETRY_SECONDS)
    session.execute(_RETRY, _attempt(job) | {"outcome": outcome, "seconds": seconds})


def release(session: Session, job: ClaimedJob) -> None:
    """Give the job back at once: this attempt does not count."""
    session.execute(_RELEASE, _attempt(job))
    session.execute(select(func.pg_notify(JOBS_CHANNEL, "")))


def is_cancelled(session: Session, job: ClaimedJob) -> bool:
    """Whether this worker's attempt was cancelled."""
    return bool(session.scalar(_IS_CANCELLED, _attempt(job)))


def _attempt(job: ClaimedJob) -> dict[str, Any]:
    return {"job": job.job_id, "worker": job.worker_id, "attempts": job.attempts}


_LEASE = f"clock_timestamp() + interval '{LEASE_SECONDS} seconds'"
_OF_ATTEMPT = "job_id = :job AND state = 'running' AND worker_id = :worker AND attempts = :attempts"
_UNFINISHED = text("SELECT job_id FROM jobs WHERE kind = :kind AND state IN ('waiting', 'running') LIMIT 1")
_SCHEDULE = text("""
    INSERT INTO jobs (kind, period_seconds) VALUES (:kind, :period)
    ON CONFLICT (kind) WHERE period_seconds IS NOT NULL DO UPDATE SET period_seconds = EXCLUDED.period_seconds
    WHERE jobs.period_seconds <> EXCLUDED.period_seconds
""")
_RUN_NOW = text("""
    UPDATE jobs SET run_at = clock_timestamp()
    WHERE kind = :kind AND period_seconds IS NOT NULL AND (state = 'running' OR run_at > clock_timestamp())
""")
_CLAIM = text(f"""
    UPDATE jobs SET state = 'running', worker_id = :worker, attempts = attempts + 1, started_at = clock_timestamp(),
        lease_until = {_LEASE}, progress_done = 0, progress_total = 0
    WHERE job_id = (
        SELECT job_id FROM jobs
        WHERE kind = ANY(:kinds) AND (
            (state = 'waiting' AND run_at <= clock_timestamp())
            OR (state = 'running' AND lease_until < clock_timestamp()))
        ORDER BY run_at, job_id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING job_id, worker_id, kind, payload, user_id, attempts, cancel_requested_at IS NOT NULL AS is_cancelled,
        result AS last_details
""")  # noqa: S608 - constants of this module.
_RENEW = text(f"""
    UPDATE jobs SET lease_until = {_LEASE}, progress_done = p.done, progress_total = p.total
    FROM unnest(CAST(:ids AS bigint[]), CAST(:done AS int[]), CAST(:total AS int[])) p (job_id, done, total)
    WHERE jobs.job_id = p.job_id AND state = 'running' AND worker_id = :worker
    RETURNING jobs.job_id, cancel_requested_at IS NOT NULL
""")  # noqa: S608 - constants of this module.
# A scheduled job waits for its next run; at once where run_now() came while it ran.
_FINISH = text(f"""
    UPDATE jobs SET outcome = :outcome, result = :details, finished_at = clock_timestamp(), worker_id = NULL,
        lease_until = NULL, cancel_requested_at = NULL,
        state = CASE WHEN period_seconds IS NULL THEN CAST(:state AS text) ELSE 'waiting' END,
        attempts = CASE WHEN period_seconds IS NULL THEN attempts ELSE 0 END,
        run_at = CASE WHEN period_seconds IS NULL OR run_at > started_at THEN run_at
                 ELSE clock_timestamp() + period_seconds * interval '1 second' END
    WHERE {_OF_ATTEMPT} AND (CAST(:state AS text) <> 'done' OR cancel_requested_at IS NULL) RETURNING job_id
""").bindparams(bindparam("details", type_=JSONB(none_as_null=True)))  # noqa: S608 - constants of this module.
_RETRY = text(f"""
    UPDATE jobs SET state = 'waiting', outcome = :outcome, worker_id = NULL, lease_until = NULL,
        run_at = clock_timestamp() + least(:seconds, period_seconds) * interval '1 second'
    WHERE {_OF_ATTEMPT}
""")  # noqa: S608 - constants of this module.
_RELEASE = text(f"""
    UPDATE jobs SET state = 'waiting', attempts = attempts - 1, worker_id = NULL, lease_until = NULL
    WHERE {_OF_ATTEMPT}
""")  # noqa: S608 - constants of this module.
_IS_CANCELLED = text(f"SELECT cancel_requested_at IS NOT NULL FROM jobs WHERE {_OF_ATTEMPT}")  # noqa: S608 - constants
_DELETE_FILE = text("DELETE FROM job_files WHERE job_id = :job")

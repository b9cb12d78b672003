"""The worker: threads that claim and run jobs, a heartbeat that renews their leases, and a connection that listens."""

from collections.abc import Collection
from threading import Event, Lock, Thread
from time import monotonic
from uuid import uuid4

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.base.errors import Refused
from core.base.logs import get_log
from core.base.pg_notify import JOBS_CHANNEL
from core.jobs import queue
from core.jobs.job_types import JobType
from core.jobs.queue import ClaimedJob
from core.jobs.running_job import JobCancelled, JobInterrupted, LeaseLost, OpenTransaction, RunningJob, WorkerStopping
from db.engine import Busy

POLL_SECONDS = 5.0
HEARTBEAT_SECONDS = 1.0
LISTEN_SECONDS = 0.5
STOP_SECONDS = 3.0
LONG_THREADS = 2
UNREACHABLE = (SQLAlchemyError, Busy)
log = get_log("contrivance.jobs")


class Worker:
    """Runs jobs of these types in threads of this process, the short kinds beside the long ones."""

    def __init__(
        self, job_types: Collection[JobType], open_transaction: OpenTransaction, conninfo: str | None = None
    ) -> None:
        self.worker_id = uuid4()
        self._types = {job_type.kind: job_type for job_type in job_types}
        self._open_transaction = open_transaction
        self._conninfo = conninfo
        self._running: dict[int, RunningJob] = {}
        self._lock = Lock()
        self._stopping = Event()
        self._wake_ups: list[Event] = []
        self._threads: list[Thread] = []

    def schedule(self, session: Session) -> None:
        """Make sure that each scheduled type has its row."""
        for job_type in self._types.values():
            if job_type.period:
                queue.schedule(session, job_type.kind, job_type.period)

    def start(self) -> None:
        """Start the threads. The database may be away; they go on when it is back."""
        short = [kind for kind, job_type in self._types.items() if not job_type.is_long]
        long = [kind for kind, job_type in self._types.items() if job_type.is_long]
        for kinds in [short, *[long] * LONG_THREADS]:
            self._wake_ups.append(wake_up := Event())
            self._threads.append(Thread(target=self._work, args=(kinds, wake_up), name="jobs", daemon=True))
        self._threads.append(Thread(target=self._renew_leases, name="jobs-heartbeat", daemon=True))
        if self._conninfo:
            self._threads.append(Thread(target=self._listen, args=(self._conninfo,), name="jobs-listen", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Have running jobs given back at their next progress, and wait a moment for them."""
        self._stopping.set()
        with self._lock:
            for job in self._running.values():
                job.interruption = job.interruption or WorkerStopping
        for wake_up in self._wake_ups:
            wake_up.set()
        deadline = monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def run_next(self, kinds: Collection[str] | None = None) -> bool:
        """Claim one job that is due and run it; whether there was one."""
        with self._open_transaction() as session:
            claimed = queue.claim(session, self._types if kinds is None else kinds, self.worker_id)
        if claimed is None:
            return False
        job = RunningJob(claimed, self._open_transaction)
        with self._lock:
            self._running[claimed.job_id] = job
            if self._stopping.is_set():
                job.interruption = WorkerStopping
        try:
            self._run(self._types[claimed.kind], job)
        finally:
            with self._lock:
                self._running.pop(claimed.job_id, None)
        return True

    def _run(self, job_type: JobType, job: RunningJob) -> None:
        claimed, facts = job.claim, {"job": job.claim.job_id, "kind": job_type.kind, "attempts": job.claim.attempts}
        try:
            if claimed.is_cancelled:
                raise JobCancelled
            if not job_type.period and claimed.attempts > job_type.max_attempts:
                self._finish(claimed, "failed", f"Given up: {job_type.max_attempts} attempts did not end.")
                return
            result = job_type.handler(job)
            if not job.is_finished:
                with self._open_transaction() as session:
                    job.finish(session, result)
        except JobCancelled:
            self._finish(claimed, "cancelled", "Cancelled.")
            log.info("job.cancelled", **facts)
        except WorkerStopping:
            with self._open_transaction() as session:
                queue.release(session, claimed)
        except JobInterrupted:
            log.warning("job.lease_lost", **facts)
        except Refused as refusal:
            self._finish(claimed, "failed", "Refused. The person who started it can see why.", refusal.message)
        except Exception as error:
            self._fail(job_type, claimed, error)
            if not self._stopping.is_set():
                log.exception("job.failed", **facts)

    def _finish(self, claimed: ClaimedJob, state: str, outcome: str, message: str = "") -> None:
        with self._open_transaction() as session:
            queue.finish(session, claimed, state, outcome, {"message": message} if message else None)

    def _fail(self, job_type: JobType, claimed: ClaimedJob, error: Exception) -> None:
        reason = type(error).__name__
        if job_type.period or claimed.attempts < job_type.max_attempts:
            with self._open_transaction() as session:
                outcome = f"Attempt {claimed.attempts} failed ({reason}); it is tried again."
                queue.retry_later(session, claimed, outcome)
        else:
            self._finish(claimed, "failed", f"Failed after {claimed.attempts} attempts ({reason}).")

    def _work(self, kinds: Collection[str], wake_up: Event) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                if self.run_next(kinds):
                    continue
                failures = 0
            except Exception as error:  # noqa: BLE001 - one error must not end the thread.
                failures += 1
                if failures == 1 and not self._stopping.is_set():
                    log.warning("jobs.interrupted", reason=type(error).__name__)
            wake_up.wait(POLL_SECONDS)
            wake_up.clear()

    def _renew_leases(self) -> None:
        while not self._stopping.wait(HEARTBEAT_SECONDS):
            with self._lock:
                running = dict(self._running)
            if not running:
                continue
            try:
                with self._open_transaction() as session:
                    progress = {job_id: (job.done, job.total) for job_id, job in running.items()}
                    renewed = queue.renew(session, self.worker_id, progress)
            except UNREACHABLE:
                continue  # A lease that ends meanwhile is lost, and the handler's last statement finds that out.
            for job_id, job in running.items():
                if job_id not in renewed:
                    job.interruption = LeaseLost
                elif renewed[job_id]:
                    job.interruption = JobCancelled

    def _listen(self, conninfo: str) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(conninfo, autocommit=True, application_name="contrivance jobs") as connection:
                    connection.execute(f"LISTEN {JOBS_CHANNEL}")
                    while not self._stopping.is_set():
                        for notification in connection.notifies(timeout=LISTEN_SECONDS):
                            self._on_notification(notification.payload)
            except (psycopg.Error, OSError, *UNREACHABLE):
                self._stopping.wait(POLL_SECONDS)

    def _on_notification(self, kind: str) -> None:
        if kind in self._types:
            with self._open_transaction() as session:
                queue.run_now(session, kind)
        for wake_up in self._wake_ups:
            wake_up.set()


def run_due(job_types: Collection[JobType], open_transaction: OpenTransaction) -> int:
    """Run the jobs that are due, one after the other, in this thread; how many."""
    worker = Worker(job_types, open_transaction)
    count = 0
    while worker.run_next():
        count += 1
    return count

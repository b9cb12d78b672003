"""Jobs: each is run by one worker, again after a failure, and its writes take effect once."""

import time
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.errors import Invalid
from core.base.pg_notify import notify_job
from core.jobs import queue
from core.jobs.files import PART_BYTES, open_file, store_file
from core.jobs.job_types import JobType, in_one_transaction
from core.jobs.own_jobs import request_cancel
from core.jobs.running_job import JobResult, LeaseLost, RunningJob
from core.jobs.worker import Worker, run_due
from db.engine import transaction

pytestmark = pytest.mark.usefixtures("database")


def add_job(payload: dict[str, Any] | None = None, *, kind: str = "count") -> int:
    with transaction() as session:
        return queue.enqueue(session, kind, payload or {}, user_id=2)


def column(name: str, job_id: int) -> Any:
    with transaction() as session:
        return session.scalar(text(f"SELECT {name} FROM jobs WHERE job_id = :job"), {"job": job_id})


def update(assignment: str) -> None:
    with transaction() as session:
        session.execute(text(f"UPDATE jobs SET {assignment}"))


def count_once(session: Session, _job: RunningJob) -> JobResult:
    """Leave a row that can be counted."""
    session.execute(text("INSERT INTO workspace_settings (name, value) VALUES (gen_random_uuid()::text, '1')"))
    return JobResult("Counted.", {"private": 1})


def counted() -> int:
    with transaction() as session:
        return int(session.scalar(text("SELECT count(*) FROM workspace_settings")) or 0)


COUNT = JobType("count", in_one_transaction(count_once))


def fails(error: Exception) -> Callable[[RunningJob], JobResult]:
    def handler(_job: RunningJob) -> JobResult:
        raise error

    return handler


def test_a_job_runs_after_the_commit_that_enqueued_it_and_only_then() -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        queue.enqueue(session, "count", {})
        raise ZeroDivisionError
    assert run_due([COUNT], transaction) == 0
    job_id = add_job()
    assert run_due([COUNT], transaction) == 1
    assert run_due([COUNT], transaction) == 0
    assert (counted(), column("state", job_id), column("outcome", job_id)) == (1, "done", "Counted.")


def test_two_workers_run_each_job_once() -> None:
    for _ in range(30):
        add_job()
    threads = [Thread(target=run_due, args=([COUNT], transaction)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted() == 30


def test_a_worker_leaves_jobs_of_other_kinds_alone() -> None:
    add_job(kind="unknown")
    assert run_due([COUNT], transaction) == 0


def test_the_job_of_a_worker_that_disappeared_goes_on_once_its_lease_is_over() -> None:
    job_id = add_job()
    with transaction() as session:
        assert queue.claim(session, ["count"], uuid4())
    assert run_due([COUNT], transaction) == 0
    update("lease_until = now() - interval '1 second'")
    assert run_due([COUNT], transaction) == 1
    assert (counted(), column("attempts", job_id)) == (1, 2)


def test_a_worker_that_lost_its_lease_writes_nothing() -> None:
    """It was slow, not dead: another worker has done the job meanwhile."""
    job_id = add_job()
    with transaction() as session:
        claimed = queue.claim(session, ["count"], uuid4())
    assert claimed
    update("lease_until = now() - interval '1 second'")
    assert run_due([COUNT], transaction) == 1
    with pytest.raises(LeaseLost):
        COUNT.handler(RunningJob(claimed, transaction))
    assert (counted(), column("state", job_id)) == (1, "done")


def test_a_job_that_fails_waits_longer_each_time_and_ends_with_its_last_attempt() -> None:
    job_type = JobType("count", fails(RuntimeError("of cells: secret")), max_attempts=3)
    job_id = add_job()
    waits = []
    for _ in range(2):
        assert run_due([job_type], transaction) == 1
        waits.append(round(column("extract(epoch FROM run_at - started_at)", job_id)))
        update("run_at = now()")
    assert waits == [5, 10]
    assert run_due([job_type], transaction) == 1
    assert column("state", job_id) == "failed"
    assert column("outcome", job_id) == "Failed after 3 attempts (RuntimeError)."


def test_a_job_that_kills_its_workers_is_given_up() -> None:
    job_id = add_job()
    update("attempts = 5")
    assert run_due([COUNT], transaction) == 1
    assert (counted(), column("state", job_id)) == (0, "failed")


def test_a_refusal_is_not_tried_again_and_its_sentence_is_for_the_person_alone() -> None:
    job_id = add_job()
    run_due([JobType("count", fails(Invalid("“Acme” must be unique.")))], transaction)
    assert column("state", job_id) == "failed"
    assert "Acme" not in column("outcome", job_id)
    assert column("result", job_id) == {"message": "“Acme” must be unique."}


def test_a_waiting_job_is_cancelled_at_once() -> None:
    job_id = add_job()
    with transaction() as session:
        store_file(session, job_id, BytesIO(b"x"))
        request_cancel(session, job_id)
        assert session.scalar(text("SELECT count(*) FROM job_files")) == 0
    assert run_due([COUNT], transaction) == 0
    assert column("state", job_id) == "cancelled"


def test_a_running_job_is_cancelled_whole_up_to_its_last_statement() -> None:
    def cancel_late(session: Session, job: RunningJob) -> JobResult:
        result = count_once(session, job)
        with transaction() as another:
            request_cancel(another, job.claim.job_id)
        return result

    job_id = add_job()
    run_due([JobType("count", in_one_transaction(cancel_late))], transaction)
    assert (counted(), column("state", job_id)) == (0, "cancelled")


def test_progress_and_cancellation_travel_with_the_heartbeat() -> None:
    reached = Event()

    def wait(session: Session, job: RunningJob) -> JobResult:
        count_once(session, job)
        while True:
            job.progress(3, 10)
            reached.set()
            time.sleep(0.02)

    job_id = add_job()
    worker = Worker([JobType("count", in_one_transaction(wait), is_long=True)], transaction)
    worker.start()
    assert reached.wait(10)
    until(lambda: column("progress_done", job_id) == 3)
    with transaction() as session:
        request_cancel(session, job_id)
    until(lambda: column("state", job_id) == "cancelled")
    worker.stop()
    assert counted() == 0


def test_a_worker_that_stops_gives_its_job_back_and_the_attempt_does_not_count() -> None:
    reached = Event()

    def wait(_session: Session, job: RunningJob) -> JobResult:
        while True:
            job.progress(1, 2)
            reached.set()
            time.sleep(0.02)

    job_id = add_job()
    worker = Worker([JobType("count", in_one_transaction(wait))], transaction)
    worker.start()
    assert reached.wait(10)
    worker.stop()
    assert (column("state", job_id), column("attempts", job_id)) == ("waiting", 0)
    assert run_due([COUNT], transaction) == 1


def test_a_scheduled_job_has_one_row_however_many_workers_schedule_it() -> None:
    hourly = JobType("count", COUNT.handler, period=timedelta(hours=1))
    for _ in range(2):
        with transaction() as session:
            Worker([hourly], transaction).schedule(session)
    assert [run_due([hourly], transaction) for _ in range(2)] == [1, 0]
    assert counted() == 1
    with transaction() as session:
        row = session.execute(text("SELECT state, round(extract(epoch FROM run_at - now()) / 60) FROM jobs")).one()
    assert row == ("waiting", 60)


def test_a_scheduled_job_that_fails_is_tried_again_for_good() -> None:
    broken = JobType("count", fails(RuntimeError()), period=timedelta(hours=1))
    with transaction() as session:
        Worker([broken], transaction).schedule(session)
    for _ in range(8):
        assert run_due([broken], transaction) == 1
        update("run_at = now()")
    update("attempts = 0")
    assert run_due([JobType("count", COUNT.handler, period=timedelta(hours=1))], transaction) == 1


def test_a_scheduled_job_that_is_wanted_while_it_runs_runs_again() -> None:
    hourly = JobType("count", COUNT.handler, period=timedelta(hours=1))
    with transaction() as session:
        Worker([hourly], transaction).schedule(session)
    with transaction() as session:
        claimed = queue.claim(session, ["count"], uuid4())
    assert claimed
    with transaction() as session:
        queue.run_now(session, "count")
    COUNT.handler(RunningJob(claimed, transaction))
    assert [run_due([hourly], transaction) for _ in range(2)] == [1, 0]
    assert counted() == 2


def test_a_notification_wakes_the_worker(database: str) -> None:
    hourly = JobType("count", COUNT.handler, period=timedelta(hours=1))
    worker = Worker([hourly, JobType("long", COUNT.handler, is_long=True)], transaction, database)
    with transaction() as session:
        worker.schedule(session)
    worker.start()
    until(lambda: counted() == 1)
    time.sleep(1)
    began = time.monotonic()
    with transaction() as session:
        notify_job(session, "count")
    add_job(kind="long")
    until(lambda: counted() == 3)
    assert time.monotonic() - began < 4
    worker.stop()


def test_a_file_comes_back_as_it_was_and_goes_with_its_job() -> None:
    content = bytes(range(256)) * (PART_BYTES // 100)
    job_id = add_job()
    with transaction() as session:
        store_file(session, job_id, BytesIO(content))
    with transaction() as session, open_file(session, job_id) as file:
        assert file.read() == content
    run_due([COUNT], transaction)
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM job_files")) == 0


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)

"""What a kind of job is: its handler, how often it is tried, and how often it is due."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from core.jobs.running_job import JobResult, RunningJob

Handler = Callable[[RunningJob], JobResult]


@dataclass(frozen=True)
class JobType:
    """A kind of job. One with a `period` is scheduled; a long one never holds up the short ones.

    A handler may be called again after a crash. What it writes takes effect once if it writes in the transaction in
    which it calls `RunningJob.finish`, as `in_one_transaction` does.
    """

    kind: str
    handler: Handler
    max_attempts: int = 5
    period: timedelta | None = None
    is_long: bool = False


def in_one_transaction(command: Callable[[Session, RunningJob], JobResult]) -> Handler:
    """Return a handler whose writes and the end of its job are one commit."""

    def handler(job: RunningJob) -> JobResult:
        with job.open_transaction() as session:
            result = command(session, job)
            job.finish(session, result)
        return result

    return handler

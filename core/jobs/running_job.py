"""A job in the hands of its handler: progress, cancellation, and the end in the handler's own transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.actor import Actor
from core.base.errors import NotAllowed
from core.base.permissions import Role
from core.jobs import queue
from core.jobs.queue import ClaimedJob
from db.tables.sheets import User

OpenTransaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class JobResult:
    """How a job ended: a sentence without data of sheets, and details for the person who enqueued it."""

    outcome: str
    details: dict[str, Any] = field(default_factory=dict)


class JobInterrupted(Exception):
    """The handler must end now; its transaction is rolled back."""


class JobCancelled(JobInterrupted):
    """The job was cancelled."""


class LeaseLost(JobInterrupted):
    """The job belongs to another worker, or has ended."""


class WorkerStopping(JobInterrupted):
    """This process ends; another worker takes the job."""


@dataclass
class RunningJob:
    """One attempt at a job. `progress` is stored by the worker's next heartbeat."""

    claim: ClaimedJob
    open_transaction: OpenTransaction
    done: int = 0
    total: int = 0
    is_finished: bool = False
    interruption: type[JobInterrupted] | None = field(default=None, repr=False)

    @property
    def payload(self) -> dict[str, Any]:
        return self.claim.payload

    def progress(self, done: int, total: int) -> None:
        """Note how far the handler is. Raises JobInterrupted where it must not go on."""
        self.done, self.total = done, total
        if self.interruption:
            raise self.interruption

    def finish(self, session: Session, result: JobResult) -> None:
        """End the job in this transaction. Raises JobInterrupted where it is cancelled or belongs to another worker."""
        if not queue.finish(session, self.claim, "done", result.outcome, result.details):
            raise JobCancelled if queue.is_cancelled(session, self.claim) else LeaseLost
        self.is_finished = True

    def actor(self, session: Session) -> Actor:
        """Return the person who enqueued the job, as they are now. Raises NotAllowed if the account is not active."""
        user = session.scalar(select(User).where(User.user_id == self.claim.user_id, User.is_active))
        if user is None:
            raise NotAllowed("The account of the person who started this is not active.")
        return Actor(user.user_id, user.name, user.email, Role(user.role), address=self.payload.get("address"))

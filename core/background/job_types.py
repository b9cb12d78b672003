"""The kinds of jobs: imports, e-mails, the clean-up, the watch over the disk and the demo."""

import shutil
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from core.admin.cleanup import delete_expired
from core.audit import chain
from core.base.logs import get_log
from core.config.settings import settings
from core.demo.seed import DEMO_KIND, seed
from core.imports.import_job import IMPORT
from core.jobs.job_types import JobType, in_one_transaction
from core.jobs.running_job import JobResult, RunningJob
from core.mail.outbox import MAIL_KIND, send_due_mail
from core.mail.smtp import mail_transport
from core.notifications.email_templates import render_mail
from db import disk
from db.engine import make_engine

log = get_log("contrivance")


def job_types(owner_url: str) -> list[JobType]:
    """Every kind of job. The demo is written as the owner of the tables, who signs in at `owner_url`."""

    def make_demo(job: RunningJob) -> JobResult:
        owner = make_engine(owner_url, role=None, statement_timeout="0")
        try:
            seed(owner, today=datetime.now(UTC).date(), on_progress=job.progress)
        finally:
            owner.dispose()
        return JobResult("The demo is complete.")

    return [
        IMPORT,
        JobType(MAIL_KIND, _send_mail, period=timedelta(seconds=30)),
        JobType("cleanup", in_one_transaction(_clean_up), period=timedelta(hours=1)),
        JobType("disk", _watch_disk, period=timedelta(minutes=1)),
        JobType(DEMO_KIND, make_demo, max_attempts=3, is_long=True),
    ]


def _send_mail(job: RunningJob) -> JobResult:
    """Send what is due. Queueing an e-mail makes this job due; the period is for those that are tried again."""
    count = send_due_mail(job.open_transaction, render_mail, mail_transport())
    return JobResult(f"{count} e-mails tried." if count else "Nothing to send.")


def _clean_up(session: Session, _job: RunningJob) -> JobResult:
    """Delete what has expired, and write the head of the audit trail into the log, where it is a witness."""
    deleted = delete_expired(session)
    events, head = chain.head(session)
    if deleted:
        log.info("cleanup.done", **deleted)
    log.info("audit.head", events=events, head=head)
    return JobResult(f"{sum(deleted.values()):,} expired entries deleted.")


def _watch_disk(job: RunningJob) -> JobResult:
    """Warn in the log before the disk of the data folder is full, and say when there is room again."""
    usage = shutil.disk_usage(settings().data)
    was_nearly_full = bool((job.claim.last_details or {}).get("is_nearly_full"))
    is_nearly_full = disk.is_nearly_full(usage.total, usage.free)
    if is_nearly_full and not was_nearly_full:
        log.warning("disk.nearly_full", free=usage.free, size=usage.total)
    elif was_nearly_full and not is_nearly_full:
        log.info("disk.has_room", free=usage.free, size=usage.total)
    outcome = f"{usage.free // 10**9:,} of {usage.total // 10**9:,} GB free."
    return JobResult(outcome, {"is_nearly_full": is_nearly_full})

"""pg_notify messages to all processes when rights change. Sent on commit; they hold ids, never values."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

RIGHTS_CHANNEL = "rights_changes"
JOBS_CHANNEL = "jobs"


def notify_sheet_rights(session: Session, sheet_id: int) -> None:
    """Notify every process that rights to a sheet have changed, so that its live connections are re-checked."""
    session.execute(select(func.pg_notify(RIGHTS_CHANNEL, f"sheet:{sheet_id}")))


def notify_user_rights(session: Session, user_id: int) -> None:
    """Notify every process that a user's rights or sessions have changed, so that their connections are re-checked."""
    session.execute(select(func.pg_notify(RIGHTS_CHANNEL, f"user:{user_id}")))


def notify_job(session: Session, kind: str) -> None:
    """Have the scheduled job of this kind run as soon as this transaction has committed."""
    session.execute(select(func.pg_notify(JOBS_CHANNEL, kind)))

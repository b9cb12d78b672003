"""Notices: what every process must hear at once, sent as the transaction commits. They carry numbers, never values."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

RIGHTS_CHANNEL = "rights_changes"


def notice_sheet_rights(session: Session, sheet_id: int) -> None:
    """Who may use this sheet has changed: whoever has it open is looked at again."""
    session.execute(select(func.pg_notify(RIGHTS_CHANNEL, f"sheet:{sheet_id}")))


def notice_person_rights(session: Session, user_id: int) -> None:
    """What this person may do has changed, or a session of theirs has ended: their live connections are looked at."""
    session.execute(select(func.pg_notify(RIGHTS_CHANNEL, f"user:{user_id}")))

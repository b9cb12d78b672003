"""Deletes expired data. Rows, changes and the audit trail are kept forever."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.limits.known_devices import LIFETIME

BATCH_SIZE = 10_000
# How long an action can be undone and a repeated request is recognized. The history is kept forever.
UNDO_RETENTION = "90 days"
_EXPIRED = {
    "refresh_tokens": "expires_at < now()",
    "sessions": "least(ended_at, expires_at) < now() - interval '30 days'",
    "sign_in_tickets": "expires_at < now()",
    "sign_in_failures": "failed_at < now() - interval '1 day'",
    "known_devices": f"last_used_at < now() - interval '{LIFETIME}'",
    "account_links": "expires_at < now()",
    "provider_arrivals": "expires_at < now()",
    "api_tokens": "least(revoked_at, expires_at) < now() - interval '90 days'",
    "link_visits": "expires_at < now()",
    "public_links": "least(revoked_at, expires_at) < now() - interval '90 days'",
    "mails": "done_at < now() - interval '30 days'",
    "jobs": "finished_at < now() - interval '7 days' AND state IN ('done', 'failed', 'cancelled')",
    "operations": f"created_at < now() - interval '{UNDO_RETENTION}'",
}


def delete_expired(session: Session) -> dict[str, int]:
    """Delete up to BATCH_SIZE expired rows of each table; return the number of deleted rows by table."""
    counts = {table: _delete(session, table, condition) for table, condition in _EXPIRED.items()}
    return {table: count for table, count in counts.items() if count}


def _delete(session: Session, table: str, condition: str) -> int:
    expired = f"SELECT ctid FROM {table} WHERE {condition} LIMIT {BATCH_SIZE} FOR UPDATE SKIP LOCKED"  # noqa: S608 - ours
    deleted = session.execute(text(f"DELETE FROM {table} WHERE ctid = ANY (ARRAY({expired})) RETURNING 1"))  # noqa: S608 - ours
    return len(deleted.all())

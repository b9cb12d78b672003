"""Housekeeping: what nobody can use any more is deleted now and then. Rows, changes and the audit trail are kept."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.limits.known_devices import LIFETIME

MOST_AT_ONCE = 10_000
# An action can be taken back, and a repeated request is recognised, for so long; its history stays for good.
UNDO_REACH = "90 days"
_OVER = {
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
    "operations": f"created_at < now() - interval '{UNDO_REACH}'",
}


def keep_house(session: Session) -> dict[str, int]:
    """Delete what is over, the oldest kinds first, so many of each at once: how many went, by table."""
    gone = {table: _delete(session, table, condition) for table, condition in _OVER.items()}
    return {table: count for table, count in gone.items() if count}


def _delete(session: Session, table: str, condition: str) -> int:
    some = f"SELECT ctid FROM {table} WHERE {condition} LIMIT {MOST_AT_ONCE} FOR UPDATE SKIP LOCKED"  # noqa: S608 - ours
    deleted = session.execute(text(f"DELETE FROM {table} WHERE ctid = ANY (ARRAY({some})) RETURNING 1"))  # noqa: S608 - ours
    return len(deleted.all())

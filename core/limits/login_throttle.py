"""Login throttling: failed sign-ins per account and per address over a sliding window. Accounts are never locked.

Known clients (core.limits.known_devices) are counted separately, so that other people's guesses don't block them.
"""

from ipaddress import IPv6Address, ip_address

from sqlalchemy import text
from sqlalchemy.orm import Session

WINDOW = "15 minutes"
MAX_PER_ACCOUNT = 5
MAX_PER_ADDRESS = 30
MAX_PER_LINK = 50  # For all addresses together; a single address has MAX_PER_ACCOUNT.
THROTTLED_ACTION = "account:sign-in:throttle"


def record_attempt(
    session: Session, account: str, address: str, *, is_known: bool = False, max_failures: int = MAX_PER_ACCOUNT
) -> int | None:
    """Record an attempt as failed and return its number; return None if there were too many.

    `is_known`: `account` names a known client, to which the limit per address does not apply. `max_failures` is the
    limit for all addresses together; a single address never has more than MAX_PER_ACCOUNT. Attempts are recorded
    before the check and under a lock, so that parallel guesses can't pass the limit.
    """
    for name in sorted((f"account:{account}", f"address:{address}")):
        session.execute(_LOCK, {"name": name})
    failures = session.execute(_COUNT, {"account": account, "address": address}).one()
    if failures.by_account >= max_failures or failures.by_both >= MAX_PER_ACCOUNT:
        return None
    if failures.by_address >= MAX_PER_ADDRESS and not is_known:
        return None
    return int(session.execute(_INSERT, {"account": account, "address": address}).scalar_one())


def discard_attempt(session: Session, attempt: int) -> None:
    """Delete a successful attempt, and all attempts that are older than any window."""
    session.execute(_DELETE, {"attempt": attempt})


def clear_failures(session: Session, account: str) -> None:
    """Delete the failures of an account whose owner has just proved their identity."""
    session.execute(_CLEAR, {"account": account})


def is_first_throttle(session: Session, address: str, action: str = THROTTLED_ACTION) -> bool:
    """Return whether the audit trail has no event yet for throttling this address in the current window."""
    return not session.scalar(_WAS_RECORDED, {"address": address, "action": action})


def normalize_address(address: str | None) -> str:
    """Return IPv4-mapped addresses as IPv4, and IPv6 addresses by their /64 network, which usually has one owner."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "0.0.0.0"  # noqa: S104 - not a bind: stands for an unknown address.
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_COUNT = text(f"""
    SELECT count(*) FILTER (WHERE account = :account) AS by_account,
           count(*) FILTER (WHERE address = CAST(:address AS inet)) AS by_address,
           count(*) FILTER (WHERE account = :account AND address = CAST(:address AS inet)) AS by_both
    FROM sign_in_failures
    WHERE (account = :account OR address = CAST(:address AS inet)) AND failed_at > now() - interval '{WINDOW}'
""")  # noqa: S608 - WINDOW is a constant.
_INSERT = text("""
    INSERT INTO sign_in_failures (account, address) VALUES (:account, CAST(:address AS inet)) RETURNING failure_id
""")
_DELETE = text(f"""
    DELETE FROM sign_in_failures WHERE failure_id = :attempt OR failed_at < now() - 2 * interval '{WINDOW}'
""")  # noqa: S608 - WINDOW is a constant.
_CLEAR = text("DELETE FROM sign_in_failures WHERE account = :account OR starts_with(account, :account || ' ')")
_WAS_RECORDED = text(f"""
    SELECT EXISTS (
        SELECT FROM audit_events
        WHERE recorded_at > now() - interval '{WINDOW}' AND action = :action AND address = CAST(:address AS inet)
    )
""")  # noqa: S608 - WINDOW is a constant.

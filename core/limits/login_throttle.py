"""Throttling of sign-ins: failures per account and per address over a sliding window, never a lasting lock.

Whom we know (core.limits.known_devices) is counted apart from all others, so that others' guesses do not shut them out.
"""

from ipaddress import IPv6Address, ip_address

from sqlalchemy import text
from sqlalchemy.orm import Session

WINDOW = "15 minutes"
PER_ACCOUNT = 5
PER_ADDRESS = 30
PER_LINK = 50  # Of all newcomers together; one address has five of them.
THROTTLED = "account:sign-in:throttle"


def open_attempt(
    session: Session, account: str, address: str, *, is_known: bool = False, most: int = PER_ACCOUNT
) -> int | None:
    """Count an attempt as failed until it proves right; None where there were too many.

    `is_known`: the account names one browser or address that we know, and what others there do is not its fault.
    `most` is what all together may do; one address never has more than PER_ACCOUNT of it.
    Counting first, under a lock, means that parallel guesses cannot slip past the limit.
    """
    for name in sorted((f"account:{account}", f"address:{address}")):
        session.execute(_LOCK, {"name": name})
    counted = session.execute(_COUNT, {"account": account, "address": address}).one()
    if counted.by_account >= most or counted.by_both >= PER_ACCOUNT:
        return None
    if counted.by_address >= PER_ADDRESS and not is_known:
        return None
    return int(session.execute(_INSERT, {"account": account, "address": address}).scalar_one())


def close_attempt(session: Session, attempt: int) -> None:
    """The attempt was right: it does not count. Those that no window reaches any more go with it."""
    session.execute(_DELETE, {"attempt": attempt})


def forgive(session: Session, account: str) -> None:
    """Whoever has just proved that the account is theirs need not wait for earlier failures to pass."""
    session.execute(_FORGIVE, {"account": account})


def is_news(session: Session, address: str, action: str = THROTTLED) -> bool:
    """Whether the audit trail has not yet told in this window that the address was throttled; a flood tells it once."""
    return not session.scalar(_TOLD, {"address": address, "action": action})


def plain_address(address: str | None) -> str:
    """The address in one form: mapped IPv4 as IPv4, IPv6 by its /64 network, which one person owns whole."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "0.0.0.0"  # noqa: S104 - not a bind: all whom nobody can tell apart.
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
""")  # noqa: S608 - WINDOW is the constant above.
_INSERT = text("""
    INSERT INTO sign_in_failures (account, address) VALUES (:account, CAST(:address AS inet)) RETURNING failure_id
""")
_DELETE = text(f"""
    DELETE FROM sign_in_failures WHERE failure_id = :attempt OR failed_at < now() - 2 * interval '{WINDOW}'
""")  # noqa: S608 - the same.
_FORGIVE = text("DELETE FROM sign_in_failures WHERE account = :account OR starts_with(account, :account || ' ')")
_TOLD = text(f"""
    SELECT EXISTS (
        SELECT FROM audit_events
        WHERE recorded_at > now() - interval '{WINDOW}' AND action = :action AND address = CAST(:address AS inet)
    )
""")  # noqa: S608 - the same.

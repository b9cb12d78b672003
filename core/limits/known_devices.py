"""Browsers and addresses from which a user signed in before. Their failed sign-ins are counted separately."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.secret_tokens import hash_token, new_token

LIFETIME = "180 days"
MAX_DEVICES = 10  # Per account. Each of them can fail five times in 15 minutes.


def remember_device(session: Session, user_id: int, token: str) -> str:
    """Store that the user signed in with this browser; return the token for its cookie.

    `token` is the current value of the cookie. It is replaced unless this server issued it.
    """
    is_known = bool(token) and session.scalar(_IS_KNOWN, {"token": hash_token(token)})
    device_token = token if is_known else new_token()
    session.execute(_REMEMBER, {"token": hash_token(device_token), "user": user_id})
    session.execute(_DELETE_OLDEST, {"user": user_id, "limit": MAX_DEVICES})
    return device_token


def known_client(
    session: Session, account: str, address: str, *, device: str = "", session_id: UUID | None = None
) -> str | None:
    """Return the key under which failed sign-ins of a known client are counted; None for an unknown client.

    A client is known by its session, by the cookie of its browser, or by an address from which the account signed in.
    """
    if session_id is not None:
        return f"{account} in session {session_id}"
    row = session.execute(_KNOWN, {"token": hash_token(device), "account": account, "address": address}).one()
    if row.device_id is not None:
        return f"{account} on device {row.device_id}"
    return f"{account} from {address}" if row.is_known_address else None


_IS_KNOWN = text(f"""
    SELECT EXISTS (SELECT FROM known_devices WHERE token_hash = :token AND last_used_at > now() - interval '{LIFETIME}')
""")  # noqa: S608 - LIFETIME is a constant.
_REMEMBER = text("""
    INSERT INTO known_devices (user_id, token_hash) VALUES (:user, :token)
    ON CONFLICT (token_hash, user_id) DO UPDATE SET last_used_at = now()
""")
_DELETE_OLDEST = text("""
    DELETE FROM known_devices WHERE device_id IN (
        SELECT device_id FROM known_devices WHERE user_id = :user
        ORDER BY last_used_at DESC, device_id DESC OFFSET :limit
    )
""")
# 0.0.0.0 stands for an unknown address, which never makes a client known.
_KNOWN = text(f"""
    SELECT (SELECT d.device_id FROM known_devices d
            WHERE d.user_id = u.user_id AND d.token_hash = :token AND d.last_used_at > now() - interval '{LIFETIME}'
           ) AS device_id,
           CAST(:address AS inet) <> '0.0.0.0' AND EXISTS (
               SELECT FROM sessions s WHERE s.user_id = u.user_id AND s.address = CAST(:address AS inet)
           ) AS is_known_address
    FROM (SELECT max(user_id) AS user_id FROM users WHERE email = :account) u
""")  # noqa: S608 - LIFETIME is a constant.

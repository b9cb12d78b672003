"""Known devices: where an account signed in before. They open nothing; guesses elsewhere do not shut them out."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base.secret_tokens import hash_token, new_token

LIFE = "180 days"
MOST = 10  # Of one account. Each has five wrong passwords in a quarter of an hour.


def remember_device(session: Session, user_id: int, token: str) -> str:
    """This browser has signed in: the token for its cookie. `token` is what it has; only one of ours is kept."""
    is_ours = bool(token) and session.scalar(_IS_OURS, {"token": hash_token(token)})
    kept = token if is_ours else new_token()
    session.execute(_REMEMBER, {"token": hash_token(kept), "user": user_id})
    session.execute(_FORGET_OLDEST, {"user": user_id, "most": MOST})
    return kept


def known_place(
    session: Session, account: str, address: str, *, device: str = "", session_id: UUID | None = None
) -> str | None:
    """What wrong passwords of this account are counted for, where we know who asks; None for everybody else.

    In a session that its person opened, in a browser by its cookie, else by an address where the account signed in.
    """
    if session_id is not None:
        return f"{account} in session {session_id}"
    asked = {"token": hash_token(device), "account": account, "address": address}
    found = session.execute(_KNOWN, asked).one()
    if found.device_id is not None:
        return f"{account} on device {found.device_id}"
    return f"{account} from {address}" if found.is_known_address else None


_IS_OURS = text(f"""
    SELECT EXISTS (SELECT FROM known_devices WHERE token_hash = :token AND last_used_at > now() - interval '{LIFE}')
""")  # noqa: S608 - the constant above.
_REMEMBER = text("""
    INSERT INTO known_devices (user_id, token_hash) VALUES (:user, :token)
    ON CONFLICT (token_hash, user_id) DO UPDATE SET last_used_at = now()
""")
_FORGET_OLDEST = text("""
    DELETE FROM known_devices WHERE device_id IN (
        SELECT device_id FROM known_devices WHERE user_id = :user
        ORDER BY last_used_at DESC, device_id DESC OFFSET :most
    )
""")
# An address that nobody can tell from others (0.0.0.0) is no place.
_KNOWN = text(f"""
    SELECT (SELECT d.device_id FROM known_devices d
            WHERE d.user_id = u.user_id AND d.token_hash = :token AND d.last_used_at > now() - interval '{LIFE}'
           ) AS device_id,
           CAST(:address AS inet) <> '0.0.0.0' AND EXISTS (
               SELECT FROM sessions s WHERE s.user_id = u.user_id AND s.address = CAST(:address AS inet)
           ) AS is_known_address
    FROM (SELECT max(user_id) AS user_id FROM users WHERE email = :account) u
""")  # noqa: S608 - the same.

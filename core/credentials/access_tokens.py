"""API tokens of sessions: short-lived JWT access tokens, and rotating refresh tokens with reuse detection."""

import base64
import hmac
import time
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid4

import jwt
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor
from core.base.pg_notify import notify_user_rights
from core.base.secret_tokens import hash_token, new_token
from core.credentials.sessions import MAX_AGENT_LENGTH, actor_of_session, start_session
from core.limits.login_throttle import normalize_address

ACCESS_SECONDS = 600
REFRESH_LIFETIME = "30 days"
REUSE_GRACE = "10 seconds"  # The client may repeat a refresh for so long, as two tabs at once do.
ISSUER, AUDIENCE, ALGORITHM = "contrivance", "contrivance-api", "HS256"
VERIFIED_CACHE_SIZE = 4096
CLAIMS = ["iss", "aud", "sub", "exp", "iat", "jti", "sid", "typ"]


@dataclass(frozen=True)
class TokenPair:
    """The tokens issued for a password or a refresh token. expires_in is in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int = ACCESS_SECONDS
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme.


def grant_tokens(session: Session, user_id: int, *, key: str, address: str | None, user_agent: str) -> TokenPair:
    """Start an API session for a user with a verified password."""
    session_id, _ = start_session(session, user_id, kind="api", address=address, user_agent=user_agent)
    audit.record(session, actor_of_session(session, session_id, address=address), "account:session:start", kind="api")
    refresh = new_token()
    session.execute(_KEEP, {"token": hash_token(refresh), "id": session_id})
    return _token_pair(session_id, user_id, refresh, key)


def refresh_tokens(
    session: Session, refresh_token: str, *, key: str, address: str | None, user_agent: str
) -> TokenPair | None:
    """Return the next token pair for a refresh token; None if it is unknown or expired.

    A token that was used before has been stolen: the session ends. But a client that repeats its refresh within
    REUSE_GRACE gets the successor that was issued before, so that only one token is valid at any time.
    """
    client = {"address": normalize_address(address), "agent": user_agent[:MAX_AGENT_LENGTH]}
    token, is_repeated = refresh_token, False
    while True:
        row = session.execute(_TAKE, client | {"token": hash_token(token)}).mappings().one_or_none()
        if row is None:
            return None
        if not row["is_used"]:
            break
        if not row["is_repeated"]:
            _end(session, row["user_id"], row["session_id"])
            audit.record(session, None, "account:session:reuse", user=row["user_id"], ended=str(row["session_id"]))
            return None
        token, is_repeated = _successor(token, key), True
    actor = actor_of_session(session, row["session_id"], mark_seen=True)
    if actor is None or row["is_late"]:
        return None
    if not is_repeated:
        session.execute(_USED, client | {"token": hash_token(token)})
        token = _successor(token, key)
        session.execute(_KEEP, {"token": hash_token(token), "id": row["session_id"]})
    return _token_pair(row["session_id"], actor.user_id, token, key)


def _successor(token: str, key: str) -> str:
    """Return the refresh token that follows this one. It is derived with the server's key, since only its hash is
    stored and a client may repeat its refresh."""
    digest = hmac.digest(key.encode(), f"after {token}".encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def session_of_access_token(token: str, *, key: str) -> UUID | None:
    """Return the session of an access token; None if the token is invalid."""
    try:
        session_id, expires_at = _verified_claims(token, key)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return session_id if expires_at > time.time() else None


@lru_cache(VERIFIED_CACHE_SIZE)
def _verified_claims(token: str, key: str) -> tuple[UUID, int]:
    """Return session and expiry of a valid token; raises for others. Cached: verifying took a tenth of an edit's time,
    and a program sends a token for ten minutes."""
    claims = jwt.decode(
        token, key, algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE, options={"require": CLAIMS}
    )
    if claims["typ"] != "access":
        raise jwt.InvalidTokenError
    return UUID(claims["sid"]), int(claims["exp"])


def end_api_session(session: Session, actor: Actor) -> None:
    """End the API session: its access and refresh tokens stop working."""
    _end(session, actor.user_id, actor.session_id)
    audit.record(session, actor, "account:session:end", ended=str(actor.session_id))


def _end(session: Session, user_id: int, session_id: UUID | None) -> None:
    session.execute(_ENDED, {"id": session_id})
    notify_user_rights(session, user_id)


def _token_pair(session_id: UUID, user_id: int, refresh: str, key: str) -> TokenPair:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "iat": now,
        "exp": now + ACCESS_SECONDS,
        "jti": str(uuid4()),
        "sid": str(session_id),
        "typ": "access",
    }
    return TokenPair(jwt.encode(claims, key, algorithm=ALGORITHM), refresh)


_KEEP = text(f"""
    INSERT INTO refresh_tokens (token_hash, session_id, expires_at)
    VALUES (:token, :id, now() + interval '{REFRESH_LIFETIME}')
""")  # noqa: S608 - the constant above.
_TAKE = text(f"""
    SELECT r.session_id, s.user_id, r.used_at IS NOT NULL AS is_used, r.expires_at <= now() AS is_late,
           r.used_at > now() - interval '{REUSE_GRACE}' AND r.used_address = CAST(:address AS inet)
           AND r.used_agent = :agent AS is_repeated
    FROM refresh_tokens r JOIN sessions s ON s.session_id = r.session_id
    WHERE r.token_hash = :token FOR UPDATE OF r
""")  # noqa: S608 - the constant above.
_USED = text("""
    UPDATE refresh_tokens SET used_at = now(), used_address = CAST(:address AS inet), used_agent = :agent
    WHERE token_hash = :token
""")
_ENDED = text("UPDATE sessions SET ended_at = coalesce(ended_at, now()) WHERE session_id = :id")

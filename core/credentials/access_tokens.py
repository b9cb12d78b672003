"""Tokens of the API: a short access token (JWT), and refresh tokens that change at every use and betray a thief."""

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
from core.base.notify import notify_user_rights
from core.base.secret_tokens import hash_token, new_token
from core.credentials.sessions import LONGEST_AGENT, actor_of_session, start_session
from core.limits.login_throttle import normalize_address

ACCESS_SECONDS = 600
REFRESH_LIFE = "30 days"
GRACE = "10 seconds"  # For so long the client that used a refresh token may send it again, as two tabs at once do.
ISSUER, AUDIENCE, ALGORITHM = "contrivance", "contrivance-api", "HS256"
MOST_VERIFIED = 4096
CLAIMS = ["iss", "aud", "sub", "exp", "iat", "jti", "sid", "typ"]


@dataclass(frozen=True)
class TokenPair:
    """What a program gets for its password or its refresh token; expires_in in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int = ACCESS_SECONDS
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme.


def grant_tokens(session: Session, user_id: int, *, key: str, address: str | None, user_agent: str) -> TokenPair:
    """Start an API session for a person whose password was right."""
    session_id, _ = start_session(session, user_id, kind="api", address=address, user_agent=user_agent)
    audit.record(session, actor_of_session(session, session_id, address=address), "account:session:start", kind="api")
    refresh = new_token()
    session.execute(_KEEP, {"token": hash_token(refresh), "id": session_id})
    return _pair(session_id, user_id, refresh, key)


def refresh_tokens(
    session: Session, refresh_token: str, *, key: str, address: str | None, user_agent: str
) -> TokenPair | None:
    """The next pair for a refresh token; None for one that is unknown or late.

    A token that was used before is in two hands: the whole session ends, whoever asks. But the client that used it a
    moment ago gets the same successor again, and there is never more than one token that works.
    """
    client = {"address": normalize_address(address), "agent": user_agent[:LONGEST_AGENT]}
    token, is_repeated = refresh_token, False
    while True:
        found = session.execute(_TAKE, client | {"token": hash_token(token)}).mappings().one_or_none()
        if found is None:
            return None
        if not found["is_used"]:
            break
        if not found["is_repeated"]:
            _end(session, found["user_id"], found["session_id"])
            audit.record(session, None, "account:session:reuse", user=found["user_id"], ended=str(found["session_id"]))
            return None
        token, is_repeated = _successor(token, key), True
    actor = actor_of_session(session, found["session_id"], seen=True)
    if actor is None or found["is_late"]:
        return None
    if not is_repeated:
        session.execute(_USED, client | {"token": hash_token(token)})
        token = _successor(token, key)
        session.execute(_KEEP, {"token": hash_token(token), "id": found["session_id"]})
    return _pair(found["session_id"], actor.user_id, token, key)


def _successor(token: str, key: str) -> str:
    """The refresh token after this one: told again to who repeats themselves, though only its hash is stored. Nobody
    knows it who has not the server's key."""
    digest = hmac.digest(key.encode(), f"after {token}".encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def session_of_access_token(token: str, *, key: str) -> UUID | None:
    """The session that an access token speaks for; None where anything about the token is wrong."""
    try:
        session_id, ends = _spoken_for(token, key)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return session_id if ends > time.time() else None


@lru_cache(MOST_VERIFIED)
def _spoken_for(token: str, key: str) -> tuple[UUID, int]:
    """The session and the end of a token that is right; raises for any other. What is right stays so until its end, and
    a program brings the same token for ten minutes: a tenth of an edit's time was looking at it again."""
    claims = jwt.decode(
        token, key, algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE, options={"require": CLAIMS}
    )
    if claims["typ"] != "access":
        raise jwt.InvalidTokenError
    return UUID(claims["sid"]), int(claims["exp"])


def end_api_session(session: Session, actor: Actor) -> None:
    """Sign the program out: its access and refresh tokens stop working."""
    _end(session, actor.user_id, actor.session_id)
    audit.record(session, actor, "account:session:end", ended=str(actor.session_id))


def _end(session: Session, user_id: int, session_id: UUID | None) -> None:
    session.execute(_ENDED, {"id": session_id})
    notify_user_rights(session, user_id)


def _pair(session_id: UUID, user_id: int, refresh: str, key: str) -> TokenPair:
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
    VALUES (:token, :id, now() + interval '{REFRESH_LIFE}')
""")  # noqa: S608 - the constant above.
_TAKE = text(f"""
    SELECT r.session_id, s.user_id, r.used_at IS NOT NULL AS is_used, r.expires_at <= now() AS is_late,
           r.used_at > now() - interval '{GRACE}' AND r.used_address = CAST(:address AS inet)
           AND r.used_agent = :agent AS is_repeated
    FROM refresh_tokens r JOIN sessions s ON s.session_id = r.session_id
    WHERE r.token_hash = :token FOR UPDATE OF r
""")  # noqa: S608 - the constant above.
_USED = text("""
    UPDATE refresh_tokens SET used_at = now(), used_address = CAST(:address AS inet), used_agent = :agent
    WHERE token_hash = :token
""")
_ENDED = text("UPDATE sessions SET ended_at = coalesce(ended_at, now()) WHERE session_id = :id")

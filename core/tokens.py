"""Tokens of the API: a short access token (JWT), and refresh tokens that change at every use and betray a thief."""

import time
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid4

import jwt
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import audit
from core.actor import Actor
from core.notices import notice_person_rights
from core.secret_tokens import hashed, new_token
from core.sessions import actor_of_session, start_session

ACCESS_SECONDS = 600
REFRESH_LIFE = "30 days"
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
    return _pair(session, session_id, user_id, key)


def refresh_tokens(session: Session, refresh_token: str, *, key: str) -> TokenPair | None:
    """The next pair for a refresh token; None for one that is unknown or late.

    A token that was used before is in two hands: the whole session ends, whoever asks.
    """
    found = session.execute(_TAKE, {"token": hashed(refresh_token)}).mappings().one_or_none()
    if found is None:
        return None
    if found["used_at"] is not None:
        _end(session, found["user_id"], found["session_id"])
        audit.record(session, None, "account:session:reuse", user=found["user_id"], ended=str(found["session_id"]))
        return None
    actor = actor_of_session(session, found["session_id"], seen=True)
    if actor is None or found["is_late"]:
        return None
    session.execute(_USED, {"token": hashed(refresh_token)})
    return _pair(session, found["session_id"], actor.user_id, key)


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
    notice_person_rights(session, user_id)


def _pair(session: Session, session_id: UUID, user_id: int, key: str) -> TokenPair:
    refresh = new_token()
    session.execute(_KEEP, {"token": hashed(refresh), "id": session_id})
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
_TAKE = text("""
    SELECT r.session_id, s.user_id, r.used_at, r.expires_at <= now() AS is_late
    FROM refresh_tokens r JOIN sessions s ON s.session_id = r.session_id
    WHERE r.token_hash = :token FOR UPDATE OF r
""")
_USED = text("UPDATE refresh_tokens SET used_at = now() WHERE token_hash = :token")
_ENDED = text("UPDATE sessions SET ended_at = coalesce(ended_at, now()) WHERE session_id = :id")

"""Personal API tokens, with a scope and an expiry. They can be revoked at any time."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.accounts.accounts import clean_name
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Role, Scope
from core.base.pg_notify import notify_user_rights
from core.base.secret_tokens import hash_token, new_token
from core.credentials.sessions import actor_of_session
from core.limits.login_throttle import normalize_address
from core.mail.outbox import queue_mail
from db.engine import AFTER_TRANSACTION, Busy, transaction

PREFIX = "ctv_"
MAX_TOKENS = 50
MAX_DAYS = 366
HINT_LENGTH = 8  # Characters of a token that are shown later to recognize it.
READ_ONLY = "This token is read-only. Create one with the scope “Read and write” on your profile page."


@dataclass(frozen=True)
class TokenInfo:
    """A live token, as its user sees it in the list. The token itself is not stored."""

    token_id: int
    name: str
    hint: str
    scope: Scope
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


def create_token(session: Session, actor: Actor, *, name: str, scope: Scope, days: int) -> str:
    """Create a token of the acting user for so many days and return it. Only its hash is stored."""
    if scope is Scope.ADMIN and actor.role is not Role.ADMIN:
        raise NotAllowed("Only administrators can create tokens with the scope to administer.")
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"A token is valid for 1 to {MAX_DAYS} days.")
    if len(my_tokens(session, actor)) >= MAX_TOKENS:
        raise Invalid(f"You have {MAX_TOKENS} tokens. Revoke one that you don't need.")
    _require_active_session(session, actor)
    token, cleaned_name = PREFIX + new_token(), clean_name(name)
    values = {
        "user": actor.user_id,
        "name": cleaned_name,
        "hint": token[:HINT_LENGTH],
        "token": hash_token(token),
        "scope": scope.value,
    }
    session.execute(_MAKE, values | {"days": days})
    audit.record(session, actor, "account:token:create", name=cleaned_name, scope=scope.value, days=days)
    queue_mail(session, "notice", actor.email, what="token", name=cleaned_name)
    return token


def _require_active_session(session: Session, actor: Actor) -> None:
    """Lock the user against a concurrent revocation, which then also revokes the new token. Raises NotAllowed."""
    is_active = session.scalar(_HOLD, {"user": actor.user_id})
    if not is_active or (actor.session_id and actor_of_session(session, actor.session_id) is None):
        raise NotAllowed("Your session has ended. Sign in again.")


def my_tokens(session: Session, actor: Actor) -> list[TokenInfo]:
    """Return the acting user's live tokens, newest first."""
    rows = session.execute(_MINE, {"user": actor.user_id}).mappings()
    return [TokenInfo(**{**row, "scope": Scope(row["scope"])}) for row in rows]


def revoke_token(session: Session, actor: Actor, token_id: int) -> None:
    """Revoke one of the acting user's tokens. Raises NotFound."""
    name = session.scalar(_REVOKE, {"token": token_id, "user": actor.user_id})
    if name is None:
        raise NotFound("This token has already expired or been revoked.")
    notify_user_rights(session, actor.user_id)
    audit.record(session, actor, "account:token:revoke", name=name)


def is_token(bearer: str) -> bool:
    """Return whether this is a personal token and not an access token of a session."""
    return bearer.startswith(PREFIX)


def actor_of_token(session: Session, token: str, *, address: str | None, only_reads: bool) -> Actor | None:
    """Return the actor of a token, None if it is invalid. Raises NotAllowed if a read-only token might write.

    With a token that lacks the scope to administer, an administrator acts as a member.
    """
    row = session.execute(_ACTOR, {"token": hash_token(token)}).mappings().one_or_none()
    if row is None:
        return None
    if row["scope"] == Scope.READ and not only_reads:
        raise NotAllowed(READ_ONLY)
    if row["is_stale"]:
        session.info.get(AFTER_TRANSACTION, []).append(partial(_mark_used, row["token_id"]))
    return _actor_from_row(row, address)


def _actor_from_row(row: Any, address: str | None) -> Actor:
    role = Role(row["role"])
    return Actor(
        user_id=row["user_id"],
        name=row["name"],
        email=row["email"],
        role=Role.MEMBER if role is Role.ADMIN and row["scope"] != Scope.ADMIN else role,
        address=normalize_address(address) if address else None,
        token_id=row["token_id"],
    )


def _mark_used(token_id: int) -> None:
    """Update last_used_at after the request's transaction, without waiting for a lock. Errors are ignored."""
    with suppress(SQLAlchemyError, Busy), transaction() as session:
        session.execute(_USED, {"token": token_id})


LIVE = "t.revoked_at IS NULL AND t.expires_at > now()"
_STALE = "(t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute')"
_HOLD = text("SELECT is_active FROM users WHERE user_id = :user FOR SHARE")
_MAKE = text("""
    INSERT INTO api_tokens (user_id, name, hint, token_hash, scope, expires_at)
    VALUES (:user, :name, :hint, :token, :scope, now() + make_interval(days => :days))
""")
_MINE = text(f"""
    SELECT t.token_id, t.name, t.hint, t.scope, t.created_at, t.expires_at, t.last_used_at
    FROM api_tokens t WHERE t.user_id = :user AND {LIVE} ORDER BY t.created_at DESC, t.token_id DESC
""")  # noqa: S608 - constants of this module.
_REVOKE = text(f"""
    UPDATE api_tokens t SET revoked_at = now() WHERE t.token_id = :token AND t.user_id = :user AND {LIVE}
    RETURNING t.name
""")  # noqa: S608 - the same.
_ACTOR = text(f"""
    SELECT t.token_id, t.scope, {_STALE} AS is_stale, u.user_id, u.name, u.email, u.role
    FROM api_tokens t JOIN users u ON u.user_id = t.user_id AND u.is_active
    WHERE t.token_hash = :token AND {LIVE}
""")  # noqa: S608 - the same.
_USED = text(f"""
    UPDATE api_tokens SET last_used_at = now() WHERE token_id = (
        SELECT t.token_id FROM api_tokens t WHERE t.token_id = :token AND {_STALE} FOR NO KEY UPDATE SKIP LOCKED
    )
""")  # noqa: S608 - the same.

"""Personal API tokens: what a person gives to a program of theirs, with a scope and an end, revoked at any time."""

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
from core.base.notify import notify_user_rights
from core.base.permissions import Role, Scope
from core.base.secret_tokens import hash_token, new_token
from core.credentials.sessions import actor_of_session
from core.limits.login_throttle import normalize_address
from core.mail.outbox import queue_mail
from db.engine import AT_END, Busy, transaction

PREFIX = "ctv_"
MOST_TOKENS = 50
MOST_DAYS = 366
HINT = 8  # Characters that are shown of a token later: enough to tell it from others, too few to guess it.
READ_ONLY = "This token may only read. Make one that may write on your profile page."


@dataclass(frozen=True)
class TokenInfo:
    """A live token, as its person sees it in the list. The token itself is never seen again."""

    token_id: int
    name: str
    hint: str
    scope: Scope
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


def make_token(session: Session, actor: Actor, *, name: str, scope: Scope, days: int) -> str:
    """A token of mine for so many days: told this once, stored as a hash."""
    if scope is Scope.ADMIN and actor.role is not Role.ADMIN:
        raise NotAllowed("Only administrators have tokens that may administer.")
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"A token lives from one day to {MOST_DAYS} days.")
    if len(my_tokens(session, actor)) >= MOST_TOKENS:
        raise Invalid(f"You have {MOST_TOKENS} tokens. Revoke one that you do not need.")
    _still_here(session, actor)
    token, named = PREFIX + new_token(), clean_name(name)
    given = {
        "user": actor.user_id,
        "name": named,
        "hint": token[:HINT],
        "token": hash_token(token),
        "scope": scope.value,
    }
    session.execute(_MAKE, given | {"days": days})
    audit.record(session, actor, "account:token:create", name=named, scope=scope.value, days=days)
    queue_mail(session, "notice", actor.email, what="token", name=named)
    return token


def _still_here(session: Session, actor: Actor) -> None:
    """Whoever ends this person's credentials at this moment comes first or later, and then ends the new token, too."""
    is_active = session.scalar(_HOLD, {"user": actor.user_id})
    if not is_active or (actor.session_id and actor_of_session(session, actor.session_id) is None):
        raise NotAllowed("Your session has ended. Sign in again.")


def my_tokens(session: Session, actor: Actor) -> list[TokenInfo]:
    """My live tokens, the newest first."""
    rows = session.execute(_MINE, {"user": actor.user_id}).mappings()
    return [TokenInfo(**{**found, "scope": Scope(found["scope"])}) for found in rows]


def revoke_token(session: Session, actor: Actor, token_id: int) -> None:
    """End one of my tokens at once."""
    name = session.scalar(_REVOKE, {"token": token_id, "user": actor.user_id})
    if name is None:
        raise NotFound("This token has ended already.")
    notify_user_rights(session, actor.user_id)
    audit.record(session, actor, "account:token:revoke", name=name)


def is_token(bearer: str) -> bool:
    """Whether this is meant to be a personal token; an access token of a session never looks like one."""
    return bearer.startswith(PREFIX)


def actor_of_token(session: Session, token: str, *, address: str | None, only_reads: bool) -> Actor | None:
    """Who acts with a token, None where it is worth nothing. NotAllowed where it may only read and this might write.

    Without the scope to administer an administrator acts as a member: whatever asks for the role asks this one.
    """
    found = session.execute(_ACTOR, {"token": hash_token(token)}).mappings().one_or_none()
    if found is None:
        return None
    if found["scope"] == Scope.READ and not only_reads:
        raise NotAllowed(READ_ONLY)
    if found["is_stale"]:
        session.info.get(AT_END, []).append(partial(_note_use, found["token_id"]))
    return _acting(found, address)


def _acting(found: Any, address: str | None) -> Actor:
    role = Role(found["role"])
    return Actor(
        user_id=found["user_id"],
        name=found["name"],
        email=found["email"],
        role=Role.MEMBER if role is Role.ADMIN and found["scope"] != Scope.ADMIN else role,
        address=normalize_address(address) if address else None,
        token_id=found["token_id"],
    )


def _note_use(token_id: int) -> None:
    """Note that a token was used, after the request's own transaction; nobody waits, and nothing fails for it."""
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

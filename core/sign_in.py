"""Signing in with e-mail and password: the same for pages and API, the same answer and cost whoever asks."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.accounts import clean_email
from core.errors import Invalid
from core.passwords import is_right
from core.throttle import close_attempt, open_attempt, plain_address
from db.tables import User

NEUTRAL = "The e-mail or the password is not right, or there were too many attempts. Try again in a few minutes."
Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class Known:
    """What the check needs of an account."""

    user_id: int
    password_hash: str | None


def sign_in(transaction: Transaction, email: str, password: str, *, address: str | None) -> int | None:
    """The id of the person whose e-mail and password these are, else None (say NEUTRAL, whatever the reason).

    Three steps in the caller's transactions, so that a failure stays counted and no connection waits for the hash.
    """
    account, where = _account(email), plain_address(address)
    with transaction() as session:
        attempt = open_attempt(session, account, where)
        known = _known(session, account)
        if attempt is None:
            audit.record(session, None, "account:sign-in:throttle", account=account, address=where)
            return None
    if not is_right(password, known.password_hash if known else None) or known is None:
        with transaction() as session:
            audit.record(session, None, "account:sign-in:fail", account=account, address=where)
        return None
    with transaction() as session:
        close_attempt(session, attempt)
    return known.user_id


def _known(session: Session, account: str) -> Known | None:
    found = session.execute(
        select(User.user_id, User.password_hash).where(User.email == account, User.is_active)
    ).one_or_none()
    return Known(*found) if found else None


def _account(email: str) -> str:
    """The address that attempts are counted for; what cannot be one shares one count."""
    try:
        return clean_email(email)
    except Invalid:
        return "(no e-mail address)"

"""Signing in with e-mail and password: the same for pages and API, the same answer and cost whoever asks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.base.text import clean_email
from core.credentials.login_tickets import end_pending, person_of_pending
from core.credentials.passwords import checked_password, hash_password, in_one_form, is_right
from core.credentials.revocation import end_credentials_of
from core.limits.known_devices import known_client
from core.limits.login_throttle import (
    THROTTLED_ACTION,
    discard_attempt,
    is_first_throttle,
    normalize_address,
    record_attempt,
)
from core.mail.outbox import Transaction, queue_mail
from core.sign_in.oidc_identities import has_password
from core.sign_in.second_factor import (
    begin_second_factor,
    drop_second_factor,
    is_second_factor,
    needs_code,
    new_recovery_codes,
)
from db.tables.sheets import User

NEUTRAL = "E-mail or password is not right. Check both and try again; after several failures, wait a few minutes."
WRONG_CODE = "This code is not right. Wait for the next one and try again; after several failures, wait a few minutes."
TOO_LATE = "This sign-in has run out. Begin again with your password."
NOT_CURRENT = "The current password is not right. Try again; after several failures, wait a few minutes."
NO_PASSWORD = "You have no password to be asked for: a provider signs you in. Choose one first, on your profile."  # noqa: S105 no secret
T = TypeVar("T")
Grant = Callable[[Session, int], T]


@dataclass(frozen=True)
class Attempt:
    """An attempt that is counted as failed until it proves right, and what it is measured against."""

    number: int
    address: str
    user_id: int | None
    password_hash: str | None


def sign_in(
    transaction: Transaction,
    email: str,
    password: str,
    *,
    address: str | None,
    grant: Grant[T],
    without_code: Grant[T],
    code: str = "",
    device: str = "",
    session_id: UUID | None = None,
) -> T | None:
    """What `grant` makes for the person whose e-mail and password these are, else None (say NEUTRAL, whatever it was).

    `device` is the browser's cookie of an earlier sign-in, `session_id` the session of who is signed in: guesses that
    others make do not count for them.
    Where the person has a second factor and no code came along, the right password gets what `without_code` makes.
    Three steps in the caller's transactions, so that a failure stays counted and no connection waits for the hash.
    """
    account, where = _account(email), normalize_address(address)
    with transaction() as session:
        attempt = _open(session, account, where, device=device, session_id=session_id)
    if attempt is None:
        return None
    if not is_right(password, attempt.password_hash):
        with transaction() as session:
            audit.record(session, None, "account:sign-in:fail", address=where, account=account)
        return None
    with transaction() as session:
        return _granted(session, attempt, code, grant, without_code)


def sign_in_with_code(
    transaction: Transaction,
    pending: str,
    code: str,
    *,
    nonce: str,
    address: str | None,
    grant: Grant[T],
    device: str = "",
) -> T | None:
    """The second step on a page: what `grant` makes for the code that was missing, else None (say WRONG_CODE).

    `pending` is what the right password got in the same browser, a few minutes ago at most. Raises NotFound.
    """
    with transaction() as session:
        account = person_of_pending(session, pending, nonce=nonce)
        if account is None:
            raise NotFound(TOO_LATE)
        attempt = _open(session, account, normalize_address(address), device=device)
    if attempt is None:
        return None

    def finish(session: Session, user_id: int) -> T:
        end_pending(session, pending)
        return grant(session, user_id)

    with transaction() as session:
        return _granted(session, attempt, code or "-", finish, finish)


def change_password(transaction: Transaction, actor: Actor, *, current: str, new: str) -> None:
    """Change my own password. Every session of mine ends, this one too: sign in again with the new one.

    The current one is checked like a sign-in: who sits at my open browser cannot try passwords without end.
    """
    if checked_password(new) == in_one_form(current):
        raise Invalid("The new password is the old one. Choose another.")
    change = partial(_set_password, actor=actor, password=new)
    with_password(transaction, actor, current, change)


def set_up_second_factor(transaction: Transaction, actor: Actor, *, password: str) -> None:
    """Make a fresh secret for my app. The password is checked like a sign-in: an app of whoever sits here would lock
    me out."""

    def begin(session: Session, user_id: int) -> bool:
        begin_second_factor(session, user_id)
        return True

    with_password(transaction, actor, password, begin)


def switch_off_second_factor(transaction: Transaction, actor: Actor, *, password: str) -> None:
    """Sign in without a code again. The password is checked like a sign-in."""

    def switch_off(session: Session, user_id: int) -> bool:
        drop_second_factor(session, user_id)
        audit.record(session, actor, "account:second-factor:off")
        queue_mail(session, "notice", actor.email, what="second factor off")
        return True

    with_password(transaction, actor, password, switch_off)


def renew_recovery_codes(transaction: Transaction, actor: Actor, *, password: str) -> list[str]:
    """New recovery codes; the old ones end. The password is checked like a sign-in."""

    def renew(session: Session, user_id: int) -> list[str]:
        audit.record(session, actor, "account:second-factor:renew")
        queue_mail(session, "notice", actor.email, what="recovery codes")
        return new_recovery_codes(session, user_id)

    return with_password(transaction, actor, password, renew)


def with_password(transaction: Transaction, actor: Actor, password: str, command: Grant[T]) -> T:
    """What the command makes once the actor has given their password: who is signed in needs no code besides.

    Whoever has none, because a provider signs them in, chooses one first.
    """
    with transaction() as session:
        if not has_password(session, actor.user_id):
            raise Invalid(NO_PASSWORD)
    done = sign_in(
        transaction,
        actor.email,
        password,
        address=actor.address,
        grant=command,
        without_code=command,
        session_id=actor.session_id,
    )
    if done is None:
        raise Invalid(NOT_CURRENT)
    return done


def _set_password(session: Session, user_id: int, *, actor: Actor, password: str) -> bool:
    session.execute(update(User).where(User.user_id == user_id).values(password_hash=hash_password(password)))
    end_credentials_of(session, user_id)
    audit.record(session, actor, "account:password:change")
    queue_mail(session, "notice", actor.email, what="password")
    return True


def _open(
    session: Session, account: str, address: str, *, device: str = "", session_id: UUID | None = None
) -> Attempt | None:
    """Count the attempt and look the account up; None where there were too many."""
    place = known_client(session, account, address, device=device, session_id=session_id)
    number = record_attempt(session, place or account, address, is_known=place is not None)
    if number is None:
        if is_first_throttle(session, address):
            audit.record(session, None, THROTTLED_ACTION, address=address, account=account)
        return None
    known = session.execute(
        select(User.user_id, User.password_hash).where(User.email == account, User.is_active)
    ).one_or_none()
    return Attempt(number, address, *(known or (None, None)))


def _granted(session: Session, attempt: Attempt, code: str, grant: Grant[T], without_code: Grant[T]) -> T | None:
    """The grant, unless password or account were changed while the hash was computed: then it was the old one."""
    unchanged = (User.user_id == attempt.user_id, User.password_hash == attempt.password_hash, User.is_active)
    found = session.execute(
        select(User.user_id, User.email).where(*unchanged).with_for_update(key_share=True)
    ).one_or_none()
    if found is None:
        return None
    wants_code = needs_code(session, found.user_id)
    if wants_code and code and not is_second_factor(session, found.user_id, code):
        audit.record(session, None, "account:sign-in:fail", address=attempt.address, account=found.email, code=True)
        return None
    discard_attempt(session, attempt.number)
    return (without_code if wants_code and not code else grant)(session, found.user_id)


def _account(email: str) -> str:
    """The address that attempts are counted for; what cannot be one shares one count."""
    try:
        return clean_email(email)
    except Invalid:
        return "(no e-mail address)"

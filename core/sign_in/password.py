"""Sign-in with e-mail and password for pages and API. Result and time don't reveal whether an account exists."""

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
from core.credentials.login_tickets import delete_pending_ticket, pending_email
from core.credentials.passwords import hash_password, normalize_password, validate_password, verify_password
from core.credentials.revocation import revoke_credentials
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
    create_pending_factor,
    is_second_factor,
    needs_code,
    new_recovery_codes,
    remove_second_factor,
)
from db.tables.sheets import User

SIGN_IN_FAILED = "E-mail or password is wrong. Check both and try again; after several failures, wait a few minutes."
WRONG_CODE = "This code is wrong. Wait for the next one and try again; after several failures, wait a few minutes."
SIGN_IN_EXPIRED = "Your sign-in has expired. Start again with your password."
WRONG_CURRENT_PASSWORD = "The current password is wrong. Try again; after several failures, wait a few minutes."  # noqa: S105 no secret
NO_PASSWORD = "You have no password because a provider signs you in. Choose one on your profile first."  # noqa: S105 no secret
T = TypeVar("T")
Grant = Callable[[Session, int], T]


@dataclass(frozen=True)
class Attempt:
    """A recorded attempt, and the account that it is checked against."""

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
    """Return the result of `grant` for a correct e-mail and password, else None (show SIGN_IN_FAILED in every case).

    `device` is the cookie of an earlier sign-in in this browser, `session_id` the session of a signed-in user: other
    people's failures don't count for them. For a user with a second factor and without a code, return the result of
    `without_code`. Runs in three transactions, so that failures stay counted and no connection waits for the hash.
    """
    account, ip_address = _account_key(email), normalize_address(address)
    with transaction() as session:
        attempt = _start_attempt(session, account, ip_address, device=device, session_id=session_id)
    if attempt is None:
        return None
    if not verify_password(password, attempt.password_hash):
        with transaction() as session:
            audit.record(session, None, "account:sign-in:fail", address=ip_address, account=account)
        return None
    with transaction() as session:
        return _finish_attempt(session, attempt, code, grant, without_code)


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
    """Complete a sign-in with its code: return the result of `grant`, else None (show WRONG_CODE).

    `pending` is the ticket that the correct password got in this browser. Raises NotFound if it has expired.
    """
    with transaction() as session:
        account = pending_email(session, pending, nonce=nonce)
        if account is None:
            raise NotFound(SIGN_IN_EXPIRED)
        attempt = _start_attempt(session, account, normalize_address(address), device=device)
    if attempt is None:
        return None

    def finish(session: Session, user_id: int) -> T:
        delete_pending_ticket(session, pending)
        return grant(session, user_id)

    with transaction() as session:
        return _finish_attempt(session, attempt, code or "-", finish, finish)


def change_password(transaction: Transaction, actor: Actor, *, current: str, new: str) -> None:
    """Change the acting user's password and revoke all their credentials, this session included.

    The current password is throttled like a sign-in, so that nobody can try passwords in an open browser.
    """
    if validate_password(new) == normalize_password(current):
        raise Invalid("The new password is the current one. Choose another.")
    change = partial(_set_password, actor=actor, password=new)
    with_password(transaction, actor, current, change)


def set_up_second_factor(transaction: Transaction, actor: Actor, *, password: str) -> None:
    """Create a secret for the acting user's app. Checks their password, so that nobody else can add an app."""

    def begin(session: Session, user_id: int) -> bool:
        create_pending_factor(session, user_id)
        return True

    with_password(transaction, actor, password, begin)


def switch_off_second_factor(transaction: Transaction, actor: Actor, *, password: str) -> None:
    """Remove the acting user's second factor. Checks their password."""

    def switch_off(session: Session, user_id: int) -> bool:
        remove_second_factor(session, user_id)
        audit.record(session, actor, "account:second-factor:off")
        queue_mail(session, "notice", actor.email, what="second factor off")
        return True

    with_password(transaction, actor, password, switch_off)


def renew_recovery_codes(transaction: Transaction, actor: Actor, *, password: str) -> list[str]:
    """Replace the acting user's recovery codes and return the new ones. Checks their password."""

    def renew(session: Session, user_id: int) -> list[str]:
        audit.record(session, actor, "account:second-factor:renew")
        queue_mail(session, "notice", actor.email, what="recovery codes")
        return new_recovery_codes(session, user_id)

    return with_password(transaction, actor, password, renew)


def with_password(transaction: Transaction, actor: Actor, password: str, command: Grant[T]) -> T:
    """Run a command after checking the acting user's password, and return its result. No code is needed.

    Raises Invalid if the password is wrong or if the user has none.
    """
    with transaction() as session:
        if not has_password(session, actor.user_id):
            raise Invalid(NO_PASSWORD)
    result = sign_in(
        transaction,
        actor.email,
        password,
        address=actor.address,
        grant=command,
        without_code=command,
        session_id=actor.session_id,
    )
    if result is None:
        raise Invalid(WRONG_CURRENT_PASSWORD)
    return result


def _set_password(session: Session, user_id: int, *, actor: Actor, password: str) -> bool:
    session.execute(update(User).where(User.user_id == user_id).values(password_hash=hash_password(password)))
    revoke_credentials(session, user_id)
    audit.record(session, actor, "account:password:change")
    queue_mail(session, "notice", actor.email, what="password")
    return True


def _start_attempt(
    session: Session, account: str, address: str, *, device: str = "", session_id: UUID | None = None
) -> Attempt | None:
    """Record the attempt and look up the account; None if there were too many attempts."""
    client_key = known_client(session, account, address, device=device, session_id=session_id)
    number = record_attempt(session, client_key or account, address, is_known=client_key is not None)
    if number is None:
        if is_first_throttle(session, address):
            audit.record(session, None, THROTTLED_ACTION, address=address, account=account)
        return None
    user = session.execute(
        select(User.user_id, User.password_hash).where(User.email == account, User.is_active)
    ).one_or_none()
    return Attempt(number, address, *(user or (None, None)))


def _finish_attempt(session: Session, attempt: Attempt, code: str, grant: Grant[T], without_code: Grant[T]) -> T | None:
    """Check the code and return the grant; None if the account changed while the password was being checked."""
    unchanged = (User.user_id == attempt.user_id, User.password_hash == attempt.password_hash, User.is_active)
    user = session.execute(
        select(User.user_id, User.email).where(*unchanged).with_for_update(key_share=True)
    ).one_or_none()
    if user is None:
        return None
    wants_code = needs_code(session, user.user_id)
    if wants_code and code and not is_second_factor(session, user.user_id, code):
        audit.record(session, None, "account:sign-in:fail", address=attempt.address, account=user.email, code=True)
        return None
    discard_attempt(session, attempt.number)
    return (without_code if wants_code and not code else grant)(session, user.user_id)


def _account_key(email: str) -> str:
    """Return the key for counting attempts: the normalized address. All invalid addresses share one key."""
    try:
        return clean_email(email)
    except Invalid:
        return "(no e-mail address)"

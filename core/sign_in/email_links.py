"""Links in e-mails: to reset a password, and to confirm an address."""

from collections.abc import Callable

from sqlalchemy import exists, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts.accounts import ADMINISTRATOR
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound, Throttled
from core.base.secret_tokens import hash_token, new_token
from core.base.text import clean_email
from core.credentials.passwords import hash_password, validate_password
from core.credentials.revocation import revoke_credentials
from core.limits.login_throttle import clear_failures, normalize_address, record_attempt
from core.mail.outbox import Transaction, queue_mail
from core.sign_in.password import with_password
from db.tables.accounts import ProviderIdentity
from db.tables.sheets import User

RESET, ADDRESS = "reset", "address"
LIFETIMES = {RESET: "30 minutes", ADDRESS: "24 hours"}
LINK_EXPIRED = "This link has been used or has expired. Request a new one."
TOO_MANY = "You requested many e-mails. Try again in 15 minutes."


def request_password_reset(session: Session, email: str, *, address: str | None, url: str) -> None:
    """Send a password reset link, if the account exists. It is looked up when the e-mail is sent, so that the caller
    learns nothing from the result or its timing."""
    account = clean_email(email)
    where = normalize_address(address)
    if record_attempt(session, f"reset {account}", where) is not None:
        queue_mail(session, RESET, account, url=url)
        audit.record(session, None, "account:password:ask", address=where, account=account)


def reset_link(session: Session, email: str, *, made_by: int | None = None) -> str | None:
    """Create a password reset link for this address and return its token; None without a usable account.

    Earlier links stop working. `made_by` is the administrator who issued it: it works only while they are one.
    """
    if made_by is not None and not session.scalar(select(User.user_id).where(User.user_id == made_by, *ADMINISTRATOR)):
        return None
    by_provider = exists().where(ProviderIdentity.user_id == User.user_id)
    has_way_in = or_(User.password_hash.is_not(None), by_provider)
    query = select(User.user_id).where(User.email == email, User.is_active, has_way_in)
    user_id = session.scalar(query)
    return None if user_id is None else _create_link(session, RESET, user_id, email, made_by)


def email_of_reset(session: Session, token: str) -> str:
    """Return the address of the account that this link resets. Raises NotFound."""
    return str(_find_link(session, RESET, token)[1])


def reset_password(session: Session, token: str, password: str) -> None:
    """Set a new password with a link, once. Revokes all credentials of the user; their second factor stays."""
    user_id, email = _find_link(session, RESET, token)
    secret = hash_password(validate_password(password))
    _consume_link(session, RESET, token)
    session.execute(
        update(User)
        .where(User.user_id == user_id)
        .values(password_hash=secret, email_verified_at=func.coalesce(User.email_verified_at, func.now()))
    )
    revoke_credentials(session, user_id)
    clear_failures(session, email)
    audit.record(session, None, "account:password:reset", user=user_id)
    queue_mail(session, "notice", email, what="password")


def request_address_change(transaction: Transaction, actor: Actor, email: str, *, password: str, url: str) -> None:
    """Send a link to the acting user's new address, which applies once it is opened. Checks their password."""
    account = clean_email(email)
    if account == actor.email:
        raise Invalid("This is already your address.")
    with transaction() as session:
        _check_rate(session, actor)
    send_link = _queue_address_link(actor, account, url)
    with_password(transaction, actor, password, send_link)


def request_verification(session: Session, actor: Actor, *, url: str) -> None:
    """Send a link to the acting user's current address, to confirm it."""
    _check_rate(session, actor)
    queue_mail(session, ADDRESS, actor.email, user=actor.user_id, url=url)
    audit.record(session, actor, "account:email:ask", email=actor.email)


def address_link(session: Session, user_id: int, email: str) -> str | None:
    """Create a link that confirms this address for a user and return its token; None if another user has it."""
    owner = select(User.user_id).where(User.email == email, User.user_id != user_id)
    if session.scalar(owner) or not session.scalar(select(User.is_active).where(User.user_id == user_id)):
        return None
    return _create_link(session, ADDRESS, user_id, email)


def address_of_link(session: Session, token: str) -> str:
    """Return the address that this link confirms. Raises NotFound."""
    return str(_find_link(session, ADDRESS, token)[1])


def confirm_address(session: Session, token: str) -> str:
    """Set and confirm the address of the link's user, with which they sign in. Raises NotFound and Invalid."""
    user_id, email = _find_link(session, ADDRESS, token)
    _consume_link(session, ADDRESS, token)
    before = session.scalar(select(User.email).where(User.user_id == user_id))
    confirmed = {"email": email, "email_verified_at": func.now()}
    try:
        with session.begin_nested():
            session.execute(update(User).where(User.user_id == user_id).values(**confirmed))
    except IntegrityError as error:
        raise Invalid(f"Another account has the address {email} now.") from error
    if before != email:
        session.execute(_END_LINKS, {"kind": RESET, "user": user_id})
        audit.record(session, None, "account:email:change", user=user_id, before=before, email=email)
        queue_mail(session, "notice", str(before), what="address", email=email)
    else:
        audit.record(session, None, "account:email:verify", user=user_id, email=email)
    return email


def is_verified(session: Session, actor: Actor) -> bool:
    """Return whether the acting user's address is confirmed."""
    return session.scalar(select(User.email_verified_at).where(User.user_id == actor.user_id)) is not None


def _queue_address_link(actor: Actor, email: str, url: str) -> Callable[[Session, int], bool]:
    def order(session: Session, user_id: int) -> bool:
        audit.record(session, actor, "account:email:ask", email=email)
        queue_mail(session, ADDRESS, email, user=user_id, url=url)
        return True

    return order


def _check_rate(session: Session, actor: Actor) -> None:
    if record_attempt(session, f"letters {actor.user_id}", normalize_address(actor.address), is_known=True) is None:
        raise Throttled(TOO_MANY, retry_after=900)


def _create_link(session: Session, kind: str, user_id: int, email: str, made_by: int | None = None) -> str:
    token = new_token()
    session.execute(_END_LINKS, {"kind": kind, "user": user_id})
    values = {"token": hash_token(token), "kind": kind, "user": user_id, "email": email, "life": LIFETIMES[kind]}
    session.execute(_MAKE, values | {"by": made_by})
    return token


def _find_link(session: Session, kind: str, token: str) -> tuple[int, str]:
    """Return user and address of a link whose user is active and whose issuer is still an administrator."""
    row = session.execute(_FIND, {"token": hash_token(token), "kind": kind}).one_or_none()
    if row is None:
        raise NotFound(LINK_EXPIRED)
    return row.user_id, row.email


def _consume_link(session: Session, kind: str, token: str) -> None:
    """Delete the link, so that only one request can use it. Raises NotFound."""
    if session.scalar(_USE, {"token": hash_token(token), "kind": kind}) is None:
        raise NotFound(LINK_EXPIRED)


_MAKE = text("""
    INSERT INTO account_links (token_hash, kind, user_id, email, made_by, expires_at)
    VALUES (:token, :kind, :user, :email, :by, now() + CAST(:life AS interval))
""")
_FIND = text("""
    SELECT l.user_id, l.email FROM account_links l JOIN users u ON u.user_id = l.user_id AND u.is_active
    WHERE l.token_hash = :token AND l.kind = :kind AND l.expires_at > now() AND (l.made_by IS NULL OR EXISTS (
        SELECT FROM users m WHERE m.user_id = l.made_by AND m.is_active AND m.role = 'admin'))
""")
_USE = text("""
    DELETE FROM account_links WHERE token_hash = :token AND kind = :kind AND expires_at > now() RETURNING user_id
""")
_END_LINKS = text("DELETE FROM account_links WHERE kind = :kind AND user_id = :user")

"""Links sent to a person: a new password for a forgotten one, and the proof that an address is theirs."""

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
from core.credentials.passwords import checked_password, hash_password
from core.credentials.revocation import end_credentials_of
from core.limits.login_throttle import clear_failures, normalize_address, record_attempt
from core.mail.outbox import Transaction, queue_mail
from core.sign_in.password import with_password
from db.tables.accounts import ProviderIdentity
from db.tables.sheets import User

RESET, ADDRESS = "reset", "address"
LIFE = {RESET: "30 minutes", ADDRESS: "24 hours"}
GONE = "This link has been used or has run out. Ask for a new one."
TOO_MANY = "You asked for many letters. Wait a quarter of an hour, then try again."


def ask_reset(session: Session, email: str, *, address: str | None, url: str) -> None:
    """Have a link for a new password sent, if there is such an account. Nothing is looked up here: whoever asks
    learns nothing from the answer or its time. Whether anybody is written to is found out as the letter is sent."""
    account = clean_email(email)
    where = normalize_address(address)
    if record_attempt(session, f"reset {account}", where) is not None:
        queue_mail(session, RESET, account, url=url)
        audit.record(session, None, "account:password:ask", address=where, account=account)


def reset_link(session: Session, email: str, *, made_by: int | None = None) -> str | None:
    """The token of a fresh link for the person with this address, None where nobody can use one. Older ones end.

    `made_by` is the administrator who had it made for them: it is worth something while they are one.
    """
    if made_by is not None and not session.scalar(select(User.user_id).where(User.user_id == made_by, *ADMINISTRATOR)):
        return None
    by_provider = exists().where(ProviderIdentity.user_id == User.user_id)
    has_way_in = or_(User.password_hash.is_not(None), by_provider)
    someone = select(User.user_id).where(User.email == email, User.is_active, has_way_in)
    user_id = session.scalar(someone)
    return None if user_id is None else _link(session, RESET, user_id, email, made_by)


def account_of_reset(session: Session, token: str) -> str:
    """The address whose password this link changes. Raises NotFound."""
    return str(_found(session, RESET, token)[1])


def reset_password(session: Session, token: str, password: str) -> None:
    """Set a new password by a link, once. Everything that let anybody in as this person ends; a second factor stays."""
    user_id, email = _found(session, RESET, token)
    secret = hash_password(checked_password(password))
    _use(session, RESET, token)
    session.execute(
        update(User)
        .where(User.user_id == user_id)
        .values(password_hash=secret, email_verified_at=func.coalesce(User.email_verified_at, func.now()))
    )
    end_credentials_of(session, user_id)
    clear_failures(session, email)
    audit.record(session, None, "account:password:reset", user=user_id)
    queue_mail(session, "notice", email, what="password")


def ask_address(transaction: Transaction, actor: Actor, email: str, *, password: str, url: str) -> None:
    """Have a link sent to my new address; it counts once the link is opened. Asks for my password like a sign-in."""
    account = clean_email(email)
    if account == actor.email:
        raise Invalid("This is your address already.")
    with transaction() as session:
        _not_too_often(session, actor)
    order = _orderer(actor, account, url)
    with_password(transaction, actor, password, order)


def ask_verification(session: Session, actor: Actor, *, url: str) -> None:
    """Have a link sent to the address that I have, to prove that it is mine."""
    _not_too_often(session, actor)
    queue_mail(session, ADDRESS, actor.email, user=actor.user_id, url=url)
    audit.record(session, actor, "account:email:ask", email=actor.email)


def address_link(session: Session, user_id: int, email: str) -> str | None:
    """The token of a fresh link for this address of this person; None where somebody else has it."""
    taken = select(User.user_id).where(User.email == email, User.user_id != user_id)
    if session.scalar(taken) or not session.scalar(select(User.is_active).where(User.user_id == user_id)):
        return None
    return _link(session, ADDRESS, user_id, email)


def address_of_link(session: Session, token: str) -> str:
    """The address that this link confirms. Raises NotFound."""
    return str(_found(session, ADDRESS, token)[1])


def confirm_address(session: Session, token: str) -> str:
    """The address of the link is its person's from now on, and known to be theirs. It is what they sign in with."""
    user_id, email = _found(session, ADDRESS, token)
    _use(session, ADDRESS, token)
    before = session.scalar(select(User.email).where(User.user_id == user_id))
    confirmed = {"email": email, "email_verified_at": func.now()}
    try:
        with session.begin_nested():
            session.execute(update(User).where(User.user_id == user_id).values(**confirmed))
    except IntegrityError as error:
        raise Invalid(f"Another account has the address {email} by now.") from error
    if before != email:
        session.execute(_END_LINKS, {"kind": RESET, "user": user_id})
        audit.record(session, None, "account:email:change", user=user_id, before=before, email=email)
        queue_mail(session, "notice", str(before), what="address", email=email)
    else:
        audit.record(session, None, "account:email:verify", user=user_id, email=email)
    return email


def is_verified(session: Session, actor: Actor) -> bool:
    """Whether a link sent to my address was ever opened."""
    return session.scalar(select(User.email_verified_at).where(User.user_id == actor.user_id)) is not None


def _orderer(actor: Actor, email: str, url: str) -> Callable[[Session, int], bool]:
    def order(session: Session, user_id: int) -> bool:
        audit.record(session, actor, "account:email:ask", email=email)
        queue_mail(session, ADDRESS, email, user=user_id, url=url)
        return True

    return order


def _not_too_often(session: Session, actor: Actor) -> None:
    if record_attempt(session, f"letters {actor.user_id}", normalize_address(actor.address), is_known=True) is None:
        raise Throttled(TOO_MANY, retry_after=900)


def _link(session: Session, kind: str, user_id: int, email: str, made_by: int | None = None) -> str:
    token = new_token()
    session.execute(_END_LINKS, {"kind": kind, "user": user_id})
    given = {"token": hash_token(token), "kind": kind, "user": user_id, "email": email, "life": LIFE[kind]}
    session.execute(_MAKE, given | {"by": made_by})
    return token


def _found(session: Session, kind: str, token: str) -> tuple[int, str]:
    """Whose link this is and for which address; the person must still be let in, and whoever made it administer."""
    found = session.execute(_FIND, {"token": hash_token(token), "kind": kind}).one_or_none()
    if found is None:
        raise NotFound(GONE)
    return found.user_id, found.email


def _use(session: Session, kind: str, token: str) -> None:
    """Deleting is using: of two who come together only one gets the row."""
    if session.scalar(_USE, {"token": hash_token(token), "kind": kind}) is None:
        raise NotFound(GONE)


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

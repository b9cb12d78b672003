"""Arrivals: a provider says who somebody is, and they are let in as who they are here, or told how to get in.

The provider is asked only that. What it says is kept for a few minutes under a token in a cookie of that browser; the
session that follows is our own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from core.accounts.accounts import add_account, clean_name
from core.accounts.invitations import invited_role, use_invitations
from core.accounts.registration import refusal_of_stranger
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound, Refused
from core.base.permissions import Role
from core.base.secret_tokens import hash_token, new_token
from core.base.text import clean_email
from core.mail.outbox import Transaction
from core.sign_in.oidc_identities import HAS_ONE, TAKEN, add_identity, has_identity, has_password, label
from core.sign_in.password import Grant, sign_in, with_password
from core.sign_in.second_factor import needs_code
from db.tables.sheets import User

LIFE = "10 minutes"
LONGEST = 255  # Characters that a provider may give an issuer or a subject.
GONE = "This sign-in has run out. Begin again."
DEACTIVATED = "Your account here is deactivated. Ask an administrator."
UNCONFIRMED = (
    "{label} does not confirm your address, so nobody here can be found by it. If you have an account here, sign in "
    "with your password and link {label} on your profile; else ask an administrator for an invitation."
)
ANOTHER = (
    "The account here with the address {email} is linked with another account of {label}. Ask an administrator, or "
    "sign in with your password and unlink it on your profile."
)
T = TypeVar("T")


@dataclass(frozen=True)
class Arrival:
    """Who has arrived: as which account, or by which role as a new one. `asks_password`: until it is linked."""

    issuer: str
    subject: str
    email: str
    name: str
    user_id: int | None = None
    is_linked: bool = False
    asks_password: bool = False
    role: Role = Role.MEMBER


def note_arrival(session: Session, claims: Mapping[str, Any]) -> str | None:
    """Keep what a provider said of somebody: the token of it, None where it does not say who that is."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not _is_name(issuer) or not _is_name(subject):
        return None
    token, email = new_token(), _email(claims)
    said = {
        "token": hash_token(token),
        "issuer": issuer,
        "subject": subject,
        "email": email,
        "verified": email is not None and _is_yes(claims.get("email_verified")),
        "name": _name(claims, email),
    }
    session.execute(_NOTE, said)
    return token


def arrival(session: Session, token: str) -> Arrival:
    """As whom the holder of this token comes in. Raises NotFound once that is over, NotAllowed with the way out."""
    found = session.execute(_FIND, {"token": hash_token(token)}).one_or_none()
    if found is None:
        raise NotFound(GONE)
    return _judged(session, found)


def arrival_of_mine(session: Session, actor: Actor, token: str) -> Arrival:
    """Who has arrived where I am signed in: to be linked with my account, whatever their address. The same errors."""
    found = session.execute(_FIND, {"token": hash_token(token)}).one_or_none()
    if found is None:
        raise NotFound(GONE)
    known = session.execute(_KNOWN, {"issuer": found.issuer, "subject": found.subject}).one_or_none()
    if known is not None and known.user_id != actor.user_id:
        raise NotAllowed(TAKEN.format(label=label()))
    if known is None and has_identity(session, actor.user_id, found.issuer):
        raise NotAllowed(HAS_ONE.format(label=label()))
    return Arrival(found.issuer, found.subject, found.email or "", found.name, actor.user_id, known is not None)


def take_in(session: Session, token: str, *, grant: Grant[T], without_code: Grant[T]) -> T:
    """What `grant` makes for who has arrived, of whom no password is asked; a new person's account is made.

    Whoever signs in with a code gets what `without_code` makes. Raises NotFound and NotAllowed.
    """
    someone = _judged(session, _taken(session, token))
    if someone.asks_password:
        raise NotAllowed("Give your password once, so that we know that this account is yours.")
    user_id = someone.user_id or _new_account(session, someone)
    if not someone.is_linked:
        add_identity(session, user_id, someone.issuer, someone.subject)
    return (without_code if needs_code(session, user_id) else grant)(session, user_id)


def link_with_password(
    transaction: Transaction,
    token: str,
    password: str,
    *,
    address: str | None,
    grant: Grant[T],
    without_code: Grant[T],
    code: str = "",
    device: str = "",
) -> T | None:
    """Link who has arrived with the account that has their address, and let them in: its password is asked this once.

    Answers as `sign_in` does. Nothing is linked until the code has come where one is asked.
    """
    with transaction() as session:
        email = arrival(session, token).email

    def link(session: Session, user_id: int) -> T:
        someone = _taken(session, token)
        add_identity(session, user_id, someone.issuer, someone.subject)
        return grant(session, user_id)

    return sign_in(
        transaction, email, password, address=address, grant=link, without_code=without_code, code=code, device=device
    )


def link_mine(transaction: Transaction, actor: Actor, token: str, *, password: str = "") -> None:
    """Link who has arrived with my account, which I am signed in to. The password is asked of whoever has one."""

    def link(session: Session, user_id: int) -> bool:
        someone = _taken(session, token)
        add_identity(session, user_id, someone.issuer, someone.subject)
        return True

    with transaction() as session:
        asks = has_password(session, actor.user_id)
        if not asks:
            link(session, actor.user_id)
    if asks:
        with_password(transaction, actor, password, link)


def drop_arrival(session: Session, token: str) -> None:
    """Whoever has arrived wants something else."""
    session.execute(_TAKE, {"token": hash_token(token)})


def _taken(session: Session, token: str) -> Any:
    """What was said, once: of two who come together only one gets the row."""
    found = session.execute(_TAKE, {"token": hash_token(token)}).one_or_none()
    if found is None:
        raise NotFound(GONE)
    return found


def _judged(session: Session, said: Any) -> Arrival:
    known = session.execute(_KNOWN, {"issuer": said.issuer, "subject": said.subject}).one_or_none()
    if known is None and not said.is_verified:
        raise NotAllowed(UNCONFIRMED.format(label=label()))
    known = known or session.execute(_OF_ADDRESS, {"email": said.email}).one_or_none()
    if known is not None and not known.is_active:
        raise NotAllowed(DEACTIVATED)
    who = {"issuer": said.issuer, "subject": said.subject, "email": said.email or "", "name": said.name}
    if known is None:
        return Arrival(**who, role=_role_of_stranger(session, said.email))
    if not known.is_linked and has_identity(session, known.user_id, said.issuer):
        raise NotAllowed(ANOTHER.format(email=said.email, label=label()))
    asks = not known.is_linked and known.has_password
    return Arrival(**who, user_id=known.user_id, is_linked=known.is_linked, asks_password=asks)


def _role_of_stranger(session: Session, email: str) -> Role:
    """As what somebody without an account comes in: by their invitation, or as the rule of registration says."""
    role = invited_role(session, email)
    refusal = None if role else refusal_of_stranger(session, email)
    if refusal:
        raise NotAllowed(f"{label()} knows you as {email}, but nobody here does. {refusal}")
    return role or Role.MEMBER


def _new_account(session: Session, someone: Arrival) -> int:
    user_id = add_account(session, None, email=someone.email, name=someone.name, role=someone.role)
    session.execute(update(User).where(User.user_id == user_id).values(email_verified_at=func.now()))
    if use_invitations(session, someone.email):
        audit.record(session, None, "account:invitation:accept", user=user_id, first_admin=False)
    return user_id


def _is_name(claim: Any) -> bool:
    return isinstance(claim, str) and 0 < len(claim) <= LONGEST and claim.isprintable()


def _is_yes(claim: Any) -> bool:
    return claim is True or claim == "true"  # Some providers say it as text.


def _email(claims: Mapping[str, Any]) -> str | None:
    try:
        return clean_email(str(claims.get("email") or ""))
    except Invalid:
        return None


def _name(claims: Mapping[str, Any], email: str | None) -> str:
    for claim in (claims.get("name"), claims.get("preferred_username"), (email or "").partition("@")[0]):
        try:
            return clean_name(claim if isinstance(claim, str) else "")
        except Refused:
            continue
    return "New colleague"


_NOTE = text(f"""
    INSERT INTO provider_arrivals (token_hash, issuer, subject, email, is_verified, name, expires_at)
    VALUES (:token, :issuer, :subject, :email, :verified, :name, now() + interval '{LIFE}')
""")  # noqa: S608 - LIFE is the constant above.
_FIND = text("SELECT * FROM provider_arrivals WHERE token_hash = :token AND expires_at > now()")
_TAKE = text("DELETE FROM provider_arrivals WHERE token_hash = :token AND expires_at > now() RETURNING *")
_KNOWN = text("""
    SELECT u.user_id, u.is_active, true AS is_linked, u.password_hash IS NOT NULL AS has_password
    FROM provider_identities i JOIN users u ON u.user_id = i.user_id
    WHERE i.issuer = :issuer AND i.subject = :subject
    FOR SHARE OF u
""")
_OF_ADDRESS = text("""
    SELECT user_id, is_active, false AS is_linked, password_hash IS NOT NULL AS has_password
    FROM users WHERE email = :email FOR SHARE
""")

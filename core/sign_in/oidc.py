"""OpenID Connect sign-in: maps the provider's identity to a local account, or explains what is missing.

The claims are stored for a few minutes under a token in a cookie of the browser. The session that follows does not
depend on the provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from core.accounts.accounts import add_account, clean_name
from core.accounts.invitations import invited_role, use_invitations
from core.accounts.registration import registration_refusal
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotAllowed, NotFound, Refused
from core.base.permissions import Role
from core.base.secret_tokens import hash_token, new_token
from core.base.text import clean_email
from core.mail.outbox import Transaction
from core.sign_in.oidc_identities import (
    ALREADY_LINKED,
    IDENTITY_IN_USE,
    add_identity,
    has_identity,
    has_password,
    provider_label,
)
from core.sign_in.password import Grant, sign_in, with_password
from core.sign_in.second_factor import needs_code
from db.tables.sheets import User

LIFETIME = "10 minutes"
MAX_CLAIM_LENGTH = 255  # Characters of an issuer or a subject.
EXPIRED = "Your sign-in has expired. Start again."
DEACTIVATED = "Your account here is deactivated. Ask an administrator."
UNVERIFIED = (
    "{label} hasn't verified your e-mail address, so we can't match it to an account. If you have an account, sign in "
    "with your password and link {label} on your profile. Otherwise ask an administrator for an invitation."
)
OTHER_IDENTITY = (
    "The account with the address {email} is linked with another account of {label}. Ask an administrator, or sign in "
    "with your password and unlink it on your profile."
)
T = TypeVar("T")


@dataclass(frozen=True)
class PendingOidcSignIn:
    """A pending sign-in: the account, or without `user_id` the role of a new one. `asks_password`: before linking."""

    issuer: str
    subject: str
    email: str
    name: str
    user_id: int | None = None
    is_linked: bool = False
    asks_password: bool = False
    role: Role = Role.MEMBER


def store_claims(session: Session, claims: Mapping[str, Any]) -> str | None:
    """Store the claims of a provider and return their token; None if they don't identify a user."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not _is_identifier(issuer) or not _is_identifier(subject):
        return None
    token, email = new_token(), _email(claims)
    values = {
        "token": hash_token(token),
        "issuer": issuer,
        "subject": subject,
        "email": email,
        "verified": email is not None and _is_true(claims.get("email_verified")),
        "name": _name(claims, email),
    }
    session.execute(_NOTE, values)
    return token


def pending_sign_in(session: Session, token: str) -> PendingOidcSignIn:
    """Return the pending sign-in of this token. Raises NotFound if it has expired, and NotAllowed."""
    row = session.execute(_FIND, {"token": hash_token(token)}).one_or_none()
    if row is None:
        raise NotFound(EXPIRED)
    return _resolve(session, row)


def pending_link(session: Session, actor: Actor, token: str) -> PendingOidcSignIn:
    """Return the pending sign-in, to be linked with the acting user's account. Raises NotFound and NotAllowed."""
    row = session.execute(_FIND, {"token": hash_token(token)}).one_or_none()
    if row is None:
        raise NotFound(EXPIRED)
    identity = session.execute(_KNOWN, {"issuer": row.issuer, "subject": row.subject}).one_or_none()
    if identity is not None and identity.user_id != actor.user_id:
        raise NotAllowed(IDENTITY_IN_USE.format(label=provider_label()))
    if identity is None and has_identity(session, actor.user_id, row.issuer):
        raise NotAllowed(ALREADY_LINKED.format(label=provider_label()))
    return PendingOidcSignIn(row.issuer, row.subject, row.email or "", row.name, actor.user_id, identity is not None)


def complete_sign_in(session: Session, token: str, *, grant: Grant[T], without_code: Grant[T]) -> T:
    """Complete a sign-in that needs no password, creating the account of a new user; return the result of `grant`.

    For users with a second factor, return the result of `without_code`. Raises NotFound and NotAllowed.
    """
    pending = _resolve(session, _consume(session, token))
    if pending.asks_password:
        raise NotAllowed("Enter your password once to confirm that this account is yours.")
    user_id = pending.user_id or _new_account(session, pending)
    if not pending.is_linked:
        add_identity(session, user_id, pending.issuer, pending.subject)
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
    """Link the pending sign-in with the account that has its address, and sign in with that account's password.

    Returns the result of `sign_in`. Nothing is linked before the second factor was checked.
    """
    with transaction() as session:
        email = pending_sign_in(session, token).email

    def link(session: Session, user_id: int) -> T:
        claims = _consume(session, token)
        add_identity(session, user_id, claims.issuer, claims.subject)
        return grant(session, user_id)

    return sign_in(
        transaction, email, password, address=address, grant=link, without_code=without_code, code=code, device=device
    )


def link_own_account(transaction: Transaction, actor: Actor, token: str, *, password: str = "") -> None:
    """Link the pending sign-in with the acting user's account. Checks their password if they have one."""

    def link(session: Session, user_id: int) -> bool:
        claims = _consume(session, token)
        add_identity(session, user_id, claims.issuer, claims.subject)
        return True

    with transaction() as session:
        has_own_password = has_password(session, actor.user_id)
        if not has_own_password:
            link(session, actor.user_id)
    if has_own_password:
        with_password(transaction, actor, password, link)


def discard_pending(session: Session, token: str) -> None:
    """Delete a pending sign-in."""
    session.execute(_TAKE, {"token": hash_token(token)})


def _consume(session: Session, token: str) -> Any:
    """Return and delete the stored claims, so that only one request can use them. Raises NotFound."""
    row = session.execute(_TAKE, {"token": hash_token(token)}).one_or_none()
    if row is None:
        raise NotFound(EXPIRED)
    return row


def _resolve(session: Session, claims: Any) -> PendingOidcSignIn:
    account = session.execute(_KNOWN, {"issuer": claims.issuer, "subject": claims.subject}).one_or_none()
    if account is None and not claims.is_verified:
        raise NotAllowed(UNVERIFIED.format(label=provider_label()))
    account = account or session.execute(_OF_ADDRESS, {"email": claims.email}).one_or_none()
    if account is not None and not account.is_active:
        raise NotAllowed(DEACTIVATED)
    fields = {"issuer": claims.issuer, "subject": claims.subject, "email": claims.email or "", "name": claims.name}
    if account is None:
        return PendingOidcSignIn(**fields, role=_role_for_new_account(session, claims.email))
    if not account.is_linked and has_identity(session, account.user_id, claims.issuer):
        raise NotAllowed(OTHER_IDENTITY.format(email=claims.email, label=provider_label()))
    asks_password = not account.is_linked and account.has_password
    return PendingOidcSignIn(
        **fields, user_id=account.user_id, is_linked=account.is_linked, asks_password=asks_password
    )


def _role_for_new_account(session: Session, email: str) -> Role:
    """Return the role of a user without an account: that of their invitation, or Member if they may register."""
    role = invited_role(session, email)
    refusal = None if role else registration_refusal(session, email)
    if refusal:
        raise NotAllowed(f"{provider_label()} identifies you as {email}, but no account has this address. {refusal}")
    return role or Role.MEMBER


def _new_account(session: Session, pending: PendingOidcSignIn) -> int:
    user_id = add_account(session, None, email=pending.email, name=pending.name, role=pending.role)
    session.execute(update(User).where(User.user_id == user_id).values(email_verified_at=func.now()))
    if use_invitations(session, pending.email):
        audit.record(session, None, "account:invitation:accept", user=user_id, first_admin=False)
    return user_id


def _is_identifier(claim: Any) -> bool:
    return isinstance(claim, str) and 0 < len(claim) <= MAX_CLAIM_LENGTH and claim.isprintable()


def _is_true(claim: Any) -> bool:
    return claim is True or claim == "true"  # Some providers send it as text.


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
    VALUES (:token, :issuer, :subject, :email, :verified, :name, now() + interval '{LIFETIME}')
""")  # noqa: S608 - LIFETIME is a constant.
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

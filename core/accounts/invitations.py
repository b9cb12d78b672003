"""Invitations: single-use links with which people create their accounts, including the first administrator."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, text, update
from sqlalchemy.orm import Session

from core.accounts.accounts import ADMINISTRATOR, add_account, clean_name, require_administrator
from core.accounts.registration import REGISTER, registration_policy
from core.base import audit
from core.base.actor import Actor, require
from core.base.errors import Invalid, NotFound
from core.base.permissions import Permission, Role
from core.base.secret_tokens import hash_token, new_token
from core.base.text import clean_email
from core.credentials.passwords import hash_password
from core.mail.outbox import queue_mail
from db.tables.accounts import ProviderIdentity
from db.tables.sheets import Invitation, User

LIFETIME = "7 days"
MAX_AT_ONCE = 100
_BETWEEN = re.compile(r"[\s,;]+")
FIRST_ADMIN, MEMBER = "first_admin", "member"
INVITATION_EXPIRED = "This invitation has been used or withdrawn, or has expired. Ask an administrator for a new link."


@dataclass(frozen=True)
class InvitationInfo:
    """An open invitation."""

    invitation_id: int
    email: str
    role: Role
    expires_at: datetime
    by: str


@dataclass(frozen=True)
class Welcome:
    """The content of an invitation's page."""

    email: str | None
    name: str
    role: Role
    is_first_admin: bool
    is_registering: bool = False


def first_admin_link(session: Session, url: str) -> str | None:
    """Return a new link for the first administrator, None if there is one. Earlier links stop working."""
    earlier = update(Invitation).where(
        Invitation.kind == FIRST_ADMIN, Invitation.used_at.is_(None), Invitation.revoked_at.is_(None)
    )
    session.execute(earlier.values(revoked_at=func.now()))
    if session.scalar(select(_administrator_exists)):
        return None
    token = _invite(session, None, kind=FIRST_ADMIN, email=None, role=Role.ADMIN)
    audit.record(session, None, "account:invitation:create", role=Role.ADMIN.value, first_admin=True)
    return invitation_url(url, token)


def invite(session: Session, actor: Actor, *, email: str, role: Role, mailed_from: str = "") -> str:
    """Invite a person and return the token of their link. Earlier links to this address stop working.

    With `mailed_from`, the URL of this server, an e-mail with another link is sent. Raises Invalid.
    """
    require_administrator(session, actor)
    address = clean_email(email)
    person = session.scalar(select(User).where(User.email == address))
    if person and not person.is_active:
        raise Invalid(f"The account of {address} is deactivated. Reactivate it instead.")
    if person and (person.password_hash or session.scalar(_IDENTITY, {"user": person.user_id})):
        raise Invalid(f"There is already an account for {address}. They can sign in with it.")
    earlier = update(Invitation).where(Invitation.email == address, *_usable())
    session.execute(earlier.values(revoked_at=func.now()))
    token = _invite(session, actor, kind=MEMBER, email=address, role=role)
    if mailed_from:
        queue_mail(session, "invitation", address, url=mailed_from, by=f"{actor.name} ({actor.email})")
    by_mail = bool(mailed_from)
    audit.record(session, actor, "account:invitation:create", email=address, role=role.value, mailed=by_mail)
    return token


def invite_all(session: Session, actor: Actor, emails: str, *, role: Role, mailed_from: str = "") -> dict[str, str]:
    """Invite all addresses in a text, or none; return token by address. Raises Invalid naming the wrong address."""
    require(actor, Permission.PEOPLE_MANAGE)
    addresses = list(dict.fromkeys(_BETWEEN.split(emails.lower().strip(" \n\t,;"))))
    if len(addresses) > MAX_AT_ONCE:
        raise Invalid(f"Invite at most {MAX_AT_ONCE} people at once.")
    tokens = {}
    for address in addresses:
        try:
            tokens[address] = invite(session, actor, email=address, role=role, mailed_from=mailed_from)
        except Invalid as refusal:
            alone = len(addresses) == 1 or address in refusal.message
            raise refusal if alone else Invalid(f"“{address}”: {refusal.message}") from None
    return tokens


def mailed_token(session: Session, email: str) -> str | None:
    """Return a new token for the open invitation of this address and mark it as e-mailed; None without one.

    The earlier token stops working, so that only the recipient of the e-mail has the link.
    """
    token = new_token()
    values = {"token_hash": hash_token(token), "is_mailed": True}
    query = update(Invitation).where(Invitation.email == email, Invitation.kind == MEMBER, *_usable())
    return token if session.scalar(query.values(**values).returning(Invitation.invitation_id)) else None


def registration_token(session: Session, email: str) -> str | None:
    """Return a token to register this address; None if the policy forbids it or an account exists."""
    account = select(User.user_id).where(User.email == email)
    if not registration_policy(session).admits(email) or session.scalar(account):
        return None
    earlier = update(Invitation).where(Invitation.email == email, Invitation.kind == REGISTER, *_usable())
    session.execute(earlier.values(revoked_at=func.now()))
    return _invite(session, None, kind=REGISTER, email=email, role=Role.MEMBER, is_mailed=True)


def invited_role(session: Session, email: str) -> Role | None:
    """Return the role of the open invitation of this address, None without one."""
    waiting = select(Invitation.role).where(Invitation.email == email, Invitation.kind == MEMBER, *_usable())
    role = session.scalar(waiting.order_by(_newest).limit(1))
    return Role(role) if role else None


def use_invitations(session: Session, email: str) -> bool:
    """Mark the open invitations of this address as used; return whether there were any."""
    query = update(Invitation).where(Invitation.email == email, *_usable()).values(used_at=func.now())
    return bool(session.scalars(query.returning(Invitation.kind)).all())


def invitations(session: Session, actor: Actor) -> list[InvitationInfo]:
    """Return the open invitations, newest first. For administrators."""
    require(actor, Permission.PEOPLE_MANAGE)
    waiting = select(Invitation, User.name).outerjoin(User, User.user_id == Invitation.invited_by)
    rows = session.execute(waiting.where(*_usable(), Invitation.kind == MEMBER).order_by(_newest))
    return [InvitationInfo(i.invitation_id, i.email or "", Role(i.role), i.expires_at, by or "") for i, by in rows]


def revoke_invitation(session: Session, actor: Actor, invitation_id: int) -> None:
    """Withdraw an invitation: its link stops working. For administrators. Raises NotFound."""
    require(actor, Permission.PEOPLE_MANAGE)
    email = session.scalar(
        update(Invitation)
        .where(Invitation.invitation_id == invitation_id, *_usable())
        .values(revoked_at=func.now())
        .returning(Invitation.email)
    )
    if email is None:
        raise NotFound("This invitation has already been used or withdrawn.")
    audit.record(session, actor, "account:invitation:revoke", email=email)


def welcome(session: Session, token: str) -> Welcome:
    """Return the content of an invitation's page. Raises NotFound."""
    invitation = session.scalar(select(Invitation).where(Invitation.token_hash == hash_token(token), *_usable()))
    if invitation is None:
        raise NotFound(INVITATION_EXPIRED)
    return Welcome(
        invitation.email,
        invitation.name,
        Role(invitation.role),
        is_first_admin=invitation.kind == FIRST_ADMIN,
        is_registering=invitation.kind == REGISTER,
    )


def accept_invitation(session: Session, token: str, *, email: str, name: str, password: str) -> int:
    """Create the account of an invitation, which is then used; return the user's id. Raises NotFound and Invalid."""
    query = select(Invitation).where(Invitation.token_hash == hash_token(token), *_usable())
    invitation = session.scalar(query.with_for_update())
    if invitation is not None and invitation.kind == FIRST_ADMIN:
        session.execute(_WAIT_FOR_ACCOUNTS)
        invitation = session.scalar(query)
    if invitation is None or (
        invitation.kind == REGISTER and not registration_policy(session).admits(invitation.email or "")
    ):
        raise NotFound(INVITATION_EXPIRED)
    is_first_admin = invitation.kind == FIRST_ADMIN
    user_id = _account_for(session, invitation, email=invitation.email or email, name=name, password=password)
    session.execute(update(Invitation).where(Invitation.token_hash == hash_token(token)).values(used_at=func.now()))
    if invitation.is_mailed:
        session.execute(update(User).where(User.user_id == user_id).values(email_verified_at=func.now()))
    audit.record(session, None, "account:invitation:accept", user=user_id, first_admin=is_first_admin)
    return user_id


def _is_permitted(session: Session, invitation: Invitation) -> bool:
    """Return whether the registration policy still permits the link, if it is one to register."""
    return invitation.kind != REGISTER or registration_policy(session).admits(invitation.email or "")


def _account_for(session: Session, invitation: Invitation, *, email: str, name: str, password: str) -> int:
    """Create an account, or complete one without a password (of the demo workspace); return the user's id."""
    user = session.scalar(
        select(User).where(User.email == clean_email(email), User.password_hash.is_(None), User.is_active)
    )
    if user is not None and invitation.kind == MEMBER:
        user.password_hash = hash_password(password)
        user.name = clean_name(name)
        user.role = invitation.role
        return user.user_id
    is_first_admin = invitation.kind == FIRST_ADMIN
    role = Role(invitation.role)
    return add_account(
        session, None, email=email, name=name, role=role, password=password, is_first_admin=is_first_admin
    )


def _invite(
    session: Session, actor: Actor | None, *, kind: str, email: str | None, role: Role, is_mailed: bool = False
) -> str:
    token = new_token()
    session.execute(
        text(f"""
            INSERT INTO invitations (token_hash, kind, email, role, invited_by, is_mailed, expires_at)
            VALUES (:token, :kind, :email, :role, :by, :mailed, now() + interval '{LIFETIME}')
        """),  # noqa: S608 - LIFE is the constant above.
        {
            "token": hash_token(token),
            "kind": kind,
            "email": email,
            "role": role.value,
            "by": actor.user_id if actor else None,
            "mailed": is_mailed,
        },
    )
    return token


def invitation_url(url: str, token: str) -> str:
    """Return the URL of an invitation."""
    return f"{url}/?invite={token}"


def _usable() -> list[ColumnElement[bool]]:
    """Return the conditions for an open invitation: not used, withdrawn or expired, and issued by a current
    administrator. The link for the first administrator is open only while no administrator exists.
    """
    inviter = select(User.user_id).where(User.user_id == Invitation.invited_by, *ADMINISTRATOR).correlate(Invitation)
    waits = Invitation.used_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > func.now()
    is_invited = or_(Invitation.kind != MEMBER, inviter.exists())
    return [*waits, is_invited, or_(Invitation.kind != FIRST_ADMIN, ~_administrator_exists)]


_newest = Invitation.created_at.desc()
# The account created with that link, or any administrator who can sign in.
_administrator_exists = (
    select(User.user_id)
    .where(
        or_(
            User.is_first_admin,
            and_(
                User.role == Role.ADMIN.value,
                or_(
                    User.password_hash.is_not(None),
                    select(ProviderIdentity.user_id).where(ProviderIdentity.user_id == User.user_id).exists(),
                ),
            ),
        )
    )
    .exists()
)
# Waits for an administrator who is being created concurrently.
_WAIT_FOR_ACCOUNTS = text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
_IDENTITY = text("SELECT EXISTS (SELECT FROM provider_identities WHERE user_id = :user)")

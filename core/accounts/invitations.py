"""Invitations: single-use links by which people make their accounts, the very first administrator among them."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, text, update
from sqlalchemy.orm import Session

from core.accounts.accounts import ADMINISTRATOR, add_account, clean_name, require, require_administrator
from core.accounts.registration import REGISTER, registration_policy
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.base.permissions import Permission, Role
from core.base.secret_tokens import hash_token, new_token
from core.base.text import clean_email
from core.credentials.passwords import hash_password
from core.mail.outbox import queue_mail
from db.tables.accounts import ProviderIdentity
from db.tables.sheets import Invitation, User

LIFE = "7 days"
MOST_AT_ONCE = 100
_BETWEEN = re.compile(r"[\s,;]+")
FIRST_ADMIN, MEMBER = "first_admin", "member"
GONE = "This invitation has been used, withdrawn, or has run out. Ask an administrator for a new link."


@dataclass(frozen=True)
class InvitationInfo:
    """An invitation that waits to be used."""

    invitation_id: int
    email: str
    role: Role
    expires_at: datetime
    by: str


@dataclass(frozen=True)
class Welcome:
    """What an invitation's page says: whom it is for and as what."""

    email: str | None
    name: str
    role: Role
    is_first_admin: bool
    is_registering: bool = False


def first_admin_link(session: Session, url: str) -> str | None:
    """A fresh link for making the first administrator, None once there is one. Earlier such links end."""
    earlier = update(Invitation).where(
        Invitation.kind == FIRST_ADMIN, Invitation.used_at.is_(None), Invitation.revoked_at.is_(None)
    )
    session.execute(earlier.values(revoked_at=func.now()))
    if session.scalar(select(_there_is_an_administrator)):
        return None
    token = _invite(session, None, kind=FIRST_ADMIN, email=None, role=Role.ADMIN)
    audit.record(session, None, "account:invitation:create", role=Role.ADMIN.value, first_admin=True)
    return link(url, token)


def invite(session: Session, actor: Actor, *, email: str, role: Role, mailed_from: str = "") -> str:
    """Invite a person: the token of their link, to be told once. It replaces an earlier link to the same address.

    With `mailed_from`, the address under which we are reached, the link is sent by mail; the token here is not it.
    """
    require_administrator(session, actor)
    address = clean_email(email)
    person = session.scalar(select(User).where(User.email == address))
    if person and not person.is_active:
        raise Invalid(f"The account of {address} is deactivated. Reactivate it instead.")
    if person and (person.password_hash or session.scalar(_IDENTITY, {"user": person.user_id})):
        raise Invalid(f"There is an account for {address} already. They can sign in with it.")
    earlier = update(Invitation).where(Invitation.email == address, *_usable())
    session.execute(earlier.values(revoked_at=func.now()))
    token = _invite(session, actor, kind=MEMBER, email=address, role=role)
    if mailed_from:
        queue_mail(session, "invitation", address, url=mailed_from, by=f"{actor.name} ({actor.email})")
    by_mail = bool(mailed_from)
    audit.record(session, actor, "account:invitation:create", email=address, role=role.value, mailed=by_mail)
    return token


def invite_all(session: Session, actor: Actor, emails: str, *, role: Role, mailed_from: str = "") -> dict[str, str]:
    """Invite whoever is named in a text, all or nobody: address → token. Invalid says which address is in the way."""
    require(actor, Permission.PEOPLE_MANAGE)
    addresses = list(dict.fromkeys(_BETWEEN.split(emails.lower().strip(" \n\t,;"))))
    if len(addresses) > MOST_AT_ONCE:
        raise Invalid(f"Invite at most {MOST_AT_ONCE} people at once.")
    made = {}
    for address in addresses:
        try:
            made[address] = invite(session, actor, email=address, role=role, mailed_from=mailed_from)
        except Invalid as refusal:
            alone = len(addresses) == 1 or address in refusal.message
            raise refusal if alone else Invalid(f"“{address}”: {refusal.message}") from None
    return made


def mailed_token(session: Session, email: str) -> str | None:
    """A fresh token for the invitation that waits for this address, which then counts as sent there; None: none does.

    The token before it ends, so that only who reads the letter has the link.
    """
    token = new_token()
    fresh = {"token_hash": hash_token(token), "is_mailed": True}
    wanted = update(Invitation).where(Invitation.email == email, Invitation.kind == MEMBER, *_usable())
    return token if session.scalar(wanted.values(**fresh).returning(Invitation.invitation_id)) else None


def registering_token(session: Session, email: str) -> str | None:
    """The token by which a stranger makes their own account; None where the rules or an account stand against it."""
    taken = select(User.user_id).where(User.email == email)
    if not registration_policy(session).admits(email) or session.scalar(taken):
        return None
    earlier = update(Invitation).where(Invitation.email == email, Invitation.kind == REGISTER, *_usable())
    session.execute(earlier.values(revoked_at=func.now()))
    return _invite(session, None, kind=REGISTER, email=email, role=Role.MEMBER, is_mailed=True)


def invited_role(session: Session, email: str) -> Role | None:
    """As what this address is invited, None where no invitation waits for it."""
    waiting = select(Invitation.role).where(Invitation.email == email, Invitation.kind == MEMBER, *_usable())
    role = session.scalar(waiting.order_by(_newest).limit(1))
    return Role(role) if role else None


def use_invitations(session: Session, email: str) -> bool:
    """The person with this address has an account now, without the link of an invitation. Whether one waited."""
    theirs = update(Invitation).where(Invitation.email == email, *_usable()).values(used_at=func.now())
    return bool(session.scalars(theirs.returning(Invitation.kind)).all())


def invitations(session: Session, actor: Actor) -> list[InvitationInfo]:
    """The invitations that wait to be used, the newest first. For administrators."""
    require(actor, Permission.PEOPLE_MANAGE)
    waiting = select(Invitation, User.name).outerjoin(User, User.user_id == Invitation.invited_by)
    rows = session.execute(waiting.where(*_usable(), Invitation.kind == MEMBER).order_by(_newest))
    return [InvitationInfo(i.invitation_id, i.email or "", Role(i.role), i.expires_at, by or "") for i, by in rows]


def revoke_invitation(session: Session, actor: Actor, invitation_id: int) -> None:
    """Withdraw an invitation: its link stops working."""
    require(actor, Permission.PEOPLE_MANAGE)
    found = session.scalar(
        update(Invitation)
        .where(Invitation.invitation_id == invitation_id, *_usable())
        .values(revoked_at=func.now())
        .returning(Invitation.email)
    )
    if found is None:
        raise NotFound("This invitation has been used or withdrawn already.")
    audit.record(session, actor, "account:invitation:revoke", email=found)


def welcome(session: Session, token: str) -> Welcome:
    """What the page behind an invitation's link shows. Raises NotFound with the way out."""
    found = session.scalar(select(Invitation).where(Invitation.token_hash == hash_token(token), *_usable()))
    if found is None:
        raise NotFound(GONE)
    return Welcome(found.email, found.name, Role(found.role), found.kind == FIRST_ADMIN, found.kind == REGISTER)


def accept_invitation(session: Session, token: str, *, email: str, name: str, password: str) -> int:
    """Make the account that the link invites to; the link is used up. The user's id."""
    wanted = select(Invitation).where(Invitation.token_hash == hash_token(token), *_usable())
    found = session.scalar(wanted.with_for_update())
    if found is not None and found.kind == FIRST_ADMIN:
        session.execute(_WAIT_FOR_ACCOUNTS)
        found = session.scalar(wanted)
    if found is None or (found.kind == REGISTER and not registration_policy(session).admits(found.email or "")):
        raise NotFound(GONE)
    first = found.kind == FIRST_ADMIN
    user_id = _account_for(session, found, email=found.email or email, name=name, password=password)
    session.execute(update(Invitation).where(Invitation.token_hash == hash_token(token)).values(used_at=func.now()))
    if found.is_mailed:
        session.execute(update(User).where(User.user_id == user_id).values(email_verified_at=func.now()))
    audit.record(session, None, "account:invitation:accept", user=user_id, first_admin=first)
    return user_id


def _account_for(session: Session, found: Invitation, *, email: str, name: str, password: str) -> int:
    """A new account, or the one that waits without a password (the demo workspace's people)."""
    waiting = session.scalar(
        select(User).where(User.email == clean_email(email), User.password_hash.is_(None), User.is_active)
    )
    if waiting is not None and found.kind == MEMBER:
        waiting.password_hash = hash_password(password)
        waiting.name = clean_name(name)
        waiting.role = found.role
        return waiting.user_id
    first = found.kind == FIRST_ADMIN
    role = Role(found.role)
    return add_account(session, None, email=email, name=name, role=role, password=password, is_first_admin=first)


def _invite(
    session: Session, actor: Actor | None, *, kind: str, email: str | None, role: Role, is_mailed: bool = False
) -> str:
    token = new_token()
    session.execute(
        text(f"""
            INSERT INTO invitations (token_hash, kind, email, role, invited_by, is_mailed, expires_at)
            VALUES (:token, :kind, :email, :role, :by, :mailed, now() + interval '{LIFE}')
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


def link(url: str, token: str) -> str:
    """The link that opens an invitation."""
    return f"{url}/?invite={token}"


def _usable() -> list[ColumnElement[bool]]:
    """Neither used, withdrawn nor run out; who invited is an administrator still, where anybody has to be; and of the
    first administrator's link, there is no administrator yet."""
    inviter = select(User.user_id).where(User.user_id == Invitation.invited_by, *ADMINISTRATOR).correlate(Invitation)
    waits = Invitation.used_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > func.now()
    is_invited = or_(Invitation.kind != MEMBER, inviter.exists())
    return [*waits, is_invited, or_(Invitation.kind != FIRST_ADMIN, ~_there_is_an_administrator)]


_newest = Invitation.created_at.desc()
# Somebody made by the link, or an administrator who has a way in, however they came to be one.
_there_is_an_administrator = (
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
# An administrator who is being made at this moment counts, too.
_WAIT_FOR_ACCOUNTS = text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
_IDENTITY = text("SELECT EXISTS (SELECT FROM provider_identities WHERE user_id = :user)")

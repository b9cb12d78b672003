"""Accounts and roles. Created by invitation or from the command line, managed by administrators."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.base import audit
from core.base.actor import Actor, require
from core.base.errors import Invalid, NotAllowed, NotFound
from core.base.permissions import Permission, Role
from core.base.text import INVALID_EMAIL, clean_email
from core.credentials.passwords import hash_password
from core.credentials.revocation import revoke_credentials
from db.tables.sheets import User

MAX_NAME_LENGTH = 100


@dataclass(frozen=True)
class PersonInfo:
    """A person of the workspace."""

    user_id: int
    name: str
    email: str
    role: Role
    is_active: bool
    has_password: bool
    created_at: datetime
    has_second_factor: bool = False
    has_identity: bool = False  # Linked at an OpenID Connect provider.
    last_seen_at: datetime | None = None  # In a session, or with an API token.


def people(session: Session, actor: Actor) -> list[PersonInfo]:
    """Return everyone with an account, by name. For administrators."""
    require(actor, Permission.PEOPLE_MANAGE)
    rows = session.execute(_PEOPLE).mappings()
    return [PersonInfo(**{**row, "role": Role(row["role"])}) for row in rows]


def create_user(
    session: Session, actor: Actor | None, *, email: str, name: str, role: Role, password: str | None = None
) -> int:
    """Create an account, as an administrator or (without an actor) from the command line; return the user's id."""
    if actor is not None:
        require(actor, Permission.PEOPLE_MANAGE)
    return add_account(session, actor, email=email, name=name, role=role, password=password)


def add_account(
    session: Session,
    actor: Actor | None,
    *,
    email: str,
    name: str,
    role: Role,
    password: str | None = None,
    is_first_admin: bool = False,
) -> int:
    """Store an account that the caller has authorized; return the user's id. Raises Invalid."""
    user = User(
        email=clean_email(email),
        name=clean_name(name),
        role=Role(role).value,
        password_hash=hash_password(password) if password is not None else None,
        is_first_admin=is_first_admin,
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise _refusal(error, user.email) from error
    audit.record(session, actor, "account:user:create", user=user.user_id, email=user.email, role=user.role)
    return user.user_id


def _refusal(error: IntegrityError, email: str) -> Invalid:
    """Return the message for a violated constraint."""
    if "uq_users_first_admin" in str(error.orig):
        return Invalid("The first administrator already exists. Sign in, or ask them for an invitation.")
    if "uq_users_email" in str(error.orig):
        return Invalid(f"There is already an account for {email}.")
    return Invalid(INVALID_EMAIL)


def change_role(session: Session, actor: Actor, user_id: int, *, role: Role) -> None:
    """Change a user's role and revoke their credentials. For administrators."""
    person = managed_person(session, actor, user_id)
    before = person.role
    if before == role.value:
        return
    if before == Role.ADMIN.value:
        _require_other_administrator(session, user_id)
    session.execute(update(User).where(User.user_id == user_id).values(role=role.value))
    revoke_credentials(session, user_id)
    audit.record(session, actor, "account:user:role", user=user_id, before=before, role=role.value)


def deactivate(session: Session, actor: Actor, user_id: int) -> None:
    """Deactivate a user and revoke their credentials. Their changes stay under their name. For administrators."""
    person = managed_person(session, actor, user_id)
    if person.role == Role.ADMIN.value:
        _require_other_administrator(session, user_id)
    session.execute(update(User).where(User.user_id == user_id).values(is_active=False))
    revoke_credentials(session, user_id)
    audit.record(session, actor, "account:user:deactivate", user=user_id)


def reactivate(session: Session, actor: Actor, user_id: int) -> None:
    """Reactivate a user. For administrators."""
    managed_person(session, actor, user_id)
    session.execute(update(User).where(User.user_id == user_id).values(is_active=True))
    audit.record(session, actor, "account:user:reactivate", user=user_id)


def rename_myself(session: Session, actor: Actor, name: str) -> None:
    """Change the acting user's name."""
    cleaned = clean_name(name)
    before = session.scalar(select(User.name).where(User.user_id == actor.user_id))
    if before != cleaned:
        session.execute(update(User).where(User.user_id == actor.user_id).values(name=cleaned))
        audit.record(session, actor, "account:user:rename", before=before, name=cleaned)


def name_of(session: Session, actor: Actor) -> str:
    """Return the acting user's current name."""
    return str(session.scalar(select(User.name).where(User.user_id == actor.user_id)))


def clean_name(name: str) -> str:
    """Return the name with normalized spaces. Raises Invalid."""
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    if not cleaned or "\x00" in cleaned or not cleaned.isprintable():
        raise Invalid("Enter a name without special characters.")
    if len(cleaned) > MAX_NAME_LENGTH:
        raise Invalid(f"A name has at most {MAX_NAME_LENGTH} characters.")
    return cleaned


def require_administrator(session: Session, actor: Actor) -> None:
    """Raise NotAllowed unless the actor is still an administrator. Locks, so that this can't change until commit."""
    require(actor, Permission.PEOPLE_MANAGE)
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('people', 0))"))
    if not session.scalar(select(User.user_id).where(User.user_id == actor.user_id, *ADMINISTRATOR)):
        raise NotAllowed("You aren't an administrator any more. Ask another one.")


def managed_person(session: Session, actor: Actor, user_id: int) -> User:
    """Return the user to change, for administrators. The lock prevents that two administrators remove each other."""
    require_administrator(session, actor)
    person = session.get(User, user_id, populate_existing=True)
    if person is None:
        raise NotFound("This person does not exist.")
    return person


def _require_other_administrator(session: Session, user_id: int) -> None:
    others = select(User.user_id).where(User.user_id != user_id, User.password_hash.is_not(None), *ADMINISTRATOR)
    if not session.scalar(others.limit(1)):
        raise Invalid("This is the last administrator. Make another user an administrator first.")


_PEOPLE = text("""
    SELECT u.user_id, u.name, u.email, u.role, u.is_active, u.password_hash IS NOT NULL AS has_password, u.created_at,
           EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.user_id AND f.confirmed_at IS NOT NULL)
               AS has_second_factor,
           EXISTS (SELECT FROM provider_identities i WHERE i.user_id = u.user_id) AS has_identity,
           greatest((SELECT max(last_seen_at) FROM sessions s WHERE s.user_id = u.user_id),
                    (SELECT max(last_used_at) FROM api_tokens t WHERE t.user_id = u.user_id)) AS last_seen_at
    FROM users u ORDER BY u.name, u.user_id
""")
ADMINISTRATOR = (User.role == Role.ADMIN.value, User.is_active)

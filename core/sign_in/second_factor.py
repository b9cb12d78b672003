"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes."""

import base64
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from core.accounts.accounts import managed_person
from core.base import audit
from core.base.actor import Actor
from core.base.errors import Invalid, NotFound
from core.base.secret_tokens import hash_token
from core.config.settings import settings
from core.mail.outbox import queue_mail
from db.tables.accounts import SecondFactor

STEP_SECONDS = 30
MAX_DRIFT_STEPS = 1  # Time steps that the clock of the phone may be off.
RECOVERY_CODES = 10
SETUP_LIFETIME = "15 minutes"  # A QR code on an abandoned page soon stops working.
ISSUER = "Contrivance"
WRONG = "This code is wrong. Wait for the next one of your app and try again."
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class FactorInfo:
    """The state of a user's second factor: since when, and the number of unused recovery codes."""

    since: datetime | None
    codes_left: int


def second_factor(session: Session, actor: Actor) -> FactorInfo:
    """Return the state of the acting user's second factor."""
    row = session.execute(_STATE, {"user": actor.user_id}).one()
    return FactorInfo(row.since, row.codes_left)


def create_pending_factor(session: Session, user_id: int) -> None:
    """Create a secret for the app of a user with a verified password. It must be confirmed within SETUP_LIFETIME."""
    secret = pyotp.random_base32()
    if session.scalar(_BEGIN, {"user": user_id, "secret": _encrypt(secret)}) is None:
        raise Invalid("You have a second factor already. Switch it off before you set up another app.")


def pending_secret(session: Session, actor: Actor) -> tuple[str, str] | None:
    """Return the acting user's unconfirmed secret and the otpauth:// URL of its QR code."""
    sealed = session.scalar(select(SecondFactor.secret).where(*_is_pending(actor)))
    if sealed is None:
        return None
    secret = _decrypt(sealed)
    return secret, pyotp.TOTP(secret).provisioning_uri(name=actor.email, issuer_name=ISSUER)


def discard_pending_secret(session: Session, actor: Actor) -> None:
    """Delete the acting user's unconfirmed secret."""
    session.execute(_FORGET, {"user": actor.user_id})


def confirm_second_factor(session: Session, actor: Actor, code: str) -> list[str]:
    """Switch the second factor on with a code of the app; return the recovery codes. Raises NotFound and Invalid."""
    factor = _lock_factor(session, *_is_pending(actor))
    if factor is None:
        raise NotFound("No authenticator app is waiting for confirmation. Start again.")
    step = _matching_step(factor, code)
    if step is None:
        raise Invalid(WRONG)
    session.execute(_CONFIRM, {"user": actor.user_id, "step": step})
    audit.record(session, actor, "account:second-factor:on")
    queue_mail(session, "notice", actor.email, what="second factor on")
    return new_recovery_codes(session, actor.user_id)


def needs_code(session: Session, user_id: int) -> bool:
    """Return whether a user signs in with a second factor."""
    confirmed = (SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))
    return session.scalar(select(SecondFactor.user_id).where(*confirmed)) is not None


def is_second_factor(session: Session, user_id: int, code: str) -> bool:
    """Return whether the code is valid: of the user's app, or a recovery code. Each code works once."""
    factor = _lock_factor(session, SecondFactor.user_id == user_id)
    if factor is None or factor.confirmed_at is None:
        return False
    step = _matching_step(factor, code)
    if step is not None:
        session.execute(_USED, {"user": user_id, "step": step})
        return True
    if session.scalar(_TAKE_CODE, {"user": user_id, "code": hash_token(_normalize_code(code))}) is None:
        return False
    audit.record(session, None, "account:second-factor:recover", user=user_id)
    return True


def remove_second_factor(session: Session, user_id: int) -> None:
    """Delete a user's second factor and recovery codes."""
    session.execute(_DROP_CODES, {"user": user_id})
    session.execute(_DROP, {"user": user_id})


def reset_second_factor(session: Session, actor: Actor, user_id: int) -> None:
    """Remove the second factor of a user who has lost it. For administrators."""
    person = managed_person(session, actor, user_id)
    if not needs_code(session, user_id):
        raise Invalid(f"{person.name} signs in without a second factor.")
    remove_second_factor(session, user_id)
    audit.record(session, actor, "account:second-factor:reset", user=user_id)
    queue_mail(session, "notice", person.email, what="second factor reset")


def _matching_step(factor: SecondFactor, code: str) -> int | None:
    """Return the time step of a valid code that is later than the last used one, else None."""
    digits = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    totp = pyotp.TOTP(_decrypt(factor.secret))
    now = int(time.time()) // STEP_SECONDS
    steps = [step for step in range(now - MAX_DRIFT_STEPS, now + MAX_DRIFT_STEPS + 1) if step > factor.last_step]
    return next((step for step in steps if secrets.compare_digest(totp.generate_otp(step), digits)), None)


def _is_pending(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for an unconfirmed secret of the actor that has not expired."""
    fresh = SecondFactor.created_at > func.now() - text(f"interval '{SETUP_LIFETIME}'")
    return SecondFactor.user_id == actor.user_id, SecondFactor.confirmed_at.is_(None), fresh


def _lock_factor(session: Session, *which: ColumnElement[bool]) -> SecondFactor | None:
    """Return the factor and lock its row, so that a code can't be used twice."""
    query = select(SecondFactor).where(*which).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def new_recovery_codes(session: Session, user_id: int) -> list[str]:
    """Replace a user's recovery codes and return the new ones."""
    session.execute(_DROP_CODES, {"user": user_id})
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    session.execute(_KEEP_CODE, [{"user": user_id, "code": hash_token(code)} for code in codes])
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def _normalize_code(code: str) -> str:
    return re.sub(r"[\s-]", "", code[:100]).lower()


def _encrypt(secret: str) -> bytes:
    """Encrypt a secret with a key that is not in the database, so that a stolen backup is useless."""
    return _fernet().encrypt(secret.encode())


def _decrypt(sealed: bytes) -> str:
    try:
        return _fernet().decrypt(sealed).decode()
    except InvalidToken as error:
        reason = "Your second factor cannot be read: this server's key has changed. Ask an administrator to reset it."
        raise Invalid(reason) from error


def _fernet() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(settings().derived_key("second factors"))))


_STATE = text("""
    SELECT (SELECT confirmed_at FROM second_factors WHERE user_id = :user) AS since,
           (SELECT count(*) FROM recovery_codes WHERE user_id = :user) AS codes_left
""")
_BEGIN = text("""
    INSERT INTO second_factors (user_id, secret) VALUES (:user, :secret)
    ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = 0, created_at = now()
    WHERE second_factors.confirmed_at IS NULL RETURNING user_id
""")
_FORGET = text("DELETE FROM second_factors WHERE user_id = :user AND confirmed_at IS NULL")
_CONFIRM = text("UPDATE second_factors SET confirmed_at = now(), last_step = :step WHERE user_id = :user")
_USED = text("UPDATE second_factors SET last_step = :step WHERE user_id = :user")
_KEEP_CODE = text("INSERT INTO recovery_codes (user_id, code_hash) VALUES (:user, :code)")
_TAKE_CODE = text("DELETE FROM recovery_codes WHERE user_id = :user AND code_hash = :code RETURNING user_id")
_DROP_CODES = text("DELETE FROM recovery_codes WHERE user_id = :user")
_DROP = text("DELETE FROM second_factors WHERE user_id = :user")

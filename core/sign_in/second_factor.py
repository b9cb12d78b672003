"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost."""

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
DRIFT = 1  # Steps that a telephone's clock may be off, either way.
RECOVERY_CODES = 10
SET_UP_WITHIN = "15 minutes"  # A picture that is left on an open page confirms no app of somebody else's.
ISSUER = "Contrivance"
WRONG = "This code is not right. Wait for the next one of your app and try again."
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class FactorInfo:
    """Whether a second factor is asked of me, since when, and how many recovery codes are left."""

    since: datetime | None
    codes_left: int


def second_factor(session: Session, actor: Actor) -> FactorInfo:
    """How my second factor stands."""
    found = session.execute(_STATE, {"user": actor.user_id}).one()
    return FactorInfo(found.since, found.codes_left)


def begin_second_factor(session: Session, user_id: int) -> None:
    """Make a fresh secret for a person's app, whose password was asked. It counts once it is confirmed, and soon."""
    secret = pyotp.random_base32()
    if session.scalar(_BEGIN, {"user": user_id, "secret": _seal(secret)}) is None:
        raise Invalid("You have a second factor already. Switch it off before you set up another app.")


def waiting_secret(session: Session, actor: Actor) -> tuple[str, str] | None:
    """The secret that my app has not confirmed yet, and the otpauth:// address that its picture holds."""
    sealed = session.scalar(select(SecondFactor.secret).where(*_waiting(actor)))
    if sealed is None:
        return None
    secret = _unseal(sealed)
    return secret, pyotp.TOTP(secret).provisioning_uri(name=actor.email, issuer_name=ISSUER)


def forget_waiting_secret(session: Session, actor: Actor) -> None:
    """I do not set up an app after all."""
    session.execute(_FORGET, {"user": actor.user_id})


def confirm_second_factor(session: Session, actor: Actor, code: str) -> list[str]:
    """Switch the second factor on by a first code of the app: the recovery codes, to be shown once."""
    factor = _locked(session, *_waiting(actor))
    if factor is None:
        raise NotFound("There is no app to confirm. Begin again.")
    step = _step_of(factor, code)
    if step is None:
        raise Invalid(WRONG)
    session.execute(_CONFIRM, {"user": actor.user_id, "step": step})
    audit.record(session, actor, "account:second-factor:on")
    queue_mail(session, "notice", actor.email, what="second factor on")
    return new_recovery_codes(session, actor.user_id)


def needs_code(session: Session, user_id: int) -> bool:
    """Whether this person signs in with a code, too."""
    confirmed = (SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))
    return session.scalar(select(SecondFactor.user_id).where(*confirmed)) is not None


def is_second_factor(session: Session, user_id: int, code: str) -> bool:
    """Whether this is a code of the person's app, or one of their recovery codes. Either works once."""
    factor = _locked(session, SecondFactor.user_id == user_id)
    if factor is None or factor.confirmed_at is None:
        return False
    step = _step_of(factor, code)
    if step is not None:
        session.execute(_USED, {"user": user_id, "step": step})
        return True
    if session.scalar(_TAKE_CODE, {"user": user_id, "code": hash_token(_plain(code))}) is None:
        return False
    audit.record(session, None, "account:second-factor:recover", user=user_id)
    return True


def drop_second_factor(session: Session, user_id: int) -> None:
    """Forget a person's second factor and its recovery codes."""
    session.execute(_DROP_CODES, {"user": user_id})
    session.execute(_DROP, {"user": user_id})


def reset_second_factor(session: Session, actor: Actor, user_id: int) -> None:
    """Take the second factor from a person who has lost it. For administrators."""
    person = managed_person(session, actor, user_id)
    if not needs_code(session, user_id):
        raise Invalid(f"{person.name} signs in without a second factor.")
    drop_second_factor(session, user_id)
    audit.record(session, actor, "account:second-factor:reset", user=user_id)
    queue_mail(session, "notice", person.email, what="second factor reset")


def _step_of(factor: SecondFactor, code: str) -> int | None:
    """The time step that a code is of, if it is right and later than the last one used: no code works twice."""
    typed = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", typed):
        return None
    totp = pyotp.TOTP(_unseal(factor.secret))
    now = int(time.time()) // STEP_SECONDS
    steps = [step for step in range(now - DRIFT, now + DRIFT + 1) if step > factor.last_step]
    return next((step for step in steps if secrets.compare_digest(totp.generate_otp(step), typed)), None)


def _waiting(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """My app is not confirmed yet, and my password was asked for it not long ago."""
    fresh = SecondFactor.created_at > func.now() - text(f"interval '{SET_UP_WITHIN}'")
    return SecondFactor.user_id == actor.user_id, SecondFactor.confirmed_at.is_(None), fresh


def _locked(session: Session, *which: ColumnElement[bool]) -> SecondFactor | None:
    """The factor, locked: two who come with one code come one after the other."""
    wanted = select(SecondFactor).where(*which).with_for_update()
    return session.scalar(wanted.execution_options(populate_existing=True))


def new_recovery_codes(session: Session, user_id: int) -> list[str]:
    """Ten fresh recovery codes, told this once; the old ones end."""
    session.execute(_DROP_CODES, {"user": user_id})
    plain = ["".join(secrets.choice(_ALPHABET) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    session.execute(_KEEP_CODE, [{"user": user_id, "code": hash_token(code)} for code in plain])
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in plain]


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code[:100]).lower()


def _seal(secret: str) -> bytes:
    """Encrypted with a key that is not in the database: a stolen backup signs nobody in."""
    return _box().encrypt(secret.encode())


def _unseal(sealed: bytes) -> str:
    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken as error:
        reason = "Your second factor cannot be read: this server's key has changed. Ask an administrator to reset it."
        raise Invalid(reason) from error


def _box() -> Fernet:
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

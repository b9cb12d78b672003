"""Passwords: the policy, the hash, and a check that takes equally long for unknown accounts."""

import unicodedata
from functools import lru_cache
from threading import BoundedSemaphore

import bcrypt

from core.base.errors import Invalid

MIN_LENGTH = 10
MAX_BYTES = 72  # bcrypt silently ignores the bytes after that.
COST = 12
MIN_SCORE = 2  # zxcvbn's scores below it mean fewer than a million guesses.
_HASHING = BoundedSemaphore(2)  # A hash takes 250 ms of one core: sign-ins must not starve other requests.


def hash_password(password: str, *, cost: int = COST) -> str:
    """Return the hash of a password. Raises Invalid if it breaks the policy."""
    secret = validate_password(password)
    with _HASHING:
        return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(cost)).decode()


def verify_password(password: str, stored: str | None) -> bool:
    """Return whether the password matches. An unknown account (None) takes as long as any other."""
    spellings = _spellings(password)
    for spelling in spellings or [b"-"]:
        with _HASHING:
            matches = bcrypt.checkpw(spelling, (stored or _dummy_hash()).encode())
        if matches and spellings and stored is not None:
            return True
    return False


def normalize_password(password: str) -> str:
    """Return the password in NFC: some keyboards type é as one character, others as two."""
    return unicodedata.normalize("NFC", password)


def _spellings(password: str) -> list[bytes]:
    """Return the encodings that may be stored: NFC, or by earlier versions as the keyboard typed it."""
    if len(password) > MAX_BYTES or "\x00" in password:
        return []
    forms = (normalize_password(password), password, unicodedata.normalize("NFD", password))
    try:
        encoded = [form.encode() for form in dict.fromkeys(forms)]
    except UnicodeEncodeError:
        return []
    return [spelling for spelling in encoded if 0 < len(spelling) <= MAX_BYTES]


def validate_password(password: str) -> str:
    """Return the normalized password. Raises Invalid with the broken rule of the policy."""
    if len(password) <= 10 * MAX_BYTES:
        password = normalize_password(password)
    if len(password) < MIN_LENGTH:
        raise Invalid(f"A password has at least {MIN_LENGTH} characters.")
    try:
        length = len(password.encode())
    except UnicodeEncodeError:
        raise Invalid("The password has a character that cannot be stored.") from None
    if length > MAX_BYTES:
        raise Invalid(f"A password has at most {MAX_BYTES} bytes (fewer characters where some have accents).")
    if "\x00" in password:
        raise Invalid("The password has a character that cannot be stored.")
    if password != password.strip():
        raise Invalid("A password does not start or end with a space.")
    if len(set(password)) < 4:
        raise Invalid("This password repeats too few different characters.")
    if is_guessable(password):
        raise Invalid("This password is common or easy to guess. Choose another one, such as four words of your own.")
    return password


def is_guessable(password: str) -> bool:
    """Return whether zxcvbn rates the password as easy: common passwords, names, words, dates, keyboard patterns."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - Its lists take a tenth of a second to load.

    return int(zxcvbn(password, max_length=MAX_BYTES)["score"]) < MIN_SCORE


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    """Return a hash that no password matches and that takes as long to check as any other."""
    return bcrypt.gensalt(COST).decode() + "." * 31

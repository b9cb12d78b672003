"""Passwords: the policy, the hash, and a check that costs the same whether or not there is such an account."""

import unicodedata
from functools import lru_cache
from threading import BoundedSemaphore

import bcrypt

from core.base.errors import Invalid

SHORTEST = 10
LONGEST_BYTES = 72  # bcrypt reads no further; a longer password would be cut without a word.
COST = 12
EASY = 2  # zxcvbn's score below which a password falls within a million guesses: common ones and what is made of them.
AT_ONCE = BoundedSemaphore(2)  # A hash takes a quarter of a second of one core: sign-ins must not starve the rest.


def hash_password(password: str, *, cost: int = COST) -> str:
    """The hash to store for a password that fits the policy. Raises Invalid."""
    secret = checked_password(password)
    with AT_ONCE:
        return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(cost)).decode()


def is_right(password: str, stored: str | None) -> bool:
    """Whether this is the password. Unknown accounts (None) cost as many checks: it depends on what was typed alone."""
    spellings = _spellings(password)
    for tried in spellings or [b"-"]:
        with AT_ONCE:
            same = bcrypt.checkpw(tried, (stored or _nobodys_hash()).encode())
        if same and spellings and stored is not None:
            return True
    return False


def in_one_form(password: str) -> str:
    """The password as it is stored: NFC. Keyboards of one system type é as one character, those of another as two."""
    return unicodedata.normalize("NFC", password)


def _spellings(password: str) -> list[bytes]:
    """As what it may have been stored: in NFC, or by an earlier version as somebody's keyboard wrote it."""
    if len(password) > LONGEST_BYTES or "\x00" in password:
        return []
    forms = (in_one_form(password), password, unicodedata.normalize("NFD", password))
    try:
        encoded = [form.encode() for form in dict.fromkeys(forms)]
    except UnicodeEncodeError:
        return []
    return [one for one in encoded if 0 < len(one) <= LONGEST_BYTES]


def checked_password(password: str) -> str:
    """The password in its one form, or Invalid with the part of the policy that it breaks."""
    if len(password) <= 10 * LONGEST_BYTES:
        password = in_one_form(password)
    if len(password) < SHORTEST:
        raise Invalid(f"A password has at least {SHORTEST} characters.")
    try:
        length = len(password.encode())
    except UnicodeEncodeError:
        raise Invalid("The password has a character that cannot be stored.") from None
    if length > LONGEST_BYTES:
        raise Invalid(f"A password has at most {LONGEST_BYTES} bytes (fewer characters where some have accents).")
    if "\x00" in password:
        raise Invalid("The password has a character that cannot be stored.")
    if password != password.strip():
        raise Invalid("A password does not begin or end with a space.")
    if len(set(password)) < 4:
        raise Invalid("This password repeats too few different characters.")
    if is_easy(password):
        raise Invalid("This password is common or easy to guess. Choose another one, such as four words of your own.")
    return password


def is_easy(password: str) -> bool:
    """Whether guessers try this early: zxcvbn knows common passwords, names, words, dates and keyboard patterns."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - Its lists take a tenth of a second to load.

    return int(zxcvbn(password, max_length=LONGEST_BYTES)["score"]) < EASY


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """As dear to check as a real one, and free to make: no password has a digest of dots."""
    return bcrypt.gensalt(COST).decode() + "." * 31

"""Passwords: the policy, the hash, and a check that costs the same whether or not there is such an account."""

from functools import lru_cache
from threading import BoundedSemaphore

import bcrypt

from core.errors import Invalid

SHORTEST = 10
LONGEST_BYTES = 72  # bcrypt reads no further; a longer password would be cut without a word.
COST = 12
AT_ONCE = BoundedSemaphore(2)  # A hash takes a quarter of a second of one core: sign-ins must not starve the rest.


def hash_password(password: str, *, cost: int = COST) -> str:
    """The hash to store for a password that fits the policy. Raises Invalid."""
    secret = checked_password(password)
    with AT_ONCE:
        return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(cost)).decode()


def is_right(password: str, stored: str | None) -> bool:
    """Whether this is the password. Unknown accounts (None) cost one check too."""
    fits = 0 < len(password.encode(errors="replace")) <= LONGEST_BYTES and "\x00" not in password
    try:
        tried = password.encode() if fits else b"-"
    except UnicodeEncodeError:
        fits, tried = False, b"-"
    with AT_ONCE:
        same = bcrypt.checkpw(tried, (stored or _nobodys_hash()).encode())
    return same and fits and stored is not None


def checked_password(password: str) -> str:
    """The password, or Invalid with the part of the policy that it breaks."""
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
    return password


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """As dear to check as a real one, and free to make: no password has a digest of dots."""
    return bcrypt.gensalt(COST).decode() + "." * 31

"""Secret tokens: random text for a link or cookie, of which only a hash is stored."""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits as text that fits a link."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> bytes:
    """What is stored of a token. A fast hash is enough: nobody guesses 256 bits."""
    return hashlib.sha256(token.encode(errors="replace")).digest()

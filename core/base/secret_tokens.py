"""Secret tokens for links and cookies. Only their hash is stored."""

import hashlib
import secrets


def new_token() -> str:
    """Return 256 random bits as URL-safe text."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """Return the stored hash of a token. A fast hash is enough for 256 random bits."""
    return hashlib.sha256(token.encode(errors="replace")).digest()

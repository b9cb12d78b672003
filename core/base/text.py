"""Normalization of text before a column type reads it, so that equal-looking texts are equal."""

import re
from unicodedata import normalize

from core.base.errors import Invalid
from db.folding import fold

# PostgreSQL can store neither surrogates nor NUL.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# Direction marks, byte-order marks, and control characters that are not allowed in spreadsheet files.
_DROPPED = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\x01-\x08\x0e-\x1f\x7f]",
)
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_SPACES = re.compile(r"\s+")
MAX_EMAIL_LENGTH = 254
INVALID_EMAIL = "This isn't a valid e-mail address. Write it like ann@example.com."
_EMAIL = re.compile(r"[^@\s\x00-\x1f\"<>()]{1,64}@[^@\s\x00-\x1f\"<>()]{1,253}")


def clean(text: str) -> str:
    """Return the text in NFC, trimmed, with plain line ends and without direction marks. Raises Invalid on NUL."""
    if text.isascii() and text.isprintable():
        return text.strip()
    if _UNSTORABLE.search(text):
        raise Invalid("The text holds characters that cannot be stored (NUL or half a surrogate pair).")
    # Drop marks first: a mark between a letter and its accent would prevent composition.
    return normalize("NFC", _LINE_ENDS.sub("\n", _DROPPED.sub("", text))).strip()


def one_line(text: str) -> str:
    """Return clean text with every run of white space as one space, for labels, names and look-ups."""
    return _SPACES.sub(" ", text)


def folded_key(text: str) -> str:
    """Return the key by which labels are compared: without case, accents and white space differences."""
    return fold(one_line(clean(text)))


def quoted(text: str) -> str:
    """Return the text in quotation marks for a message, shortened to 60 characters."""
    short = one_line(text)
    return f"“{short if len(short) <= 60 else short[:57] + '…'}”"


def clean_email(email: str) -> str:
    """Return the address in NFC, lower case, without surrounding spaces. Raises Invalid."""
    cleaned = normalize("NFC", email).strip(" ").lower()
    if len(cleaned) > MAX_EMAIL_LENGTH or not cleaned.isprintable() or not _EMAIL.fullmatch(cleaned):
        raise Invalid(INVALID_EMAIL)
    return cleaned

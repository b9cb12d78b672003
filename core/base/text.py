"""Characters: what every text goes through before a type reads it, so that equal-looking texts are equal."""

import re
from unicodedata import normalize

from core.base.errors import Invalid
from db.folding import fold

# A surrogate stands for half a character and NUL for none: the database can store neither.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# Invisible marks that turn text around, byte-order marks, and controls that no spreadsheet file may hold.
_DROPPED = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\x01-\x08\x0e-\x1f\x7f]",
)
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_SPACES = re.compile(r"\s+")
LONGEST_EMAIL = 254
NO_EMAIL = "This is no e-mail address. Write it like ann@example.com."
_EMAIL = re.compile(r"[^@\s\x00-\x1f\"<>()]{1,64}@[^@\s\x00-\x1f\"<>()]{1,253}")


def clean(text: str) -> str:
    """The text composed (NFC), trimmed, with plain line ends and without direction marks. Raises Invalid on NUL."""
    if text.isascii() and text.isprintable():
        return text.strip()
    if _UNSTORABLE.search(text):
        raise Invalid("The text holds characters that cannot be stored (NUL or half a surrogate pair).")
    # Dropping comes first: a mark between a letter and its accent would keep the two from being composed.
    return normalize("NFC", _LINE_ENDS.sub("\n", _DROPPED.sub("", text))).strip()


def one_line(text: str) -> str:
    """Clean text with every run of white space as one space: labels, names and all that is looked up."""
    return _SPACES.sub(" ", text)


def key(text: str) -> str:
    """What two labels that a person would call equal have in common."""
    return fold(one_line(clean(text)))


def shown(text: str) -> str:
    """A text for the inside of a message: in quotation marks, cut where it is long."""
    short = one_line(text)
    return f"“{short if len(short) <= 60 else short[:57] + '…'}”"


def clean_email(email: str) -> str:
    """The address in its one form: NFC, lower case, no spaces around it. Raises Invalid."""
    cleaned = normalize("NFC", email).strip(" ").lower()
    if len(cleaned) > LONGEST_EMAIL or not cleaned.isprintable() or not _EMAIL.fullmatch(cleaned):
        raise Invalid(NO_EMAIL)
    return cleaned

"""Formulas: texts that a spreadsheet would run are written to CSV behind an apostrophe, which the import takes off."""

import re

_RUN = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_DANGEROUS = re.compile(rf"'*{_RUN}")
_SHIELDED = re.compile(rf"'+{_RUN}")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def shielded(text: str) -> str:
    """The text as no spreadsheet runs it. A plain number such as -5 stays a number."""
    if _DANGEROUS.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def released(text: str) -> str:
    """The text that `shielded` was given, for every text."""
    return text[1:] if text[:1] == "'" and _SHIELDED.match(text) else text

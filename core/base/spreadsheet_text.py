"""Formulas: texts that a spreadsheet would run are written to CSV behind an apostrophe, which the import takes off.

A spreadsheet whose locale separates by semicolon, or that was told to separate by tab, opens our file, too, and then
takes neither our commas nor our quotes for what they are: what stands behind one of these, or in a new line, is the
beginning of a cell for it.
"""

import re

_SIGN = r"=+\-@\uff1d\uff0b\uff0d\uff20"
_DANGEROUS = re.compile(rf"'*[{_SIGN}\t\r\n]")
_SHIELDED = re.compile(rf"'+[{_SIGN}\t\r\n]")
_INSIDE = re.compile(rf"[;\t\r\n](?=[\"']*[{_SIGN}])")
_SHIELDED_INSIDE = re.compile(rf"([;\t\r\n])'(?=[\"']*[{_SIGN}])")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def shielded(text: str) -> str:
    """The text as no spreadsheet runs it, by whatever it separates. A plain number such as -5 stays a number."""
    inside = _INSIDE.sub(r"\g<0>'", text)
    if _DANGEROUS.match(text) and not _NUMBER.fullmatch(text):
        return f"'{inside}"
    return inside


def released(text: str) -> str:
    """The text that `shielded` was given, for every text."""
    if "'" not in text:
        return text
    if _SHIELDED.match(text):
        text = text[1:]
    return _SHIELDED_INSIDE.sub(r"\1", text)

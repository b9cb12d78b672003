"""CSV injection guard: text that a spreadsheet would run as a formula gets an apostrophe, which the import removes.

A spreadsheet may also open the file with semicolons or tabs as separators. It then ignores the commas and quotes of
the file, so text after a semicolon, a tab or a line end would start a cell. Such places get an apostrophe, too.
"""

import re

_SIGN = r"=+\-@\uff1d\uff0b\uff0d\uff20"
_DANGEROUS = re.compile(rf"'*[{_SIGN}\t\r\n]")
_ESCAPED = re.compile(rf"'+[{_SIGN}\t\r\n]")
_INSIDE = re.compile(rf"[;\t\r\n](?=[\"']*[{_SIGN}])")
_ESCAPED_INSIDE = re.compile(rf"([;\t\r\n])'(?=[\"']*[{_SIGN}])")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def escape_formula(text: str) -> str:
    """Return the text so that spreadsheets with any separator do not run it. A plain number such as -5 is unchanged."""
    inside = _INSIDE.sub(r"\g<0>'", text)
    if _DANGEROUS.match(text) and not _NUMBER.fullmatch(text):
        return f"'{inside}"
    return inside


def unescape_formula(text: str) -> str:
    """Return the text that `escape_formula` was called with."""
    if "'" not in text:
        return text
    if _ESCAPED.match(text):
        text = text[1:]
    return _ESCAPED_INSIDE.sub(r"\1", text)
